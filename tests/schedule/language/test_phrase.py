"""Phrases: what each form means, as slots, and what is refused with what was probably meant."""

import datetime as dt
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratectl.errors import ScheduleError
from ratectl.schedule.language.parse import parse
from ratectl.schedule.occurrences.slots import after, before

KOLKATA = ZoneInfo("Asia/Kolkata")
MONDAY_NOON = dt.datetime(2026, 11, 23, 12, tzinfo=KOLKATA)
FORM = "%a %m-%d %H:%M:%S"


def first(text, count=3, **window):
    """The next slots after Monday 2026-11-23 12:00, shortened."""
    slots = islice(after(parse([text], **window), KOLKATA, MONDAY_NOON), count)
    return [slot.strftime(FORM).removesuffix(":00") for slot in slots]


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("every 5 seconds", ["Mon 11-23 12:00:05", "Mon 11-23 12:00:10", "Mon 11-23 12:00:15"]),
        ("every 45 seconds", ["Mon 11-23 12:00:45", "Mon 11-23 12:01:30", "Mon 11-23 12:02:15"]),
        ("every minute", ["Mon 11-23 12:01", "Mon 11-23 12:02", "Mon 11-23 12:03"]),
        ("every minute at :05", ["Mon 11-23 12:00:05", "Mon 11-23 12:01:05", "Mon 11-23 12:02:05"]),
        ("every 15 minutes", ["Mon 11-23 12:15", "Mon 11-23 12:30", "Mon 11-23 12:45"]),
        ("every 90 minutes", ["Mon 11-23 13:30", "Mon 11-23 15:00", "Mon 11-23 16:30"]),
        ("every 2 hours", ["Mon 11-23 14:00", "Mon 11-23 16:00", "Mon 11-23 18:00"]),
        ("every hour at :17 and :47", ["Mon 11-23 12:17", "Mon 11-23 12:47", "Mon 11-23 13:17"]),
        ("every 36 hours", ["Wed 11-25 00:00", "Thu 11-26 12:00", "Sat 11-28 00:00"]),
        ("every day", ["Tue 11-24 00:00", "Wed 11-25 00:00", "Thu 11-26 00:00"]),
        (
            "Every Day AT 10:30:15",
            ["Tue 11-24 10:30:15", "Wed 11-25 10:30:15", "Thu 11-26 10:30:15"],
        ),
        ("every day at 09:00 and 17:00", ["Mon 11-23 17:00", "Tue 11-24 09:00", "Tue 11-24 17:00"]),
        ("every 3 days at 8:00", ["Wed 11-25 08:00", "Sat 11-28 08:00", "Tue 12-01 08:00"]),
        ("every week", ["Mon 11-30 00:00", "Mon 12-07 00:00", "Mon 12-14 00:00"]),
        ("every 2 weeks", ["Mon 12-07 00:00", "Mon 12-21 00:00", "Mon 01-04 00:00"]),
        ("every 2 weeks on friday", ["Fri 11-27 00:00", "Fri 12-11 00:00", "Fri 12-25 00:00"]),
        ("every weekday at 9:30", ["Tue 11-24 09:30", "Wed 11-25 09:30", "Thu 11-26 09:30"]),
        ("every weekend day at 10:00", ["Sat 11-28 10:00", "Sun 11-29 10:00", "Sat 12-05 10:00"]),
        (
            "every tuesday, thu and Sundays",
            ["Tue 11-24 00:00", "Thu 11-26 00:00", "Sun 11-29 00:00"],
        ),
        (
            "every monday at 10:30 in march",
            ["Mon 03-01 10:30", "Mon 03-08 10:30", "Mon 03-15 10:30"],
        ),
        ("every month", ["Tue 12-01 00:00", "Fri 01-01 00:00", "Mon 02-01 00:00"]),
        (
            "every month on the 1st and 15th",
            ["Tue 12-01 00:00", "Tue 12-15 00:00", "Fri 01-01 00:00"],
        ),
        (
            "every month at 6:00 on the 31st",
            ["Thu 12-31 06:00", "Sun 01-31 06:00", "Wed 03-31 06:00"],
        ),
        ("every month on the last day", ["Mon 11-30 00:00", "Thu 12-31 00:00", "Sun 01-31 00:00"]),
        (
            "every month on the first monday",
            ["Mon 12-07 00:00", "Mon 01-04 00:00", "Mon 02-01 00:00"],
        ),
        (
            "every month on the fifth friday",
            ["Fri 01-29 00:00", "Fri 04-30 00:00", "Fri 07-30 00:00"],
        ),
        (
            "every month on the last weekday",
            ["Mon 11-30 00:00", "Thu 12-31 00:00", "Fri 01-29 00:00"],
        ),
        ("every 2 months", ["Fri 01-01 00:00", "Mon 03-01 00:00", "Sat 05-01 00:00"]),
        ("every quarter", ["Fri 01-01 00:00", "Thu 04-01 00:00", "Thu 07-01 00:00"]),
        (
            "every quarter on the last friday",
            ["Fri 12-25 00:00", "Fri 03-26 00:00", "Fri 06-25 00:00"],
        ),
        (
            "every year on the first monday",
            ["Mon 01-04 00:00", "Mon 01-03 00:00", "Mon 01-01 00:00"],
        ),
        (
            "every year in march and september on the 5th",
            ["Fri 03-05 00:00", "Sun 09-05 00:00", "Sun 03-05 00:00"],
        ),
        (
            "every 50 minutes between 09:00 and 17:30",
            ["Mon 11-23 12:20", "Mon 11-23 13:10", "Mon 11-23 14:00"],
        ),
        (
            "every 15 minutes between 17:15 and 17:30 on weekdays",
            ["Mon 11-23 17:15", "Mon 11-23 17:30", "Tue 11-24 17:15"],
        ),
        ("once at 2026-12-01 10:30", ["Tue 12-01 10:30"]),
    ],
)
def test_meaning(text, slots):
    """Each form has the slots that the semantics give it."""
    assert first(text) == slots


