"""The outputs of one job during a firing: held under their locks, and filled from the journal.

Files and databases look alike from here. A delivery that fails keeps its lines in the journal, where
the next firing of any job finds them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ratectl.errors import ConfigError, RatectlError, TryLaterError
from ratectl.firing import locks, outbox, tables
from ratectl.firing.database import FILE
from ratectl.firing.deadline import Deadline
from ratectl.firing.sinks import FILES, SINKS, TABLES

if TYPE_CHECKING:
    import datetime as dt
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ratectl.firing.journal import Journal
    from ratectl.firing.quote import Quote
    from ratectl.model import Job, Output

PATIENCE = 30
"""Seconds that a database may let us wait at most, however long the job's timeout is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The way of *job*'s lines from *journal* to its outputs."""

    job: Job
    journal: Journal

    @contextlib.contextmanager
    def held(self, deadline: Deadline) -> Iterator[tuple[Output, ...]]:
        """Hold the locks of all outputs, in one order for all jobs, so that two never wait for each other.

        Two names of one file have one lock, which we must not wait for while we hold it.
        """
        places = {self._lock_path(output): output.target for output in self.job.outputs}
        with contextlib.ExitStack() as stack:
            for path, target in sorted(places.items()):
                if not stack.enter_context(locks.held(path, until=deadline)):
                    raise TryLaterError(f"{target}: another firing is writing to it")
            yield tuple(sorted(self.job.outputs, key=lambda output: output.target))

    def intent(self, output: Output) -> outbox.Intent | None:
        """Return the intent to append to a file, whose lock is held.

        None for a database, and where the output is in no state for it, which must not lose the rate.
        """
        sink = FILES.get(output.kind)
        if sink is None:
            return None
        try:
            return outbox.intend(self.journal.database, output.target, sink)
        except RatectlError:
            return None

    def enqueue(
        self,
        connection: sqlite3.Connection,
        output: Output,
        intent: outbox.Intent | None,
        slot: dt.datetime,
        quotes: Sequence[Quote],
    ) -> None:
        """Write what *output* is to get of *slot*, inside the caller's transaction."""
        outbox.enqueue(
            connection,
            _queue(output),
            intent,
            job=self.job.name,
            slot=int(slot.timestamp()),
            lines=SINKS[output.kind].lines(self.job, slot, quotes),
        )

    def drain(self, output: Output) -> RatectlError | None:
        """Deliver what waits for *output*, whose lock is held; return what stood in the way."""
        try:
            if output.kind in TABLES:
                self._drain_table(output)
            else:
                outbox.drain(self.journal.database, output.target, FILES[output.kind])
        except RatectlError as error:
            return error
        return None

    def rest(self) -> RatectlError | None:
        """Finish what an earlier firing committed and could not deliver, or was killed before."""
        error: RatectlError | None = None
        if any(outbox.waiting(self.journal.database, _queue(o)) for o in self.job.outputs):
            with self.held(Deadline(self.job.timeout)) as outputs:
                for output in outputs:
                    error = self.drain(output) or error
        return error

    def _drain_table(self, output: Output) -> None:
        if output.kind == "sqlite" and _same_file(output.target, self.journal.state_dir / FILE):
            raise ConfigError(
                f"{output}: is ratectl's own journal; name another file in the spec and install it again"
            )
        tables.drain(
            self.journal.database,
            _queue(output),
            TABLES[output.kind],
            output.target,
            seconds=min(self.job.timeout, PATIENCE),
        )

    def _lock_path(self, output: Output) -> Path:
        place = output.target if output.kind == "postgresql" else os.path.realpath(output.target)
        digest = hashlib.sha256(place.encode()).hexdigest()
        return self.journal.state_dir / "locks" / f"output-{digest[:24]}.lock"


def _queue(output: Output) -> str:
    """Return the name under which lines wait; rows for a file's table never mix with lines for that file."""
    return str(output) if output.kind in TABLES else output.target


def _same_file(target: str, other: Path) -> bool:
    try:
        return other.samefile(target)
    except OSError:
        return False
