"""A time as people read it: one form in every command, message and page; programs get ISO 8601."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt


def clock(moment: dt.datetime) -> str:
    """Return *moment* with weekday and zone, and its seconds only where it has any: ``Fri 2026-11-27 10:30 IST``."""
    seconds = ":%S" if moment.second else ""
    return f"{moment:%a %Y-%m-%d %H:%M{seconds}} {zone(moment)}"


def zone(moment: dt.datetime) -> str:
    """Return the zone of *moment* as its clocks say it: ``CET``, or ``UTC-03`` where it has no letters."""
    name = f"{moment:%Z}"
    return f"UTC{name}" if name[:1] in {"+", "-"} else name
