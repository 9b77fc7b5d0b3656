"""Task XML: the facts that the schema and the service demand, and the way back from an export."""

from __future__ import annotations

import codecs
import datetime as dt
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from ratectl.backends.protocol import Change, EngineAbsentError, Verb
from ratectl.backends.steps import RemoveFile, Run, WriteFile
from ratectl.backends.windows import backend as windows
from ratectl.backends.windows.registered import summary
from ratectl.backends.windows.task import sweep_task
from ratectl.backends.windows.task_xml import (
    NAMESPACE,
    canonical,
    element,
    parse,
    to_bytes,
    trigger_nodes,
)
from ratectl.errors import ConfigError
from ratectl.schedule.cover.cover import cover
from ratectl.schedule.cover.triggers import CalendarTrigger, FixedInterval
from ratectl.schedule.language.parse import parse as schedule
from ratectl.schedule.values import Calendar, Stride, Unit
from scripts import golden
from tests.fakes.jobs import job
from tests.fakes.machine import done, host

PC = host(
    platform="win32",
    fetch=(r"C:\Program Files\ratectl\Scripts\ratectl-fetchw.exe",),
    user="S-1-5-21-1-2-3-1001",
)
FOLDER = f"\\ratectl\\{PC.user}\\"
GOLDEN = sorted(golden.GOLDEN.glob("*/windows/*.xml"))
SCHEMA = golden.GOLDEN.parents[2] / "shared" / "engines" / "windows" / "task.xsd"
UTC = ZoneInfo("UTC")
NS = {"t": NAMESPACE}
TRIGGER_ORDER = [
    *("Enabled", "StartBoundary", "EndBoundary", "Repetition", "ExecutionTimeLimit", "RandomDelay"),
    "Schedule",
]


def rendered(wanted=None, account=PC):
    wanted = wanted or job()
    (artefact,) = windows.render(wanted, windows.check(wanted, account.zone), account, "user")
    return artefact.data


def ids(path):
    return f"{path.parents[1].name}-{path.stem}"


@pytest.mark.parametrize("path", GOLDEN, ids=ids)
def test_encoding(path):
    """The file is UTF-16LE with a byte order mark, says so, and has Windows line ends only."""
    data = path.read_bytes()
    text = data.decode("utf-16")

    assert data.startswith(codecs.BOM_UTF16_LE)
    assert text.startswith('<?xml version="1.0" encoding="UTF-16"?>\r\n')
    assert text.count("\n") == text.count("\r\n")


@pytest.mark.parametrize("path", GOLDEN, ids=ids)
def test_rules_of_the_service(path):
    """What the schema and the service demand holds for every golden task."""
    task = parse(path.read_bytes())
    triggers = list(task.find("t:Triggers", NS))

    assert task.tag == f"{{{NAMESPACE}}}Task"
    assert task.get("version") == "1.2"
    assert 1 <= len(triggers) <= 48
    for trigger in triggers:
        tags = [re.sub(r"ScheduleBy.*", "Schedule", _tag(child)) for child in trigger]
        assert tags == sorted(tags, key=TRIGGER_ORDER.index)
        assert trigger.find("t:StartBoundary", NS) is not None
    principal = task.find("t:Principals/t:Principal", NS)
    assert task.find("t:Actions", NS).get("Context") == principal.get("id")
    assert principal.findtext("t:LogonType", None, NS) == "InteractiveToken"
    for tag in ("DisallowStartIfOnBatteries", "StopIfGoingOnBatteries"):
        assert task.findtext(f"t:Settings/t:{tag}", None, NS) == "false"
    assert task.findtext("t:Settings/t:StartWhenAvailable", None, NS) == "true"
    assert len(task.findtext("t:Actions/t:Exec/t:Command", None, NS)) <= 260
    for day in task.iterfind(".//t:Day", NS):
        assert day.text == "Last" or 1 <= int(day.text) <= 31
    for week in task.iterfind(".//t:Week", NS):
        assert week.text in {"1", "2", "3", "4", "Last"}
    for interval in task.iterfind(".//t:Interval", NS):
        assert re.fullmatch(r"P([1-9]\d*D|T[1-9]\d*M)", interval.text)


