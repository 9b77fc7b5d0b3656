"""The answers of the rate server that are JSON, each in the shape, digits and errors of one real provider."""

from __future__ import annotations

import datetime as dt
import json
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.support.rate_table import Market, Row

Answer = tuple[int, str, bytes]
"""Status, content type, body."""

KEY = "demo-key"
SITE = "https://www.exchangerate-api.com"
PACKAGE = "currency-api@"
FIRST_RELEASE = dt.date(2024, 3, 2)
RELEASED_BY = dt.time(5, 30)
"""When, in UTC, a day's snapshot is there."""
SIX = Decimal("0.000001")
EIGHT = Decimal("0.00000001")


def v4(market: Market, base: str) -> Answer:
    """exchangerate-api-v4: two decimals from 1 up, three significant digits below."""
    crosses = market.crosses(base, market.today)
    if not crosses:
        return _json(404, {"result": "error", "error_type": "unsupported_code"})
    return _json(
        200,
        {
            "provider": SITE,
            "WARNING_UPGRADE_TO_V6": f"{SITE}/docs/free",
            "terms": f"{SITE}/terms",
            "base": base,
            "date": market.today.isoformat(),
            "time_last_updated": _midnight(market.today) + 1,
            "rates": {code: _coarse(rate) for code, rate in crosses.items()} | {base: 1},
        },
    )


def open_access(market: Market, base: str) -> Answer:
    """exchangerate-api-open: six decimals, the next update announced."""
    crosses = market.crosses(base, market.today)
    if not crosses:
        return _json(404, {"result": "error", "error-type": "unsupported-code"})
    updated = _midnight(market.today) + 151
    return _json(
        200,
        {
            "result": "success",
            "provider": SITE,
            "documentation": f"{SITE}/docs/free",
            "terms_of_use": f"{SITE}/terms",
            **_updates(updated, updated + 86_400 + 660),
            "time_eol_unix": 0,
            "base_code": base,
            "rates": _digits(crosses, SIX) | {base: 1},
        },
    )


def v6(market: Market, key: str, rest: Sequence[str]) -> Answer:
    """exchangerate-api-v6 on its free plan: the key in the path, history refused."""
    if key != KEY:
        return _v6_error(403, "invalid-key")
    match rest:
        case ["latest", base]:
            crosses = market.crosses(base, market.today)
            if not crosses:
                return _v6_error(404, "unsupported-code")
            updated = _midnight(market.today) + 1
            rates = _digits(crosses, Decimal("0.0001")) | {base: 1}
            return _v6(
                _updates(updated, updated + 86_400),
                {"base_code": base, "conversion_rates": rates},
            )
        case ["history", *_]:
            return _v6_error(403, "plan-upgrade-required")
        case ["quota"]:
            left = {"plan_quota": 1500, "requests_remaining": 1487, "refresh_day_of_month": 17}
            return _v6(left)
        case _:
            return _v6_error(404, "malformed-request")


def frankfurter(market: Market, when: str, query: Mapping[str, str]) -> Answer:
    """Frankfurter v1: the newest rates, one day, or a range that begins with the publication of its start or before."""
    base = query.get("base", query.get("from", "EUR"))
    symbols = [code for code in query.get("symbols", query.get("to", "")).split(",") if code]
    if symbols == [base]:
        return _json(422, {"message": "bad currency pair"})
    first, dots, last = when.partition("..")
    start, end = _when(first, market), _when(last or "latest", market)
    if start is None or end is None:
        return _json(422, {"message": "invalid date"})
    newest = market.table.newest(min(start, market.today))
    rows = _range(market, start, end) if dots else [newest] if newest else []
    every = {day.isoformat(): _picked(row, base, symbols) for day, row in rows}
    rates = {day: picked for day, picked in every.items() if picked}
    if not rates:
        return _json(404, {"message": "not found"})
    head = {"amount": 1.0, "base": base}
    if dots:
        ends = {"start_date": min(rates), "end_date": max(rates)}
        return _json(200, head | ends | {"rates": rates})
    [(day, picked)] = rates.items()
    return _json(200, head | {"date": day, "rates": picked})


def snapshot(market: Market, package: str, file: str) -> Answer:
    """currency-api-cdn: a release for every day, weekends included, but for those that were missed."""
    when = package.removeprefix(PACKAGE)
    day = _newest_release(market) if when == "latest" else _day(when)
    if day is None or not _is_released(market, day):
        return _text(404, f"Couldn't find the requested release version {when}.")
    base = file.removesuffix(".min.json")
    crosses = market.crosses(base.upper(), day)
    if not crosses:
        asked = f"/v1/currencies/{file} in @fawazahmed0/currency-api"
        return _text(404, f"Couldn't find the requested file {asked}.")
    rates = {code.lower(): rate for code, rate in _digits(crosses, EIGHT).items()}
    return _json(200, {"date": day.isoformat(), base: rates | {base: 1}})


