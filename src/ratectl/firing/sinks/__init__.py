"""Where quotes are appended: one module per kind, which turns quotes into whole lines and nothing else.

Writing them exactly once is ``firing/outbox.py``'s business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ratectl.firing.sinks import csv, jsonl, text

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from ratectl.firing.quote import Quote
    from ratectl.model import Job


class Sink(Protocol):
    """What each module of this package offers."""

    HEADER: bytes
    """The first line of a new or empty file, with its newline; empty for none."""

    def lines(self, job: Job, slot: dt.datetime, quotes: Sequence[Quote]) -> tuple[bytes, ...]:
        """Return one line with its newline for each quote of *slot* (aware)."""


SINKS: dict[str, Sink] = {
    "text": text,
    "csv": csv,
    "jsonl": jsonl,
}