@pytest.mark.skipif(not SCHEMA.exists(), reason="Microsoft's schema is not ours to ship")
@pytest.mark.parametrize("path", GOLDEN, ids=ids)
def test_official_schema(path):
    """Every golden task is valid against Microsoft's own schema."""
    schema = etree.XMLSchema(etree.parse(SCHEMA))

    schema.assertValid(etree.fromstring(path.read_bytes()))


def _tag(node):
    return node.tag.rpartition("}")[2]


def those(*values):
    return frozenset(values)


MORNING = {"minutes": those(30), "hours": those(10)}


@pytest.mark.parametrize(
    ("trigger", "texts"),
    [
        (CalendarTrigger(calendar=Calendar(**MORNING)), ["ScheduleByDay DaysInterval=1"]),
        (
            CalendarTrigger(calendar=Calendar(**MORNING, stride=Stride(unit=Unit.DAY, every=5))),
            ["StartBoundary=2020-01-03T10:30:00 ScheduleByDay DaysInterval=5"],
        ),
        (
            CalendarTrigger(calendar=Calendar(**MORNING, weekdays=those(1, 7))),
            ["ScheduleByWeek WeeksInterval=1 DaysOfWeek Monday Sunday"],
        ),
        (
            CalendarTrigger(calendar=Calendar(**MORNING, days=those(1, -1))),
            ["DaysOfMonth Day=1 Day=Last Months January"],
        ),
        (
            CalendarTrigger(calendar=Calendar(**MORNING, weekdays=those(5), nth_weekday=those(-1))),
            ["ScheduleByMonthDayOfWeek Weeks Week=Last DaysOfWeek Friday Months January"],
        ),
        (
            CalendarTrigger(calendar=Calendar(**MORNING, weekdays=those(5), months=those(3))),
            ["Week=1 Week=2 Week=3 Week=4 Week=Last DaysOfWeek Friday Months March"],
        ),
        (
            CalendarTrigger(
                calendar=Calendar(minutes=those(0, 30), hours=those(9), seconds=those(15))
            ),
            ["StartBoundary=2020-01-01T09:00:15", "StartBoundary=2020-01-01T09:30:15"],
        ),
        (
            FixedInterval(every=3000, phase=600),
            ["StartBoundary=2020-01-01T00:30:00Z Repetition Interval=PT50M"],
        ),
        (FixedInterval(every=60), ["StartBoundary=2020-01-01T00:00:00Z Repetition Interval=PT1M"]),
    ],
)
def test_triggers(trigger, texts):
    """Each shape of calendar becomes the shape of trigger that Windows is known to register."""
    told = [summary(node) for node in trigger_nodes([trigger], UTC)]

    assert len(told) == len(texts)
    for have, want in zip(told, texts, strict=True):
        assert want in have


@pytest.mark.parametrize(
    ("text", "zone", "told"),
    [
        (
            "every 15 minutes between 09:00 and 17:30",
            "America/New_York",
            ["StartBoundary=2020-01-01T09:00:00 Repetition Interval=PT15M Duration=PT511M"],
        ),
        (
            "every 10 minutes between 09:00 and 18:00 on weekdays",
            "Asia/Kolkata",
            ["StartBoundary=2020-01-01T09:00:00 Repetition Interval=PT10M Duration=PT541M"],
        ),
        ("every day at 09:00 and 10:00", "UTC", ["T09:00:00 Schedule", "T10:00:00 Schedule"]),
        (
            "every day at 08:00, 09:00, 10:00 and 17:00",
            "UTC",
            ["T08:00:00 Repetition Interval=PT60M Duration=PT121M", "T17:00:00 Schedule"],
        ),
        ("every day", "UTC", ["StartBoundary=2020-01-01T00:00:00 Schedule"]),
    ],
)
def test_equal_distances_are_one_trigger(text, zone, told):
    """What a person sees who opens the task is short."""
    zone = ZoneInfo(zone)
    found = cover(schedule([text]), zone, zone, windows.CAPABILITIES)
    nodes = [summary(node) for node in trigger_nodes(found.triggers, zone)]

    assert len(nodes) == len(told)
    assert all(want in have for want, have in zip(told, nodes, strict=True))


