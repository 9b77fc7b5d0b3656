"""The status screen: what a person reads of each job, and in which order of urgency."""

import datetime as dt

import pytest

from ratectl.model.job import Pair
from ratectl.views.inventory import nothing_text
from ratectl.views.status_screen import STYLES, View, screen, word
from tests.views.conftest import KOLKATA, NOW, USD, entries, fired

BERLIN = dt.timezone(dt.timedelta(hours=1), "CET")


def shown(*found, width=80, zone=KOLKATA, height=0):
    view = View(now=NOW, zone=zone, width=width, height=height)
    return screen(found, view).plain.splitlines()


def test_a_good_job(status):
    """Name, how it stands, the next slot in both zones and from now, and the newest rate with its past."""
    assert shown(status(), zone=BERLIN) == [
        "1 ok                                                    Mon 2026-11-23 14:00 CET",
        "✓ usd-inr  ok       next Tue 2026-11-24 10:30 IST (06:00 CET), in 16 h",
        "    USD/INR  95.12  7 h  of 2026-11-23  +0.13 %  ▁▄█",
    ]


def test_wide(status):
    """A wide screen has room for the provider."""
    assert "  of 2026-11-23  +0.13 %  frankfurter" in shown(status(), width=120)[2]


def test_a_pipe(status):
    """In a pipe each fact is one line, however long."""
    found = status(failures=1, last=fired("failed", "offline: " + "x " * 400))

    assert [line[:12] for line in shown(found, width=1000)] == [
        "1 failing  M", "✕ usd-inr  f", "    USD/INR ", "    the last", "    1 firing", "    try now:",
    ]  # fmt: skip


def test_wrapped(status):
    """On a screen nothing is wider than it, and what goes on below is indented."""
    found = status(failures=1, last=fired("failed", "offline: " + "no way " * 40))
    lines = shown(found)

    assert max(map(len, lines)) <= 80
    assert [line for line in lines if line.startswith("      no way")] != []


def test_next_has_its_own_line(status):
    """What comes next is never broken in the middle: beside a long name it stands below."""
    name = "treasury-month-end-closing-rates-ap-desk"
    lines = shown(status(job=name))

    assert lines[1] == f"✓ {name}  ok"
    assert lines[2].startswith("    next ")


@pytest.mark.parametrize("height", [6, 8, 12])
def test_height(status, height):
    """A screen that does not scroll keeps the summary and every reason; jobs that do well are folded first, then rates."""
    bad = [status(job=f"bad-{n}", failures=2) for n in range(2)]
    good = [status(job=f"good-{n}") for n in range(9)]
    lines = shown(*good, *bad, height=height)

    assert len(lines) <= height
    assert lines[0].startswith("2 failing · 9 ok")
    assert lines[1].startswith("✕ bad-0")
    assert lines[-1].startswith("+")
    assert height < 8 or "    2 firings in a row failed" in lines


def test_worst_first(status):
    """What is wrong stands on top; jobs that stand alike keep their order."""
    found = (
        status(job="b"),
        status(job="c", paused=True),
        status(job="a"),
        status(job="d", failures=1),
    )

    assert [line.split()[1] for line in shown(*found) if line[1:2] == " " and line[0] != " "][
        1:
    ] == ["d", "b", "a", "c"]


@pytest.mark.parametrize("width", [40, 50, 60, 80])
def test_rates_fit(status, width):
    """No line is wider than the screen: the drawing of the quotes goes first, then the change, the day and the age of the rate."""
    long = Pair(base="POINTS2026", quote="USD")
    found = status(
        pairs=(USD, long), recent={USD: entries("95.12"), long: entries("1234567.1234", pair=long)}
    )
    lines = shown(found, width=width)

    assert max(map(len, lines)) <= width
    assert any("POINTS2026/USD  1\u202f234\u202f567" in line for line in lines)
    assert any("of 2026-11-23" in line for line in lines) == (width >= 60)


@pytest.mark.parametrize("width", [60, 80])
def test_blocks_fit(status, width):
    """The line of quotes is as long as the screen has room for, and is left out where only a few would fit."""
    found = status(recent={USD: entries(*(str(90 + n) for n in range(30)))})

    blocks = next(line for line in shown(found, width=width) if "USD/INR" in line).split("  ")[-1]

    assert 8 <= len(blocks) <= 30
    assert blocks.endswith("█")


def test_columns_line_up(status):
    """Rates of different jobs stand below each other."""
    yen = Pair(base="EUR", quote="JPY")
    other = status(job="x", pairs=(yen,), recent={yen: entries("177.0512", pair=yen)})
    first, second = (line for line in shown(status(), other) if line.startswith("    "))

    assert first.index(" of ") == second.index(" of ")
    assert first.index(".") == second.index(".")


