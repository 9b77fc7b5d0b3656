"""Cron lines mean what Debian's daemon does with them; cronsim is the fire-time oracle."""

import contextlib
import datetime as dt
import random
import re
import tomllib
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from ratectl.errors import ScheduleError
from ratectl.schedule.language.cron import MACROS, parse_cron
from ratectl.schedule.language.parse import parse, parse_one
from ratectl.schedule.occurrences.slots import after
from ratectl.schedule.occurrences.zones import changes as clock_changes
from ratectl.schedule.values import Union
from tests.law.cases import cron_line

ORACLE_ZONES = ("UTC", "America/New_York", "Europe/London", "Africa/Casablanca", "Asia/Kathmandu")
"""Without Lord Howe and Santiago, where cronsim 2.8 itself loses slots."""
WALKED = ("Australia/Lord_Howe", "America/Santiago", "Africa/Cairo")
"""Where cronsim 2.8 errs at a clock change: a fold of 30 minutes, a skipped midnight."""
ZONES = (*ORACLE_ZONES, *WALKED)
YEARS = (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2029, 1, 1, tzinfo=dt.UTC))
BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
MINUTE = dt.timedelta(minutes=1)
HOURS_BEFORE = dt.timedelta(hours=3)


def field(low, high):
    """Texts of one field, all of which Debian accepts."""
    number = st.integers(low, high)
    span = st.tuples(number, number).map(sorted).filter(lambda pair: pair[0] < pair[1])
    return st.one_of(
        st.just("*"),
        number.map(str),
        st.integers(2, (high - low) // 2).map("*/{}".format),
        span.map(lambda pair: f"{pair[0]}-{pair[1]}"),
        st.lists(number, min_size=2, max_size=4, unique=True).map(
            lambda ns: ",".join(map(str, ns))
        ),
    )


@settings(max_examples=300, deadline=None)
@given(
    line=st.tuples(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 7)).map(
        " ".join
    ),
    zone_name=st.sampled_from(ORACLE_ZONES),
    start=st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2028, 12, 31)),
)
def test_slots_equal_cronsim(line, zone_name, start):
    """Every valid line fires when cronsim says so, clock changes included."""
    zone = ZoneInfo(zone_name)
    moment = start.replace(second=0, microsecond=0, tzinfo=dt.UTC)
    theirs = [
        slot.astimezone(dt.UTC) for slot in islice(CronSim(line, moment.astimezone(zone)), 30)
    ]

    ours = [slot.astimezone(dt.UTC) for slot in islice(after(parse_cron(line), zone, moment), 30)]

    assert ours == theirs


@pytest.mark.parametrize(
    ("line", "members"),
    [("0 12 4 * 5", 2), ("0 12 1-31/2 * 1", 2), ("0 12 */2 * 1", 1), ("0 12 4 * */2", 1)],
)
def test_star_rule(line, members):
    """Two restricted day fields are either-or, unless one of them begins with a star."""
    value = parse_cron(line)

    assert (len(value.members) if isinstance(value, Union) else 1) == members


@pytest.mark.parametrize(
    ("line", "running"),
    [
        ("30 2 * * *", False),
        ("0-59 2 * * *", False),
        ("0,30 0-23 * * *", False),
        ("*/15 9 * * *", True),
        ("30 * * * *", True),
        ("30 */2 * * *", True),
    ],
)
def test_running_is_a_leading_star(line, running):
    """A minute or hour field that begins with a star follows elapsed time, as in the daemon."""
    assert parse_cron(line).elapsed_time is running


@pytest.mark.parametrize("name", MACROS)
def test_macros_are_their_lines(name):
    """A macro means the line that crontab(5) gives for it, in any letter case."""
    assert parse_cron(name.upper()) == parse_cron(MACROS[name])


