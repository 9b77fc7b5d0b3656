"""Jobs that bear another name in their spec than where they were installed: found, refused, and kept still meanwhile."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ratectl.errors import ConfigError, TryLaterError
from ratectl.runtime import accounts, locks
from ratectl.runtime.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ratectl.journal.journal import Installed, Journal
    from ratectl.model.job import Job

PATIENCE = 120
"""Seconds that a firing at work is waited for."""


def noticed(
    jobs: Sequence[Job], spec: str, known: Mapping[str, Installed], taken: Collection[str] = ()
) -> dict[str, str]:
    """Return the jobs that were renamed in *spec*, old name to new: one is gone from it, and one is new that does the same.

    *known* are the installed jobs; a name that is *taken* has a record of its own, of a job that was removed, and
    two records are not mixed. Where several do the same, nobody can tell which is which.
    """
    names = {job.name for job in jobs}
    gone = [row.job for row in known.values() if row.spec == spec and row.job.name not in names]
    if not gone:
        return {}
    free = [job for job in jobs if job.name not in known and job.name not in taken]
    new = [job for job in free if not accounts.is_foreign(job.user)]
    olds, news = _by_purpose(gone), _by_purpose(new)
    pairs = ((olds[purpose], news[purpose]) for purpose in olds if purpose in news)
    return {old[0].name: new[0].name for old, new in pairs if len(old) == len(new) == 1}


def likely(gone: Sequence[Job], new: Sequence[Job]) -> tuple[str, str] | None:
    """Return the old and the new name where one job of each has the same pairs or outputs, so that a person may have renamed it."""
    found = [
        (old.name, job.name)
        for old in gone
        for job in new
        if old.pairs == job.pairs or set(old.outputs) & set(job.outputs)
    ]
    return found[0] if len(found) == 1 else None


def _by_purpose(jobs: Iterable[Job]) -> dict[object, list[Job]]:
    found: dict[object, list[Job]] = {}
    for job in jobs:
        when = (job.schedule_texts, job.timezone, job.start, job.end)
        found.setdefault((job.pairs, when, job.outputs), []).append(job)
    return found


def left(journal: Journal, known: Iterable[str], names: Iterable[str]) -> dict[str, str]:
    """Return the old names that an engine may still hold, since a rename was cut short, each with its new one."""
    taken = {*known, *names}
    return {old: new for old, new in journal.renamed().items() if old not in taken}


def refuse_account(user: str, name: str) -> None:
    """Raise ConfigError where the job *name* runs as another account, whose record cannot be renamed from here."""
    if accounts.is_foreign(user):
        raise ConfigError(
            f"rename: {name!r} runs as {user}, and what it recorded lies with that account; give it the new name "
            f"in the spec, `ratectl remove {name}`, and install the spec: the record stays under the old name"
        )


def refuse_taken(journal: Journal, new: str) -> None:
    """Raise ConfigError where the name *new* is another job's, or has a record of its own."""
    if new not in journal.known():
        return
    purging = f"`ratectl remove {new} --purge`"
    if all(row.job.name != new for row in journal.readable()):
        raise ConfigError(
            f"rename: {new!r} has a record of its own already, and two records are not mixed; choose "
            f"another name, or delete that one: {purging}"
        )
    if next(iter(journal.store_of_job(new).quotes(new)), None) is not None:
        raise ConfigError(
            f"rename: {new!r} is another job, which is installed and has a record of its own; choose another name"
        )
    raise ConfigError(
        f"rename: {new!r} is installed already, and has recorded nothing yet; if it was put there for this new name, "
        f"{purging} takes it out again, and then the same command does it"
    )


@contextlib.contextmanager
def at_rest(state_dir: Path, names: Iterable[str]) -> Iterator[None]:
    """Hold the jobs *names* still: a firing at work ends first, and none begins. Raises TryLaterError where one stays at work."""
    with contextlib.ExitStack() as held:
        for name in sorted(names):
            path = state_dir / "locks" / f"job-{name}.lock"
            if not held.enter_context(locks.acquire(path, until=Deadline(PATIENCE))):
                raise TryLaterError(
                    f"{name}: a firing is still at work on it; run the same command again in a moment"
                )
        yield
