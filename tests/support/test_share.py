"""The shares of a long test together are the whole test."""

import pytest

from tests.support.share import SHARES, VARIABLE, share, times

ITEMS = list(range(27))


@pytest.mark.parametrize("items", [ITEMS, ITEMS[:3], ITEMS[:1]], ids=len)
def test_nothing_is_left_out(monkeypatch, items):
    """As many runs as there are shares come by every item, and no run does nothing."""
    seen = []
    for which in range(SHARES):
        monkeypatch.setenv(VARIABLE, str(which))
        assert share(items)
        seen += share(items)

    assert set(seen) == set(items)


def test_all(monkeypatch):
    """A long run does everything, and repeats as often as it is told to."""
    monkeypatch.setenv(VARIABLE, "all")

    assert share(ITEMS) == ITEMS
    assert times(50) == 50


def test_any_number_is_a_share(monkeypatch):
    """A count of minutes, say, names a share as well."""
    monkeypatch.setenv(VARIABLE, str(29_812_343))

    assert share(ITEMS) == [3, 13, 23]
    assert times(50) == 5
