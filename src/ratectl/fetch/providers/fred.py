"""fred.stlouisfed.org: the Federal Reserve's H.10 noon rates against the dollar, since 1971, a week late.

Shape: ``observation_date,DEXINUS,DEXUSEU`` (``DATE`` before 2024) and a row for each weekday, blank or ``.`` where nothing
was observed. Most series are units for one dollar, four are dollars for one unit. Published on Mondays about 20:15 UTC for
the week before, so this is for backfill and audit. No key. Source: federalreserve.gov/releases/h10, fred.stlouisfed.org.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import TYPE_CHECKING

from ratectl.fetch.failures import FailureKind, FetchError
from ratectl.fetch.http import Request
from ratectl.fetch.providers._shared import cross_rates
from ratectl.fetch.providers._shared import json_body as bodies
from ratectl.fetch.providers._shared import query as asks
from ratectl.model.job import Pair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.fetch.providers._shared.cross_rates import Rates
    from ratectl.fetch.providers._shared.query import Answered, RateQuery
    from ratectl.model.job import Provider

HUB = "USD"
DOLLARS_FOR_ONE = {"AUD": "DEXUSAL", "EUR": "DEXUSEU", "GBP": "DEXUSUK", "NZD": "DEXUSNZ"}
UNITS_FOR_A_DOLLAR = {
    "BRL": "DEXBZUS",
    "CAD": "DEXCAUS",
    "CHF": "DEXSZUS",
    "CNY": "DEXCHUS",
    "DKK": "DEXDNUS",
    "HKD": "DEXHKUS",
    "INR": "DEXINUS",
    "JPY": "DEXJPUS",
    "KRW": "DEXKOUS",
    "LKR": "DEXSLUS",
    "MXN": "DEXMXUS",
    "MYR": "DEXMAUS",
    "NOK": "DEXNOUS",
    "SEK": "DEXSDUS",
    "SGD": "DEXSIUS",
    "THB": "DEXTHUS",
    "TWD": "DEXTAUS",
    "ZAR": "DEXSFUS",
}
"""Without DEXVZUS, which runs on across three bolivars and so is in no one currency."""
PAIRS = {series: Pair(base=code, quote=HUB) for code, series in DOLLARS_FOR_ONE.items()} | {
    series: Pair(base=HUB, quote=code) for code, series in UNITS_FOR_A_DOLLAR.items()
}
SERIES = DOLLARS_FOR_ONE | UNITS_FOR_A_DOLLAR
FIRST_COLUMNS = ("observation_date", "DATE")
NOTHING = ("", ".")
LAST_WEEKS = dt.timedelta(days=28)
BEFORE = dt.timedelta(days=12)
"""More than the closed days in a row before any day."""

groups = asks.together


def request(provider: Provider, query: RateQuery, today: dt.date) -> Request:
    """Return the request for the series of the asked currencies, in the last weeks or a range.

    Raises FetchError where there is no series for any of them.
    """
    series = sorted(SERIES[code] for code in asks.currencies(query) if code in SERIES)
    if not series:
        raise FetchError(FailureKind.CONFIG, f"has no {', '.join(map(str, query.pairs))}")
    start = today - LAST_WEEKS if query.since is None else query.since - BEFORE
    return Request(
        url=f"{asks.base_url(provider)}/graph/fredgraph.csv"
        f"?id={','.join(series)}&cosd={start}&coed={query.until or today}",
        accept="text/csv, application/csv",
    )


def refusal(status: int, body: bytes) -> FetchError | None:
    """Return what an error answer means: 400 and 404 come of a series or a date that is not there."""
    if status not in {400, 404}:
        return None
    word = bodies.error_word(body, "error_message") or "no such series"
    return FetchError(FailureKind.CONFIG, f"{word} (HTTP {status})")


def parse(provider: Provider, query: RateQuery, body: bytes) -> tuple[Answered, ...]:
    """Return the newest rates, or those of every observation in the asked range."""
    del provider
    return cross_rates.series(HUB, query, _days(bodies.text_of(body), query))


def not_before(body: bytes) -> None:
    """Return None: the table does not say when the next one comes."""
    del body


def _days(text: str, query: RateQuery) -> dict[dt.date, Rates]:
    rows = csv.reader(io.StringIO(text))
    days: dict[dt.date, Rates] = {}
    try:
        header = next(rows, [])
        columns = _columns(header, asks.currencies(query))
        for row in rows:
            if len(row) != len(header):
                raise bodies.bad(f"a row of {len(row)} columns among {len(header)}")
            day = bodies.day(row[0], header[0])
            if day in days:
                raise bodies.bad(f"{day} stands twice in the table")
            days[day] = {
                pair: cross_rates.cell(pair, row[at], day, bodies.number_text)
                for at, pair in columns
                if row[at] not in NOTHING
            }
    except csv.Error as error:
        raise bodies.bad("not a table, or cut off") from error
    return {day: rates for day, rates in days.items() if rates}


def _columns(header: Sequence[str], wanted: frozenset[str]) -> list[tuple[int, Pair]]:
    if not header or header[0] not in FIRST_COLUMNS or len(set(header)) != len(header):
        raise bodies.bad(f"not a table of FRED: no {FIRST_COLUMNS[0]}, or a series twice")
    known = [(at, PAIRS[series]) for at, series in enumerate(header) if series in PAIRS]
    return [(at, pair) for at, pair in known if {pair.base, pair.quote} <= wanted | {HUB}]
