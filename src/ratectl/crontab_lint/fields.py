"""The five time fields of a foreign crontab line, one by one -> what is wrong in them.

Debian's cron is the measure; others are named where they were seen to differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ratectl.crontab_lint.days import in_days, in_whole
from ratectl.crontab_lint.debian import read_part
from ratectl.crontab_lint.problem import (
    TWO_DIGITS,
    Problem,
    every_month,
    phrase_month,
    phrase_time,
    say,
    weekday_name,
)
from ratectl.crontab_lint.sundays import ITEM, has_seven, without_seven
from ratectl.errors import ScheduleError
from ratectl.schedule.language.advice.cron_text import interval, same_with_first_values
from ratectl.schedule.language.cron import (
    DAY_NAMES,
    MONTH_NAMES,
    nearest_weekday,
    parse_cron,
)
from ratectl.schedule.language.explain import explain
from ratectl.schedule.language.numerals import nth

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NTH = re.compile(r"([0-7]|[a-z]{3})#([1-5])")
LAST_WEEKDAY = re.compile(r"([0-7]|[a-z]{3})l")
QUARTZ = re.compile(
    r"l|lw|wl|l-[0-9]+w?|[0-9]+w|([0-7]|[a-z]{3})l|\?|h(\([0-9]+-[0-9]+\))?(/[0-9]+)?"
)
BEFORE_LAST = re.compile(r"l-([1-9]|[12][0-9]|30)")
NEAREST = re.compile(r"([1-9]|[12][0-9]|3[01])w")
CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
DASHES = re.compile(
    "\N{EN DASH}|\N{EM DASH}|\N{HYPHEN}|\N{NON-BREAKING HYPHEN}|\N{MINUS SIGN}|\\.\\."
)
ORDINALS = ("first", "second", "third", "fourth", "fifth")
EVERYWHERE = "*"
WEEKS = {"1-7": "first", "8-14": "second", "15-21": "third", "22-28": "fourth"}
"""Which week of the month a run of its days is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CronField:
    """One of the five positions."""

    name: str
    low: int
    high: int
    top: int
    """The largest number that is not another name of a smaller one: 6 for weekdays."""
    unit: str = ""
    """What a step counts, where a phrase can count it too."""
    names: tuple[str, ...] = ()


MINUTE = CronField(name="minute", low=0, high=59, top=59, unit="minutes")
HOUR = CronField(name="hour", low=0, high=23, top=23, unit="hours")
DAY = CronField(name="day of month", low=1, high=31, top=31, unit="days")
MONTH = CronField(name="month", low=1, high=12, top=12, names=MONTH_NAMES)
WEEKDAY = CronField(name="day of week", low=0, high=7, top=6, names=DAY_NAMES)
FIELDS = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)


def flaws_of(fields: Sequence[str]) -> tuple[Problem, ...]:
    """Return the flaws of the five *fields*, none where they mean what they look like everywhere."""
    flaws = [
        flaw
        for text, field in zip(fields, FIELDS, strict=True)
        for flaw in _in_field(text, field, fields)
    ]
    if not any(flaw.severity == "error" for flaw in flaws):
        days = list(in_days(fields))
        flaws += days
        if not any(flaw.code == "day-never-comes" for flaw in days):
            flaws += in_whole(fields, reported=bool(flaws))
    return tuple(flaws)


def _in_field(text: str, field: CronField, fields: Sequence[str]) -> Iterator[Problem]:
    part = read_part(text, FIELDS.index(field))
    items = text.lower().split(",")
    if part:  # Debian's cron sees no item behind the one that it leaves
        items = items[: part.count(",") + 1]
    found = [_foreign(item, field, fields) or _in_item(item, field, fields) for item in items]
    if len(items) == 1:
        found += _uneven(items[0], field, fields)
    for flaw in filter(None, found):
        yield replace(flaw, message=_as_written(flaw.message, text))


def _as_written(message: str, text: str) -> str:
    """Return *message* with the pieces of the field in backquotes as they stand in *text*."""

    def written(told: re.Match[str]) -> str:
        place = text.lower().find(told[1])
        return f"`{text[place : place + len(told[1])]}`" if place >= 0 else told[0]

    return re.sub(r"`([^`]+)`", written, message, count=1)


