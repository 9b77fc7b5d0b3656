"""The record of a job from one store to another: batch by batch, each row once, each read back and compared.

What the target holds already is never changed, so a copy that was cut short is simply run again. Claims of
firings at work are not part of the record and stay where they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ratectl.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ratectl.journal.rate_store import Database
    from ratectl.journal.rows import Row

AT_ONCE = 1_000
"""Slots in one transaction."""
SHOWN = 3
"""Rows that differ which an error names."""

Key = tuple[Any, ...]


class _Table(NamedTuple):
    """What is copied of a table."""

    name: str
    key: tuple[str, ...]
    """Columns by which a row of one job is the same in both stores."""
    columns: tuple[str, ...]
    """All that is copied, the key included."""
    only: str = "TRUE"
    """A condition of the rows that are copied."""


QUOTES = _Table(
    "quotes",
    ("slot", "base", "quote"),
    (
        *("slot", "base", "quote", "rate", "rate_date", "provider", "provider_time"),
        *("observed_at", "kind", "legs", "supersedes"),
    ),
)
FIRINGS = _Table(
    "firings",
    ("slot",),
    (
        "slot",
        "state",
        "owner",
        "lease_until",
        "outcome",
        "detail",
        "at",
        "attempts",
        "closed_pairs",
    ),
    "state <> 'claimed'",
)
QUARANTINE = _Table(
    "quarantine",
    ("slot", "provider", "base", "quote", "rate", "rate_date", "reason", "at"),
    (
        *("slot", "provider", "base", "quote", "rate", "rate_date", "reason", "at"),
        *("digest", "state", "decided_at", "seen", "facts"),
    ),
)
REVISIONS = _Table(
    "revisions",
    (*("slot", "base", "quote", "rate", "rate_date", "provider", "observed_at"), "state", "at"),
    (*QUOTES.columns, "state", "reason", "at"),
)
TABLES = (QUOTES, REVISIONS, FIRINGS, QUARANTINE)
"""In this order: a settled slot must not come before its quotes."""


@dataclass(slots=True, kw_only=True)
class Copied:
    """What a copy of one job did, by table."""

    job: str
    written: dict[str, int] = field(default_factory=dict)
    """Rows that the target did not have."""
    verified: dict[str, int] = field(default_factory=dict)
    """Rows that are the same in both, those of before included."""
    differing: list[str] = field(default_factory=list)
    """Rows that the target has otherwise; they were left as they are there."""

    def error(self) -> DataError | None:
        """Return what stands against calling it a copy."""
        if not self.differing:
            return None
        more = len(self.differing) - SHOWN
        named = "; ".join(self.differing[:SHOWN]) + (f"; and {more} more" if more > 0 else "")
        return DataError(
            f"{self.job}: {len(self.differing)} rows differ and were left as they are in the target: {named}"
        )


def size(database: Database, job: str) -> int:
    """Return how many rows of *job* there are to copy."""
    sql = "SELECT count(*) AS number FROM {0.name} WHERE job = ? AND {0.only}"
    return sum(database.rows(sql.format(table), (job,))[0]["number"] for table in TABLES)


def copy(
    source: Database, target: Database, job: str, on_progress: Callable[[int], None]
) -> Copied:
    """Bring the record of *job* from *source* to *target*; *on_progress* is called with the number of rows in each batch.

    What does not read back as it is in *source* is among the differing rows. Raises what a store raises.
    """
    copied = Copied(job=job)
    for table in TABLES:
        copied.written[table.name] = copied.verified[table.name] = 0
        for first, last in _spans(source, job, table):
            rows = _rows(source, job, table, first, last)
            _bring(source, target, table, rows, copied, span=(first, last))
            if table is REVISIONS:
                _find_voided(source, target, copied, span=(first, last))
            on_progress(len(rows))
    return copied


def _spans(database: Database, job: str, table: _Table) -> Iterator[tuple[int, int]]:
    """Yield the first and last slot of stretches of about AT_ONCE rows."""
    sql = f"SELECT slot FROM {table.name} WHERE job = ? AND {table.only} AND slot > ? ORDER BY slot"  # noqa: S608 - our names
    before = -(1 << 60)
    while True:
        some = database.rows(f"{sql} LIMIT ?", (job, before, AT_ONCE))
        if not some:
            return
        first, before = some[0]["slot"], some[-1]["slot"]
        yield first, before


def _rows(database: Database, job: str, table: _Table, first: int, last: int) -> dict[Key, Row]:
    sql = (
        f"SELECT {', '.join(table.columns)} FROM {table.name}"  # noqa: S608 - our names
        f" WHERE job = ? AND slot >= ? AND slot <= ? AND {table.only}"
    )
    found = database.rows(sql, (job, first, last))
    return {tuple(row[column] for column in table.key): row for row in found}


def _bring(
    source: Database,
    target: Database,
    table: _Table,
    rows: dict[Key, Row],
    copied: Copied,
    *,
    span: tuple[int, int],
) -> None:
    there = _rows(target, copied.job, table, *span)
    missing = [row for key, row in rows.items() if key not in there]
    if missing:
        if table is QUARANTINE:
            _bring_bodies(source, target, [row["digest"] for row in missing])
        _insert(target, copied.job, table, missing)
        copied.written[table.name] += len(missing)
        there = _rows(target, copied.job, table, *span)
    for key, row in rows.items():
        if key in there and _values(there[key], table) == _values(row, table):
            copied.verified[table.name] += 1
        else:
            copied.differing.append(f"{table.name} {' '.join(map(str, key))}")


def _find_voided(
    source: Database, target: Database, copied: Copied, *, span: tuple[int, int]
) -> None:
    """Note numbers of slots that the target has from an earlier copy, and that were voided in the source since."""
    retired = {key[:3] for key in _rows(source, copied.job, REVISIONS, *span)}
    counting = _rows(source, copied.job, QUOTES, *span)
    there = _rows(target, copied.job, QUOTES, *span)
    copied.differing += [
        f"quotes {' '.join(map(str, key))}"
        for key in retired
        if key in there and key not in counting
    ]


def _insert(target: Database, job: str, table: _Table, rows: Sequence[Row]) -> None:
    names = ("job", *table.columns)
    marks = ", ".join("?" for _ in names)
    with target.transaction(durable=True) as connection:
        connection.executemany(
            f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks}) ON CONFLICT DO NOTHING",  # noqa: S608 - our names
            [(job, *_values(row, table)) for row in rows],
        )


def _bring_bodies(source: Database, target: Database, digests: Sequence[str]) -> None:
    """Copy the bodies that quarantined answers came in, before the rows that name them."""
    for digest in dict.fromkeys(filter(None, digests)):
        found = source.rows("SELECT body FROM bodies WHERE digest = ?", (digest,))
        if found:
            with target.transaction(durable=True) as connection:
                connection.execute(
                    "INSERT INTO bodies (digest, body) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    (digest, bytes(found[0]["body"])),
                )


def _values(row: Row, table: _Table) -> tuple[Any, ...]:
    return tuple(row[column] for column in table.columns)
