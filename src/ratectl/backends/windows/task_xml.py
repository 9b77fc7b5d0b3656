"""Task Scheduler XML: from triggers to nodes, from nodes to bytes, and back from what Windows exports.

Windows rewrites what it is given (order, defaults), so both ways go through one
canonical form: ``canonical(parse(export)) == canonical(parse(ours))`` means unchanged.
"""

from __future__ import annotations

import codecs
import contextlib
import datetime as dt
import re
import sys
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from ratectl.backends.steps import console_text
from ratectl.schedule.cover import repetition
from ratectl.schedule.cover.triggers import FixedInterval
from ratectl.schedule.values import DAYS, LAST_DAY, MONTHS, WEEKDAYS, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

    from ratectl.schedule.cover.triggers import Trigger
    from ratectl.schedule.values import Calendar

NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
BOUNDARY = dt.date(2020, 1, 1)
"""The past day on which every trigger begins, so that the same job gives the same bytes."""
_WEEKDAYS = ("", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "",
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_TRIGGER_ORDER = (
    *("Enabled", "StartBoundary", "EndBoundary", "Repetition", "ExecutionTimeLimit", "RandomDelay"),
    *("ScheduleByDay", "ScheduleByWeek", "ScheduleByMonth", "ScheduleByMonthDayOfWeek"),
)
_ORDER = {
    name: position for position, name in enumerate((*_TRIGGER_ORDER, *_WEEKDAYS[1:], *_MONTHS[1:]))
}
_IN_TRIGGERS = {("Enabled", "true"), ("StopAtDurationEnd", "false")}
"""What Windows adds to a trigger without being told."""
_DEFAULTS = {
    "RunLevel": "LeastPrivilege",
    "MultipleInstancesPolicy": "IgnoreNew",
    "DisallowStartIfOnBatteries": "true",
    "StopIfGoingOnBatteries": "true",
    "StartWhenAvailable": "false",
    "RunOnlyIfNetworkAvailable": "false",
    "Enabled": "true",
    "WakeToRun": "false",
    "ExecutionTimeLimit": "PT72H",
    "Priority": "7",
}
"""What holds where an export leaves one of our elements out."""
_KEEPS_ASLEEP = {"RunOnlyIfIdle": "true", "DeleteExpiredTaskAfter": None, "ComHandler": None}
"""Elements that we never write and that change what a task does: with this text (None: any)."""
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_DURATIONS = frozenset({"Interval", "Duration", "ExecutionTimeLimit"})
"""Elements whose text is a length of time."""


def element(tag: str, *parts: ET.Element | str, **attributes: str) -> ET.Element:
    """Return a node of the task namespace with *parts* (nodes, or its text) inside."""
    node = ET.Element(f"{{{NAMESPACE}}}{tag}", attributes)
    for part in parts:
        if isinstance(part, str):
            node.text = part
        else:
            node.append(part)
    return node


def trigger_nodes(triggers: Sequence[Trigger], zone: ZoneInfo) -> Iterator[ET.Element]:
    """Yield the trigger nodes of *triggers*, local times of *zone*, with children in the schema's order."""
    for trigger in triggers:
        if isinstance(trigger, FixedInterval):
            yield _pulse(trigger)
        else:
            assert trigger.zone is None, trigger
    for start in repetition.starts(triggers, zone):
        yield _calendar(start)


def _pulse(pulse: FixedInterval) -> ET.Element:
    """A fixed instant in the past (``Z``), repeated for ever; the interval counts elapsed time."""
    assert pulse.every % 60 == 0, pulse
    assert 60 <= pulse.every <= 31 * 86400, pulse
    origin = int(dt.datetime(BOUNDARY.year, 1, 1, tzinfo=dt.UTC).timestamp())
    start = dt.datetime.fromtimestamp(origin + (pulse.phase - origin) % pulse.every, tz=dt.UTC)
    return element(
        "TimeTrigger",
        element("Enabled", "true"),
        element("StartBoundary", f"{start:%Y-%m-%dT%H:%M:%S}Z"),
        element("Repetition", element("Interval", duration(pulse.every))),
    )


def _calendar(start: repetition.Start) -> ET.Element:
    day = BOUNDARY
    while start.days.stride is not None and not start.days.stride.includes(day):
        day += dt.timedelta(days=1)
    boundary = dt.datetime.combine(day, dt.time()) + dt.timedelta(seconds=start.time)
    return element(
        "CalendarTrigger",
        element("Enabled", "true"),
        element("StartBoundary", boundary.isoformat()),
        *_repeated(start),
        _days(start.days),
    )


def _repeated(start: repetition.Start) -> Iterator[ET.Element]:
    """Yield how *start* repeats; a minute more than needed, so that the last one is surely within."""
    if start.more:
        yield element(
            "Repetition",
            element("Interval", duration(start.every)),
            element("Duration", duration(start.every * start.more + 60)),
        )


def _days(calendar: Calendar) -> ET.Element:
    every_day = calendar.days == DAYS
    if calendar.stride is not None:
        assert calendar.stride.unit is Unit.DAY, calendar
        assert every_day, calendar
        assert calendar.weekdays == WEEKDAYS, calendar
        assert calendar.months == MONTHS, calendar
        return element("ScheduleByDay", element("DaysInterval", str(calendar.stride.every)))
    if calendar.nth_weekday or (calendar.weekdays != WEEKDAYS and calendar.months != MONTHS):
        assert every_day, calendar
        weeks = calendar.nth_weekday or frozenset({1, 2, 3, 4, -1})
        return element(
            "ScheduleByMonthDayOfWeek",
            element("Weeks", *(element("Week", text) for text in _numbers(weeks))),
            _names("DaysOfWeek", calendar.weekdays, _WEEKDAYS),
            _names("Months", calendar.months, _MONTHS),
        )
    if calendar.weekdays != WEEKDAYS:
        assert every_day, calendar
        days = _names("DaysOfWeek", calendar.weekdays, _WEEKDAYS)
        return element("ScheduleByWeek", element("WeeksInterval", "1"), days)
    if every_day and calendar.months == MONTHS:
        return element("ScheduleByDay", element("DaysInterval", "1"))
    return element(
        "ScheduleByMonth",
        element("DaysOfMonth", *(element("Day", text) for text in _numbers(calendar.days))),
        _names("Months", calendar.months, _MONTHS),
    )


def _numbers(values: frozenset[int]) -> list[str]:
    """Return *values* in order, the negative one (the last day, the last week) as ``Last`` at the end."""
    texts = [str(value) for value in sorted(values) if value > 0]
    return [*texts, "Last"] if LAST_DAY in values else texts


def _names(tag: str, values: frozenset[int], names: tuple[str, ...]) -> ET.Element:
    return element(tag, *(element(names[value]) for value in sorted(values)))


def to_bytes(task: ET.Element) -> bytes:
    """Return *task* as the only form that every schtasks reads: UTF-16LE with BOM and CRLF."""
    ET.register_namespace("", NAMESPACE)
    ET.indent(task)
    text = (
        '<?xml version="1.0" encoding="UTF-16"?>\n' + ET.tostring(task, encoding="unicode") + "\n"
    )
    return codecs.BOM_UTF16_LE + text.replace("\n", "\r\n").encode("utf-16-le", "surrogatepass")


def parse(data: bytes) -> ET.Element:
    """Return the task in *data*, UTF-16 as we write it. Raises ET.ParseError."""
    return _from_text(console_text(data))


def readings(data: bytes, code_pages: Sequence[str]) -> Iterator[tuple[ET.Element, str]]:
    """Yield the task in *data* as each encoding reads it in which ``schtasks /Query /XML`` may have printed it.

    With it comes the code page that was taken, whose characters are all that the text can have; none for Unicode.
    """
    if b"\0" in data[:4]:
        code_pages = ()
    for page in ("", *code_pages):
        with contextlib.suppress(ET.ParseError, UnicodeDecodeError, LookupError):
            text = data.decode(page) if page else _unicode(data)
            yield _from_text(text), page


def _unicode(data: bytes) -> str:
    return console_text(data) if b"\0" in data[:4] else data.decode("utf-8-sig")


def _from_text(text: str) -> ET.Element:
    return ET.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text.lstrip("\ufeff"), count=1))  # noqa: S314 - from schtasks