def _foreign(item: str, field: CronField, fields: Sequence[str]) -> Problem | None:
    """Return the flaw of an *item* that another scheduler's syntax explains."""
    if "~" in item:
        return _tilde(item, field, fields)
    if field is WEEKDAY and (match := NTH.fullmatch(item)) and (day := weekday_name(match[1])):
        which = ORDINALS[int(match[2]) - 1]
        reads = read_part(fields[FIELDS.index(field)], FIELDS.index(field))
        on = f" and fires every {day.capitalize()}" if reads else ""
        return Problem(
            severity="error",
            code="nth-weekday",
            message=f"{field.name} `{item}`: Debian's cron {_fate(field, fields)}{on}; cronie rejects the tab",
            instead=_monthly(f"the {which} {day}", item, fields),
        )
    if not QUARTZ.fullmatch(item):
        return None
    return Problem(
        severity="error",
        code="foreign-syntax",
        message=f"{field.name} `{item}`: Debian's cron and cronie reject the tab; "
        "?, H, L and W belong to other schedulers",
        instead=_for_foreign(item, field, fields),
    )


def _fate(field: CronField, fields: Sequence[str]) -> str:
    """Return what Debian's cron does with a *field* that it does not know all of."""
    place = FIELDS.index(field)
    text, part = fields[place], read_part(fields[place], place)
    return f"ignores `{text[len(part) :]}`" if part else "rejects the tab"


def _tilde(item: str, field: CronField, fields: Sequence[str]) -> Problem:
    first, _, last = item.partition("~")
    number = first if TWO_DIGITS.fullmatch(first) else str(field.low)
    number = without_seven(number) if field is WEEKDAY else number
    spread = ""
    if field is MINUTE and TWO_DIGITS.fullmatch(last):
        spread = f'; in a ratectl spec a random delay is `jitter = "{last}m"`'
    return Problem(
        severity="error",
        code="tilde",
        message=f"{field.name} `{item}`: Debian's cron {_fate(field, fields)}; "
        "cronie draws one random value at each load of the tab",
        instead=f"`{number}`{spread}",
    )


def _for_foreign(item: str, field: CronField, fields: Sequence[str]) -> str:
    if item == "?":
        return "`*`"
    if item.startswith("h"):
        return f"a number of your choice, such as `{min(17, field.top)}`"
    if (
        field is WEEKDAY
        and (match := LAST_WEEKDAY.fullmatch(item))
        and (day := weekday_name(match[1]))
    ):
        return _monthly(f"the last {day}", item, fields)
    if field is DAY and item in {"lw", "wl"}:
        return _monthly("the last weekday", item, fields)
    if field is DAY and item == "l":
        return _monthly("the last day", item, fields)
    if field is DAY and (match := BEFORE_LAST.fullmatch(item)):
        return _monthly(f"the {nth(int(match[1]) + 1)} to last day", item, fields)
    if field is DAY and (match := NEAREST.fullmatch(item)):
        return _nearest(int(match[1]), field, fields)
    return f"a number from {field.low} to {field.top}"


def _nearest(day: int, field: CronField, fields: Sequence[str]) -> str:
    """Return the advice to list the phrases for the weekday nearest to the *day*, as `ratectl next` does."""
    members = nearest_weekday(day, " ".join(fields))
    if not members:
        return f"a number from {field.low} to {field.top}; no cron knows the nearest working day"
    said = ", ".join(f'"{member}"' for member in members)
    return f"in a ratectl spec: `schedule = [{said}]`"


def _monthly(days: str, item: str, fields: Sequence[str]) -> str:
    """Return the advice to say the *days* that *item* means to other schedulers, and that the line has more, if it has."""
    others = [
        text for text in (fields[2].lower(), fields[4].lower()) if text not in {item, "*", "?"}
    ]
    beside = ", beside a schedule for the other days of the line" if others else ""
    return f"{every_month(days, fields)}{beside}"


def _in_item(item: str, field: CronField, fields: Sequence[str]) -> Problem | None:
    match = ITEM.fullmatch(item)
    if match is None:
        return _no_item(item, field, fields)
    whole, first, last, step_text = match.groups()
    step = int(step_text) if step_text else None
    for text in filter(None, (first, last)):
        if flaw := _bad_value(text, field):
            return flaw
    if step == 0:
        stepless = without_seven(whole) if field is WEEKDAY else whole
        return _rejected("zero-step", f"{field.name} `{item}`: a step of 0", f"`{stepless}`")
    low, high = (
        (field.low, field.top)
        if whole == EVERYWHERE
        else (_value(first, field), _value(last or first, field))
    )
    if step and whole != EVERYWHERE and not last:
        return _step_without_range(item, field, low, step)
    if low > high:
        return _wrapped(item, field, low, high, step)
    if field is WEEKDAY and (sunday := _sundays(item, step, fields)):
        return sunday
    if step and step >= high - low + 1:
        return _beyond(item, field, range(low, high + 1), step, fields)
    return None


