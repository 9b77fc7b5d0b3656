"""What one firing takes from outside and what it says it did: values, for people and exit codes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ratectl.model.quote import plain
from ratectl.views.format import clock

if TYPE_CHECKING:
    from ratectl.errors import RatectlError
    from ratectl.model.quote import Quote


class Settled(NamedTuple):
    """What one pass did about one slot."""

    slot: dt.datetime
    outcome: str
    """recorded, closed, missed, failed, "held" when another host is at work on it, or "settled" when nothing was
    left to do; of a day asked for again "revised" or "unchanged"."""
    quotes: tuple[Quote, ...] = ()
    warnings: tuple[str, ...] = ()
    taken_back: tuple[str, ...] = ()
    """Those of the warnings that tell of numbers which a person took back."""
    error: RatectlError | None = None

    def described(self, zone: dt.tzinfo) -> str:
        """Return slot (in *zone*), outcome and rates as one line for people."""
        rates = ", ".join(f"{q.pair} {plain(q.rate)} ({q.provider})" for q in self.quotes)
        slot = clock(self.slot.astimezone(zone))
        told = " ".join(filter(None, (slot, self.outcome, rates)))
        return "; ".join((told, *self.warnings))


@dataclass(slots=True, kw_only=True)
class FiringReport:
    """What one firing did."""

    job: str
    zone: dt.tzinfo = dt.UTC
    """Of the job, in which people read its slots."""
    settled: list[Settled] = field(default_factory=list)
    note: str = ""
    """Why there was nothing to do, for people who asked."""
    error: RatectlError | None = None
    """What it ends with; None is success."""
    owing: bool = False
    """Another firing is at work on what failed before, and may fail as well."""
    passing: bool = False
    """The error is one that time may fix, and has not lasted for ``notify_after`` firings yet."""
    remarks: tuple[str, ...] = ()
    """What else did not go well and changes nothing, such as a message that nobody took."""
    page: str = ""
    """Why the report page was not written, which changes nothing either."""

    def lines(self) -> tuple[str, ...]:
        """Return an account of the firing for people, without its error."""
        note = (self.note,) if self.note else ()
        page = (self.page,) if self.page else ()
        return (
            *(settled.described(self.zone) for settled in self.settled),
            *note,
            *self.remarks,
            *page,
        )

    def add(self, settled: Settled) -> None:
        """Note one slot; the first error of a firing is the one it ends with."""
        self.settled.append(settled)
        self.error = self.error or settled.error
