"""Remove, pause and resume: what takes wakeups out of the engines, and what brings them back.

The engine forgets a job before the journal does, so a removal that is cut short anywhere
leaves nothing that fires without a snapshot, and the next one converges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.errors import ConfigError
from ratectl.journal.journal import not_installed

if TYPE_CHECKING:
    from ratectl.deploy.install_lock import InstallLock
    from ratectl.journal.journal import Journal


import datetime as dt
import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ratectl import schedule
from ratectl.backends import BACKENDS
from ratectl.backends.protocol import Verb
from ratectl.deploy import elsewhere, plan
from ratectl.deploy.install import SpecSource
from ratectl.deploy.targets import Target, TargetPlan, cluster_of, located, recorded_target, stage
from ratectl.errors import EngineError, RatectlError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from ratectl.backends.protocol import Found, Host, InstalledEntry
    from ratectl.backends.reader import Reader
    from ratectl.backends.steps import Step
    from ratectl.deploy.install_lock import InstallLock
    from ratectl.journal.journal import Installed


MADE_UP = dt.timedelta(hours=1)
"""How old a slot may be at most that an engine makes up for when it wakes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Everything that a remove or pause will do, as values."""

    parts: tuple[TargetPlan, ...]
    forget: tuple[str, ...]
    """Of those, what the journal knows."""
    jobs: tuple[str, ...] = field(default=())
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


def pausing(
    held: Mapping[Target, Found], installed: Sequence[Installed], names: Collection[str]
) -> Removal:
    """Return what a pause of the jobs *names* will do: a removal, but where an engine lets its entries sleep."""
    removal = prepare(held, installed, names)
    parts = tuple(
        stage(part.target, part.found, plan.pauses(part.found.entries, names))
        if part.target.backend.SUSPENDS
        else part
        for part in removal.parts
    )
    return replace(removal, parts=tuple(part for part in parts if part.changes))


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
        for part in removal.parts:
            perform(part.steps)
            _look_after(part)
    except RatectlError:
        if _is_untouched(removal):
            lock.finish()
        raise
    note(removal.jobs)
    lock.finish()


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


def paused_sources(
    rows: Sequence[Installed], host: Host, reader: Reader
) -> Iterator[tuple[Target, SpecSource]]:
    """Yield where jobs stood before they were paused, with their snapshots as what to install there.

    Jobs that no engine of ours woke (those of ``serve``) are left out.
    """
    key = _group_key
    for _, group in itertools.groupby(sorted(rows, key=key), key):
        first, *_ = together = list(group)
        if first.backend in BACKENDS:
            jobs = tuple(row.job for row in together)
            source = SpecSource(jobs=jobs, path=first.spec, digest=first.digest, whole=False)
            yield located(recorded_target(first, host, reader)), source


def left_out(
    source: SpecSource, found: Mapping[str, InstalledEntry], now: dt.datetime
) -> dict[str, str]:
    """Return, for jobs of *source* whose engine would at once make up for a slot of their pause, from when slots count."""
    since = f"{now.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
    missed: dict[str, str] = {}
    for job in source.jobs:
        runs = found[job.name].runs if job.name in found else None
        if runs is not None:
            known = [moment for moment in (runs.created, runs.woken) if moment is not None]
            looked = max(*known, now - MADE_UP) if known else now - MADE_UP
            slot = next(schedule.after(job.schedule, job.zone, looked), None)
            if slot is not None and slot <= now:
                missed[job.name] = since
    return missed


def _group_key(row: Installed) -> tuple[object, ...]:
    return row.backend, row.scope, cluster_of(row) or (), row.spec, row.digest


def refuse_unknown(names: frozenset[str], removal: Removal, journal: Journal) -> None:
    """Raise ConfigError for a job among *names* that is not installed."""
    unknown = sorted(names - set(removal.jobs))
    if unknown:
        raise not_installed(unknown[0], [row.job.name for row in journal.readable()])