def _no_item(item: str, field: CronField, fields: Sequence[str]) -> Problem:
    """Return the flaw of an *item* that cron has no form for; Debian's may go by its beginning."""
    place = FIELDS.index(field)
    text, part = fields[place], read_part(fields[place], place)
    message = f"{field.name} `{item}`: Debian's cron and cronie reject the tab"
    if part == text:
        message = f"{field.name} `{item}`: more digits than a number of cron needs"
    elif part:
        message = (
            f"{field.name} `{text}`: Debian's cron reads `{part}` and ignores `{text[len(part) :]}`; "
            "cronie rejects the tab"
        )
    return Problem(severity="error", code="syntax", message=message, instead=_meant(field, fields))


def _meant(field: CronField, fields: Sequence[str]) -> str:
    """Return what the text of *field* probably means: `9:00` is a time, `mon..fri` a range, `9;17` a list."""
    place = FIELDS.index(field)
    text = fields[place].encode("latin-1").decode("utf-8", "replace").lower()
    if (match := CLOCK.fullmatch(text)) and field in {MINUTE, HOUR}:
        return f"`{int(match[2])} {int(match[1])}` for minute and hour"
    plain = DASHES.sub("-", re.sub("[;|]", ",", text))
    tried = [plain if other == place else EVERYWHERE for other in range(len(FIELDS))]
    if plain != text and plain.isascii() and not _in_field_alone(tried, field):
        return f"`{without_seven(plain) if field is WEEKDAY else plain}`"
    return _expected(field)


def _in_field_alone(fields: Sequence[str], field: CronField) -> list[Problem]:
    """Return the errors of *field* among *fields* whose others are stars."""
    flaws = _in_field(fields[FIELDS.index(field)], field, fields)
    return [flaw for flaw in flaws if flaw.severity == "error"]


def _sundays(item: str, step: int | None, fields: Sequence[str]) -> Problem | None:
    """Return the flaw of a weekday 7, and of ``*/7``, which is Sunday and not every seventh day."""
    if item.startswith(EVERYWHERE) and step == 7:
        return _every_seventh(item, fields)
    if not has_seven(item):
        return None
    whole = without_seven(fields[4])
    return Problem(
        severity="warning",
        code="weekday-7",
        message=f"day of week `{item}`: 7 is Sunday for Debian's cron and cronie; busybox fires such a line "
        "every day, Kubernetes rejects it",
        instead=f"`{without_seven(item) if whole == fields[4] else whole}`",
    )


def _every_seventh(item: str, fields: Sequence[str]) -> Problem:
    """Return the flaw of ``*/7``: Sundays, and with days of the month those that are both."""
    free = fields[2] in {EVERYWHERE, "*/1"}
    nth = WEEKS.get(fields[2], "")
    which = f"the {nth} Sunday of the month" if nth else "days that are Sundays as well"
    days = f"every month on the {nth} sunday" if nth else "every sunday"
    instead = say(f"{days}{phrase_month(fields)}{phrase_time(fields)}")
    said = phrase_time(fields) and (phrase_month(fields) or fields[3] == EVERYWHERE)
    if not (free or nth) or not said or fields[4] != item:
        instead = f"`{_with_sunday(fields[4])}`" if free else _as_sentence(fields)
    return Problem(
        severity="warning",
        code="step-beyond-range",
        message=f"day of week `{item}`: Debian's cron fires on {'Sundays' if free else which}"
        + ("" if free else "; Kubernetes reads days beside it as either of them"),
        instead=instead,
    )


def _with_sunday(weekdays: str) -> str:
    """Return the field *weekdays* with 0 in the place of each ``*/7``."""
    return without_seven(",".join("7" if x == "*/7" else x for x in weekdays.split(",")))


def _as_sentence(fields: Sequence[str]) -> str:
    """Return the advice to say the phrase for the whole line; ``0`` would join the days by "or"."""
    try:
        sentence = explain(parse_cron(" ".join(fields)))
    except ScheduleError:
        return "the line with its other fields put right, as a schedule of a ratectl spec"
    return say(sentence.removesuffix(".").lower())


def _rejected(code: str, what: str, instead: str) -> Problem:
    message = f"{what}: Debian's cron and cronie reject the tab"
    if code == "name":
        message = f"{what}: Debian's cron rejects the tab"
    return Problem(severity="error", code=code, message=message, instead=instead)


def _expected(field: CronField) -> str:
    return f"numbers from {field.low} to {field.high}, ranges `a-b`, steps `a-b/n` or `*/n`, joined by commas"


