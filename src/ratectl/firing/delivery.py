"""The outputs of one job during a firing: held under their locks, and filled from the journal.

A delivery that fails keeps its lines in the journal, where the next firing of any job finds them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ratectl.errors import RatectlError, TryLaterError
from ratectl.firing import locks, outbox
from ratectl.firing.deadline import Deadline
from ratectl.firing.sinks import SINKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ratectl.firing.book import Book
    from ratectl.model import Job, Output


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The way of *job*'s lines from the *book* to its outputs."""

    job: Job
    book: Book
    state_dir: Path

    @contextlib.contextmanager
    def held(self, deadline: Deadline) -> Iterator[tuple[Output, ...]]:
        """Hold the locks of all outputs, in one order for all jobs, so that two never wait for each other.

        Two names of one file have one lock, which we must not wait for while we hold it.
        """
        files = {self._lock_path(output.target): output.target for output in self.job.outputs}
        with contextlib.ExitStack() as stack:
            for path, target in sorted(files.items()):
                if not stack.enter_context(locks.held(path, until=deadline)):
                    raise TryLaterError(f"{target}: another firing is writing to it")
            yield tuple(sorted(self.job.outputs, key=lambda output: output.target))

    def drain(self, output: Output) -> RatectlError | None:
        """Append what waits for *output*, whose lock is held; return what stood in the way."""
        try:
            outbox.drain(self.book.store, output.target, SINKS[output.kind])
        except RatectlError as error:
            return error
        return None

    def rest(self) -> RatectlError | None:
        """Finish what an earlier firing committed and could not deliver, or was killed before."""
        error: RatectlError | None = None
        if any(outbox.waiting(self.book.store, o.target) for o in self.job.outputs):
            with self.held(Deadline(self.job.timeout)) as outputs:
                for output in outputs:
                    error = self.drain(output) or error
        return error

    def _lock_path(self, target: str) -> Path:
        digest = hashlib.sha256(os.path.realpath(target).encode()).hexdigest()
        return self.state_dir / "locks" / f"output-{digest[:24]}.lock"


def intent(output: Output) -> outbox.Intent | None:
    """Return the intent to append; None where the output is in no state for it, which must not lose the rate."""
    try:
        return outbox.intend(output.target, SINKS[output.kind])
    except RatectlError:
        return None
