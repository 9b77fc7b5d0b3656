"""Any URL that answers with JSON: the spec says where the rate and its date stand in the body.

``base_url`` is a template with ``{base}``, ``{quote}`` (``_lower`` for small letters) and ``{date}``, which makes
past days known; ``rate`` and ``date`` are paths as ``model/answer_path.py`` reads them.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote as percent

from ratectl.fetch import notices
from ratectl.fetch.failures import FailureKind, FetchError, absent
from ratectl.fetch.http import Request
from ratectl.fetch.providers._shared import answer_dates, written_numbers
from ratectl.fetch.providers._shared import json_body as bodies
from ratectl.fetch.providers._shared import query as asks
from ratectl.model import answer_path
from ratectl.model.job import Pair
from ratectl.model.quote import Leg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ratectl.fetch.providers._shared.query import Answered, RateQuery
    from ratectl.model.job import Provider

MISSING = object()
PLACEHOLDER = re.compile(r"{(?:(base|quote)(_lower)?|date(?::([^}]*))?)}")
PLACE = re.compile(r"-?[0-9]{1,9}")
"""Of an entry in a list, from its end where it is negative."""
LONGEST_NAME, MOST_NAMES = 30, 5
"""Of the names in an answer that a message tells: longer ones are left out, whole ones are searched for the key."""
EXACT = Context(prec=60)
TWELVE_DIGITS = Context(prec=12)


def groups(provider: Provider, pairs: Sequence[Pair]) -> tuple[tuple[Pair, ...], ...]:
    """Return *pairs* one by one where the URL names the quote currency, else by base."""
    if "{quote" in provider.base_url:
        return tuple((pair,) for pair in pairs)
    return asks.by_base(provider, pairs)


def request(provider: Provider, query: RateQuery, today: dt.date) -> Request:
    """Return the request; its key is added where secrets are resolved."""
    return request_as(provider, query, today, accept="application/json")


def request_as(provider: Provider, query: RateQuery, today: dt.date, *, accept: str) -> Request:
    """Return the request for an answer of the media type *accept*."""
    day = query.until or query.civil_day or today
    url = _filled(provider.base_url, query.pairs[0], day, lambda text: percent(text, safe="/"))
    return Request(url=url, accept=accept, header=provider.header)


def refusal(status: int, body: bytes) -> FetchError | None:
    """Return what an error answer means; only the status is known of an unknown server."""
    del body
    message = f"HTTP {status}; check its url"
    if status in {404, 410}:
        return absent(message)
    return FetchError(FailureKind.CONFIG, message) if 400 <= status < 500 else None


def parse(provider: Provider, query: RateQuery, body: bytes) -> tuple[Answered, ...]:
    """Return what *body* says of the asked pairs at their paths."""
    return parsed(provider, query, bodies.load_any(body))


def parsed(
    provider: Provider, query: RateQuery, answer: object, tables: Sequence[object] = ()
) -> tuple[Answered, ...]:
    """Return what the tables and lists of *answer* say of the asked pairs.

    Raises FetchError for a notice in one of *tables* (by default the answer itself), and where nothing is found.
    """
    tables = tables or (answer,)
    for table in tables:
        notices.refuse_failure(table)
    found = [_answered(provider, query, pair, answer) for pair in query.pairs]
    if not any(found):
        for table in tables:
            notices.refuse_notice(table)
        raise _nowhere(provider, query, answer)
    return tuple(answered for answered in found if answered is not None)


def not_before(body: bytes) -> None:
    """Return None: nothing is known of when an unknown server publishes."""
    del body


def _nowhere(provider: Provider, query: RateQuery, answer: object) -> FetchError:
    """Return what it means that the path of the rate leads nowhere: nothing was published, or the path is wrong."""
    pair = query.pairs[0]
    path = _filled(provider.rate, pair, query.until or query.civil_day, str)
    there = answer
    for step in answer_path.parse(path):
        further = _step(there, step)
        if further is MISSING:
            break
        there = further
    if there in ([], {}, None):
        message = f"what should hold {path!r} is empty in the answer"
        return absent(message, FailureKind.DATA)
    message = (
        f"has no {pair}: nothing at {path!r} in the answer, which has {_contents(there)} there"
    )
    if not isinstance(answer, dict):
        return bodies.bad(message)
    failure = FetchError(FailureKind.CONFIG, message)
    failure.is_lack = True
    return failure


def _contents(value: object) -> str:
    """Return what *value* is made of; nothing that could be a part of a secret that an answer repeats."""
    if isinstance(value, dict):
        names = [bodies.printable(str(name)) for name in value if len(str(name)) <= LONGEST_NAME]
        return ", ".join(names[:MOST_NAMES]) or f"{len(value)} names"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "a text" if isinstance(value, str) else bodies.excerpt(value)


def _answered(provider: Provider, query: RateQuery, pair: Pair, answer: object) -> Answered | None:
    """Return what *answer* says of *pair*, None where it has nothing at the path of the rate."""
    asked = query.until
    day = asked or query.civil_day

    def at(path: str) -> object:
        return _at(answer, _filled(path, pair, day, str))

    try:
        value = at(provider.rate)
        if value is MISSING:
            return None
        rate_date = _date(provider, at, asked) if provider.date else asked
    except FetchError as error:
        return asks.UnusableRate(pair=pair, rate_date=asked, problem=f"{pair}: {error}")
    read = _reader(provider)
    found = asks.read_rate(pair, value, rate_date, read=read)
    if provider.invert and isinstance(found, asks.PublishedRate):
        found = _inverted(found)
    return asks.of_day(found, asked, late=dt.timedelta(seconds=provider.ahead))


def _inverted(found: asks.PublishedRate) -> Answered:
    """Return the rate the other way round, with the published one as what it was derived from."""
    pair = found.pair
    rate = TWELVE_DIGITS.plus(EXACT.divide(Decimal(1), found.rate))
    leg = Leg(pair=Pair(base=pair.quote, quote=pair.base), rate=found.rate)
    return asks.read_rate(pair, rate, found.rate_date, read=bodies.rate, legs=(leg,))


def _reader(provider: Provider) -> Callable[[Any, str], Decimal]:
    """Return what makes a rate for one unit of a cell."""

    def read(cell: object, what: str) -> Decimal:
        if isinstance(cell, str):
            value = written_numbers.read(cell, what, provider.decimal or ".")
        else:
            value = bodies.number(cell, what)
        if not provider.factor:
            return value
        exact = EXACT.divide(value, Decimal(provider.factor))
        return bodies.rate(EXACT.plus(exact), what)

    return read


def _date(provider: Provider, at: Callable[[str], object], asked: dt.date | None) -> dt.date:
    value = at(provider.date)
    if value is MISSING:
        raise bodies.bad(f"no {provider.date!r} in the answer")
    late = dt.timedelta(seconds=provider.ahead) or answer_dates.JUST_AFTER_MIDNIGHT
    return answer_dates.read(
        value,
        provider.date,
        date_format=provider.date_format,
        asked=asked,
        late=min(late, dt.timedelta(hours=12)),
    )


def _at(value: object, path: str) -> object:
    """Return what stands at *path*, MISSING where nothing does. Raises FetchError where several fit."""
    for step in answer_path.parse(path):
        value = _step(value, step)
    return getattr(value, "text", value)


def _step(value: object, step: answer_path.Step) -> object:
    """Return what *step* leads to from *value*, MISSING where there is nothing. Raises FetchError where several fit."""
    if isinstance(step, answer_path.Match):
        return _matching(value, step)
    if isinstance(value, dict):
        is_alone = hasattr(value, "text") and step.name in {"0", "-1"}  # one entry of XML
        return value.get(step.name, value if is_alone else MISSING)
    if isinstance(value, list) and PLACE.fullmatch(step.name):
        place = int(step.name)
        return value[place] if -len(value) <= place < len(value) else MISSING
    return MISSING


def _matching(value: object, wanted: answer_path.Match) -> object:
    """Return the one entry of the list or table *value* that fits, or *value* where it fits itself."""
    if isinstance(value, dict) and _fits(value, wanted):
        return value
    entries = (
        value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    )
    found = [entry for entry in entries if isinstance(entry, dict) and _fits(entry, wanted)]
    if len(found) > 1:
        raise bodies.bad(f"{len(found)} entries whose {wanted.field} is {wanted.value!r}")
    return found[0] if found else MISSING


def _fits(entry: dict[str, Any], wanted: answer_path.Match) -> bool:
    value = entry.get(wanted.field, MISSING)
    return value is not MISSING and str(getattr(value, "text", value)).strip() == wanted.value


def _filled(template: str, pair: Pair, day: dt.date | None, escape: Callable[[str], str]) -> str:
    """Return *template* with the currencies of *pair* and *day* in their places."""

    def value(found: re.Match[str]) -> str:
        if found[1] is None:
            if day is None:
                return found[0]
            return escape(day.strftime(found[3]) if found[3] else day.isoformat())
        code = pair.base if found[1] == "base" else pair.quote
        return escape(code.lower() if found[2] else code)

    return PLACEHOLDER.sub(value, template)
