"""What needs a person: a line for each job, and the table of what failed."""

import datetime as dt

import pytest

from ratectl.fetch.failures import FailureKind, FetchError, most_hopeful
from ratectl.page import attention
from tests.fakes.jobs import job as made
from tests.page.conftest import DAY
from tests.page.test_slots import held
from tests.views.conftest import SLOT, fired

HOUR = dt.timedelta(hours=1)


def failed(*slots, detail="offline: no way to ecb"):
    return [fired("failed", detail, slot) for slot in slots]


def missed(*slots):
    return [fired("missed", "seen 900 s late", slot) for slot in slots]


@pytest.mark.parametrize(
    ("changes", "text", "helps"),
    [
        (
            {"word": "failing", "failures": 2, "troubles": failed(SLOT + 2 * DAY, SLOT + DAY)},
            "2 slots failed since Tue 2026-11-24 10:30 IST: offline: no way to ecb",
            "ratectl doctor usd-inr",
        ),
        ({"word": "failing", "failures": 3}, "3 firings in a row failed", "ratectl doctor usd-inr"),
        (
            {"word": "failing", "failures": 1, "notes": ["cron did not start it"]},
            "cron did not start it",
            "ratectl doctor usd-inr",
        ),
        (
            {"word": "failing", "failures": 1, "quarantined": [held()]},
            "1 answer held since Mon 2026-11-23 10:30 IST: looks inverted",
            "ratectl review",
        ),
        (
            {"quarantined": [held(), held(SLOT - DAY)]},
            "2 answers held since Sun 2026-11-22 10:30 IST: looks inverted",
            "ratectl review",
        ),
        ({"word": "drifted", "notes": ["spec changed"]}, "spec changed", "ratectl doctor usd-inr"),
        (
            {"word": "missed", "troubles": missed(SLOT + DAY, SLOT - DAY)},
            "1 slot missed since Tue 2026-11-24 10:30 IST: seen 900 s late",
            "ratectl doctor usd-inr",
        ),
        (
            {"word": "missed", "job": made(catch_up='"none"'), "troubles": missed(SLOT + DAY)},
            "1 slot missed since Tue 2026-11-24 10:30 IST: seen 900 s late",
            'catch_up = "latest" in the spec',
        ),
    ],
)
def test_line(page, changes, text, helps):
    """How many slots since the newest rate, since when, why, and the command that helps: one line a job."""
    [line] = attention.lines([page(**changes)])

    assert (line.text, line.help) == (text, helps)


def test_nothing_needs_a_person(page):
    """A job that does well, is new, paused or off has no line."""
    assert attention.lines([page(word=word) for word in ("ok", "new", "paused", "off")]) == []


def test_the_worst_first(page):
    """Jobs stand in the order of how badly, else in that of the spec."""
    pages = [page(word=word) for word in ("missed", "drifted", "failing")]

    assert [line.word for line in attention.lines(pages)] == ["failing", "drifted", "missed"]


def test_a_long_reason_is_shortened(page):
    """A line stays one line; the table has all of the reason."""
    [line] = attention.lines([page(word="drifted", notes=["x" * 900])])

    assert len(line.text) < 200


def test_troubles(page):
    """Failures of all jobs, the newest first, each with its class; those of a day that differ in numbers alone are one line."""
    found = page(
        troubles=[
            *failed(SLOT),
            fired("missed", "seen 900 s late", SLOT - DAY),
            fired("missed", "seen 4500 s late", SLOT - DAY - HOUR),
        ],
        gaps=[SLOT - 3 * DAY, SLOT - 3 * DAY + HOUR],
        quarantined=[held(SLOT - 2 * DAY)],
    )

    assert [(one.number, one.kind, one.detail) for one in attention.troubles([found], 9)] == [
        (1, "offline", "offline: no way to ecb"),
        (2, "missed", "seen 900 s late"),
        (1, "held", "ecb: looks inverted (`ratectl review` decides)"),
        (2, "missed", "nothing ran in time"),
    ]
    assert len(attention.troubles([found], 2)) == 2


@pytest.mark.parametrize("kind", FailureKind)
def test_kind_of_failure(kind):
    """The class of a failure is read back from what a firing wrote of it."""
    expected = {FailureKind.DNS: FailureKind.OFFLINE}.get(kind, kind)  # both are told as offline

    assert (
        attention.kind_of(str(most_hopeful([("ecb", FetchError(kind, "why"))]))) == expected.value
    )
