"""Moments and amounts as people read them: "in 14 h", "9 h ago", one block for each value of a series."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from decimal import Decimal

    from ratectl.journal.queries import Series

BLOCKS = "▁▂▃▄▅▆▇█"
UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
"""Seconds of a unit, the largest first; a unit is used from two of it on."""


def length(seconds: float) -> str:
    """Return *seconds* rounded down to one unit: ``45 s``, ``90 min``, ``14 h``, ``3 d``."""
    whole = abs(int(seconds))
    size, unit = next((u for u in UNITS if whole >= 2 * u[0]), UNITS[-1])
    return f"{whole // size} {unit}"


def relative_time(moment: dt.datetime, now: dt.datetime) -> str:
    """Return how far *moment* lies from *now*: ``in 14 h``, ``9 h ago`` or ``now``."""
    seconds = (moment - now).total_seconds()
    if abs(seconds) < 1:
        return "now"
    return f"in {length(seconds)}" if seconds > 0 else f"{length(seconds)} ago"


def clock(moment: dt.datetime) -> str:
    """Return *moment* with weekday and zone, and its seconds only where it has any: the one form of a time for people."""
    seconds = ":%S" if moment.second else ""
    return f"{moment:%a %Y-%m-%d %H:%M{seconds}} {zone(moment)}"


def zone(moment: dt.datetime) -> str:
    """Return the zone of *moment* as its clocks say it: ``CET``, or ``UTC-03`` where it has no letters."""
    name = f"{moment:%Z}"
    return f"UTC{name}" if name[:1] in {"+", "-"} else name


def clocks(moment: dt.datetime, viewer: dt.tzinfo) -> str:
    """Return :func:`clock`, and where the *viewer*'s clocks show another time that one, too."""
    theirs = moment.astimezone(viewer)
    if theirs.utcoffset() == moment.utcoffset():
        return clock(moment)
    day = "" if theirs.date() == moment.date() else "%a "
    return f"{clock(moment)} ({theirs:{day}%H:%M} {zone(theirs)})"


def number_of_rates(series: Series) -> str:
    """Return how many rates there are, and how many of them are drawn where that is not all."""
    whole = f"{series.number:,} rate{'' if series.number == 1 else 's'}"
    drawn = len(series.points)
    return whole if drawn == series.number else f"{whole}, {drawn:,} drawn"


def sparkline(values: Sequence[Decimal]) -> str:
    """Return one block for each of *values*, the lowest for the least of them; equal values stay level."""
    if not values:
        return ""
    least, most = min(values), max(values)
    if least == most:
        return BLOCKS[len(BLOCKS) // 2 - 1] * len(values)
    top = len(BLOCKS) - 1
    return "".join(BLOCKS[round((value - least) / (most - least) * top)] for value in values)


def as_json(value: Any) -> str:
    """Return JSON-ready *value* as the text that ``--json`` prints."""
    return json.dumps(value, indent=2, ensure_ascii=False)