def test_elapsed_time_across_a_clock_change_is_not_asked_for():
    """A repetition counts elapsed time: where a clock may change meanwhile, each time stands alone."""
    zone = ZoneInfo("America/New_York")
    value = schedule(["every 30 minutes between 01:00 and 02:00"])
    nodes = trigger_nodes(cover(value, zone, zone, windows.CAPABILITIES).triggers, zone)
    calendars = [summary(n) for n in nodes if n.tag.endswith("CalendarTrigger")]

    assert [text.partition(" ")[0][-8:] for text in calendars] == [
        "01:00:00",
        "01:30:00",
        "02:00:00",
    ]


def test_a_day_is_a_day():
    """An interval of whole days is written as such, and read as the same in minutes."""
    (node,) = trigger_nodes([FixedInterval(every=86400)], UTC)
    again = ET.fromstring(ET.tostring(node).replace(b"P1D", b"PT1440M"))

    assert node.findtext("t:Repetition/t:Interval", None, NS) == "P1D"
    assert ET.tostring(canonical(triggers(node), node)) == ET.tostring(
        canonical(triggers(again), node)
    )


def triggers(node):
    return element("Triggers", node)


def test_pulse_phase():
    """A pulse's boundary has the phase that was asked for."""
    (node,) = trigger_nodes([FixedInterval(every=5400, phase=1800)], UTC)
    told = node.findtext("t:StartBoundary", None, NS)

    assert dt.datetime.fromisoformat(told).timestamp() % 5400 == 1800


def test_arguments_are_quoted_for_windows():
    """Arguments follow the rules of the C runtime; the program's path stays bare."""
    account = host(
        platform="win32",
        fetch=("C:\\My Tools\\f.exe", 'a "b" c'),
        state_dir=Path("D:/x y"),
        state_is_default=False,
    )
    task = parse(rendered(account=account))

    assert task.findtext(".//t:Command", None, NS) == "C:\\My Tools\\f.exe"
    assert task.findtext(".//t:Arguments", None, NS).startswith('"a \\"b\\" c" usd-inr --state "D:')
    assert task.findtext(".//t:WorkingDirectory", None, NS) == "C:\\My Tools"


@pytest.mark.parametrize("word", ["C:\\%TEMP%\\f.exe", "C:\\" + "x" * 260])
def test_what_windows_would_bend(word):
    """A pair of percent signs, which Windows expands, and a path that is too long are refused."""
    with pytest.raises(ConfigError):
        rendered(account=host(platform="win32", fetch=(word,)))


class Scheduler:
    """schtasks with one task of ours, one of others; prints as Windows does."""

    def __init__(self, export, encoding="utf-16"):
        self.export = export.encode(encoding)

    def which(self, program):
        assert program == "schtasks"
        return r"C:\Windows\System32\schtasks.exe"

    def query(self, argv, *, stdin=b""):
        assert not stdin
        if argv == ("schtasks", "/Query", "/FO", "CSV", "/NH", "/TN", FOLDER):
            rows = (f'"{FOLDER}{name}","?","Bereit"\r\n' for name in ("usd-inr", windows.SWEEP))
            return done(stdout="".join(rows).encode())
        if argv == ("schtasks", "/Query", "/FO", "CSV", "/NH", "/TN", "\\ratectl\\"):
            return done(1)
        if argv == ("schtasks", "/Query", "/TN", f"{FOLDER}{windows.SWEEP}", "/XML"):
            return done(stdout=to_bytes(sweep_task(PC)))
        assert argv == ("schtasks", "/Query", "/TN", f"{FOLDER}usd-inr", "/XML"), argv
        return done(stdout=self.export)


