"""Is this number plausible? Dates first, then the jump from the last recorded quote.

A warning lets a quote pass; what else must say the same of a suspect one is asked in ``selection.py``. Limits come from 27 years of daily moves (5 % and 20 %).
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ratectl.model.providers import ProviderTraits
    from ratectl.model.quote import Quote

MOST_AHEAD = 2
"""Days after today; a past day's rate is not dated after it."""
WARN = Decimal("0.05")
SUSPECT = Decimal("0.20")
SAME = Decimal("0.01")
"""Two sources within this fraction tell of the same move (they fix at different hours)."""
SMALL, FEW_DIGITS = Decimal("0.1"), 2
"""A rate below the one with no more digits than the other was rounded."""
SCALE_ERRORS = (Decimal(100), Decimal(10), Decimal("0.1"), Decimal("0.01"))


class Jump(NamedTuple):
    """A move that is large for the days that passed."""

    reason: str
    is_suspect: bool
    """False: worth a warning only."""
    is_scale_error: bool = False
    """Looks like a factor-of-ten error or an inverted rate, so a repeat does not confirm it."""
    repeats: int = 1
    """As many earlier publications that say about the same confirm it; with 0 none do."""
    undo: str = ""
    """The command that takes the other number back, where that may be the wrong one."""
    other: str = ""
    """That other number, as a message names it."""


def date_problem(
    quote: Quote, *, today: dt.date, longest_gap: int, past_day: dt.date | None, ahead: int = 0
) -> str:
    """Return what is wrong with the rate date, or an empty text; *today* is the UTC day, *past_day* the past day.

    It may be *ahead* days later, or with 0 as many as are usual.
    """
    wanted = past_day or today
    allowed = ahead or (0 if past_day else MOST_AHEAD)
    if quote.rate_date > wanted + dt.timedelta(days=allowed):
        return f"dated {quote.rate_date}, which is after {wanted}"
    if quote.rate_date < wanted - dt.timedelta(days=longest_gap):
        return f"dated {quote.rate_date}, which is more than {longest_gap} days before {wanted}"
    return ""


def is_final(day: dt.date, traits: ProviderTraits, now: dt.datetime) -> bool:
    """Tell whether at *now* (aware) nothing that a provider says of *day* will appear or change any more."""
    begins = dt.datetime.combine(day, dt.time(tzinfo=dt.UTC))
    closed = day.isoweekday() > 5 and not traits.weekends
    return closed or now >= begins + dt.timedelta(hours=traits.out_after)


def jump(quote: Quote, previous: Quote | None, *, of_job: str = "") -> Jump | None:
    """Return the jump from *previous* (of another job, where *of_job* says which) to *quote*, None for an ordinary move or a first quote."""
    if previous is None:
        return None
    days = max(1, abs((quote.rate_date - previous.rate_date).days))
    ratio = quote.rate / previous.rate
    move = max(ratio, 1 / ratio) - 1  # a fall is as large as the rise that undoes it
    root = Decimal(days).sqrt()
    if move <= WARN * root:
        return None
    change = f"{quote.pair} {quote.rate:f} {_beside(previous, quote.rate_date, of_job)}"
    is_suspect = move > SUSPECT * root
    alike = WARN if is_suspect else SAME  # the market moves on while a slip lasts
    for factor in SCALE_ERRORS:
        if within_fraction(ratio, factor, alike):
            return Jump(
                reason=f"{change}: a factor of {factor}, a unit slip",
                is_suspect=True,
                is_scale_error=True,
                repeats=0,
            )
    if within_fraction(quote.rate * previous.rate, Decimal(1), alike):
        return Jump(
            reason=f"{change}: the inverse", is_suspect=True, is_scale_error=True, repeats=0
        )
    within = "" if quote.rate_date == previous.rate_date else f" in {days} d"
    moved = f"{change}: {move * 100:.1f} %{within}"
    return Jump(reason=moved, is_suspect=is_suspect)


def _beside(other: Quote, day: dt.date, of_job: str) -> str:
    """Return how a message says against what a rate of *day* was measured."""
    whose = f" (job {of_job})" if of_job else ""
    told = f"{other.rate:f} of {other.rate_date}{whose}"
    return f"beside {told}, a later day" if other.rate_date > day else f"after {told}"


def coarseness(quote: Quote) -> str:
    """Return a warning about a small rate of one or two digits, which its provider rounded; else an empty text."""
    digits = len(quote.rate.as_tuple().digits)
    if quote.legs or quote.rate >= SMALL or digits > FEW_DIGITS:
        return ""
    half = Decimal((0, (5,), quote.rate.as_tuple().exponent - 1))  # type: ignore[operator]
    word = "digit" if digits == 1 else "digits"
    inverse = f"{quote.pair.quote}/{quote.pair.base}"
    return (
        f"{quote.pair} {quote.rate:f} has {digits} {word}: rounded by {quote.provider}, it may be "
        f"{half / quote.rate:.0%} off; record {inverse} instead"
    )


def within_fraction(rate: Decimal, other: Decimal, within: Decimal = SAME) -> bool:
    """Tell whether two positive numbers differ by at most the fraction *within*."""
    return abs(rate / other - 1) <= within