def test_from_anchors_what_is_counted():
    """With ``from``, elapsed intervals, days, weeks and months count from it, and a week keeps its weekday."""
    assert first("every 2 weeks", start="2026-12-02") == [
        "Wed 12-02 00:00",
        "Wed 12-16 00:00",
        "Wed 12-30 00:00",
    ]
    assert first("every 3 days", start="2026-12-02") == [
        "Wed 12-02 00:00",
        "Sat 12-05 00:00",
        "Tue 12-08 00:00",
    ]
    assert first("every 50 hours", 2, start="2026-12-02T08:00") == [
        "Wed 12-02 08:00",
        "Fri 12-04 10:00",
    ]
    assert first("every 2 months", start="2026-12-01") == [
        "Tue 12-01 00:00",
        "Mon 02-01 00:00",
        "Thu 04-01 00:00",
    ]


def test_window():
    """``from`` is inclusive and ``until`` exclusive."""
    assert first("every day at 10:30", start="2026-11-25T10:30", end="2026-11-27T10:30") == [
        "Wed 11-25 10:30",
        "Thu 11-26 10:30",
    ]


@given(
    shortest=st.integers(1, 120),
    more=st.integers(1, 600),
    unit=st.sampled_from(["seconds", "minutes", "hours"]),
    name=st.text(max_size=5),
)
def test_random_gaps_keep_their_bounds(shortest, more, unit, name):
    """Every gap lies within its bounds, and a job draws the same slots each time, wherever it looks from."""
    value = parse([f"every {shortest} to {shortest + more} {unit}"], name=name)
    length = dt.timedelta(**{unit: 1})

    slots = list(islice(after(value, KOLKATA, MONDAY_NOON), 30))

    gaps = [later - earlier for earlier, later in pairwise(slots)]
    assert all(shortest * length <= gap <= (shortest + more) * length for gap in gaps)
    assert next(after(value, KOLKATA, slots[10])) == slots[11]
    assert next(before(value, KOLKATA, slots[10])) == slots[9]


def test_random_gaps_differ_between_jobs():
    """Two jobs with the same phrase do not call at the same moments."""
    one, other = (parse(["every 5 to 10 minutes"], name=name) for name in ("usd-inr", "eur-inr"))

    assert [*islice(after(one, KOLKATA, MONDAY_NOON), 5)] != [
        *islice(after(other, KOLKATA, MONDAY_NOON), 5)
    ]


