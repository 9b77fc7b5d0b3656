"""Cron lines mean what Debian's daemon does with them; cronsim is the fire-time oracle."""

import datetime as dt
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from ratectl.errors import ScheduleError
from ratectl.schedule.calendar import Union
from ratectl.schedule.cron import MACROS, parse_cron
from ratectl.schedule.slots import after

ORACLE_ZONES = ("UTC", "America/New_York", "Europe/London", "Africa/Casablanca", "Asia/Kathmandu")
"""Without Lord Howe and Santiago, where cronsim 2.8 itself loses slots."""


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
    assert parse_cron(line).running is running


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
        ("30 25 * * *", "25 is outside 0-23"),
        ("60 * * * *", "60 is outside 0-59"),
        ("0 22-2 * * *", "write 22-23,0-2"),
        ("0 0 * * sat-sun", "write 6,0"),
        ("0 0 * * 6-0", "write 6,0"),
        ("0 0 * * sat#4", "every month on the second friday"),
        ("0 0 L * *", "every month on the last day"),
        ("0 0 15W * *", "every month on the last day"),
        ("*/90 * * * *", '"every 90 minutes"'),
        ("0 */30 * * *", '"every 30 hours"'),
        ("*/0 * * * *", "never moves"),
        ("5/15 * * * *", "5-59/15"),
        ("0~30 * * * *", "belong to other schedulers"),
        ("? * * * *", "belong to other schedulers"),
        ("H * * * *", "belong to other schedulers"),
        ("0 0 * * * *", "six fields"),
        ("0 0 1 *", "4 fields"),
        ("@reboot", "not boots"),
        ("@every 5m", "unknown macro"),
        ("1,,2 * * * *", "expected numbers"),
    ],
)
def test_refused(line, says):
    """What Debian rejects, never fires or misreads is refused, with what was probably meant."""
    with pytest.raises(ScheduleError) as caught:
        parse_cron(line)

    assert says in str(caught.value)
    assert line in str(caught.value)
