"""The rows of the journal as values, and back: what everyone who reads the book of record sees."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from ratectl.errors import ConfigError
from ratectl.firing.quote import Leg, Quote, plain
from ratectl.model import Job, Pair

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A job as the last install left it, and how far it has come. Times are aware, in UTC."""

    job: Job
    spec: str
    """Path of the spec file that it came from."""
    digest: str
    """Of that file when it was installed."""
    backend: str
    scope: str
    host_timezone: str
    installed_at: dt.datetime
    """Slots count from here."""
    settled_until: dt.datetime
    """No slot up to here is due any more."""
    next_due: dt.datetime | None
    """None: not computed yet, or something is due or undelivered."""
    enabled: bool
    missed: int
    """Slots that no firing settled and no catch-up will."""
    failures: int
    """Failed firings in a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """What became of one slot."""

    job: str
    slot: dt.datetime
    outcome: str
    """recorded, closed, missed or failed; empty while a firing is at work on it."""
    detail: str
    at: dt.datetime
    settled: bool
    """False: the slot is still due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One quote in the book, and the slot it settled."""

    slot: dt.datetime
    quote: Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """An answer that failed a check, kept for a person to judge."""

    provider: str
    reason: str
    body: bytes
    quote: Quote | None = None
    """None where the body gave none."""


def unix(moment: dt.datetime) -> int:
    """Return *moment* as the journal keeps it: Unix seconds."""
    return int(moment.timestamp())


def aware(unix: int) -> dt.datetime:
    """Return Unix seconds as an aware time in UTC."""
    return dt.datetime.fromtimestamp(unix, dt.UTC)


def to_installed(row: sqlite3.Row) -> Installed:
    """Return a row of ``jobs``. Raises ConfigError for a snapshot that this version cannot read."""
    due = row["next_due"]
    try:
        job = Job.from_plain(dict(json.loads(row["snapshot"])))
    except (TypeError, ValueError, KeyError) as error:
        raise ConfigError(
            f"job {row['name']!r}: its snapshot is of another version of ratectl ({error}); "
            "run `ratectl install` again"
        ) from error
    return Installed(
        job=job,
        spec=row["spec"],
        digest=row["digest"],
        backend=row["backend"],
        scope=row["scope"],
        host_timezone=row["host_timezone"],
        installed_at=aware(row["installed_at"]),
        settled_until=aware(row["settled_until"]),
        next_due=None if due is None or due > 1 << 40 else aware(due),
        enabled=bool(row["enabled"]),
        missed=row["missed"],
        failures=row["failures"],
    )


def to_firing(row: sqlite3.Row) -> Firing:
    """Return a row of ``firings``."""
    return Firing(
        job=row["job"],
        slot=aware(row["slot"]),
        outcome=row["outcome"],
        detail=row["detail"],
        at=aware(row["at"]),
        settled=row["state"] == "settled",
    )


def to_quote(row: sqlite3.Row) -> Quote:
    """Return a row of ``quotes``."""
    published = row["provider_time"]
    return Quote(
        pair=Pair(base=row["base"], quote=row["quote"]),
        rate=Decimal(row["rate"]),
        rate_date=dt.date.fromisoformat(row["rate_date"]),
        provider=row["provider"],
        provider_time=None if published is None else aware(published),
        observed_at=aware(row["observed_at"]),
        kind=row["kind"],
        legs=tuple(
            Leg(pair=Pair(base=base, quote=quote), rate=Decimal(rate))
            for base, quote, rate in json.loads(row["legs"])
        ),
    )


def settle(
    connection: sqlite3.Connection,
    job: str,
    slot: dt.datetime,
    *,
    outcome: str,
    detail: str,
    now: dt.datetime,
) -> None:
    """Write the final outcome of a claimed slot, inside the caller's transaction."""
    connection.execute(
        "UPDATE firings SET state = 'settled', outcome = ?, detail = ?, at = ?"
        " WHERE job = ? AND slot = ?",
        (outcome, detail, unix(now), job, unix(slot)),
    )
    connection.execute("UPDATE jobs SET next_due = NULL WHERE name = ?", (job,))


def add_quotes(
    connection: sqlite3.Connection, job: str, slot: dt.datetime, quotes: Sequence[Quote]
) -> None:
    """Write the quotes of one slot, inside the caller's transaction."""
    connection.executemany(
        "INSERT INTO quotes (job, slot, base, quote, rate, rate_date, provider, provider_time,"
        " observed_at, kind, legs) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        [
            (
                job,
                unix(slot),
                quote.pair.base,
                quote.pair.quote,
                plain(quote.rate),
                quote.rate_date.isoformat(),
                quote.provider,
                None if quote.provider_time is None else unix(quote.provider_time),
                unix(quote.observed_at),
                quote.kind,
                json.dumps([[g.pair.base, g.pair.quote, plain(g.rate)] for g in quote.legs]),
            )
            for quote in quotes
        ],
    )


def add_quarantined(
    connection: sqlite3.Connection,
    job: str,
    slot: dt.datetime,
    kept: Sequence[Quarantined],
    now: dt.datetime,
) -> None:
    """Write what failed a check, inside the caller's transaction."""
    for item in kept:
        quote = item.quote
        values = (quote.pair.base, quote.pair.quote) if quote else ("", "")
        rate = (plain(quote.rate), quote.rate_date.isoformat()) if quote else ("", "")
        connection.execute(
            "INSERT INTO quarantine (job, slot, provider, base, quote, rate, rate_date, reason, body, at)"
            " VALUES (?,?,?,?,?,?,?,?,?,?)",
            (job, unix(slot), item.provider, *values, *rate, item.reason, item.body, unix(now)),
        )
