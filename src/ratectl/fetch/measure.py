"""What a new rate is measured against, and whether that number may itself be the wrong one.

A number that was typed or read from a file passed no gate, and neither did a first one. Such a number that nothing recorded
beside it bears out holds what comes after it for a few publications at most, and is named with what takes it back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.fetch import plausibility
from ratectl.model.quote import BY_HAND, IMPORTED, plain

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from ratectl.fetch.plausibility import Jump
    from ratectl.journal.rate_store import Neighbour, RateStore
    from ratectl.model.quote import Quote

AGAINST_TYPED, AGAINST_FIRST = 1, 2
"""As many earlier publications that say the same outweigh a lone number that a person entered, or that was published."""


def jump(
    store: RateStore, job: str, quote: Quote, near: Neighbour | None, zone: dt.tzinfo
) -> Jump | None:
    """Return the jump of *quote*, which is for *job*, from *near*, or from what stands beside that where *near* is out of line."""
    if near is None:
        return None
    found = _jump(quote, near, job)
    if found is None or not found.is_suspect:
        return found
    others = list(store.beside(near))
    if any(not _is_suspect(near.quote, other) for other in others):
        return found
    typed = is_typed(near.quote)
    if not (typed or (found.is_scale_error and not others)):
        return found
    found = found._replace(undo=undo(near, zone), other=_named(near.quote))
    if not others:
        return found._replace(repeats=AGAINST_TYPED if typed else AGAINST_FIRST)
    other = min(others, key=lambda one: abs(one.quote.rate_date - quote.rate_date))
    if _is_suspect(quote, other):
        return _jump(quote, other, job)
    number, day = plain(other.quote.rate), other.quote.rate_date
    reason = f"{found.reason}; it goes with {number} of {day}"
    return found._replace(reason=reason, is_suspect=False, is_scale_error=False)


def doubt(
    store: RateStore, job: str, quote: Quote, near: Iterable[Neighbour], zone: dt.tzinfo
) -> Jump | None:
    """Return why *quote* is hard to believe beside *near*, what is recorded before and after it; or None."""
    jumps = [jump(store, job, quote, one, zone) for one in near]
    found = [one for one in jumps if one is not None]
    return max(found, key=lambda one: one.is_suspect, default=None)


def is_typed(quote: Quote) -> bool:
    """Tell whether *quote* was entered by a person, or read from a file: nothing but a warning stood in its way."""
    return quote.provider == BY_HAND or quote.kind == IMPORTED


def undo(near: Neighbour, zone: dt.tzinfo) -> str:
    """Return the command that takes *near* back, with its slot in *zone*."""
    slot = near.slot.astimezone(zone).isoformat()
    return f"ratectl review void {slot} --job {near.job} --pair {near.quote.pair}"


def told(found: Jump) -> str:
    """Return what is said of *found*: where the other number may be the wrong one, also what takes that back."""
    return "; ".join(filter(None, (found.reason, way_out(found))))


def way_out(found: Jump) -> str:
    """Return what takes the other number back, in a clause; an empty text where that one is borne out."""
    return f"if {found.other} is wrong, `{found.undo}` takes it back" if found.undo else ""


def advice(found: Jump, undo: str) -> str:
    """Return what is said of a number that was written all the same: *undo* takes it back; a typed one that it is far from may be wrong, too."""
    if found.undo and not found.is_suspect:  # it goes with a third one
        return told(found)
    said = f"{found.reason}; `{undo}` takes it back"
    if found.undo and found.repeats == AGAINST_TYPED:
        said += f", `{found.undo}` the other one, {found.other.rstrip(',')}"
    return said


def _named(quote: Quote) -> str:
    number = plain(quote.rate)
    if quote.provider == BY_HAND:
        return f"{number}, which was entered by hand,"
    return f"{number}, which was read from a file," if quote.kind == IMPORTED else number


def _jump(quote: Quote, near: Neighbour, job: str) -> Jump | None:
    return plausibility.jump(quote, near.quote, of_job=near.job if near.job != job else "")


def _is_suspect(quote: Quote, other: Neighbour) -> bool:
    found = plausibility.jump(quote, other.quote)
    return found is not None and found.is_suspect
