"""``ratectl rate``: the recorded rate of a day, or the newest before it, as ``ratectl.rates.lookup`` finds it."""

from __future__ import annotations

import datetime as dt
from decimal import Context, Decimal, InvalidOperation
from typing import Annotated

import typer

from ratectl import rates
from ratectl.commands._shared import date_range
from ratectl.commands._shared.options import JsonOption
from ratectl.errors import DataError, UsageError
from ratectl.model.quote import plain
from ratectl.spec import readers
from ratectl.views.format import as_json

EXACT = Context(prec=60)
LONGEST = dt.timedelta(days=100_000)
"""How much older than the day a rate may be at most."""


def rate(
    pair: Annotated[str, typer.Argument(metavar="PAIR", help="A pair such as EUR/USD.")],
    *,
    on: Annotated[
        str,
        typer.Option("--on", metavar="DATE", help="For this day, as on an invoice; else today."),
    ] = "",
    amount: Annotated[
        str,
        typer.Option(metavar="NUMBER", help="Say what this much of the base currency is worth."),
    ] = "",
    within: Annotated[
        str, typer.Option(metavar="DURATION", help="How much older than the day a rate may be.")
    ] = "7d",
    derive: Annotated[
        bool, typer.Option("--derive", help="Take the inverse, or a cross, of recorded pairs, too.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show the recorded rate of a day, or the newest before it.

    With its own day, its provider and its age. Exit 65 where none is recorded. The same in
    Python is ratectl.rates.lookup.

    \b
    Examples:
      ratectl rate EUR/USD --on 2026-11-20
      ratectl rate USD/EUR --amount 100 --derive
    """
    day = _day(on)
    found = rates.lookup(pair, day, within=_within(within), derive=derive)
    if found is None:
        raise DataError(_nothing(pair.upper(), day, within, derive=derive))
    number = _amount(amount)
    value = None if number is None else EXACT.multiply(number, found.rate)
    typer.echo(
        as_json(_as_json(found, day, number, value)) if json else _text(found, day, number, value)
    )


def _day(text: str) -> dt.date:
    try:
        return date_range.day_of(text or "today", None)
    except ValueError as error:
        raise UsageError(
            f"--on {text}: expected a day such as 2026-11-20, today or yesterday"
        ) from error


def _within(text: str) -> dt.timedelta:
    try:
        return dt.timedelta(seconds=min(readers.duration(text), LONGEST.total_seconds()))
    except ValueError as error:
        raise UsageError(f"--within: {error}") from error


def _amount(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or abs(number) > Decimal("1e15") or len(text) > 40:
        raise UsageError(f"--amount {text}: expected a number such as 100 or 99.50")
    return number


def _nothing(pair: str, day: dt.date, within: str, *, derive: bool) -> str:
    """Return that there is no rate, and what would find one."""
    ahead = f"{day} lies ahead, and " if day > _day("") else ""
    way = _way_out(pair, day, derive=derive)
    return f"{ahead}no rate of {pair} is recorded for {day} or up to {within} before it{way}"


def _way_out(pair: str, day: dt.date, *, derive: bool) -> str:
    """Return the command that finds a rate of *pair* for *day*, or for the newest day before it; else what is recorded."""
    for more in dict.fromkeys((derive, True)):
        found = rates.lookup(pair, day, within=LONGEST, derive=more)
        if found is not None:
            on = found.rate_date if day > _day("") else day
            older = f" --within {found.age}d" if on == day and found.age > rates.WITHIN.days else ""
            command = f"ratectl rate {pair} --on {on}{older}{' --derive' if more else ''}"
            return f"; `{command}` gives {plain(found.rate)} of {found.rate_date}"
    first = rates.first_day(pair)
    if first is None:
        return f"; no job has recorded {pair}"
    return f"; what is recorded of it is of later days, from {first} on"


def _text(found: rates.Rate, day: dt.date, number: Decimal | None, value: Decimal | None) -> str:
    age = "" if not found.age else f", {found.age} day{'s' * (found.age != 1)} before {day}"
    lines = [f"{found.pair} {plain(found.rate)} of {found.rate_date} ({found.provider}){age}"]
    if found.legs:
        legs = ", ".join(f"{leg.pair} {plain(leg.rate)}" for leg in found.legs)
        lines.append(f"derived from {legs}")
    if number is not None and value is not None:
        lines.append(f"{plain(number)} {found.pair.base} = {plain(value)} {found.pair.quote}")
    return "\n".join(lines)


def _as_json(
    found: rates.Rate, day: dt.date, number: Decimal | None, value: Decimal | None
) -> dict[str, object]:
    return {
        "base": found.pair.base,
        "quote": found.pair.quote,
        "on": day.isoformat(),
        "rate": plain(found.rate),
        "rate_date": found.rate_date.isoformat(),
        "age_days": found.age,
        "provider": found.provider,
        "observed_at": found.observed_at.isoformat(),
        "kind": found.kind,
        "legs": [f"{leg.pair} {plain(leg.rate)}" for leg in found.legs],
        "amount": None if number is None else plain(number),
        "value": None if value is None else plain(value),
    }