def as_printed(text: str, page: str) -> str:
    """Return *text* as it is after Windows printed it in the code page *page*, which has a likeness for some signs."""
    if not page:
        return text
    if sys.platform == "win32":
        data, _ = codecs.code_page_encode(int(page.removeprefix("cp")), text, "replace")
        return data.decode(page, "replace")
    return text.encode(page, "replace").decode(page)


def canonical(task: ET.Element, like: ET.Element) -> ET.Element:
    """Return *task* in our own order and without what Windows added; *like* shows which elements we write."""
    if _tag(task) == "Triggers":
        return element("Triggers", *map(_canonical_trigger, task))
    ours = [_tag(child) for child in like]
    children = [child for child in task if _tag(child) in ours]
    there = {_tag(child) for child in children}
    children += [element(t, _DEFAULTS[t]) for t in ours if t in _DEFAULTS and t not in there]
    children.sort(key=lambda child: ours.index(_tag(child)))
    done = [canonical(child, like[ours.index(_tag(child))]) for child in children]
    done += [child for child in task if _keeps_asleep(child)]
    text = () if done else (_one_spelling(_tag(task), (task.text or "").strip()),)
    return element(_tag(task), *done, *text, **task.attrib)


def _keeps_asleep(node: ET.Element) -> bool:
    """Tell whether somebody added *node*, with which the task does something else than ours."""
    if _tag(node) not in _KEEPS_ASLEEP:
        return False
    return _KEEPS_ASLEEP[_tag(node)] in {None, (node.text or "").strip()}


def _one_spelling(tag: str, text: str) -> str:
    """Return a duration as we write it: PT1440M is P1D."""
    match = _DURATION.fullmatch(text) if tag in _DURATIONS else None
    if not match:
        return text
    days, hours, minutes, seconds = (int(number or 0) for number in match.groups())
    return duration(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def duration(length: int) -> str:
    """Return *length* seconds in the largest of days, minutes and seconds that says it whole."""
    if length % 86400 == 0:
        return f"P{length // 86400}D"
    return f"PT{length // 60}M" if length % 60 == 0 else f"PT{length}S"


def _canonical_trigger(node: ET.Element) -> ET.Element:
    children = [
        c
        for c in node
        if (_tag(c), (c.text or "").strip()) not in _IN_TRIGGERS or _tag(c) == "Enabled"
    ]
    if _tag(node).endswith("Trigger") and not any(_tag(c) == "Enabled" for c in children):
        children.append(element("Enabled", "true"))
    children.sort(key=lambda c: _ORDER.get(_tag(c), 99))
    text = () if children else (_one_spelling(_tag(node), (node.text or "").strip()),)
    return element(_tag(node), *map(_canonical_trigger, children), *text)


def _tag(node: ET.Element) -> str:
    return node.tag.rpartition("}")[2]