def exported():
    """Return our task as Windows writes it back: other order, defaults added, another user form."""
    text = rendered().decode("utf-16").replace("\r\n", "\n")
    text = text.replace(">S-1-5-21-1-2-3-1001", ">PC\\ada")
    text = text.replace(
        "<Enabled>true</Enabled>\n      <StartBoundary>2020-01-01T10:30:00</StartBoundary>",
        "<StartBoundary>2020-01-01T10:30:00</StartBoundary>",
    )
    return text.replace(
        "    <Priority>7</Priority>",
        "    <Priority>7</Priority>\n    <AllowHardTerminate>true</AllowHardTerminate>\n"
        "    <IdleSettings><StopOnIdleEnd>true</StopOnIdleEnd></IdleSettings>",
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8"])
def test_an_export_compares_equal(encoding):
    """What Windows rewrote without changing its meaning is read as the very bytes we rendered."""
    found = windows.inspect(Scheduler(exported(), encoding), PC, "user")

    assert list(found.entries) == ["usd-inr"]
    assert found.entries["usd-inr"].artefacts[0].data == rendered()
    assert found.entries["usd-inr"].enabled


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("T10:30:00", "T10:31:00"),
        ("usd-inr</Arguments>", "usd-inr --x</Arguments>"),
        ("IgnoreNew", "Parallel"),
        ("<DaysInterval>1", "<DaysInterval>2"),
    ],
)
def test_an_edited_task_differs(old, new):
    """What a person changed in the Task Scheduler is seen."""
    found = windows.inspect(Scheduler(exported().replace(old, new)), PC, "user")

    assert found.entries["usd-inr"].artefacts[0].data != rendered()


def test_a_disabled_task():
    """A task that was disabled is drift."""
    text = exported().replace(
        "    <Enabled>true</Enabled>\n    <WakeToRun>",
        "    <Enabled>false</Enabled>\n    <WakeToRun>",
    )

    held = windows.inspect(Scheduler(text), PC, "user").entries["usd-inr"]

    assert not held.enabled
    assert held.drift == ("the task is disabled",)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("DisallowStartIfOnBatteries", "true"),
        ("StopIfGoingOnBatteries", "true"),
        ("StartWhenAvailable", "false"),
    ],
)
def test_a_task_that_sleeps_on_batteries(setting, value):
    """A power setting that keeps the task asleep is drift, written out or left to Windows's default."""
    ours = "false" if value == "true" else "true"
    line = f"<{setting}>{ours}</{setting}>"
    assert line in exported()

    for text in (f"<{setting}>{value}</{setting}>", ""):
        scheduler = Scheduler(exported().replace(line, text))
        held = windows.inspect(scheduler, PC, "user").entries["usd-inr"]
        assert [told.split(" ", 1)[0] for told in held.drift] == [setting]


def test_stage():
    """A task is registered from a draft, which is removed; a deletion asks nothing."""
    found = windows.inspect(Scheduler(exported()), PC, "user")
    artefacts = windows.render(job(), windows.check(job(), PC.zone), PC, "user")

    put = windows.stage(
        (Change(verb=Verb.CREATE, job="usd-inr", artefacts=artefacts),), found, PC, "user"
    )
    gone = windows.stage((Change(verb=Verb.DELETE, job="usd-inr"),), found, PC, "user")

    assert [type(step) for step in put] == [WriteFile, Run, RemoveFile, RemoveFile]
    assert put[1].argv[:4] == ("schtasks", "/Create", "/TN", f"{FOLDER}usd-inr")
    assert put[1].argv[-1] == "/F"
    why = "delete the task"
    sweep = ("schtasks", "/Delete", "/TN", f"{FOLDER}{windows.SWEEP}", "/F")
    assert gone == (
        Run(argv=("schtasks", "/Delete", "/TN", f"{FOLDER}usd-inr", "/F"), why=why),
        RemoveFile(path=PC.state_dir / "usd-inr.task.xml"),
        Run(argv=sweep, why=why, may_fail=True),
        RemoveFile(path=PC.state_dir / f"{windows.SWEEP}.task.xml"),
    )


def test_no_windows():
    """Off Windows there is no such engine."""

    class Elsewhere:
        def which(self, _program):
            return None

    with pytest.raises(EngineAbsentError, match="schtasks"):
        windows.inspect(Elsewhere(), PC, "user")


def test_broken_export():
    """A task that cannot be read is drift, to be written again."""
    held = windows.inspect(Scheduler("<Task"), PC, "user").entries["usd-inr"]

    assert held.drift == ("the task cannot be read",)
