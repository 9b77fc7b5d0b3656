"""Civil time <-> instants in one time zone: the daylight-saving rule and the clock changes.

A civil time maps to the first instant at which the zone's clocks show it or have
passed it: in a gap that is the gap's end, in a fold the first occurrence. The
mapping never decreases. Instants are aware datetimes in UTC.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

SECOND = dt.timedelta(seconds=1)
DAY = dt.timedelta(days=1)
COVER_YEARS = (2026, 2038)
"""The years whose clock changes a cover is checked against; 2038 is where 32-bit zone rules repeat from."""


class Change(NamedTuple):
    """One clock change: at the instant *at*, the offset from UTC goes from *old* to *new*."""

    at: dt.datetime
    old: dt.timedelta
    new: dt.timedelta

    @property
    def is_gap(self) -> bool:
        """Tell whether clocks jump forward."""
        return self.new > self.old


def offset(zone: ZoneInfo, instant: dt.datetime) -> dt.timedelta:
    """Return the offset from UTC that *zone* has at *instant*."""
    return offset_of(instant.astimezone(zone))


def offset_of(shown: dt.datetime) -> dt.timedelta:
    """Return the offset from UTC of *shown*, a time in a zone."""
    found = shown.utcoffset()
    assert found is not None  # noqa: S101 - a ZoneInfo always has an offset
    return found


def wall(zone: ZoneInfo, instant: dt.datetime) -> dt.datetime:
    """Return what the clocks of *zone* show at *instant*, as a naive datetime."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def first_instant(zone: ZoneInfo, civil: dt.datetime) -> dt.datetime:
    """Return the first instant at which the clocks of *zone* show naive *civil* or have passed it.

    A *civil* with an offset is an instant itself: the second time that clocks show it.
    """
    if civil.tzinfo is not None:
        return civil.astimezone(dt.UTC)
    meant = civil.replace(tzinfo=zone, fold=0)
    instant = meant.astimezone(dt.UTC)
    if instant.astimezone(zone) == meant:  # of one zone: what the clocks show is compared
        return instant
    before_gap = civil.replace(tzinfo=zone, fold=1).astimezone(dt.UTC)
    return change_between(zone, before_gap, instant)


def change_between(zone: ZoneInfo, low: dt.datetime, high: dt.datetime) -> dt.datetime:
    """Return the first instant after *low* whose offset differs; *high* must differ from *low*."""
    old = offset(zone, low)
    while high - low > SECOND:
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        low, high = (middle, high) if offset(zone, middle) == old else (low, middle)
    return high


@lru_cache(maxsize=64)
def changes(zone: ZoneInfo) -> tuple[Change, ...]:
    """Return the clock changes of *zone* within ``COVER_YEARS``, ascending."""
    first, last = COVER_YEARS
    found = []
    instant, end = dt.datetime(first, 1, 1, tzinfo=dt.UTC), dt.datetime(last, 1, 1, tzinfo=dt.UTC)
    old = offset(zone, instant)
    while instant < end:
        new = offset(zone, instant + DAY)
        if new != old:
            at = change_between(zone, instant, instant + DAY)
            found.append(Change(at=at, old=old, new=new))
        instant, old = instant + DAY, new
    return tuple(found)


@lru_cache(maxsize=64)
def offsets(zone: ZoneInfo) -> frozenset[dt.timedelta]:
    """Return every offset from UTC that *zone* has within ``COVER_YEARS``."""
    start = dt.datetime(COVER_YEARS[0], 1, 1, tzinfo=dt.UTC)
    return frozenset({offset(zone, start)} | {change.new for change in changes(zone)})
