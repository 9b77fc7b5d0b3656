"""The law, on what is installed: wakeups read back from the native text contain every slot.

The models of ``tests/support/engine_models.py`` read the text; here they are held to independent ones:
cron's to cronsim, systemd's to ``systemd-analyze calendar``.
"""

import datetime as dt
import json
import re
import subprocess
import sys
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from ratectl import schedule
from ratectl.backends import BACKENDS
from ratectl.deploy import install, targets
from tests.conftest import ROOT
from tests.fakes import jobs as fake_jobs
from tests.fakes import machine
from tests.law.realistic import CASES, counted
from tests.support.engine_models import MODELS, segments
from tests.support.share import times, turn

HOUR = 3600
ZONES = (
    "UTC",
    "America/New_York",
    "Europe/London",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Africa/Cairo",
    "America/St_Johns",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Europe/Dublin",
    "Pacific/Chatham",
)
ORACLE_ZONES = ("America/New_York", "Europe/London", "Africa/Casablanca", "America/St_Johns")
"""Zones whose clock changes cronsim 2.8 reads as Debian does (it loses slots in Lord Howe and Santiago)."""
SCHEDULES = (
    "*/7 * * * *",
    "0 * * * *",
    "15 */2 * * *",
    "30 2 * * *",
    "30 1 * * *",
    "*/20 1-3 * * 0",
    "0 0 1 * *",
    "0 12 4 * 5",
    "45 23 31 12 *",
    "every 45 minutes",
    "every 7 minutes",
    "every 36 hours",
    "every 24 hours",
    "every 30 seconds",
    "every minute at :20",
    "every day at 02:15 and 23:50",
    "every weekday at 01:30",
    "every 3 days at 00:10",
    "every 2 weeks on monday and sunday at 00:30",
    "every month on the last day at 23:30",
    "every month on the first sunday at 01:45",
    "every month on the last weekday at 02:30",
    "every 5 months on the 31st",
    "every 15 minutes between 00:30 and 03:10",
    "once at 2027-03-14 02:30",
)


def changes(zone_name):
    """The clock changes of a zone, 2026 to 2028, in Unix seconds."""
    first, last = (dt.datetime(year, 1, 1, tzinfo=dt.UTC).timestamp() for year in (2026, 2029))
    return [s.start for s in segments(ZoneInfo(zone_name)) if first < s.start < last]


def native_texts(backend, text, zone, host_zone):
    """What ``render`` writes for one job with the schedule *text*."""
    job = fake_jobs.job("law", schedule=f'"{text}"', timezone=f'"{zone.key}"')
    if backend == "kubernetes":
        job = fake_jobs.in_a_cluster(job)
    target = targets.Target(
        backend=BACKENDS[backend],
        scope="user",
        host=machine.host(zone=host_zone),
        reader=machine.Machine(),
    )
    return list(install.files(target, (job,)).values())


