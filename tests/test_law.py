"""The law, on what is installed: wakeups read back from the native text contain every slot.

The models of the engines know only the text and what `engines` are documented or measured to do;
where nobody knows (folds on Windows and launchd, gaps on launchd) a wakeup counts for nothing.
"""

import datetime as dt
import plistlib
import re
import subprocess
from itertools import islice, takewhile
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes import jobs as fake_jobs
from tests.fakes import machine

from ratectl import deploy, schedule
from ratectl.backends import BACKENDS

NS = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
MONTHS = [dt.date(2000, month, 1).strftime("%B") for month in range(1, 13)]
WEEKDAYS = [dt.date(2001, 1, day).strftime("%A") for day in range(1, 8)]
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)
ZONES = (
    "UTC",
    "America/New_York",
    "Europe/London",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Africa/Cairo",
    "America/St_Johns",
    "Pacific/Kiritimati",
)
"""Zones that cronsim 2.8 reads as Debian does (it loses slots in Lord Howe and Santiago)."""
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


def changes(zone):
    """Instants within a day of which the zone's offset changes, 2026 to 2028."""
    days = [dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + n * DAY for n in range(3 * 365)]
    return [
        d for d in days if d.astimezone(zone).utcoffset() != (d + DAY).astimezone(zone).utcoffset()
    ]


MOMENTS = {name: changes(ZoneInfo(name)) for name in ZONES}


def native_texts(backend, text, zone, host_zone):
    """What ``render`` writes for one job with the schedule *text*."""
    job = fake_jobs.job("law", schedule=f'"{text}"', timezone=f'"{zone.key}"')
    site = deploy.Site(
        backend=BACKENDS[backend],
        scope="user",
        host=machine.host(zone=host_zone),
        reader=machine.Machine(),
    )
    return list(deploy.files(site, (job,)).values())


def cron_wakeups(texts, host_zone, start, end):
    """Debian's daemon, as cronsim models it."""
    for line in texts[0].decode().splitlines():
        if line.startswith("#"):
            continue
        fields = " ".join(line.split()[:5])
        for slot in takewhile(
            lambda slot: slot.astimezone(dt.UTC) <= end,
            CronSim(fields, start.astimezone(host_zone)),
        ):
            yield slot.astimezone(dt.UTC)


def launchd_wakeups(texts, host_zone, start, end):
    """launchd, away from clock changes; a missing key means every."""
    (text,) = texts
    plist = plistlib.loads(text)
    if "StartInterval" in plist:
        assert plist["StartInterval"] == 60
        return every(60, 0, start, end)
    wanted = plist["StartCalendarInterval"]
    return civil_wakeups(
        host_zone,
        start,
        end,
        lambda shown: any(
            all(
                {
                    "Minute": shown.minute,
                    "Hour": shown.hour,
                    "Day": shown.day,
                    "Weekday": shown.isoweekday() % 7,
                    "Month": shown.month,
                }[key]
                == value % (7 if key == "Weekday" else 1000)
                for key, value in fields.items()
            )
            for fields in wanted
        ),
        gap_after=False,
    )


def windows_wakeups(texts, host_zone, start, end):
    """Task Scheduler: repetitions are elapsed time, calendars are local and fire after a gap."""
    (text,) = texts
    root = ET.fromstring(text.decode("utf-16"))
    for trigger in root.find(f"{NS}Triggers"):
        boundary = trigger.find(f"{NS}StartBoundary").text
        if trigger.tag == f"{NS}TimeTrigger":
            interval = seconds(trigger.find(f"{NS}Repetition/{NS}Interval").text)
            first = dt.datetime.fromisoformat(boundary)
            yield from every(interval, int(first.timestamp()) % interval, start, end)
        else:
            first = dt.datetime.fromisoformat(boundary)
            yield from civil_wakeups(
                host_zone,
                start,
                end,
                lambda shown, trigger=trigger, first=first: (
                    (shown.hour, shown.minute) == (first.hour, first.minute)
                    and on_day(trigger, shown.date(), first.date())
                ),
                gap_after=True,
            )


def seconds(duration):
    """The length of an XML duration."""
    days, hours, minutes, secs = re.fullmatch(
        r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", duration
    ).groups()
    return int(days or 0) * 86400 + int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(secs or 0)


