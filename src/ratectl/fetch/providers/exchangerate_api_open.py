"""open.er-api.com/v6: any base, latest only, six digits; terms ask for an attribution link.

Shape: ``{"result": "success", "time_last_update_unix": unix, "base_code": "USD", "rates": {...}}``; the
rate date is the UTC day of that time. Errors are judged by ``result``, since their HTTP status varies.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from ratectl.fetch.failures import FailureKind, FetchError
from ratectl.fetch.providers._shared import json_body as bodies
from ratectl.fetch.providers._shared import query as asks

if TYPE_CHECKING:
    from ratectl.fetch.providers._shared.query import Answered, RateQuery
    from ratectl.model.job import Provider

UNSUPPORTED = frozenset(
    {"unsupported-code", "unknown-code", "malformed-request", "no-data-available"}
)
"""What no key and no plan can mend; every other word is about them."""
MOST_WAIT = dt.timedelta(days=2)
"""An announced moment further off is not believed: it would silence us."""

groups = asks.by_base
request = asks.latest


def refusal(status: int, body: bytes) -> FetchError | None:
    """Return what an answer whose ``result`` is an error means, whatever its status."""
    if bodies.error_word(body, "result") != "error":
        return None
    word = bodies.error_word(body, "error-type", "error_type", "error") or "error"
    kind = FailureKind.CONFIG if word in UNSUPPORTED else FailureKind.REFUSED
    return FetchError(kind, f"{word} (HTTP {status})")


def parse(provider: Provider, query: RateQuery, body: bytes) -> tuple[Answered, ...]:
    """Return what *body* says of the asked pairs."""
    del provider
    return published(query, body, "rates")


def published(query: RateQuery, body: bytes, key: str) -> tuple[Answered, ...]:
    """Return what *body* says of the asked pairs in its table *key*. Raises FetchError."""
    answer = bodies.load(body)
    bodies.echo(answer, "base_code", query.pairs[0].base)
    updated = bodies.moment(answer.get("time_last_update_unix"))
    if updated is None:
        raise bodies.bad("no time_last_update_unix in the answer")
    rates = bodies.table(answer, key)
    ends = bodies.moment(answer.get("time_eol_unix"))
    return tuple(
        asks.read_rate(
            pair,
            rates[pair.quote],
            updated.date(),
            provider_time=updated,
            notice=f"announces that it shuts down on {ends:%Y-%m-%d}" if ends else "",
        )
        for pair in query.pairs
        if pair.quote in rates
    )


def not_before(body: bytes) -> dt.datetime | None:
    """Return the announced time of the next update, ``time_next_update_unix``."""
    answer = bodies.load(body)
    updated = bodies.moment(answer.get("time_last_update_unix"))
    following = bodies.moment(answer.get("time_next_update_unix"))
    if updated is None or following is None or following - updated > MOST_WAIT:
        return None
    return following