@pytest.mark.parametrize("backend", MODELS)
@settings(max_examples=150, deadline=None)
@given(
    text=st.sampled_from(SCHEDULES),
    zone_name=st.sampled_from(ZONES),
    host_name=st.sampled_from(ZONES),
    pick=st.integers(0, 10_000),
)
def test_law(backend, text, zone_name, host_name, pick):
    """Around a clock change of either zone, every slot has a wakeup in its minute."""
    zone, host_zone = ZoneInfo(zone_name), ZoneInfo(host_name)
    moments = [*changes(zone_name), *changes(host_name), unix("2027-01-30T12:00")]
    start = moments[pick % len(moments)] - 12 * HOUR
    texts = native_texts(backend, text, zone, host_zone)
    value = schedule.parse([text])

    stream = schedule.after(value, zone, dt.datetime.fromtimestamp(start - 1, dt.UTC))
    slots = takewhile(lambda s: s <= start + 60 * HOUR, (int(slot.timestamp()) for slot in stream))
    wanted = {slot // 60 for slot in islice(slots, 10_000)}
    wakeups = MODELS[backend](texts, host_zone, start - 60, start + 60 * HOUR + 60)

    assert wanted - {w // 60 for w in wakeups.sure} == set(), texts[0].decode(errors="replace")


def unix(text):
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp())


@pytest.mark.parametrize("zone_name", ORACLE_ZONES)
@pytest.mark.parametrize("text", [text for text in SCHEDULES if text[0] in "*0123456789"])
def test_model_of_cron(text, zone_name):
    """Around the clock changes of three years the model of cron wakes when cronsim does."""
    zone = ZoneInfo(zone_name)
    for change in changes(zone_name):
        start, end = change - 30 * HOUR, change + 30 * HOUR
        theirs = takewhile(
            lambda slot, end=end: slot <= end,
            (int(s.timestamp()) for s in CronSim(text, dt.datetime.fromtimestamp(start - 1, zone))),
        )

        assert MODELS["cron"]([f"{text} true\n".encode()], zone, start, end).sure == set(theirs)


ELAPSES = 100


@pytest.mark.engine
@pytest.mark.long
@pytest.mark.parametrize("zone_name", [name for name in ZONES if changes(name)])
def test_model_of_systemd(zone_name):
    """Around four clock changes of each zone the model of systemd wakes when systemd itself says so."""
    zone = ZoneInfo(zone_name)
    texts = [t for text in SCHEDULES for t in native_texts("systemd", text, zone, zone)]
    found = (re.findall(rb"^OnCalendar=.*$", text, flags=re.MULTILINE) for text in texts)
    lines = sorted({line for lines in found for line in lines})
    for change in changes(zone_name)[:4]:
        start = change - 6 * HOUR
        for line, theirs in zip(lines, elapses(lines, start), strict=True):
            end = max(theirs) if len(theirs) == ELAPSES else start + 72 * HOUR
            ours = MODELS["systemd"]([line], zone, start + 1, min(end, start + 72 * HOUR)).sure

            assert ours == {t for t in theirs if t <= start + 72 * HOUR}, line


def elapses(lines, start):
    """The next instants at which ``systemd-analyze calendar`` lets each of the *lines* elapse."""
    base = dt.datetime.fromtimestamp(start, dt.UTC)
    done = subprocess.run(
        (
            *("systemd-analyze", "calendar", f"--iterations={ELAPSES}"),
            f"--base-time={base:%Y-%m-%d %H:%M:%S} UTC",
            *(line.decode().removeprefix("OnCalendar=") for line in lines),
        ),
        capture_output=True,
        text=True,
        check=True,
        env={"TZ": "UTC", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
    )
    found = []
    for part in re.split(r"(?m)^Normalized form:", done.stdout)[1:]:
        stamps = re.findall(r"(?:elapse|#\d+): \w+ (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", part)
        found.append([unix(stamp) for stamp in stamps])
    return found


@pytest.mark.engine
def test_proof():
    """Thousands of random jobs of the whole language, other ones each time, on every engine: no slot is missed."""
    prove(times(50_000), seed=8 + turn())


def prove(cases, *, seed):
    """Hold ``scripts/prove.py`` to its promise over *cases* cases."""
    script = (sys.executable, str(ROOT / "scripts/prove.py"))
    done = subprocess.run(
        (*script, f"--cases={cases}", f"--seed={seed}", "--json"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)

    assert (figures["cases"], figures["misses"], figures["exact violations"]) == (cases, 0, 0)
    assert set(figures["engines"]) == set(BACKENDS)


OFTEN = {
    "kubernetes": {"every 45 minutes"},  # no line of cron says the grid, and a CronJob has one line
    "launchd": {"every 15 minutes", "every 10 minutes", "every 5 minutes", "*/20 * * * *"},
}
"""What is woken more than once an hour for nothing, as the manual says in ``engines``: the hour that clocks show twice."""


@pytest.mark.parametrize("engine", MODELS)
def test_realistic_schedules_are_woken_for_their_slots(engine):
    """Of sixty schedules as people have them most are woken at their slots alone, and few more than once an hour for nothing."""
    start = int(dt.datetime(2027, 10, 18, tzinfo=dt.UTC).timestamp())  # clocks change on both sides
    counts = [counted(case, engine, start, start + 28 * 86400) for case in CASES]

    assert len(counts) == 60
    assert sorted(count.per_slot for count in counts)[30] <= 1.1
    often = {count.case.texts[0] for count in counts if count.idle_a_day > 24}
    assert often == OFTEN.get(engine, set())
