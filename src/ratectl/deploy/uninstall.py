"""Remove: what takes entries out of the engines.

The engine forgets a job before the journal does, so a removal that is cut short anywhere
leaves nothing that fires without a snapshot, and the next one converges.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ratectl import paths
from ratectl.backends.protocol import Verb
from ratectl.deploy import plan
from ratectl.deploy.checks import elsewhere
from ratectl.deploy.targets import Target, TargetPlan, stage
from ratectl.errors import ConfigError, EngineError, RatectlError, StorageError
from ratectl.runtime import locks
from ratectl.runtime.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from ratectl.backends.protocol import Found
    from ratectl.backends.steps import Step
    from ratectl.deploy.install_lock import InstallLock
    from ratectl.journal.journal import Installed, Journal


PATIENCE = 30
"""Seconds in all that firings at work may take to end, before what wakes them is taken away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Everything that a remove or pause will do, as values."""

    parts: tuple[TargetPlan, ...]
    forget: tuple[str, ...]
    """Of those, what the journal knows."""
    jobs: tuple[str, ...] = ()
    """The jobs meant, whether or not any engine holds them."""
    unseen: bool = False
    """What some engine holds is not known, and stays."""


def prepare(
    found_at: Mapping[Target, Found], installed: Sequence[Installed], names: Collection[str] | None
) -> Removal:
    """Return what a remove of the jobs *names* (None: of all) will do, given a :func:`targets.inspect_all`."""
    recorded = {row.job.name for row in installed}
    others = elsewhere.of_others(found_at, frozenset(recorded))
    if foreign := sorted(set(names or ()) & set(others)):
        there = others[foreign[0]]
        raise ConfigError(
            f"{foreign[0]!r} is a job of another state directory, {there}, and left as it is; "
            f"`RATECTL_STATE_DIR={there} ratectl remove {foreign[0]}` removes it"
        )
    known = recorded.union(*(found.entries for found in found_at.values())) - set(others)
    affected = known if names is None else set(names) & known
    parts = tuple(
        part
        for target, found in found_at.items()
        if (part := stage(target, found, plan.removals(found.entries, affected))).changes
    )
    return Removal(
        parts=parts, forget=tuple(sorted(affected & recorded)), jobs=tuple(sorted(affected))
    )


def apply(
    removal: Removal,
    lock: InstallLock,
    *,
    perform: Callable[[Sequence[Step]], None],
    note: Callable[[Iterable[str]], None],
) -> None:
    """Perform *removal*, look whether the entries are gone, then let the journal *note* it.

    Raises EngineError where an entry is still there, and what a step raised.
    """
    lock.begin()
    try:
        _let_firings_end(removal)
        for part in removal.parts:
            perform(part.steps)
            _look_after(part)
    except RatectlError:
        if _is_untouched(removal):
            lock.finish()
        raise
    note(removal.jobs)
    lock.finish()


def _let_firings_end(removal: Removal) -> None:
    """Wait for the firings at work on the jobs of *removal*, though not for ever: systemd stops those that go on."""
    until = Deadline(PATIENCE)
    for part in removal.parts:
        for change in plan.pending(part.changes):
            lock = part.target.host.state_dir / "locks" / f"job-{change.job}.lock"
            if paths.exists(lock):
                with suppress(StorageError), locks.acquire(lock, until=until):
                    pass  # a lock that cannot be opened is nothing to wait for


def _look_after(part: TargetPlan) -> None:
    """Raise EngineError where an entry is still there, or still awake."""
    target = part.target
    left = target.backend.inspect(target.reader, target.host, target.scope).entries
    stay = [
        change.job
        for change in part.changes
        if change.job in left and (change.verb is Verb.DELETE or left[change.job].enabled)
    ]
    if stay:
        raise EngineError(
            f"{target}: still holds {', '.join(stay)} after the removal; run it again"
        )


def _is_untouched(removal: Removal) -> bool:
    """Tell whether every engine still holds what it did before, so that nothing is half done."""
    try:
        return all(
            part.target.backend.inspect(
                part.target.reader, part.target.host, part.target.scope
            ).entries
            == part.found.entries
            for part in removal.parts
        )
    except RatectlError:
        return False


def refuse_unknown(names: frozenset[str], removal: Removal, journal: Journal) -> None:
    """Raise ConfigError for a job among *names* that is not installed."""
    unknown = sorted(names - set(removal.jobs))
    if not unknown:
        return
    raise journal.unknown_job(unknown[0])
