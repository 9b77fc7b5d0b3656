"""How a job stands, in one word with a symbol of its own: the same on the page and in the terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SYMBOLS = {
    "failing": "✕",
    "drifted": "≠",
    "missed": "!",
    "ok": "✓",
    "new": "○",
    "paused": "‖",
    "off": "□",
    "removed": "◇",
}
"""Each word that stands behind a job, the worst first, and its symbol."""
WORDS = tuple(SYMBOLS)
BAD = frozenset({"failing", "drifted", "missed"})


def word(
    *, failing: bool, drifted: bool, paused: bool, enabled: bool, missed: bool, rated: bool
) -> str:
    """Return the worst that is true of a job; *missed* is about its last slot alone."""
    conditions = (
        (failing, "failing"),
        (drifted, "drifted"),
        (paused, "paused"),
        (not enabled, "off"),
        (missed, "missed"),
        (rated, "ok"),
    )
    return next((name for is_so, name in conditions if is_so), "new")


def counted(words: Iterable[str]) -> list[tuple[str, int]]:
    """Return how many jobs stand in each way, the worst first."""
    numbers = Counter(words)
    return [(name, numbers[name]) for name in WORDS if numbers[name]]


def summary(words: Iterable[str]) -> str:
    """Return the line that all is said in: ``2 failing · 1 missed · 4 ok``."""
    return " · ".join(f"{number} {name}" for name, number in counted(words))
