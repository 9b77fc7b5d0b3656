"""Any URL that answers with JSON: the spec says where the rate and its date stand in the body.

``base_url`` is a template with ``{base}`` and ``{quote}``; ``rate`` and
``date`` are dotted paths, in which a whole number also picks from a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote as percent

from ratectl.fetch.failures import FailureKind, FetchError
from ratectl.fetch.http import Request
from ratectl.fetch.providers import json_body as bodies
from ratectl.fetch.providers import query as asks

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from decimal import Decimal

    from ratectl.fetch.providers.query import Answered, RateQuery
    from ratectl.model.job import Pair, Provider


def groups(provider: Provider, pairs: Sequence[Pair]) -> tuple[tuple[Pair, ...], ...]:
    """Return *pairs* one by one where the URL names the quote currency, else by base."""
    if "{quote}" in provider.base_url:
        return tuple((pair,) for pair in pairs)
    return asks.by_base(pairs)


def request(provider: Provider, query: RateQuery, today: dt.date) -> Request:
    """Return the request; its key is added where secrets are resolved."""
    del today
    return Request(url=_filled(provider.base_url, query.pairs[0], percent))


def refusal(status: int, body: bytes) -> FetchError | None:
    """Return what an error answer means; only the status is known of an unknown server."""
    del body
    return (
        FetchError(FailureKind.CONFIG, f"HTTP {status}; check its url")
        if 400 <= status < 500
        else None
    )


def parse(provider: Provider, query: RateQuery, body: bytes) -> tuple[Answered, ...]:
    """Return the rate of each asked pair that *body* has at its path."""
    answer = bodies.load(body)
    found = [(pair, _at(answer, _filled(provider.rate, pair, str))) for pair in query.pairs]
    return tuple(
        asks.read_rate(pair, value, _date(answer, _filled(provider.date, pair, str)), read=_rate)
        for pair, value in found
        if value is not MISSING
    )


def not_before(body: bytes) -> None:
    """Return None: nothing is known of when an unknown server publishes."""
    del body


MISSING = object()


def _rate(value: object, what: str) -> Decimal:
    """Return a rate that is a JSON number, or the text of one. Raises FetchError."""
    return bodies.number_text(value, what) if isinstance(value, str) else bodies.number(value, what)


def _date(answer: dict[str, Any], path: str) -> dt.date | None:
    if not path:
        return None
    value = _at(answer, path)
    if value is MISSING:
        raise bodies.bad(f"no {path!r} in the answer")
    published = bodies.moment(value)
    return published.date() if published else bodies.day(value, path)


def _at(value: Any, path: str) -> Any:
    for step in path.split("."):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return MISSING
    return value


def _filled(template: str, pair: Pair, escape: Any) -> str:
    return template.replace("{base}", escape(pair.base)).replace("{quote}", escape(pair.quote))
