"""The outputs of one job during a firing: held under their locks, and filled from the journal.

Files and databases look alike from here. A delivery that fails keeps its lines in the journal, where
the next firing of any job finds them.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING

from ratectl.errors import ConfigError, RatectlError, TryLaterError
from ratectl.journal.rows import unix
from ratectl.journal.sqlite_database import FILE
from ratectl.outputs import dated, outbox
from ratectl.outputs.formats import FILES, SINKS, TABLES
from ratectl.runtime import locks, trust
from ratectl.runtime.deadline import Deadline

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from ratectl.journal.rate_store import Database, Settlement
    from ratectl.journal.statements import Statements
    from ratectl.model.job import Job, Output

PATIENCE = 30
"""Seconds that a database may let us wait at most, however long the job's timeout is."""


class Delivery:
    """The way of *job*'s lines from the store in *database* to its outputs; locks lie in *state_dir*."""

    def __init__(self, job: Job, database: Database, state_dir: Path) -> None:
        self.job = job
        self.database = database
        self.state_dir = state_dir

    @contextlib.contextmanager
    def lock_outputs(
        self, deadline: Deadline, slots: Iterable[dt.datetime] = ()
    ) -> Iterator[tuple[Output, ...]]:
        """Hold the locks of all outputs as they are named for *slots*, and of those for which lines wait, in one order for all jobs, so that two never wait for each other.

        Two names of one file have one lock, which we must not wait for while we hold it.
        """
        outputs = self._named(slots)
        target_of = {self._lock_path(output): output.target for output in outputs}
        with contextlib.ExitStack() as stack:
            for path, target in sorted(target_of.items()):
                if not stack.enter_context(locks.acquire(path, until=deadline)):
                    raise TryLaterError(f"{target}: another firing is writing to it")
            yield tuple(sorted(outputs, key=lambda output: output.target))

    def _named(self, slots: Iterable[dt.datetime]) -> list[Output]:
        """Return the outputs with the names that they have on the days of *slots*, or under which lines wait."""
        days = {slot.astimezone(self.job.zone).date() for slot in slots}
        found: dict[Output, None] = {}
        for output in self.job.outputs:
            if output.is_template:
                found |= dict.fromkeys((*map(output.on, sorted(days)), *self._waiting(output)))
            else:
                found[output] = None
        return list(found)

    def _waiting(self, template: Output) -> Iterator[Output]:
        """Yield *template* under the names for which lines wait."""
        prefix = self._queue(template).removesuffix(template.target)
        for row in self.database.rows("SELECT DISTINCT target FROM lines"):
            found = template.at(row["target"].removeprefix(prefix))
            if found is not None:
                yield found

    def _is_for(self, output: Output, slot: dt.datetime) -> bool:
        """Tell whether *output* is what one of the job's outputs is called on the day of *slot*."""
        day = slot.astimezone(self.job.zone).date()
        return any(named.on(day) == output for named in self.job.outputs)

    def intent(self, output: Output) -> outbox.Intent | None:
        """Return the intent to append to a file, whose lock is held.

        None for a database, and where the output is in no state for it, which must not lose the rate.
        """
        sink = FILES.get(output.kind)
        if sink is None:
            return None
        try:
            return outbox.plan_append(self.database, output.target, sink)
        except RatectlError:
            return None

    def enqueue(
        self,
        connection: Statements,
        output: Output,
        intent: outbox.Intent | None,
        settlements: Sequence[Settlement],
    ) -> None:
        """Write what *output* is to get of *settlements*, inside the caller's transaction."""
        settlements = [done for done in settlements if self._is_for(output, done.slot)]
        sink = SINKS[output.kind]
        name = self._queue(output)
        by_day = output.kind in FILES and FILES[output.kind].BY_DAY
        memory = dated.Memory(connection, name, self.job.name, settlements) if by_day else None
        lines = [
            (unix(done.slot), line)
            for done in settlements
            for line in sink.lines(
                self.job, done.slot, memory.news(done.quotes) if memory else done.quotes
            )
        ]
        outbox.enqueue(connection, name, intent, job=self.job.name, lines=lines)

    def drain(self, output: Output) -> RatectlError | None:
        """Deliver what waits for *output*, whose lock is held; return what stood in the way."""
        try:
            if output.kind in TABLES:
                self._drain_table(output)
            else:
                outbox.drain(self.database, output.target, FILES[output.kind])
        except RatectlError as error:
            return error
        return None

    def rest(self) -> RatectlError | None:
        """Finish what an earlier firing committed and could not deliver, or was killed before."""
        error: RatectlError | None = None
        if any(outbox.waiting(self.database, self._queue(o)) for o in self._named(())):
            with self.lock_outputs(Deadline(self.job.timeout)) as outputs:
                for output in outputs:
                    error = self.drain(output) or error
        return error

    def _drain_table(self, output: Output) -> None:
        if output.kind == "sqlite" and _same_file(output.target, self.state_dir / FILE):
            raise ConfigError(
                f"{output}: is ratectl's own journal; name another file in the spec and install it again"
            )
        from ratectl.outputs import table_queue  # noqa: PLC0415 - for tables only

        table_queue.drain(
            self.database,
            self._queue(output),
            TABLES[output.kind],
            output.target,
            seconds=min(self.job.timeout, PATIENCE),
        )

    def _queue(self, output: Output) -> str:
        """Return the name under which lines wait; rows for a file's table never mix with lines for that file."""
        name = str(output) if output.kind in TABLES else output.target
        return outbox.queue(self.database, name)

    def _lock_path(self, output: Output) -> Path:
        name = output.target if output.kind == "postgresql" else trust.real(output.target)
        digest = hashlib.sha256(name.encode()).hexdigest()
        return self.state_dir / "locks" / f"output-{digest[:24]}.lock"


def _same_file(target: str, other: Path) -> bool:
    try:
        return other.samefile(target)
    except OSError:
        return False
