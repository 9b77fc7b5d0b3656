"""How long a firing waits before it asks again."""

from __future__ import annotations

import pytest

from ratectl.runtime.deadline import pauses


def test_without_a_word_from_the_provider():
    """Any part of the ceiling may be drawn: full jitter."""
    assert pauses(8, 0, 60) == (0, 8)


@pytest.mark.parametrize(("rest", "left"), [(30, 90), (1, 90), (60, 61)])
def test_with_retry_after(rest, left):
    """Nobody comes back before the time, not all in the same second, and nobody too late for the firing."""
    least, most = pauses(1, rest, left)

    assert least == rest < most < left


def test_retry_after_beyond_the_deadline():
    """Who must wait for longer than the firing lasts is given up by it."""
    assert pauses(1, 1200, 90) == (1200, 1200)
