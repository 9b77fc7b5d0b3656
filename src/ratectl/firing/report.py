"""What one firing takes from outside and what it says it did: values, for people and exit codes."""

from __future__ import annotations

import datetime as dt
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


class FiringReport:
    """What one firing of *job* did, told in *zone*, the job's own."""

    def __init__(
        self,
        *,
        job: str,
        zone: dt.tzinfo = dt.UTC,
        error: RatectlError | None = None,
        passing: bool = False,
    ) -> None:
        self.job = job
        self.zone = zone
        self.error = error
        """What it ends with; None is success."""
        self.passing = passing
        """The error is one that time may fix, and has not lasted for ``notify_after`` firings yet."""
        self.settled: list[Settled] = []
        self.note = ""
        """Why there was nothing to do, for people who asked."""
        self.owing = False
        """Another firing is at work on what failed before, and may fail as well."""
        self.remarks: tuple[str, ...] = ()
        """What else did not go well and changes nothing, such as a message that nobody took."""
        self.page = ""
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
