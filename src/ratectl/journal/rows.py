"""The rows of the journal as values: what everyone who reads the record sees."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from ratectl.errors import ConfigError
from ratectl.model.job import Job, Pair, PairsInText
from ratectl.model.quote import Leg, Quote

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    Row = sqlite3.Row | Mapping[str, Any]
    """A row whose columns go by name, whichever database it comes from."""


def unix(moment: dt.datetime) -> int:
    """Return *moment* as the journal keeps it: Unix seconds."""
    return int(moment.timestamp())


class Installed(NamedTuple):
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
    paused: bool = False
    """A person stopped it with ``ratectl pause``, and nobody has resumed it yet."""
    place: str = ""
    """Where in the world, beyond backend and scope, it was installed: as ``sites.py`` writes it."""
    names_pairs: bool = False
    """It had several pairs when it was first installed."""
    retry_at: dt.datetime | None = None
    """From when on what failed and is still due is tried again; None where nothing is, or at once."""

    @property
    def recording_job(self) -> Job:
        """The job as it records: whether lines of text name their pair was decided when it was first installed."""
        if self.job.pairs_in_text is not PairsInText.AUTO:
            return self.job
        decided = PairsInText.ALWAYS if self.names_pairs else PairsInText.NEVER
        return dataclasses.replace(self.job, pairs_in_text=decided)


OUTCOMES = frozenset({"", "recorded", "closed", "missed", "failed"})
"""What we write; whatever else somebody wrote into a shared journal tells of no rate."""


class Firing(NamedTuple):
    """What became of one slot."""

    job: str
    slot: dt.datetime
    outcome: str
    """recorded, closed, missed or failed; empty while a firing is at work on it."""
    detail: str
    at: dt.datetime
    settled: bool
    """False: the slot is still due."""


class RecordedQuote(NamedTuple):
    """One quote in the store, and the slot it settled."""

    slot: dt.datetime
    quote: Quote
    supersedes: Decimal | None = None
    """What the same provider had said before for the same rate date, where that was another number."""
    state: str = ""
    """revised or voided for one that counts no more."""
    reason: str = ""
    retired_at: dt.datetime | None = None
    """When it ceased to count."""


def aware(unix: int) -> dt.datetime:
    """Return Unix seconds as an aware time in UTC."""
    return dt.datetime.fromtimestamp(unix, dt.UTC)


class Span(NamedTuple):
    """Slots from *start* on, and before *end*; None is no limit. Aware."""

    start: dt.datetime | None = None
    end: dt.datetime | None = None

    def condition(self, pair: Pair | None = None) -> tuple[str, tuple[str | int, ...]]:
        """Return what follows a WHERE for these slots, and for *pair* if there is one, and its values."""
        parts: list[tuple[str, str | int]] = []
        if self.start is not None:
            parts.append((" AND slot >= ?", unix(self.start)))
        if self.end is not None:
            parts.append((" AND slot < ?", unix(self.end)))
        if pair is not None:
            parts += [(" AND base = ?", pair.base), (" AND quote = ?", pair.quote)]
        return "".join(text for text, _ in parts), tuple(value for _, value in parts)


EVERY_SLOT = Span()


@functools.lru_cache(maxsize=16384)
def _job_in(snapshot: str) -> Job:
    return Job.from_plain(dict(json.loads(snapshot)))


def to_installed(row: Row) -> Installed:
    """Return a row of ``jobs``. Raises ConfigError for a snapshot that this version cannot read."""
    due = row["next_due"]
    again = row["retry_at"] if row["failures"] and due is None else 0
    try:
        job = _job_in(row["snapshot"])
    except (TypeError, ValueError, KeyError) as error:
        verb = "serve" if row["backend"] == "serve" else "install"
        raise ConfigError(
            f"job {row['name']!r}: its snapshot is of another version of ratectl ({error}); "
            f"run `ratectl {verb} {row['spec']}` again"
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
        names_pairs=bool(row["names_pairs"]),
        failures=row["failures"],
        retry_at=aware(again) if again else None,
        paused=bool(row["paused"]),
        place=row["place"],
    )


def to_firing(row: Row) -> Firing:
    """Return a row of ``firings``."""
    return Firing(
        job=row["job"],
        slot=aware(row["slot"]),
        outcome=row["outcome"] if row["outcome"] in OUTCOMES else "failed",
        detail=row["detail"],
        at=aware(row["at"]),
        settled=row["state"] == "settled",
    )


def to_quote(row: Row) -> Quote:
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


def to_recorded_quote(row: Row) -> RecordedQuote:
    """Return a row of ``quotes`` with its slot."""
    before = row["supersedes"]
    return RecordedQuote(
        slot=aware(row["slot"]),
        quote=to_quote(row),
        supersedes=Decimal(before) if before else None,
    )


def to_retired_quote(row: Row) -> RecordedQuote:
    """Return a row of ``revisions``, with an empty state for one that counts."""
    return to_recorded_quote(row)._replace(
        state=row["state"],
        reason=row["reason"],
        retired_at=aware(row["at"]) if row["state"] else None,
    )
