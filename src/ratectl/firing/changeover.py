"""What an install sees to before jobs record elsewhere than they did: the new book can be used, the old one owes nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ratectl.errors import ConfigError, RatectlError, TryLaterError
from ratectl.firing.delivery import Delivery
from ratectl.firing.sinks import FILES

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from ratectl.firing.journal import Journal
    from ratectl.model import Job


def out_of_reach(journal: Journal, jobs: Iterable[Job], now: dt.datetime) -> list[TryLaterError]:
    """Make the books of *jobs* ready to use; return why some cannot be reached now, which time may mend.

    Raises RatectlError for one that cannot be used at all.
    """
    errors = []
    for book in dict.fromkeys(journal.book(job) for job in jobs):
        try:
            book.store.clock(now)
        except TryLaterError as error:
            errors.append(error)
    return errors


def refuse_shared_files(journal: Journal, jobs: Iterable[Job]) -> None:
    """Raise ConfigError where one file would be appended to out of two journals, of which neither knows what the other began."""
    together = {row.job.name: row.job for row in journal.readable()}
    together |= {job.name: job for job in jobs}
    writers: dict[str, Job] = {}
    for job in together.values():
        for output in job.outputs:
            other = writers.setdefault(os.path.realpath(output.target), job)
            if output.kind in FILES and other.journal != job.journal:
                raise ConfigError(
                    f"{output.target}: {job.name!r} and {other.name!r} write to it and have different "
                    "journals; give each an output of its own, or one journal"
                )


def deliver_first(journal: Journal, jobs: Iterable[Job]) -> None:
    """Deliver what waits in the books that *jobs* are about to leave, where nobody would look for it again.

    Raises what stands in the way.
    """
    before = {row.job.name: row.job for row in journal.readable()}
    for job in jobs:
        old = before.get(job.name)
        if old is None or old.journal == job.journal:
            continue
        try:
            error = Delivery(old, journal.book(old).store, journal.state_dir).rest()
        except RatectlError as failure:
            error = failure
        if error is not None:
            raise type(error)(
                f"job {job.name!r} is to change its journal, and the old one still holds lines for its "
                f"outputs, or cannot tell: {error}; mend that, or `ratectl remove {job.name}` first"
            ) from error
