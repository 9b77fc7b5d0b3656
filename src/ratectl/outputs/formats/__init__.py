"""Where quotes go: one module per kind, which says how a quote is written there and nothing else.

Two sorts: FILES give whole lines, which ``outputs/outbox.py`` appends exactly once; TABLES give rows,
which ``outputs/table_queue.py`` hands over until the database has confirmed them. The journal keeps both as bytes.
A new kind is named in ``model/job.py`` too, and how a spec says it in ``spec/outputs.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ratectl.runtime.lazy_modules import LazyModules

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from ratectl.model.job import Job
    from ratectl.model.quote import Quote


class Sink(Protocol):
    """What each module of this package offers."""

    def lines(self, job: Job, slot: dt.datetime, quotes: Sequence[Quote]) -> tuple[bytes, ...]:
        """Return what the journal keeps until it is delivered, one for each quote of *slot* (aware)."""


class FileSink(Sink, Protocol):
    """A kind of file; its lines end with their newline."""

    HEADER: bytes
    """The first line of a new or empty file, with its newline; empty for none."""
    BY_DAY: bool
    """Its lines carry the rate's own day: each pair, day and number is written once."""


class TableSink(Sink, Protocol):
    """A kind of database; its lines are what ``table.values`` reads."""

    def insert(self, target: str, rows: Sequence[tuple[str, ...]], *, seconds: float) -> None:
        """Make *target* hold *rows* durably, once each, within about *seconds*. Raises RatectlError."""


_FILES = {
    "text": "text",
    "csv": "csv",
    "csv-quotes": "csv_quotes",
    "jsonl": "jsonl",
    "ledger": "ledger",
    "beancount": "beancount",
}
_TABLES = {
    "sqlite": "sqlite",
    "postgresql": "postgresql",
}
FILES: LazyModules[FileSink] = LazyModules(__name__, _FILES)
TABLES: LazyModules[TableSink] = LazyModules(__name__, _TABLES)
SINKS: LazyModules[Sink] = LazyModules(__name__, _FILES | _TABLES)
if TYPE_CHECKING:  # holds each module to what a sink offers
    from ratectl.outputs.formats import (
        beancount,
        csv,
        csv_quotes,
        jsonl,
        ledger,
        postgresql,
        sqlite,
        text,
    )

    CHECKED_FILES: tuple[FileSink, ...] = (text, csv, csv_quotes, jsonl, ledger, beancount)
    CHECKED_TABLES: tuple[TableSink, ...] = (sqlite, postgresql)