def test_seven_is_sunday():
    """0 and 7 are both Sunday, and names stand for numbers."""
    assert parse_cron("0 0 * * 7") == parse_cron("0 0 * * 0") == parse_cron("0 0 * * Sun")
    assert parse_cron("0 0 1 jan-mar *") == parse_cron("0 0 1 1-3 *")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("30 10 31 2 *", 'say "every month on the last day in February at 10:30"'),
        (
            "0 9 * * 1-5 /usr/bin/foo",
            'with its command; a schedule is the five fields before it: "0 9 * * 1-5"',
        ),
        ("0 9 * * 1-5 root foo --all", '"0 9 * * 1-5"'),
        ("10 9 1 1 1 /opt/backup.sh", '"10 9 1 1 1"'),
    ],
)
def test_what_to_write_instead(line, says):
    """A day that does not exist, and a line that was copied with its command, are told with what to write."""
    with pytest.raises(ScheduleError) as caught:
        parse_one(line)

    assert says in str(caught.value)
    parse_one(re.findall(r'"([^"]+)"', says)[-1])


def test_the_nearest_weekday():
    """What Quartz calls 15W is told as the list that says it: the 15th, or the Friday or Monday beside it."""
    with pytest.raises(ScheduleError) as caught:
        parse_cron("0 9 15W * *")

    [said] = re.findall(r"schedule = (\[.*\])", str(caught.value))
    value = parse(tomllib.loads(f"schedule = {said}")["schedule"])
    slots = islice(after(value, ZoneInfo("UTC"), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)), 12)

    # 2026: the 15th is a Sunday in February, March and November, and a Saturday in August
    assert [slot.day for slot in slots] == [15, 16, 16, 15, 15, 15, 15, 14, 15, 15, 16, 15]


def test_days_before_the_last():
    """What Quartz calls L-3 is told as the phrase for the fourth to last day; as a day of the week it is none."""
    with pytest.raises(ScheduleError) as caught:
        parse_cron("0 9 L-3 3 *")
    with pytest.raises(ScheduleError) as elsewhere:
        parse_cron("0 9 * * L-3")

    phrase = re.findall(r'"([^"]+)"', str(caught.value))[-1]
    assert parse_one(phrase) == parse_one("every month on the 4th to last day in march at 09:00")
    assert "every month" not in str(elsewhere.value)


@pytest.mark.parametrize("line", ["*/5 9 L * *", "0 9 L,15 * *", "0 9 L * 1", "0 9 L 1-3 *"])
def test_no_phrase_for_a_part_of_a_line(line):
    """No phrase is offered that would say less than the line."""
    with pytest.raises(ScheduleError) as caught:
        parse_cron(line)

    assert "every month" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("30 25 * * *", "25 is outside 0-23"),
        ("60 * * * *", "60 is outside 0-59"),
        ("0 22-2 * * *", "write 22-23,0-2"),
        ("0 0 * * sat-sun", "write 6,0"),
        ("0 0 * * 6-0", "write 6,0"),
        ("0 0 * * sat#4", "every month on the second friday"),
        ("0 0 L * *", "every month on the last day"),
        (
            "0 9 1W * *",
            '["every month on the 1st if it is a weekday at 09:00", "every month on the 3rd if it is a monday at 09:00"',
        ),
        ("0 9 31W * *", "cron has no W (the weekday nearest to a day)"),
        ("0 0 9 * * MON", "six fields"),
        ("*/90 * * * *", '"every 90 minutes"'),
        ("0 */30 * * *", '"every 30 hours"'),
        ("*/0 * * * *", "never moves; write * for each minute, or a step such as */2"),
        ("5/15 * * * *", "5-59/15"),
        ("0~30 * * * *", "belong to other schedulers"),
        ("? * * * *", "belong to other schedulers"),
        ("H * * * *", "belong to other schedulers"),
        ("0 0 * * * *", "six fields"),
        ("0 0 1 *", "4 fields"),
        ("@reboot", "not boots"),
        ("@every 5m", "unknown macro"),
        ("1,,2 * * * *", "expected numbers"),
        ("0 \u00b2 * * *", "expected numbers"),
        (f"0 {'9' * 5000} * * *", "is outside 0-23"),
        (f"*/{'9' * 5000} * * * *", "beyond the range, so only 0 is left"),
        ("50/15 * * * *", "no other value up to 59; write 50"),
        ("0 9 * * 7/2", "0-6/2"),
        ("0 22-2/2 * * *", "write 22,0,2"),
        ("0 22-2/0 * * *", "never moves"),
        ("0 9 * * 7-1", "write 0-1"),
    ],
)
def test_refused(line, says):
    """What Debian rejects, never fires or misreads is refused, with what was probably meant."""
    with pytest.raises(ScheduleError) as caught:
        parse_cron(line)

    assert says in str(caught.value)
    assert line in str(caught.value)


