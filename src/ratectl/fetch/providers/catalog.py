"""What people want to know of each kind of rate source: the table ``templates/providers.toml`` as values.

What the code decides by (base URL, history, keys) stands in ``model.PROVIDER_KINDS``; nothing here changes a firing,
which does not import this. Each fact comes from the ``sources`` beside it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any

from ratectl.model.providers import PROVIDER_KINDS, History
from ratectl.runtime import templates


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


def _written() -> dict[str, ProviderInfo]:
    """Return what ``templates/providers.toml`` says of each kind."""
    rows: dict[str, dict[str, Any]] = tomllib.loads(templates.source("providers.toml"))
    return {
        kind: ProviderInfo(**row | {"sources": tuple(row.get("sources", ()))})
        for kind, row in rows.items()
    }


INFO: dict[str, ProviderInfo] = _written()
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
