"""The answers that wait for a person, as values and as rows; a firing only writes them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ratectl.journal.rows import aware, to_quote
from ratectl.model.quote import PUBLISHED, Quote

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from ratectl.journal.rate_store import RateStore
    from ratectl.journal.rows import Row

HELD, ACCEPTED, REJECTED = "held", "accepted", "rejected"
"""What a person has decided about a quarantined answer so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedAnswer:
    """A quarantined answer in the store."""

    id: int
    job: str
    slot: dt.datetime
    """The last one for which it was quarantined."""
    slots: tuple[dt.datetime, ...] = ()
    """All of them, oldest first."""
    provider: str
    quote: Quote | None
    """None where the answer gave no rate at all."""
    reason: str
    way_out: str = ""
    """As in :class:`~ratectl.model.quote.SuspectQuote`."""
    at: dt.datetime
    """When it was first quarantined."""
    state: str
    """held, accepted or rejected."""
    seen: int
    """How often the same answer was quarantined."""


def to_quarantined(row: Row) -> QuarantinedAnswer:
    """Return a row of ``quarantine``."""
    return QuarantinedAnswer(
        id=row["id"],
        job=row["job"],
        slot=aware(row["slot"]),
        slots=_slots(row),
        provider=row["provider"],
        quote=_quarantined_quote(row) if row["rate"] else None,
        reason=row["reason"],
        way_out=str(_facts(row).get("way_out", "")),
        at=aware(row["at"]),
        state=row["state"],
        seen=row["seen"],
    )


def _slots(row: Row) -> tuple[dt.datetime, ...]:
    kept = _facts(row).get("slots")  # which others may have written
    known = [slot for slot in kept if type(slot) is int] if isinstance(kept, list) else []
    return tuple(aware(slot) for slot in sorted({*known, row["slot"]}) if abs(slot) < 1 << 37)


def _facts(row: Row) -> dict[str, Any]:
    return dict(json.loads(row["facts"]))


def _quarantined_quote(row: Row) -> Quote:
    more = _facts(row)
    whole = {name: row[name] for name in ("base", "quote", "rate", "rate_date", "provider")}
    legs = json.dumps(more.get("legs", []))
    rest = {"provider_time": None, "observed_at": row["at"], "kind": PUBLISHED}
    return to_quote(whole | rest | more | {"legs": legs})


def quarantine(
    store: RateStore, *, job: str = "", decided: bool = False
) -> Iterator[QuarantinedAnswer]:
    """Yield the answers in *store* that wait for a decision (of one *job* if given), oldest first; with *decided* the others, too."""
    sql = "SELECT * FROM quarantine WHERE (? = '' OR job = ?) AND (state = ? OR ?) ORDER BY id"
    for row in store.database.each(sql, (job, job, HELD, decided)):
        yield to_quarantined(row)


def find(store: RateStore, number: int) -> QuarantinedAnswer | None:
    """Return the quarantined answer with the id *number*."""
    rows = store.database.rows("SELECT * FROM quarantine WHERE id = ?", (number,))
    return to_quarantined(rows[0]) if rows else None


def body(store: RateStore, number: int) -> bytes:
    """Return the body of the quarantined answer *number*; empty where there is none."""
    rows = store.database.rows(
        "SELECT b.body FROM quarantine q JOIN bodies b ON b.digest = q.digest WHERE q.id = ?",
        (number,),
    )
    return bytes(rows[0]["body"]) if rows else b""
