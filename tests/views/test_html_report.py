"""What the report page is drawn from: packed series, days and failures, on the job's own clocks."""

import datetime as dt
from decimal import Decimal

import pytest

from ratectl.fetch.failures import FailureKind, FetchError, most_hopeful
from ratectl.journal.quarantine import QuarantinedAnswer
from ratectl.journal.queries import Count, Point, Series
from ratectl.views import html_report
from ratectl.views.html_report import JobReport
from tests.fakes.jobs import job as made
from tests.views.conftest import NOW, SLOT, USD, fired

DAY = dt.timedelta(days=1)


@pytest.fixture
def dossier(status):
    """Return what the page tells of a job, with changes."""

    def make(**changes):
        values = {
            "job": made(),
            "status": status(),
            "series": {
                USD: Series(
                    2, [Point(SLOT - DAY, Decimal("95.10")), Point(SLOT, Decimal("95.120"))]
                )
            },
            "outcomes": [Count(SLOT - DAY, "on time", 1), Count(SLOT, "late", 1)],
            "gaps": [],
            "quarantined": [],
            "failures": [],
            "upcoming": [SLOT + DAY],
        }
        return JobReport(**values | changes)

    return make


def held(slot=SLOT):
    return QuarantinedAnswer(
        id=3, job="usd-inr", slot=slot, provider="ecb", quote=None, reason="looks inverted",
        at=slot, state="held", seen=1,
    )  # fmt: skip


def test_series(dossier):
    """Minutes on the job's clocks, each as the step from the one before, and rates with all their digits."""
    [job] = html_report.data([dossier()])["jobs"]
    wall = dt.datetime(2026, 11, 22, 10, 30, tzinfo=dt.UTC).timestamp() // 60

    assert job["series"] == [
        {
            "pair": "USD/INR",
            "told": "2 rates",
            "times": [wall, 1440],
            "rates": ["95.10", "95.120"],
        }
    ]
    assert job["next"] == [wall + 2 * 1440]


def test_days(dossier):
    """Each day says how its slots went, with how often; gaps and held answers included."""
    many = [Count(SLOT, "on time", 4), Count(SLOT + dt.timedelta(hours=1), "on time", 2)]
    [job] = html_report.data(
        [dossier(outcomes=many, gaps=[SLOT, SLOT - DAY], quarantined=[held()])]
    )["jobs"]

    assert job["days"] == {"first": "2026-11-22", "runs": [["m", 1], ["o6qm", 1]]}


def test_days_that_went_alike(dossier):
    """Days that went alike are told together, and days without slots in between as such."""
    slots = [SLOT - number * DAY for number in (9, 8, 7, 4, 3)]
    [job] = html_report.data([dossier(outcomes=[Count(slot, "on time", 1) for slot in slots])])[
        "jobs"
    ]

    assert job["days"] == {"first": "2026-11-14", "runs": [["o", 3], ["", 2], ["o", 2]]}


def test_no_days(dossier):
    """A job that never ran has no days."""
    [job] = html_report.data([dossier(outcomes=[])])["jobs"]

    assert job["days"] == {"first": None, "runs": []}


def test_a_day_is_the_jobs_own(dossier):
    """A slot late in the evening in UTC is of the next day in Kolkata."""
    evening = dt.datetime(2026, 11, 22, 20, 0, tzinfo=dt.UTC)
    [job] = html_report.data([dossier(outcomes=[Count(evening, "closed", 1)])])["jobs"]

    assert job["days"] == {"first": "2026-11-23", "runs": [["c", 1]]}


def test_every_course_has_a_letter():
    """No two ways of a slot share a letter."""
    assert len(set(html_report.COURSES.values())) == len(html_report.COURSES)


@pytest.mark.parametrize("kind", FailureKind)
def test_kind_of_failure(kind):
    """The class of a failure is read back from what a firing wrote of it."""
    expected = {FailureKind.DNS: FailureKind.OFFLINE}.get(kind, kind)  # both are told as offline

    assert (
        html_report.kind_of(str(most_hopeful([("ecb", FetchError(kind, "why"))]))) == expected.value
    )


def test_troubles(dossier):
    """Failures of all jobs, the newest first, each with its class; no more than asked for."""
    found = dossier(
        failures=[
            fired("failed", "offline: no way to ecb"),
            fired("missed", "seen 900 s late", SLOT - DAY),
        ],
        gaps=[SLOT - 3 * DAY, SLOT - 3 * DAY + dt.timedelta(hours=1)],
        quarantined=[held(SLOT - 2 * DAY)],
    )

    assert [(trouble.kind, trouble.detail) for trouble in html_report.failures([found], 9)] == [
        ("offline", "offline: no way to ecb"),
        ("missed", "seen 900 s late"),
        ("quarantined", "ecb: looks inverted (`ratectl review` decides)"),
        ("missed", "2 slots from then on passed that day, and nothing ran in time"),
    ]
    assert len(html_report.failures([found], 2)) == 2


def test_rows(dossier, status):
    """Each job in words; one that has never run has none of a rate."""
    good, new = html_report.rows([dossier(), dossier(status=status(recent={}, next=None))], NOW)

    assert (good["word"], good["rate"]) == ("ok", "USD/INR 95.12")
    assert good["received"]["relative"] == "7 h ago"
    assert good["next"] == {
        "clock": "Tue 2026-11-24 10:30 IST",
        "relative": "in 16 h",
        "iso": "2026-11-24T05:00:00+00:00",
    }
    assert (new["word"], new["rate"], new["received"], new["next"]) == ("new", "-", None, None)
