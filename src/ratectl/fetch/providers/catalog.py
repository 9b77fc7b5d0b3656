"""What people want to know of each kind of rate source: what it gives, when, how often it may be asked, and its terms.

What the code decides by (base URL, history, keys) stands in ``model.PROVIDER_KINDS``; nothing here changes a firing,
which does not import this. Each fact comes from the ``sources`` beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ratectl.model.providers import PROVIDER_KINDS, History


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderInfo:
    """One kind of rate source, for people; every text is a phrase without a full stop."""

    rates: str
    """Which currencies, against which."""
    digits: str
    """How finely they are given."""
    first_day: str = ""
    """The first of the past days that it knows, as ISO 8601; empty where it knows none."""
    gaps: str = ""
    """What those days lack besides closed days."""
    publishes: str
    """When its rates change."""
    limit: str
    """How often it may be asked."""
    terms: str
    """What may be done with its rates."""
    attribution: str = ""
    """Who is to be named where the rates are shown; empty where nobody asks for it."""
    home: str = ""
    """Its page for people."""
    sources: tuple[str, ...] = ()
    """Where all this is written."""


INFO: dict[str, ProviderInfo] = {
    "exchangerate-api-v4": ProviderInfo(
        rates="any of 160 currencies as base",
        digits="2 decimals, 3 digits below 1",
        publishes="daily at 00:00 UTC, weekends too",
        limit="none stated; meant for one request a day",
        terms="no redistribution; an old address that its owner may close",
        home="https://www.exchangerate-api.com",
        sources=(
            "https://api.exchangerate-api.com/v4/latest/USD",
            "https://www.exchangerate-api.com/terms",
        ),
    ),
    "exchangerate-api-open": ProviderInfo(
        rates="any of 160 currencies as base",
        digits="6 decimals",
        publishes="daily soon after 00:00 UTC, weekends too",
        limit="one request an hour is never refused; a refusal (429) lasts 20 minutes",
        terms="private and commercial use, may be cached; no redistribution",
        attribution="exchangerate-api.com, with a link where rates are shown",
        home="https://www.exchangerate-api.com/docs/free",
        sources=("https://www.exchangerate-api.com/docs/free",),
    ),
    "frankfurter": ProviderInfo(
        rates="any of about 30 currencies of the ECB as base",
        digits="rounded by size unless the base is EUR: USD/INR has 2 decimals",
        first_day="1999-01-04",
        publishes="about 16:00 CET on the ECB's business days",
        limit="none stated",
        terms="those of the ECB; may also be run on a host of your own",
        attribution="the ECB as the source",
        home="https://frankfurter.dev",
        sources=(
            "https://frankfurter.dev",
            "https://frankfurter.dev/deploy/",
            "https://github.com/lineofflight/frankfurter",
        ),
    ),
    "ecb": ProviderInfo(
        rates="about 30 currencies against EUR, other bases as crosses of one day",
        digits="as published, mostly 4 decimals; crosses 12 digits",
        first_day="1999-01-04",
        publishes="about 16:00 CET on the ECB's business days",
        limit="none stated",
        terms="free with the source named; for information, not for transactions",
        attribution="the ECB and the changes made (a cross is one)",
        home="https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/html/index.en.html",
        sources=(
            "https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/html/index.en.html",
            "https://www.ecb.europa.eu/services/using-our-site/disclaimer/html/index.en.html",
        ),
    ),
    "currency-api-cdn": ProviderInfo(
        rates="any of 300 currencies as base",
        digits="8 decimals",
        first_day="2024-03-02",
        gaps="some days are missing",
        publishes="daily between 00:00 and 08:00 UTC, weekends too; no promise",
        limit="none",
        terms="CC0; its own sources are undisclosed: a second opinion",
        home="https://github.com/fawazahmed0/exchange-api",
        sources=("https://github.com/fawazahmed0/exchange-api",),
    ),
    "fred": ProviderInfo(
        rates="22 currencies against USD, crosses of one day; a week late",
        digits="as published, 2 to 4 decimals; crosses 12 digits",
        first_day="1971-01-04",
        publishes="Mondays about 20:15 UTC, for the week before",
        limit="none stated; a request a second at most",
        terms="FRED's site terms",
        attribution="the Federal Reserve (H.10) and FRED",
        home="https://fred.stlouisfed.org/categories/94",
        sources=(
            "https://www.federalreserve.gov/releases/h10/current/",
            "https://fred.stlouisfed.org/legal/",
            "https://fred.stlouisfed.org/robots.txt",
        ),
    ),
    "openexchangerates": ProviderInfo(
        rates="any currency against USD, crosses of one answer",
        digits="as published, up to 6 decimals and more below 1; crosses 12 digits",
        first_day="1999-01-01",
        publishes="every hour",
        limit="1,000 requests a month on the free plan",
        terms="no resale",
        home="https://openexchangerates.org",
        sources=(
            "https://openexchangerates.org/signup",
            "https://openexchangerates.org/terms",
            "https://docs.openexchangerates.org/reference/api-introduction",
        ),
    ),
    "exchangerate-api-v6": ProviderInfo(
        rates="any of 160 currencies as base",
        digits="4 to 6 decimals",
        publishes="daily at 00:00 UTC on the free plan, weekends too",
        limit="1,500 requests a month on the free plan",
        terms="no redistribution",
        home="https://www.exchangerate-api.com",
        sources=(
            "https://www.exchangerate-api.com/docs/overview",
            "https://www.exchangerate-api.com/terms",
        ),
    ),
    "http-json": ProviderInfo(
        rates="whatever your URL answers",
        digits="as answered",
        publishes="when it does",
        limit="yours",
        terms="yours",
        gaps="with {date} in its url day by day",
    ),
    "http-xml": ProviderInfo(
        rates="whatever your URL answers",
        digits="as answered",
        publishes="when it does",
        limit="yours",
        terms="yours",
        gaps="with {date} in its url day by day",
    ),
}
"""Every kind of ``model.PROVIDER_KINDS``."""


def past_days(kind: str) -> str:
    """Return as a phrase which past days the *kind* knows, and how they are asked for."""
    info = INFO[kind]
    how = {
        History.NONE: "none",
        History.DAYS: f"from {info.first_day}, day by day",
        History.RANGES: f"from {info.first_day}, any number in one request",
    }[PROVIDER_KINDS[kind].history]
    return f"{how}; {info.gaps}" if info.gaps else how


def key(kind: str) -> str:
    """Return as a phrase whether the *kind* wants a key."""
    known = PROVIDER_KINDS[kind]
    return "needed" if known.needs_key else "if it wants one" if known.takes_key else "none"