@pytest.mark.parametrize(
    ("changes", "told", "line"),
    [
        ({}, "ok", ""),
        ({"last": None, "recent": {}}, "new", ""),
        (
            {"failures": 2, "last": fired("failed", "offline: no way to x")},
            "failing",
            "    the last slot failed and is still due (7 h ago): offline: no way to x",
        ),
        (
            {"is_owed": False, "last": fired("failed", "offline: no way to x")},
            "ok",
            "    the last slot failed and is not due (7 h ago): offline: no way to x",
        ),
        (
            {"is_owed": False, "last": fired("failed")},
            "ok",
            "    a rate right now: ratectl run usd-inr --force",
        ),
        ({"failures": 2}, "failing", "    2 firings in a row failed"),
        (
            {"failures": 2, "retry_at": NOW + dt.timedelta(minutes=8)},
            "failing",
            "    2 firings in a row failed; next try at Mon 2026-11-23 18:38 IST or minutes",  # "later" on the next line
        ),
        (
            {"failures": 1, "retry_at": NOW},
            "failing",
            "    1 firing in a row failed; next try within minutes",
        ),
        ({"drift": ("spec changed",), "paused": True}, "drifted", "    spec changed"),
        ({"paused": True, "enabled": False, "next": None}, "paused", ""),
        ({"enabled": False, "next": None}, "off", ""),
        ({"last": fired("missed", "too late")}, "missed", "    the last slot was missed (7 h ago): too late"),
        ({"missed": 1}, "ok", "    1 slot missed since the installation"),
        ({"last": fired("closed")}, "ok", "    the last slot was closed without a rate (7 h ago)"),
        ({"last": fired("")}, "ok", "    the last slot is being settled (7 h ago)"),
    ],
)  # fmt: skip
def test_what_needs_attention(status, changes, told, line):
    """The word is the worst that is true; the reason stands below, and nothing where nothing is wrong."""
    found = status(**changes)

    assert word(found) == told
    assert line in [*shown(found), ""]
    facts = [text for text in shown(found)[2:] if text.startswith("    ") and "USD/INR" not in text]
    assert bool(facts) == bool(line)


def test_gone(status):
    """A job that no engine holds any more has no next slot, and the screen does not pretend it had."""
    found = status(enabled=False, next=None, drift=("gone from cron (user)",))

    assert shown(found)[1] == "≠ usd-inr  drifted  nothing wakes it"


def test_ended(status):
    """A schedule that is over is said to be."""
    assert shown(status(next=None))[1] == "✓ usd-inr  ok       no further slot"


def test_summary_counts_by_word(status):
    """The first line counts by how jobs stand, the worst first."""
    found = (status(), status(job="b", failures=1), status(job="c", paused=True))

    assert shown(*found)[0].startswith("1 failing · 1 ok · 1 paused  ")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"failures": 1}, "    try now: ratectl run usd-inr, and why: ratectl doctor usd-inr"),
        (
            {"failures": 1, "last": fired("failed", "bad data: `ratectl review` decides")},
            "    decide: ratectl review",
        ),
        ({"drift": ("spec changed",)}, "    why: ratectl doctor usd-inr"),
        ({"troubles": ("was not started",)}, "    why: ratectl doctor usd-inr"),
    ],
)
def test_help(status, changes, line):
    """A job that stands badly ends with the command that helps."""
    assert shown(status(**changes))[-1] == line


def test_empty():
    """Without jobs the screen says what it is given, what to do, in lines that fit."""
    view = View(now=NOW, zone=KOLKATA, width=80, nothing=nothing_text("", ""))
    lines = screen((), view).plain.splitlines()

    assert max(map(len, lines)) <= 80
    assert "`ratectl init`" in " ".join(lines)
    assert "`ratectl install`" in " ".join(lines)


@pytest.mark.parametrize(
    ("spec", "served", "told"),
    [
        ("", "", "`ratectl init` writes a spec, `ratectl install` installs it"),
        ("/j.toml", "", "/j.toml is there: `ratectl install` installs its jobs"),
        (
            "",
            "/j.toml",
            "`ratectl init` writes a spec, `ratectl serve /j.toml` runs its jobs, as no scheduler does here",
        ),
        (
            "/j.toml",
            "/j.toml",
            "/j.toml is there: `ratectl serve /j.toml` runs its jobs, as no scheduler does here",
        ),
    ],
)
def test_what_to_do_where_nothing_is_installed(spec, served, told):
    """No spec is to be written where there is one, and none installed where no scheduler runs."""
    assert nothing_text(spec, served) == f"no jobs are installed; {told}"


def test_every_word_has_a_style(status):
    """No job can stand in a way that has no look of its own."""
    assert word(status()) in STYLES