def on_day(trigger, day, first):
    """Whether a calendar trigger that began on *first* fires on *day*."""
    by = next(child for child in trigger if child.tag.startswith(f"{NS}ScheduleBy"))
    kind = by.tag.removeprefix(f"{NS}ScheduleBy")
    names = {child.tag.removeprefix(NS) for child in by.iter()}
    if kind == "Day":
        return (day - first).days % int(by.find(f"{NS}DaysInterval").text) == 0
    if kind == "Week":
        return WEEKDAYS[day.isoweekday() - 1] in names
    if MONTHS[day.month - 1] not in names:
        return False
    last = (day + DAY).month != day.month
    if kind == "Month":
        numbers = {child.text for child in by.iter(f"{NS}Day")}
        return str(day.day) in numbers or (last and "Last" in numbers)
    weeks = {child.text for child in by.iter(f"{NS}Week")}
    in_last_week = (day + 7 * DAY).month != day.month
    return WEEKDAYS[day.isoweekday() - 1] in names and (
        str((day.day + 6) // 7) in weeks or (in_last_week and "Last" in weeks)
    )


def every(interval, phase, start, end):
    """The instants of an elapsed grid."""
    first = int(start.timestamp())
    stamp = first + (phase - first) % interval
    while stamp <= end.timestamp():
        yield dt.datetime.fromtimestamp(stamp, dt.UTC)
        stamp += interval


def civil_wakeups(zone, start, end, holds, *, gap_after):
    """Minutes whose clocks show what *holds*; shown twice they do not count."""
    minute = start.replace(second=0)
    while minute <= end:
        local = minute.astimezone(zone)
        shown = local.replace(tzinfo=None, fold=0)
        earlier = (minute - MINUTE).astimezone(zone)
        gap = int((local.utcoffset() - earlier.utcoffset()) / MINUTE)
        twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
        if (holds(shown) and not twice) or (
            gap_after and gap > 0 and any(holds(shown - n * MINUTE) for n in range(1, gap + 1))
        ):
            yield minute
        minute += MINUTE


MODELS = {"cron": cron_wakeups, "launchd": launchd_wakeups, "windows": windows_wakeups}


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
    moments = [*MOMENTS[zone_name], *MOMENTS[host_name], dt.datetime(2027, 1, 30, tzinfo=dt.UTC)]
    start = moments[pick % len(moments)] - 12 * HOUR
    end = start + 60 * HOUR
    texts = native_texts(backend, text, zone, host_zone)
    value = schedule.parse([text])

    slots = takewhile(lambda s: s <= end, schedule.after(value, zone, start + MINUTE))
    wanted = {slot.astimezone(dt.UTC).replace(second=0) for slot in islice(slots, 10_000)}
    wakeups = {w.replace(second=0) for w in MODELS[backend](texts, host_zone, start, end)}

    assert wanted - wakeups == set(), texts[0].decode(errors="replace")


@pytest.mark.engine
@pytest.mark.parametrize("text", SCHEDULES)
@pytest.mark.parametrize("zone_name", ["America/New_York", "Africa/Cairo", "Asia/Kathmandu"])
def test_law_systemd(text, zone_name):
    """The calculator of systemd finds a wakeup for every slot around the clock changes of three years."""
    zone = ZoneInfo(zone_name)
    (timer,) = [t for t in native_texts("systemd", text, zone, zone) if b"OnCalendar" in t]
    expressions = re.findall(r"^OnCalendar=(.*)$", timer.decode(), flags=re.MULTILINE)
    value = schedule.parse([text])
    for change in MOMENTS[zone_name][:4] or [dt.datetime(2027, 1, 30, tzinfo=dt.UTC)]:
        start = change - 6 * HOUR
        series = [systemd_wakeups(expression, start) for expression in expressions]
        until = min((max(found) for found in series if len(found) == ELAPSES), default=start + DAY)
        slots = takewhile(
            lambda s, until=until: s <= until, schedule.after(value, zone, start + MINUTE)
        )
        wanted = {slot.astimezone(dt.UTC).replace(second=0) for slot in islice(slots, 1000)}

        assert wanted - set().union(*series) == set(), expressions


ELAPSES = 150


def systemd_wakeups(expression, start):
    """The next minutes at which ``systemd-analyze calendar`` elapses."""
    done = subprocess.run(
        (
            *("systemd-analyze", "calendar", f"--iterations={ELAPSES}"),
            *(f"--base-time={start:%Y-%m-%d %H:%M:%S} UTC", expression),
        ),
        capture_output=True,
        text=True,
        check=True,
        env={"TZ": "UTC", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
    )
    found = re.findall(r"(?:elapse|#\d+): \w+ (\d{4}-\d\d-\d\d \d\d:\d\d):\d\d UTC", done.stdout)
    return {dt.datetime.fromisoformat(f"{text}Z") for text in found}