BEYOND = {  # a step that only its first value is left of -> what says the same
    "30 */24 * * *": "30 0 * * *",
    "0 9 */31 * *": "0 9 1 * *",
    "*/60 9-17 * * 1-5": "0 9-17 * * 1-5",
    "*/60 */24 1,15 * *": "0 0 1,15 * *",
    "0,*/60 * * * *": "0 * * * *",
    "0 9-17/9 * * *": "0 9 * * *",
    "0 9 * feb-apr/3 *": "0 9 * feb *",
    "0 9 * */12 1": "0 9 * 1 1",
    "0 9 * * mon-fri/9": "0 9 * * mon",
    "15 9 * * */8": "15 9 * * 0",
    "0 9 1-7/9 * */2": "0 9 1 * */2",
    "0 9 1-7/9 * 3": "0 9 1 * 3",
    "0 9 */31 * 1": "every month on the 1st if it is a monday at 09:00",
    "*/60 9 13 * */8": "every month on the 13th if it is a sunday at 09:00",
    "30 */36 * * *": "30 0 * * *",
    "*/90 9 * * *": "0 9 * * *",
    "0 9 */40 2 *": "0 9 1 2 *",
}


@pytest.mark.parametrize(("line", "offer"), BEYOND.items())
def test_a_step_beyond_its_range_keeps_the_other_fields(line, offer):
    """What is offered fires when the line does: no minute, hour, month or weekday of it is lost."""
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    with pytest.raises(ScheduleError) as caught:
        parse_one(line)

    assert re.findall(r'"([^"]+)"', caught.value.message)[2:] == [offer]
    theirs = list(islice(CronSim(line, start), 30))
    assert list(islice(after(parse_one(offer), ZoneInfo("UTC"), start), 30)) == theirs


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("*/90 * * * *", ["0 * * * *", "every 90 minutes"]),
        ("0 */36 * * *", ["0 0 * * *", "every 36 hours"]),
        ("30 9 */40 * *", ["30 9 1 * *", "every 40 days at 09:30"]),
        ("*/999999999 * * * *", ["0 * * * *"]),
    ],
)
def test_a_step_that_only_a_phrase_can_take(line, offers):
    """A step that is larger than its whole field has the phrase that counts so far, too, if it says all of the line."""
    with pytest.raises(ScheduleError) as caught:
        parse_one(line)

    assert re.findall(r'"([^"]+)"', caught.value.message)[2:] == offers
    for offer in offers:
        assert parse_one(offer)


@pytest.mark.parametrize(
    ("line", "field", "offer"),
    [
        ("0 9, 17 * * *", 'hour "9, 17"', "0 9,17 * * *"),
        ("0 9 ,17 * * *", 'hour "9 ,17"', "0 9,17 * * *"),
        ("0 9 * * mon, wed", 'day of week "mon, wed"', "0 9 * * mon,wed"),
        ("0 9 * * 1 - 5", 'day of week "1 - 5"', "0 9 * * 1-5"),
        ("*/ 5 * * * *", 'minute "*/ 5"', "*/5 * * * *"),
        ("0 9, 12, 17 * * 1, 3 /usr/bin/foo", 'hour "9, 12, 17"', "0 9,12,17 * * 1,3"),
        ("0 9, 25 * * *", 'hour "9, 25"', "9,25"),
    ],
)
def test_a_blank_within_a_field(line, field, offer):
    """A list, range or step that a blank tears is told as such, with the line without the blank."""
    with pytest.raises(ScheduleError) as caught:
        parse_one(line)

    assert f"a blank ends a field, and {field} is one" in caught.value.message
    assert caught.value.message.endswith(f'"{offer}"')


