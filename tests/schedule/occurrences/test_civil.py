"""The days of one calendar: the first of them against the walk, and against each day by itself."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from ratectl.schedule.occurrences.civil import days_from, days_in_month, first_day
from ratectl.schedule.values import DAYS, LAST_DAY, MONTHS, WEEKDAYS, Calendar, Stride, Unit


def some_of(values):
    return st.frozensets(st.sampled_from(sorted(values)), min_size=1)


CALENDARS = st.builds(
    Calendar,
    days=st.just(DAYS) | some_of(DAYS | {LAST_DAY, -2}),
    months=st.just(MONTHS) | some_of(MONTHS),
    weekdays=st.just(WEEKDAYS) | some_of(WEEKDAYS),
    stride=st.none() | st.builds(Stride, unit=st.sampled_from(Unit), every=st.integers(2, 40)),
)
SOME_DAYS = st.dates(dt.date(1900, 1, 1), dt.date(2200, 12, 31))


@given(CALENDARS, SOME_DAYS)
def test_the_first_day_is_the_one_that_the_walk_begins_with(calendar, low):
    assert first_day(calendar, low) == next(days_from(calendar, low), None)


@given(CALENDARS, SOME_DAYS)
def test_a_day_counts_if_each_field_has_it(calendar, low):
    following = (low.replace(day=28) + dt.timedelta(days=4)).replace(day=1)
    length = (following - dt.timedelta(days=1)).day
    days = [low.replace(day=number) for number in range(1, length + 1)]
    assert list(days_in_month(calendar, low.year, low.month)) == [
        day
        for day in days
        if day.month in calendar.months
        and day.isoweekday() in calendar.weekdays
        and {day.day, day.day - length - 1} & calendar.days
        and (calendar.stride is None or calendar.stride.includes(day))
    ]


def test_where_no_day_is_left_none_is_first():
    never = Calendar(days=frozenset({30}), months=frozenset({2}))
    assert first_day(never, dt.date(1900, 1, 1)) is None
    assert first_day(Calendar(), dt.date(2201, 1, 1)) is None
