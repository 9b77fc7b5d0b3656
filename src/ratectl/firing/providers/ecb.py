"""ecb.europa.eu eurofxref: what one euro is worth, since 1999; other bases are crosses of one day.

Shape: ``Envelope/Cube/Cube[@time]/Cube[@currency,@rate]``. Both legs of a cross come from the same
``Cube[@time]``, so they always share their day. A document type is refused: the ECB's have none.
"""

from __future__ import annotations

import datetime as dt
from decimal import Context, Decimal
from typing import TYPE_CHECKING
from xml.parsers import expat

from ratectl.firing.connectivity import Class, FetchError
from ratectl.firing.providers import ask as asks
from ratectl.firing.providers import body as bodies
from ratectl.firing.quote import Leg
from ratectl.firing.transport import Request
from ratectl.model import Pair

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ratectl.firing.providers.ask import Ask, Published
    from ratectl.model import Provider

PRECISE = Context(prec=34)
KEPT = Context(prec=12)
RECENT = dt.timedelta(days=80)
"""Younger days are in the 90-day file, with a margin for the closed days before them."""


def groups(provider: Provider, pairs: Sequence[Pair]) -> tuple[tuple[Pair, ...], ...]:
    """Return all *pairs* as one group: every document holds every currency."""
    del provider
    return (tuple(pairs),)


def request(provider: Provider, ask: Ask, today: dt.date) -> Request:
    """Return the request for the smallest document that holds the asked day."""
    if ask.since is None:
        name = "eurofxref-daily.xml"
    elif today - ask.since < RECENT:
        name = "eurofxref-hist-90d.xml"
    else:
        name = "eurofxref-hist.xml"
    return Request(url=f"{asks.base_url(provider)}/{name}", accept="application/xml, text/xml")


def refusal(status: int, body: bytes) -> FetchError | None:
    """Return what an error answer means; the ECB has no error bodies of its own."""
    del body
    return FetchError(Class.TRANSIENT, f"HTTP {status}") if status == 404 else None


def parse(provider: Provider, ask: Ask, body: bytes) -> tuple[Published, ...]:
    """Return the newest rates, or those of every publication in the asked range."""
    del provider
    days = _days(body)
    wanted = _wanted(ask, sorted(days))
    if not wanted:
        raise bodies.bad(
            f"no publication up to {ask.until}" if days else "no rates in the document"
        )
    found = (_published(pair, day, days[day]) for pair in ask.pairs for day in wanted)
    return tuple(published for published in found if published is not None)


def _wanted(ask: Ask, days: Sequence[dt.date]) -> Sequence[dt.date]:
    if ask.since is None or ask.until is None:
        return days[-1:]
    before = [day for day in days if day < ask.since]
    return before[-1:] + [day for day in days if ask.since <= day <= ask.until]


def _published(pair: Pair, day: dt.date, rates: Mapping[str, str]) -> Published | None:
    legs = tuple(
        Leg(pair=Pair(base="EUR", quote=code), rate=bodies.number_text(rates[code], f"EUR/{code}"))
        for code in (pair.quote, pair.base)
        if code != "EUR" and code in rates
    )
    known = {leg.pair.quote: leg.rate for leg in legs} | {"EUR": Decimal(1)}
    if pair.base not in known or pair.quote not in known:
        return None
    if pair.base == "EUR":
        return asks.Published(pair=pair, rate=known[pair.quote], rate_date=day)
    cross = KEPT.plus(PRECISE.divide(known[pair.quote], known[pair.base]))
    return asks.Published(pair=pair, rate=bodies.rate(cross, str(pair)), rate_date=day, legs=legs)


def _days(body: bytes) -> dict[dt.date, dict[str, str]]:
    """Return currency -> rate text by day."""
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    if start.startswith((b"<html", b"<!doctype html")):
        raise FetchError(Class.PORTAL, "a web page instead of data")
    days: dict[dt.date, dict[str, str]] = {}

    def element(name: str, attributes: dict[str, str]) -> None:
        if name != "Cube":
            return
        if "time" in attributes:
            days[bodies.day(attributes["time"], "time")] = {}
        elif "currency" in attributes and days:
            rates = days[next(reversed(days))]
            if rates.setdefault(
                attributes["currency"], attributes.get("rate", "")
            ) != attributes.get("rate"):
                raise bodies.bad("the same currency twice in one day")

    def document_type(*_: object) -> None:
        raise bodies.bad("an XML document type, which the ECB never sends")

    parser = expat.ParserCreate()
    parser.StartElementHandler = element
    parser.StartDoctypeDeclHandler = document_type
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise bodies.bad("not XML, or cut off") from error
    return days


def not_before(body: bytes) -> dt.datetime | None:
    """Return None: an answer does not say when the next one appears."""
    del body
    return None
