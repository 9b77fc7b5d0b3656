"""Rates and changes as people read them: grouped, in as many digits as say something, and never rounded in silence."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import NamedTuple

from ratectl.model.quote import plain

SIGNIFICANT = 8
"""Digits of a rate that are shown; its title and the data have all of them."""
THIN = "\N{NARROW NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


class Shown(NamedTuple):
    """A rate in two parts, so that a column of them lines up at the decimal point."""

    whole: str
    fraction: str
    """With its point; empty for a whole number."""
    exact: str
    """All digits that the provider gave."""


def shown(rate: Decimal) -> Shown:
    """Return *rate* in SIGNIFICANT digits at most; groups of three from five digits before the point on."""
    whole, point, fraction = plain(_rounded(rate)).partition(".")
    if len(whole) > 4:
        whole = f"{int(whole):,}".replace(",", THIN)
    return Shown(whole, point + fraction, plain(rate))


def like(value: float, rate: Decimal) -> str:
    """Return *value* with as many decimals as the *rate* beside it is shown with."""
    decimals = len(shown(rate).fraction[1:])
    parts = shown(Decimal(f"{value:.{decimals}f}"))
    return parts.whole + parts.fraction


def _rounded(rate: Decimal) -> Decimal:
    if len(rate.as_tuple().digits) <= SIGNIFICANT:
        return rate
    digits = max(SIGNIFICANT, rate.adjusted() + 1)
    return Context(prec=digits).plus(rate)


def percent(now: Decimal, before: Decimal) -> str:
    """Return by how many percent *now* is more than *before*, with its sign: ``+0.22``, ``±0.00``, and a real minus sign."""
    text = f"{(now / before - 1) * 100:+.2f}"
    if not text.strip("+-0."):
        return "±0.00"
    return text.replace("-", MINUS)
