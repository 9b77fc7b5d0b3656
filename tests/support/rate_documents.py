"""The answers of the rate server that are no JSON: the ECB's XML and zipped CSV, and FRED's CSV."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from tests.support.rate_table import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.rate_table import Market, Row

Answer = tuple[int, str, bytes]
"""Status, content type, body."""

GESMES = "http://www.gesmes.org/xml/2002-08-01"
EUROFXREF = "http://www.ecb.int/vocabulary/2002-08-01/eurofxref"
NOT_FOUND = (404, "text/html", b"<html><body>Not Found</body></html>")

DOLLARS_FOR_ONE = {"DEXUSAL": "AUD", "DEXUSEU": "EUR", "DEXUSNZ": "NZD", "DEXUSUK": "GBP"}
UNITS_FOR_A_DOLLAR = {
    "DEXBZUS": "BRL",
    "DEXCAUS": "CAD",
    "DEXCHUS": "CNY",
    "DEXDNUS": "DKK",
    "DEXHKUS": "HKD",
    "DEXINUS": "INR",
    "DEXJPUS": "JPY",
    "DEXKOUS": "KRW",
    "DEXMAUS": "MYR",
    "DEXMXUS": "MXN",
    "DEXNOUS": "NOK",
    "DEXSDUS": "SEK",
    "DEXSFUS": "ZAR",
    "DEXSIUS": "SGD",
    "DEXSLUS": "LKR",
    "DEXSZUS": "CHF",
    "DEXTAUS": "TWD",
    "DEXTHUS": "THB",
}
TWO_DECIMALS = frozenset({"INR", "JPY", "KRW", "LKR"})
AMERICAN_HOLIDAYS = frozenset({(1, 1), (7, 4), (11, 11), (12, 25)})
MONDAY_EVENING = dt.time(20, 15)
"""When, in UTC, the week before appears at FRED."""


def ecb(market: Market, name: str) -> Answer:
    """eurofxref: one day or 90 as XML, all days as a zipped table."""
    if name == "eurofxref-hist.zip":
        return 200, "application/zip", _zipped(_table(market))
    starts = {
        "eurofxref-daily.xml": (market.table.newest(market.today) or (market.today,))[0],
        "eurofxref-hist-90d.xml": market.today - 90 * DAY,
        "eurofxref-hist.xml": market.table.first,
    }
    if name not in starts:
        return NOT_FOUND
    newest_first = reversed(list(market.table.span(starts[name], market.today)))
    cubes = "".join(_cube(day, row) for day, row in newest_first)
    return (
        200,
        "text/xml",
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<gesmes:Envelope xmlns:gesmes="{GESMES}" xmlns="{EUROFXREF}">'
        "<gesmes:subject>Reference rates</gesmes:subject><gesmes:Sender>"
        "<gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>"
        f"<Cube>{cubes}</Cube></gesmes:Envelope>".encode(),
    )


def fred(market: Market, query: Mapping[str, str]) -> Answer:
    """fredgraph.csv: a column for each series, a row for each weekday that is published, blanks where nothing was observed."""
    series = query.get("id", "").split(",")
    if not all(name in DOLLARS_FOR_ONE or name in UNITS_FOR_A_DOLLAR for name in series):
        return NOT_FOUND
    try:
        start = dt.date.fromisoformat(query.get("cosd", market.table.first.isoformat()))
        end = dt.date.fromisoformat(query.get("coed", market.today.isoformat()))
    except ValueError:
        return 400, "text/html", b"<html><body>Bad Request</body></html>"
    lines = [",".join(("observation_date", *series))]
    for day in _weekdays(max(start, market.table.first), min(end, _last_observation(market.now))):
        row = {} if (day.month, day.day) in AMERICAN_HOLIDAYS else market.table.row(day) or {}
        lines.append(",".join((day.isoformat(), *(_observed(row, name) for name in series))))
    return 200, "application/csv", "".join(f"{line}\n" for line in lines).encode()


def _cube(day: dt.date, row: Row) -> str:
    rates = "".join(
        f'<Cube currency="{code}" rate="{rate}"/>' for code, rate in row.items() if code != "EUR"
    )
    return f'<Cube time="{day}">{rates}</Cube>'


def _table(market: Market) -> str:
    """Return the history as the ECB writes it: newest first, without trailing zeros, an empty last column."""
    days = list(market.table.span(market.table.first, market.today))[::-1]
    codes = [
        code for code in dict.fromkeys(code for _, row in days for code in row) if code != "EUR"
    ]
    lines = [",".join(("Date", *codes, ""))]
    for day, row in days:
        rates = (f"{row[code].normalize():f}" if code in row else "N/A" for code in codes)
        lines.append(",".join((day.isoformat(), *rates, "")))
    return "".join(f"{line}\n" for line in lines)


def _zipped(text: str) -> bytes:
    packed = io.BytesIO()
    member = zipfile.ZipInfo(
        "eurofxref-hist.csv"
    )  # dated 1980, so that equal rates are equal bytes
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(member, text, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _last_observation(now: dt.datetime) -> dt.date:
    """Return the Friday of the last week that is published."""
    monday = now.date() - DAY * now.weekday()
    is_out = now >= dt.datetime.combine(monday, MONDAY_EVENING, dt.UTC)
    return monday - DAY * (3 if is_out else 10)


def _weekdays(start: dt.date, end: dt.date) -> Iterator[dt.date]:
    day = start
    while day <= end:
        if day.isoweekday() <= 5:
            yield day
        day += DAY


def _observed(row: Row, series: str) -> str:
    code = DOLLARS_FOR_ONE.get(series) or UNITS_FOR_A_DOLLAR[series]
    if code not in row or "USD" not in row:
        return ""
    rate = row["USD"] / row[code] if series in DOLLARS_FOR_ONE else row[code] / row["USD"]
    step = Decimal("0.01") if code in TWO_DECIMALS else Decimal("0.0001")
    return str(rate.quantize(step, ROUND_HALF_UP))
