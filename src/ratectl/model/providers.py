"""What is fixed about each kind of rate source, whatever a spec says."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ratectl.model.job import Provider


class History(Enum):
    """How a provider serves historical rates; `NONE` is falsy."""

    NONE = ""
    DAYS = "days"
    """One request for each day."""
    RANGES = "ranges"
    """One request for any number of days."""

    def __bool__(self) -> bool:
        return bool(self.value)


class ProviderTraits(NamedTuple):
    """What is fixed about one kind of rate source, whatever the spec says."""

    base_url: str
    """Where it lives unless the spec overrides it; empty means that the spec must say."""
    history: History
    """Whether it can be asked for past days, and how."""
    takes_key: bool
    longest_gap: int
    """Days between two publications at most (holidays included); older than this is stale."""
    weekends: bool
    """It publishes on Saturdays and Sundays too."""
    out_after: int
    """Hours after 00:00 UTC of a day from which that day's rates do not change or appear any more."""
    ahead: int = 0
    """Days after today, or after a past day asked for, that its rates may be dated; 0 is what is usual."""
    needs_key: bool = False
    """It answers nobody without a key."""
    currencies: frozenset[str] = frozenset()
    """All that it publishes, where that is a short list which seldom changes; empty: not known here."""


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


OF_THE_ECB = _codes(
    "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF IDR ILS INR ISK JPY KRW MXN MYR NOK NZD PHP PLN RON SEK SGD THB TRY "
    "USD ZAR"
)
"""Its euro reference rates since the lev went into the euro, on 2026-01-01."""
OF_THE_FED = _codes(
    "AUD BRL CAD CHF CNY DKK EUR GBP HKD INR JPY KRW LKR MXN MYR NOK NZD SEK SGD THB TWD USD ZAR"
)
"""The daily series of its release H.10."""


PROVIDER_KINDS: dict[str, ProviderTraits] = {
    "exchangerate-api-v4": ProviderTraits(
        base_url="https://api.exchangerate-api.com/v4",
        history=History.NONE,
        takes_key=False,
        longest_gap=2,
        weekends=True,
        out_after=1,
    ),
    "exchangerate-api-open": ProviderTraits(
        base_url="https://open.er-api.com/v6",
        history=History.NONE,
        takes_key=False,
        longest_gap=2,
        weekends=True,
        out_after=1,
    ),
    "frankfurter": ProviderTraits(
        base_url="https://api.frankfurter.dev/v1",
        history=History.RANGES,
        takes_key=False,
        longest_gap=6,
        weekends=False,
        out_after=17,
    ),
    "ecb": ProviderTraits(
        base_url="https://www.ecb.europa.eu/stats/eurofxref",
        history=History.RANGES,
        takes_key=False,
        longest_gap=6,
        weekends=False,
        out_after=17,
        currencies=OF_THE_ECB,
    ),
    "currency-api-cdn": ProviderTraits(
        base_url="https://cdn.jsdelivr.net/npm",
        history=History.DAYS,
        takes_key=False,
        longest_gap=3,  # its newest is cached for up to two days, and single days were never released
        weekends=True,
        out_after=24,
    ),
    "fred": ProviderTraits(
        base_url="https://fred.stlouisfed.org",
        history=History.RANGES,
        takes_key=False,
        longest_gap=12,  # a Thursday is still the newest when both Friday and the second Monday are holidays
        weekends=False,
        out_after=9
        * 24,  # a Monday appears on the Monday after, about 20:15 UTC, or on the Tuesday
        currencies=OF_THE_FED,
    ),
    "openexchangerates": ProviderTraits(
        base_url="https://openexchangerates.org/api",
        history=History.DAYS,
        takes_key=True,
        longest_gap=2,
        weekends=True,
        out_after=25,  # a day is kept as it stood at 23:59:59
        needs_key=True,
    ),
    "exchangerate-api-v6": ProviderTraits(
        base_url="https://v6.exchangerate-api.com/v6",
        history=History.NONE,
        takes_key=True,
        longest_gap=2,
        weekends=True,
        out_after=1,
        needs_key=True,
    ),
    "http-json": ProviderTraits(
        base_url="",
        history=History.NONE,
        takes_key=True,
        longest_gap=6,
        weekends=True,
        out_after=24,
    ),
}
PROVIDER_KINDS["http-xml"] = PROVIDER_KINDS["http-json"]
"""Every kind of rate source; ``fetch/providers`` has one module for each."""
TEMPLATE_KINDS = ("http-json", "http-xml")
"""Kinds whose spec says where to ask, and where the rate stands in the answer."""
DAY_SECONDS = 86_400


def traits_of(provider: Provider) -> ProviderTraits:
    """Return what holds for *provider*: what is fixed about its kind, and what its spec says otherwise."""
    traits = PROVIDER_KINDS[provider.kind]
    if provider.kind in TEMPLATE_KINDS and "{date" in provider.base_url:
        traits = traits._replace(history=History.DAYS)
    if provider.stale_after:
        traits = traits._replace(longest_gap=-(-provider.stale_after // DAY_SECONDS))
    if provider.ahead:
        traits = traits._replace(ahead=-(-provider.ahead // DAY_SECONDS))
    return traits