def _bad_value(text: str, field: CronField) -> Problem | None:
    if text.isdecimal():
        if field.low <= int(text) <= field.high:
            return None
        advice = f"a number from {field.low} to {field.top}"
        return _rejected("out-of-range", f"{field.name} {text}", advice)
    if text in field.names:
        return None
    if text[:3] in field.names:
        return _rejected(
            "name", f"{field.name} `{text}` is longer than cron's names", f"`{text[:3]}`"
        )
    known = f"one of {', '.join(field.names)}" if field.names else _expected(field)
    return _rejected("name", f"{field.name} `{text}` is no name that cron knows", known)


def _value(text: str, field: CronField) -> int:
    if text.isdecimal():
        return int(text)
    return field.names.index(text) + (1 if field is MONTH else 0)


def _step_without_range(item: str, field: CronField, low: int, step: int) -> Problem:
    first = low % 7 if field is WEEKDAY else low
    suggestion = f"{first}-{field.top}/{step}"
    elsewhere = f"; Kubernetes reads {suggestion}" if low <= field.top else ""
    return Problem(
        severity="error",
        code="step-without-range",
        message=f"{field.name} `{item}`: Debian's cron and cronie reject the tab{elsewhere}",
        instead=f"`{suggestion if first + step <= field.top else first}`",
    )


def _wrapped(item: str, field: CronField, low: int, high: int, step: int | None) -> Problem:
    low = 0 if field is WEEKDAY and low == 7 else low
    values = (
        [*range(low, field.top + 1), *range(field.low, high + 1)]
        if low > high
        else [*range(low, high + 1)]
    )
    if step:
        suggestion = ",".join(str(value) for value in values[::step])
    else:
        runs = ((low, field.top), (field.low, high)) if low > high else ((low, high),)
        suggestion = ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
    return Problem(
        severity="error",
        code="wrapped-range",
        message=f"{field.name} `{item}`: the range runs backwards; Debian's cron and cronie accept it "
        "and never fire for it, Kubernetes rejects it",
        instead=f"`{suggestion}`",
    )


def _beyond(
    item: str, field: CronField, values: range, step: int, fields: Sequence[str]
) -> Problem:
    """Return the flaw of a *step* that leaves only the first of *values*."""
    exact, first = step == len(values), str(values[0])
    same = same_with_first_values(" ".join(fields))
    both = same if same.startswith("every ") else ""
    whole = len(values) == field.top - field.low + 1
    phrase = _interval(field, step, fields) if whole and not exact else ""
    return Problem(
        severity="warning" if exact else "error",
        code="step-beyond-range",
        message=f"{field.name} `{item}`: the step reaches beyond the range, so only {first} is left"
        + ("" if exact else f", and it is not every {step} {field.unit or 'steps'}")
        + ("; cron wants both days to match, since one begins with `*`" if both else ""),
        instead=phrase or (say(both) if both else f"`{first}`"),
    )


def _uneven(item: str, field: CronField, fields: Sequence[str]) -> Iterator[Problem]:
    """Yield the flaw of a step over the whole field that does not come out even at its end."""
    match = re.fullmatch(r"(?:\*|([0-9]{1,2})-([0-9]{1,2}))/([0-9]{1,9})", item)
    if match is None:
        return
    step, size = int(match[3]), field.top - field.low + 1
    full = match[1] is None or (int(match[1]), int(match[2])) in {
        (field.low, field.top),
        (field.low, field.high),
    }
    if not full or not 1 < step < size or (size % step == 0 and field is not DAY):
        return
    values = [str(value) for value in range(field.low, field.top + 1, step)]
    divisors = [str(n) for n in range(1, size) if size % n == 0 and n > 1]
    steps = f"a step that divides {size} ({', '.join(divisors)}), or the numbers that are meant"
    if field in {DAY, WEEKDAY}:
        steps = "the numbers that are meant"
    listed = ", ".join(values if len(values) < 6 else [*values[:3], "...", values[-1]])
    gap = f"is {size % step or step}, not {step}" if field is not DAY else "depends on the month"
    yield Problem(
        severity="warning",
        code="uneven-step",
        message=f"{field.name} `{item}`: fires at {listed} and then at {field.low} again; the last gap {gap}",
        instead=_interval(field, step, fields) or steps,
    )


def _interval(field: CronField, step: int, fields: Sequence[str]) -> str:
    """Return the advice to count *step* units, where that says all of the line."""
    phrase = interval(fields, FIELDS.index(field), step)
    return say(phrase) if phrase else ""