@pytest.mark.slow
@pytest.mark.parametrize("zone_name", ZONES)
def test_thousands_of_lines(zone_name):
    """5,000 random lines fire as cronsim says, or where that errs a plain walk: half of them around clock changes."""
    zone, rng = ZoneInfo(zone_name), random.Random(zone_name)  # noqa: S311
    changes = [change.at for change in clock_changes(zone) if change.at.year < 2029]
    walks = {change: minutes_around(zone, change) for change in changes}
    for line in islice(firing_lines(random.Random(5)), 5000):  # noqa: S311
        change = rng.choice(changes) if changes and rng.random() < 0.5 else None
        start = (
            change - HOURS_BEFORE if change else YEARS[0] + rng.randrange(3 * 365 * 1440) * MINUTE
        )
        end = min((c - HOURS_BEFORE for c in changes if c - HOURS_BEFORE > start), default=YEARS[1])
        if change and zone_name in WALKED:
            end, theirs = walks[change][-1][0], walked(line, walks[change])
        else:
            stream = (slot.astimezone(dt.UTC) for slot in CronSim(line, start.astimezone(zone)))
            theirs = list(islice(takewhile(lambda slot, end=end: slot <= end, stream), 8))
        stream = (slot.astimezone(dt.UTC) for slot in after(parse_cron(line), zone, start))
        ours = takewhile(lambda slot, end=end: slot <= end, stream)

        assert list(islice(ours, len(theirs) if len(theirs) == 8 else None)) == theirs, (
            line,
            start,
        )


def firing_lines(rng):
    while True:
        line = cron_line(rng)
        with contextlib.suppress(ScheduleError):
            parse_one(line)
            yield line


def minutes_around(zone, change):
    """Each minute after HOURS_BEFORE a change: the instant, what clocks show, whether again, what was skipped."""
    found = []
    for n in range(1, 10 * 60):
        instant = change - HOURS_BEFORE + n * MINUTE
        shown, earlier = instant.astimezone(zone), (instant - MINUTE).astimezone(zone)
        gap = (shown.utcoffset() - earlier.utcoffset()) // MINUTE
        skipped = [parts_of(shown - m * MINUTE) for m in range(1, gap + 1)]
        found.append((instant, parts_of(shown), shown.fold == 1, skipped))
    return found


def parts_of(shown):
    return (shown.minute, shown.hour, shown.day, shown.month, shown.isoweekday() % 7)


def walked(line, minutes):
    """Debian's rule: a leading star follows the clocks; else a skipped time fires after the gap, none fires again."""
    parts = line.split()
    fields = [frozenset(numbers(part, *bounds)) for part, bounds in zip(parts, BOUNDS, strict=True)]
    weekdays = {number % 7 for number in fields[4]}
    either = not parts[2].startswith("*") and not parts[4].startswith("*")

    def matches(shown):
        minute, hour, day, month, weekday = shown
        if minute not in fields[0] or hour not in fields[1] or month not in fields[3]:
            return False
        days = (day in fields[2], weekday in weekdays)
        return any(days) if either else all(days)

    if parts[0].startswith("*") or parts[1].startswith("*"):
        return [instant for instant, shown, _, _ in minutes if matches(shown)]
    return [
        instant
        for instant, shown, again, skipped in minutes
        if (matches(shown) and not again) or any(map(matches, skipped))
    ]


def numbers(part, low, high):
    for item in part.split(","):
        span, _, step = item.partition("/")
        first, _, last = (f"{low}-{high}" if span == "*" else span).partition("-")
        yield from range(int(first), int(last or first) + 1, int(step or 1))
