"""The status screen: what a person reads of each job, and in which order of urgency."""

import datetime as dt

import pytest

from ratectl.model.job import Pair
from ratectl.views.status_screen import STYLES, View, screen, word
from tests.views.conftest import KOLKATA, NOW, USD, entries, fired

BERLIN = dt.timezone(dt.timedelta(hours=1), "CET")


def shown(*found, width=80, zone=KOLKATA):
    return screen(found, View(now=NOW, zone=zone, width=width)).plain.splitlines()


def test_a_good_job(status):
    """Name, how it stands, the next slot in both zones and from now, and the newest rate with its past."""
    assert shown(status(), zone=BERLIN) == [
        "usd-inr  ok       next Tue 2026-11-24 10:30 IST (06:00 CET), in 16 h",
        "    USD/INR  95.12  7 h ago  frankfurter  ▁▄█",
        "1 job: 1 ok",
    ]


def test_wide(status):
    """A wide screen has room for the day that the rate is for."""
    assert "  of 2026-11-23  frankfurter" in shown(status(), width=120)[1]


@pytest.mark.parametrize("width", [40, 60, 80])
def test_blocks_fit(status, width):
    """The line of quotes is as long as the screen has room for, and never shorter than a few blocks."""
    found = status(recent={USD: entries(*(str(90 + n) for n in range(30)))})

    blocks = shown(found, width=width)[1].split("  ")[-1]

    assert 8 <= len(blocks) <= 30
    assert blocks.endswith("█")


def test_columns_line_up(status):
    """Rates of different jobs stand below each other."""
    yen = Pair(base="EUR", quote="JPY")
    other = status(job="x", pairs=(yen,), recent={yen: entries("177.0512", pair=yen)})
    first, second = (line for line in shown(status(), other) if line.startswith("    "))

    assert first.index("frankfurter") == second.index("frankfurter")


@pytest.mark.parametrize(
    ("changes", "told", "line"),
    [
        ({}, "ok", ""),
        ({"last": None, "recent": {}}, "new", ""),
        (
            {"failures": 2, "last": fired("failed", "offline: no way to x")},
            "failing",
            "    ! the last slot failed and is still due (7 h ago): offline: no way to x",
        ),
        ({"failures": 2}, "failing", "    ! 2 firings in a row failed"),
        (
            {"failures": 2, "retry_at": NOW + dt.timedelta(minutes=8)},
            "failing",
            "    ! 2 firings in a row failed; next try at Mon 2026-11-23 18:38 IST or minutes later",
        ),
        (
            {"failures": 1, "retry_at": NOW},
            "failing",
            "    ! 1 firing in a row failed; next try within minutes",
        ),
        ({"drift": ("spec changed",), "paused": True}, "drifted", "    ! spec changed"),
        ({"paused": True, "enabled": False, "next": None}, "paused", ""),
        ({"enabled": False, "next": None}, "off", ""),
        ({"last": fired("missed", "too late")}, "missed", "    ! the last slot was missed (7 h ago): too late"),
        ({"missed": 1}, "ok", "    ! 1 slot missed since the installation"),
        ({"last": fired("closed")}, "ok", "    ! the last slot was closed without a rate (7 h ago)"),
        ({"last": fired("")}, "ok", "    ! a firing is at work (7 h ago)"),
    ],
)  # fmt: skip
def test_what_needs_attention(status, changes, told, line):
    """The word is the worst that is true; the reason stands below, and nothing where nothing is wrong."""
    found = status(**changes)

    assert word(found) == told
    assert line in [*shown(found), ""]
    assert any(text.startswith("    !") for text in shown(found)) == bool(line)


def test_gone(status):
    """A job that no engine holds any more has no next slot, and the screen does not pretend it had."""
    found = status(enabled=False, next=None, drift=("gone from cron (user)",))

    assert shown(found)[0] == "usd-inr  drifted  nothing wakes it"


def test_ended(status):
    """A schedule that is over is said to be."""
    assert shown(status(next=None))[0] == "usd-inr  ok       no further slot"


def test_summary_counts_by_word(status):
    """The last line counts, and names the command that looks for reasons where something is wrong."""
    found = (status(), status(job="b", failures=1), status(job="c", paused=True))

    assert shown(*found)[-1] == (
        "3 jobs: 1 ok, 1 paused, 1 failing; `ratectl doctor` looks for the reason"
    )


def test_empty():
    """Without jobs the screen says what to do."""
    [line] = shown()

    assert "ratectl init" in line
    assert "ratectl install" in line


def test_every_word_has_a_style(status):
    """No job can stand in a way that has no look of its own."""
    assert word(status()) in STYLES