def openexchangerates(
    market: Market, rest: Sequence[str], query: Mapping[str, str], headers: Mapping[str, str]
) -> Answer:
    """Openexchangerates on its free plan: base USD only, every hour, single past days."""
    key = headers.get("authorization", "").removeprefix("Token ") or query.get("app_id", "")
    if key != KEY:
        word = "invalid_app_id" if key else "missing_app_id"
        return _oxr_error(401, word, "Sign up, or contact support.")
    if query.get("base", "USD") != "USD":
        return _oxr_error(403, "not_allowed", "Changing the base is for other plans.")
    match rest:
        case ["latest.json"]:
            day: dt.date | None = market.today
        case ["historical", name] if name.endswith(".json"):
            day = _day(name.removesuffix(".json"))
        case _:
            return _oxr_error(404, "not_found", "No such resource.")
    if day is None or day > market.today or not market.crosses("USD", day):
        return _oxr_error(400, "not_available", "No rates for the requested date.")
    return _oxr(market, day, [code for code in query.get("symbols", "").split(",") if code])


def _json(status: int, value: object) -> Answer:
    return status, "application/json", json.dumps(value, separators=(",", ":")).encode()


def _text(status: int, line: str) -> Answer:
    return status, "text/plain; charset=utf-8", line.encode()


def _v6(*parts: Mapping[str, object]) -> Answer:
    head: dict[str, object] = {
        "result": "success",
        "documentation": f"{SITE}/docs",
        "terms_of_use": f"{SITE}/terms",
    }
    for part in parts:
        head |= part
    return _json(200, head)


def _v6_error(status: int, word: str) -> Answer:
    return _json(
        status,
        {
            "result": "error",
            "documentation": f"{SITE}/docs",
            "terms-of-use": f"{SITE}/terms",
            "error-type": word,
        },
    )


def _oxr(market: Market, day: dt.date, symbols: Sequence[str]) -> Answer:
    crosses = market.crosses("USD", day)
    site = "https://openexchangerates.org"
    last = _midnight(day) + 86_399
    hour = int(market.now.replace(minute=0, second=0, microsecond=0).timestamp())
    wanted = {code: rate for code, rate in crosses.items() if not symbols or code in symbols}
    return _json(
        200,
        {
            "disclaimer": f"Usage subject to terms: {site}/terms",
            "license": f"{site}/license",
            "timestamp": min(last, hour),
            "base": "USD",
            "rates": _digits(wanted, SIX),
        },
    )


def _oxr_error(status: int, word: str, description: str) -> Answer:
    error = {"error": True, "status": status, "message": word, "description": description}
    return _json(status, error)


def _updates(last: int, following: int) -> dict[str, object]:
    return {
        "time_last_update_unix": last,
        "time_last_update_utc": _rfc822(last),
        "time_next_update_unix": following,
        "time_next_update_utc": _rfc822(following),
    }


def _is_released(market: Market, day: dt.date) -> bool:
    early = day == market.today and market.now.time() < RELEASED_BY
    return FIRST_RELEASE <= day <= market.today and not early and day not in market.unreleased


def _newest_release(market: Market) -> dt.date | None:
    back = (market.today - dt.timedelta(days=days) for days in range(60))
    return next((day for day in back if _is_released(market, day)), None)


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _coarse(rate: Decimal) -> int | float:
    if rate >= 1:
        return _number(rate.quantize(Decimal("0.01"), ROUND_HALF_UP))
    return _number(Context(prec=3).plus(rate))


def _digits(rates: Row, step: Decimal) -> dict[str, int | float]:
    return {code: _number(rate.quantize(step, ROUND_HALF_UP)) for code, rate in rates.items()}


def _midnight(day: dt.date) -> int:
    return int(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp())


def _rfc822(stamp: int) -> str:
    return dt.datetime.fromtimestamp(stamp, dt.UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")


def _rounded(rate: Decimal, base: str) -> int | float:
    """Frankfurter's digits: the bank's own for EUR, by size otherwise."""
    if base == "EUR":
        return _number(rate)
    steps = ((5000, "1"), (80, "0.01"), (20, "0.001"), (1, "0.0001"))
    step = next((step for limit, step in steps if rate > limit), "0.00001")
    return _number(rate.quantize(Decimal(step), ROUND_HALF_UP))


def _when(text: str, market: Market) -> dt.date | None:
    return market.today if text == "latest" else _day(text)


def _range(market: Market, start: dt.date, end: dt.date) -> list[tuple[dt.date, Row]]:
    if start > market.today:
        return []
    begin = market.table.newest(start)
    return list(market.table.span(begin[0] if begin else start, min(end, market.today)))


def _picked(row: Row, base: str, symbols: list[str]) -> dict[str, int | float]:
    if base not in row:
        return {}
    wanted = symbols or sorted(code for code in row if code != base)
    return {code: _rounded(row[code] / row[base], base) for code in wanted if code in row}
