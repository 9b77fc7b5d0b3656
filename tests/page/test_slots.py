"""How days went, in the strip, the calendar and in words, on the job's own clocks."""

import datetime as dt

import pytest

from ratectl.journal.quarantine import QuarantinedAnswer
from ratectl.journal.queries import Count
from ratectl.page import drawing
from ratectl.page.slots import BEFORE, COURSES, DAYS, DUE, NONE, WEEKS, Slots
from tests.page.conftest import DAY
from tests.views.conftest import NOW, SLOT


def held(slot=SLOT):
    return QuarantinedAnswer(
        id=3, job="usd-inr", slot=slot, slots=(slot,), provider="ecb", quote=None, reason="looks inverted",
        at=slot, state="held", seen=1,
    )  # fmt: skip


def test_strip(page):
    """Ninety days, today last; a day without a slot, one before the installation and one that is due differ."""
    days = Slots(page(upcoming=[SLOT + DAY]), NOW).strip()
    tomorrow = Slots(page(), NOW).day(SLOT.date() + DAY)

    assert len(days) == DAYS
    assert [day.course for day in days[-3:]] == [NONE, "on time", "late"]
    assert days[0].course == BEFORE
    assert tomorrow.course == DUE


def test_months_before_the_installation(page):
    """Of a new job only the month in which there is something takes room on a narrow screen."""
    days = Slots(page(), NOW).strip()
    months = [svg.partition(">")[0] for svg in drawing.strip(days)]

    assert ['"days early"' in month for month in months] == [True, True, False]


def test_a_day_is_shown_as_its_worst(page):
    """Each day counts all of its slots, gaps and held answers included, and looks as the worst of them."""
    many = [Count(SLOT, "on time", 4), Count(SLOT + dt.timedelta(hours=1), "on time", 2)]
    day = Slots(page(outcomes=many, gaps=[SLOT], quarantined=[held()]), NOW).strip()[-1]

    assert (day.course, day.summary) == ("missed", "2026-11-23: 6 on time, 1 held, 1 missed")


def test_a_held_answer_is_no_failure_besides(page):
    """The slot of a held answer is told once."""
    day = Slots(page(outcomes=[Count(SLOT, "failed", 1)], quarantined=[held()]), NOW).strip()[-1]

    assert (day.course, day.summary) == ("held", "2026-11-23: 1 held")


def test_a_day_is_the_jobs_own(page):
    """A slot late in the evening in UTC is of the next day in Kolkata."""
    evening = dt.datetime(2026, 11, 22, 20, 0, tzinfo=dt.UTC)
    days = Slots(page(outcomes=[Count(evening, "closed", 1)]), NOW).strip()

    assert [day.course for day in days[-2:]] == [NONE, "closed"]


@pytest.mark.parametrize(
    ("outcomes", "text"),
    [
        ([], ""),
        ([Count(SLOT, "closed", 1)], ""),
        ([Count(SLOT, "on time", 1), Count(SLOT - DAY, "closed", 1)], "100 %"),
        ([Count(SLOT, "on time", 9999), Count(SLOT - DAY, "missed", 1)], "99 %"),
        ([Count(SLOT, "on time", 1), Count(SLOT - 20 * DAY, "backfilled", 5)], "100 %"),
        ([Count(SLOT - DAY, "failed", 2)], "0 %"),
    ],
)
def test_on_time(page, outcomes, text):
    """Rounded down, of what could have been on time: not closed days, and nothing before the installation."""
    assert Slots(page(outcomes=outcomes), NOW).on_time() == text


def test_calendar(page):
    """Whole weeks from a Monday to the coming Sunday."""
    days = Slots(page(), NOW).calendar()

    assert (len(days), days[0].date.weekday(), days[-1].date.weekday()) == (7 * WEEKS, 0, 6)
    assert days[-1].date >= SLOT.date()


def test_years(page):
    """Each year in words, the newest first."""
    outcomes = [Count(SLOT, "on time", 1200), Count(SLOT - 400 * DAY, "missed", 1)]

    assert Slots(page(outcomes=outcomes), NOW).years() == [
        (2026, "1,200 on time"),
        (2025, "1 missed"),
    ]


def test_no_two_marks_look_alike():
    """Each course has a shape of its own, so that colour says nothing alone; a hollow box is none that is full."""
    hollow = {"backfilled", DUE}
    shapes = [(drawing.MARKS[course], course in hollow) for course in (*COURSES, DUE)]

    assert len(set(shapes)) == len(COURSES) + 1
