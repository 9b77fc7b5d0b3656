"""From bodies to values: dates, and words of strangers."""

import datetime as dt

import pytest

from ratectl.fetch.failures import FetchError
from ratectl.fetch.providers._shared import json_body as bodies


@pytest.mark.parametrize("text", ["2026-11-20", "2026-11-20T23:59:59Z", "2026-11-20 00:00:00"])
def test_day(text):
    """A date, with a time or without, is that date."""
    assert bodies.day(text, "date") == dt.date(2026, 11, 20)


@pytest.mark.parametrize(
    "value",
    ["", "20261120", "2026-W47-5", "2026-11-20x", "2026-13-20", "20/11/2026", 20261120, None, True],
)
def test_not_a_day(value):
    """Anything else is no date, however near it comes."""
    with pytest.raises(FetchError, match="not a date"):
        bodies.day(value, "date")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("quota-reached", "quota-reached"),
        ("two\nlines\r\n and\ta tab", "two lines and a tab"),
        ("\x1b[31mred\x1b[0m \ud800", "[31mred [0m"),
        ("x" * 10_000, "x" * bodies.LONGEST_WORD),
    ],
)
def test_printable(text, told):
    """What a stranger wrote becomes one short line that any terminal and file can take."""
    assert bodies.printable(text) == told
