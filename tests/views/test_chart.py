"""Charts on a terminal: their size, their labels, and the figures above them."""

import datetime as dt
import re
from decimal import Decimal

import pytest

from ratectl.journal.queries import Point, Series
from ratectl.model.job import Pair
from ratectl.views.chart import chart

PAIR = Pair(base="USD", quote="INR")
START = dt.datetime(2026, 1, 1, 5, 0, tzinfo=dt.UTC)


def points(*rates, step=dt.timedelta(days=1)):
    found = [Point(START + number * step, Decimal(rate)) for number, rate in enumerate(rates)]
    return Series(len(found), found)


def drawn(*rates, size=(100, 20), **values):
    return chart(PAIR, points(*rates, **values), dt.UTC, size).splitlines()


def test_title():
    """The exact figures stand above, since dots cannot tell them."""
    rates = ("95.10", "94.00", "96.25", "95.5")
    assert drawn(*rates)[0] == (
        "USD/INR  95.5 on 2026-01-04, from 94.00 (2026-01-02) to 96.25 (2026-01-03); 4 rates"
    )
    assert drawn(*rates, size=(80, 20))[:2] == [
        "USD/INR  95.5 on 2026-01-04",
        "         from 94.00 (2026-01-02) to 96.25 (2026-01-03); 4 rates",
    ]


def test_some_are_drawn():
    """Where some stand for all, both numbers are told."""
    thinned = points("95.10", "94.00")._replace(number=2609)

    assert chart(PAIR, thinned, dt.UTC, (200, 20)).splitlines()[0].endswith("2,609 rates, 2 drawn")


@pytest.mark.parametrize("size", [(40, 8), (80, 20), (80, 24), (200, 50)])
def test_size(size):
    """A chart is no wider and no higher than it may be."""
    lines = drawn(*(str(90 + number % 7) for number in range(300)), size=size)

    assert max(map(len, lines)) <= size[0]
    assert len(lines) <= size[1]


def test_line_goes_up():
    """What rises is drawn from the lower left to the upper right."""
    lines = [line.partition("|")[2] for line in drawn(*(str(90 + number) for number in range(50)))]
    inked = [line.rstrip() for line in lines if any("\u2801" <= char <= "\u28ff" for char in line)]

    assert len(inked[0]) > len(inked[-1])


@pytest.mark.parametrize("size", [(40, 8), (80, 24), (140, 30)])
def test_the_last_rate_is_drawn(size):
    """A jump of the last rate is drawn as high as one in the middle, though it lies on the right edge."""
    heights = []
    for rates in (["90"] * 150 + ["95"] + ["90"] * 149, ["90"] * 299 + ["95"]):
        rows = [line.partition("|")[2] for line in drawn(*rates, size=size)[1:-2]]
        heights.append(
            [any("\u2801" <= char <= "\u28ff" for char in row) for row in rows].index(True)
        )

    assert heights[0] == heights[1]


@pytest.mark.parametrize(
    ("step", "label"),
    [
        (dt.timedelta(seconds=10), "05:00:00"),
        (dt.timedelta(minutes=15), "05:00"),
        (dt.timedelta(days=1), "01 Jan 26"),
        (dt.timedelta(days=40), "Jan 2026"),
    ],
)
def test_time_labels(step, label):
    """Seconds, hours, days or months stand below, as the whole chart is long."""
    assert label in drawn(*(str(90 + number) for number in range(60)), step=step)[-1]


@pytest.mark.parametrize(
    ("rates", "form"),
    [
        (("0.00061", "0.00062"), r"0\.0006\d{3}"),
        (("1.08", "1.12"), r"1\.[01]\d\d"),
        (("95", "96"), r"9[56]\.\d\d|94\.9\d"),
        (("150000", "160000"), r"1[456]\d{4}"),
    ],
)
def test_rate_labels(rates, form):
    """Rates have as many digits at the side as their steps need."""
    labels = [line.partition("|")[0].strip() for line in drawn(*rates)[1:-2]]

    assert len(set(labels)) == len(labels)
    assert all(re.fullmatch(form, label) for label in labels)


def test_level():
    """Rates that never moved are drawn as a level line, not as an error."""
    assert len(drawn("95", "95", "95")) > 5


def test_single():
    """One rate makes no line, and is told."""
    assert drawn("95.12") == ["USD/INR  95.12 on 2026-01-01, the only rate"]


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_colour(monkeypatch, environment, coloured):
    """There are no escape sequences in a pipe, and none under NO_COLOR."""
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert ("\x1b" in "\n".join(drawn("1", "2"))) == coloured
