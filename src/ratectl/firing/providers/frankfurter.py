"""api.frankfurter.dev/v1: the ECB's rates with crosses made, since 1999, about 30 currencies.

Shape: ``{"amount": 1.0, "base": "USD", "date": "2026-11-20", "rates": {"INR": 95.12}}``, for a range the
rates by date, from the last business day before its start on. 404 ``not found`` and 422 mean a currency that the ECB lacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.firing.connectivity import Class, FetchError
from ratectl.firing.providers import ask as asks
from ratectl.firing.providers import body as bodies
from ratectl.firing.transport import Request

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from ratectl.firing.providers.ask import Ask, Published
    from ratectl.model import Pair, Provider


def groups(provider: Provider, pairs: Sequence[Pair]) -> tuple[tuple[Pair, ...], ...]:
    """Return *pairs* by base."""
    del provider
    return asks.by_base(pairs)


def request(provider: Provider, ask: Ask, today: dt.date) -> Request:
    """Return the request for one base: the newest rates, or a range."""
    del today
    when = "latest" if ask.since is None else f"{ask.since}..{ask.until}"
    symbols = ",".join(pair.quote for pair in ask.pairs)
    return Request(
        url=f"{asks.base_url(provider)}/{when}?base={ask.pairs[0].base}&symbols={symbols}"
    )


def refusal(status: int, body: bytes) -> FetchError | None:
    """Return what an error answer means."""
    word = bodies.error_word(body, "message")
    if not word or status < 400:
        return None
    kind = Class.CONFIG if status in {400, 404, 422} else Class.TRANSIENT
    return FetchError(kind, f"{word} (HTTP {status})")


def parse(provider: Provider, ask: Ask, body: bytes) -> tuple[Published, ...]:
    """Return the rates that *body* has of the asked pairs."""
    del provider
    answer = bodies.load(body)
    bodies.echo(answer, "base", ask.pairs[0].base)
    if answer.get("amount", 1) != 1:
        raise bodies.bad(f"asked for one unit, the answer is for {answer['amount']}")
    rates = bodies.table(answer, "rates")
    if ask.since is None:
        rates = {bodies.day(answer.get("date"), "date").isoformat(): rates}
    return tuple(
        asks.Published(
            pair=pair,
            rate=bodies.number(rates[day][pair.quote], str(pair)),
            rate_date=bodies.day(day, "date"),
        )
        for pair in ask.pairs
        for day in sorted(rates)
        if pair.quote in bodies.table(rates, day)
    )


def not_before(body: bytes) -> dt.datetime | None:
    """Return None: an answer does not say when the next one appears."""
    del body
    return None
