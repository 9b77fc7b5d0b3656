"""Task files against our own rules everywhere, and our rules against Microsoft's schema where it is present."""

from __future__ import annotations

import pytest
from lxml import etree

from ratectl.backends.windows.task import sweep_task
from ratectl.backends.windows.task_xml import to_bytes
from scripts import golden
from tests.backends.windows import task_rules
from tests.backends.windows.test_backend import PC, rendered
from tests.fakes.jobs import job

TASKS = sorted(golden.GOLDEN.glob("*/windows/*.xml"))
SCHEMA = golden.GOLDEN.parents[2] / "shared" / "engines" / "windows" / "task.xsd"
PLAIN = rendered().decode("utf-16")
BY_WEEKDAY = rendered(job(schedule='"every month on the last friday at 10:30"')).decode("utf-16")
BY_MONTH = rendered(job(schedule='"30 10 1 1 *"')).decode("utf-16")
REPEATED = rendered(job(schedule='"every 50 minutes"')).decode("utf-16")
TRIES_AGAIN = to_bytes(sweep_task(PC)).decode("utf-16")
FIRST = "<Enabled>true</Enabled>\r\n      <StartBoundary>2020-01-01T10:30:00</StartBoundary>"
SWAPPED = "<StartBoundary>2020-01-01T10:30:00</StartBoundary><Enabled>true</Enabled>"
DAILY = PLAIN[PLAIN.index("<CalendarTrigger>") : PLAIN.index("</Triggers>")]

BROKEN_BY_THE_SCHEMA = [
    ("an event without a query", TRIES_AGAIN, "Subscription>", "Subscriptions>"),
    ("another namespace", PLAIN, "2004/02/mit/task", "2004/02/mit/tasks"),
    ("an unknown part", PLAIN, "RegistrationInfo", "Registration"),
    ("too many triggers", PLAIN, DAILY, DAILY * 49),
    ("order in a trigger", PLAIN, FIRST, SWAPPED),
    ("no such day", PLAIN, "2020-01-01T", "2020-02-30T"),
    ("no date", PLAIN, "2020-01-01T10:30:00", "10:30"),
    ("every 0 days", PLAIN, "<DaysInterval>1<", "<DaysInterval>0<"),
    ("every 366 days", PLAIN, "<DaysInterval>1<", "<DaysInterval>366<"),
    ("a fifth week", BY_WEEKDAY, "<Week>Last<", "<Week>5<"),
    ("no weekday", BY_WEEKDAY, "<Friday />", "<Freitag />"),
    ("day 32", BY_MONTH, "<Day>1<", "<Day>32<"),
    ("day 0", BY_MONTH, "<Day>1<", "<Day>0<"),
    ("no month", BY_MONTH, "<January />", "<Jan />"),
    ("half a minute", REPEATED, "PT50M", "PT30S"),
    ("32 days", REPEATED, "PT50M", "P32D"),
    ("no interval", REPEATED, "<Interval>PT50M</Interval>", ""),
    ("no duration", REPEATED, "PT50M", "50 minutes"),
    ("no truth", PLAIN, "<WakeToRun>false<", "<WakeToRun>no<"),
    ("two priorities", PLAIN, "<Priority>7</Priority>", "<Priority>7</Priority>" * 2),
    ("priority 11", PLAIN, "<Priority>7<", "<Priority>11<"),
    ("a policy", PLAIN, "IgnoreNew", "Ignore"),
    ("an unknown setting", PLAIN, "WakeToRun", "WakeUp"),
    ("a logon type", PLAIN, "InteractiveToken", "Interactive"),
    ("a run level", PLAIN, "LeastPrivilege", "Least"),
    ("no id", PLAIN, ' id="Author"', ""),
    ("a long command", PLAIN, r"C:\Program Files", "C:\\" + "x" * 260),
    ("no command", PLAIN, "<Command>", "<Command></Command><Command>"),
    ("an action of no kind", PLAIN, "Exec>", "Execute>"),
]
BROKEN_BY_THE_SERVICE = [
    ("no start", PLAIN, "<StartBoundary>2020-01-01T10:30:00</StartBoundary>", ""),
    ("UTF-8", PLAIN, "", ""),
    ("another version", PLAIN, 'version="1.2"', 'version="1.9"'),
    ("a quoted command", PLAIN, "<Command>", '<Command>"'),
    ("a resource", PLAIN, "<Source>", "<Source>$(@%SystemRoot%/x.dll,-1)"),
    ("nobody", PLAIN, "<UserId>S-1-5-21-1-2-3-1001</UserId>", ""),
    ("somebody else's context", PLAIN, 'Context="Author"', 'Context="Other"'),
]


def changed(name, text, old, new):
    assert name == "UTF-8" or old in text, (name, old)
    return text.replace(old, new).encode("utf-8" if name == "UTF-8" else "utf-16")


def ids(case):
    return case[0]


@pytest.fixture(scope="module")
def schema():
    if not SCHEMA.exists():
        pytest.skip("Microsoft's schema is not ours to ship")
    return etree.XMLSchema(etree.parse(SCHEMA))


@pytest.mark.parametrize("path", TASKS, ids=lambda path: f"{path.parents[1].name}-{path.stem}")
def test_golden(path):
    """Every golden task keeps every rule."""
    assert task_rules.broken(path.read_bytes()) == []


@pytest.mark.parametrize("text", [PLAIN, BY_WEEKDAY, BY_MONTH, REPEATED, TRIES_AGAIN])
def test_kept(text, schema):
    """What is changed below keeps our rules and the schema as it stands."""
    assert task_rules.broken(text.encode("utf-16")) == []
    schema.assertValid(etree.fromstring(text.encode("utf-16")))


@pytest.mark.parametrize("case", BROKEN_BY_THE_SCHEMA + BROKEN_BY_THE_SERVICE, ids=ids)
def test_broken(case):
    """Each broken task breaks one of our rules, too."""
    assert task_rules.broken(changed(*case))


@pytest.mark.parametrize("case", BROKEN_BY_THE_SCHEMA, ids=ids)
def test_the_schema_agrees(case, schema):
    """What our rules refuse for the schema's sake, Microsoft's schema refuses."""
    assert not schema.validate(etree.fromstring(changed(*case)))