def test_union_counts_each_instant_once():
    """Schedules of a list that share an instant fire once there."""
    value = parse(["every day at 10:30", "30 10 * * 2", "every day at 11:00"])

    slots = [f"{slot:%a %H:%M}" for slot in islice(after(value, KOLKATA, MONDAY_NOON), 3)]

    assert slots == ["Tue 10:30", "Tue 11:00", "Wed 10:30"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("every 0 minutes", "never ends"),
        ("once at 9999-12-31 23:59", "outside the years"),
        ("every 7 minutes, counted from 0001-01-01", "outside the years"),
        ("every day; starting 0001-01-01 00:00", "years 1900 to 2200"),
        ("every day; starting 2026-12-01T00:00Z", "on the job's own clocks"),
        ("every day; starting soon", "is not a time"),
        ("; starting 2026-12-01 00:00; ", "names no schedule"),
        ("every 101 years", "more than a century"),
        ("every 2 to 999999 hours", "more than a century"),
        ("every 1234567890 seconds", "at most 9 digits"),
        (f"every {'9' * 5000} seconds", "at most 9 digits"),
        ("every \u00b2 hours", "a unit"),
        ("every 10 to 5 minutes", "must be more than 10"),
        ("every 5 to minutes", "a number"),
        ("every 2 to 3 months", "seconds, minutes, hours, days or weeks"),
        ("every 5 to 10 minutes at :30", 'take no "at"'),
        ("every dya at 10:30", 'did you mean "every day at 10:30"?'),
        ("evry weekdy at 9:00", 'did you mean "every weekday at 9:00"?'),
        ("every day at 25:00", "no such time of day"),
        ("every day at 10:30 at :20", "a full time"),
        ("every hour at 10:30", 'say "every hour at :30"'),
        ("every 5 seconds at :05", '"every minute at :05"'),
        ("every month on the 30th in february", "never fires"),
        ("every month on monday", '"on the first monday"'),
        ("every month on the 32nd", "1st to 31st"),
        ("every month on the sixth monday", "a day such as"),
        ("every month on the last", '"day" or a weekday'),
        ("every day on the 1st", "every month on the"),
        ("every 2 mondays", '"every 2 weeks on monday"'),
        ("every 7 minutes on monday", '"every 7 minutes between 00:00 and 23:59"'),
        ("every day between 09:00 and 10:00", "every 15 minutes between"),
        ("every 5 minutes between 17:00 and 09:00", "two schedules across midnight"),
        ("every 3 months in march", "leave out the number"),
        ("every 3 fortnights", "a unit (second"),
        ("every", "ends where"),
        ("every day at", "ends where a time"),
        ("every day at 10:30 please", '"please"'),
        ("sometimes", "how often, a day, a time"),
        ("once at tomorrow", "written with its date"),
        ("once at 2026-02-30 10:00", "not a date"),
        ("", "the schedule is empty"),
        ("30 2 30 2 *", "never fires"),
    ],
)
def test_refused(text, says):
    """Nonsense is refused with its text and with what was probably meant."""
    with pytest.raises(ScheduleError) as caught:
        parse([text])

    assert says in str(caught.value)


def test_empty_window_is_refused():
    """A schedule without any slot between ``from`` and ``until`` is an error, not a silent job."""
    with pytest.raises(ScheduleError, match="no slot lies between"):
        parse(["every month on the 1st"], start="2026-12-02", end="2026-12-20")


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ("every dya at 10:30", "every dya at 10:30\n      ^^^"),
        ("every  day   at", "every day at\n            ^"),
        ("Every day at 10:30 please", "Every day at 10:30 please\n                   ^^^^^^"),
        ("0 22-2 * * *", "0 22-2 * * *\n  ^^^^"),
        ("0 0 1,5,40 * *", "0 0 1,5,40 * *\n        ^^"),
    ],
)
def test_errors_point_at_the_word(text, pointer):
    """The word that is meant stands over carets."""
    with pytest.raises(ScheduleError) as caught:
        parse([text])

    assert caught.value.pointer == pointer
