"""Install: inspect, check, render, plan, stage, perform, read back.

The journal knows a job before the engine can wake it, so a run that is cut short anywhere leaves
nothing that fires without a snapshot, and the next run converges. What the engine refuses, or
does not hold as installed, is taken back: engine and journal are as they were.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ratectl.backends import BACKENDS
from ratectl.backends.protocol import EngineAbsentError
from ratectl.backends.reader import OnceReader
from ratectl.deploy import plan, spec_keys
from ratectl.deploy import renames as renaming
from ratectl.deploy.checks import (
    closed_folders,
    elsewhere,
    other_accounts,
    other_specs,
    report_page,
    writable,
)
from ratectl.deploy.read_back import read_back
from ratectl.deploy.targets import (
    Target,
    TargetPlan,
    clusters,
    inspect_all,
    located,
    place_of,
    recorded_target,
    render,
    same_target,
    stage,
    stands_at,
    with_way_out,
)
from ratectl.errors import ConfigError, EngineError, RatectlError
from ratectl.model import unknown_pairs
from ratectl.schedule.cover.triggers import Fidelity
from ratectl.wording import SWITCHED_OFF, listed, typed_names

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from ratectl.backends.protocol import Found, InstalledEntry
    from ratectl.backends.steps import Step
    from ratectl.deploy.install_lock import InstallLock
    from ratectl.journal.job_store import JobRowBackup
    from ratectl.journal.journal import Installed, Journal
    from ratectl.model.job import Job
    from ratectl.schedule.cover.triggers import Cover


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecSource:
    """The jobs of one spec file, as they are to be installed."""

    jobs: tuple[Job, ...]
    path: str
    digest: str
    """Of the file's bytes."""
    whole: bool = True
    """All jobs of the file: what is not among them is no longer in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Everything that an install will do, as values: a dry run prints it, a real one performs it."""

    main: TargetPlan
    moves: tuple[TargetPlan, ...]
    """Entries of the same jobs at other sites, which go before the new ones come."""
    source: SpecSource
    covers: Mapping[str, Cover]
    record: tuple[Job, ...]
    """Jobs whose snapshot in the journal is new or changes."""
    forget: tuple[str, ...]
    """Jobs that the journal marks as removed."""
    renames: Mapping[str, str] = field(default_factory=dict)
    """Jobs that have another name in the spec, old to new: what is recorded goes along."""
    renamed: tuple[str, ...] = ()
    """Old names, as of these renames and of one that was cut short, that no engine holds afterwards."""
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By job, a line for each key of the spec that says something else than when it was installed."""
    before: tuple[Step, ...] = ()
    """Folders that are made first, and stay whatever becomes of the rest."""
    warnings: tuple[str, ...] = ()
    after: tuple[Step, ...] = ()
    """What lets entries run that would stay asleep; last, since it is not taken back."""

    @property
    def empty(self) -> bool:
        """Nothing has to be done at all."""
        parts = (self.main, *self.moves)
        first = self.before or self.after
        of_the_journal = self.record or self.forget or self.renamed
        return not (first or of_the_journal or any(plan.pending(p.changes) for p in parts))


def covers_of(target: Target, jobs: Sequence[Job], done: str = "installed") -> dict[str, Cover]:
    """Return the cover of each job. Raises ConfigError, which lists every job that the engine cannot wake, so that nothing was *done*."""
    covers = {job.name: target.backend.check(job, target.host.zone) for job in jobs}
    refused = {name: c for name, c in covers.items() if c.fidelity is Fidelity.REFUSED}
    if refused:
        lines = (f"  {name}: {cover.reason}" for name, cover in refused.items())
        raise ConfigError(
            f"{target.backend.NAME} cannot wake these jobs, so nothing was {done}:\n"
            + "\n".join(lines)
        )
    return covers


def files(target: Target, jobs: Sequence[Job]) -> dict[str, bytes]:
    """Return the files that hold the native texts of the enabled *jobs*, by name; ordered by job."""
    covers = covers_of(target, jobs, "written")
    ordered = sorted((job for job in jobs if job.enabled), key=lambda job: job.name)
    artefacts = [
        text
        for job in ordered
        for text in target.backend.render(job, covers[job.name], target.host, target.scope)
    ]
    return dict(target.backend.output_files(artefacts))


def prepare(
    target: Target,
    source: SpecSource,
    journal: Journal,
    *,
    prune: bool = False,
    rewrite_all: bool = False,
    enable_linger: bool = False,
    renames: Mapping[str, str] | None = None,
) -> Prepared:
    """Return what an install of *source* at *target* will do. Looks, and changes nothing.

    With *enable_linger* it also does away with why entries could stay asleep, where it can. Jobs that were
    renamed are those of *renames*, by default those that :func:`renames.noticed` tells.
    """
    looking = replace(target, reader=OnceReader(target.reader))
    other_accounts.refuse(looking, source.jobs, source.path)
    known = _known(target, source, journal, renames)
    removed = known.gone if prune else frozenset()
    covers = covers_of(target, source.jobs)
    where = (target.reader, target.host, target.scope)
    found = target.backend.inspect(*where)
    _refuse_jobs_of_other_journals(target, found, known.names - frozenset(known.installed))
    inactive = _inactive(target, found, source.jobs, known)
    awake = [job for job in source.jobs if job.name not in inactive]
    changes = plan.changes(
        {job.name: render(target, job, covers[job.name]) for job in awake},
        found.entries,
        inactive=inactive,
        prune=removed,
        rewrite_all=rewrite_all,
        difference=target.backend.difference,
    )
    if source.whole:  # a pause that ends, or another name, changes nothing of what is written to
        writable.refuse(looking, source.jobs)
        report_page.refuse(source.jobs, journal.readable())
    look = _left_anywhere if rewrite_all else _moves
    moves = look(target, found, known.installed, known.affected | removed)
    of_the_server = target.backend.dry_run(target.reader, changes, target.host, target.scope)
    linger = target.backend.enable_linger(*where) if enable_linger else ()
    return Prepared(
        before=tuple(other_accounts.folders_to_make(target, source.jobs)),
        after=linger,
        main=stage(target, found, changes),
        moves=tuple(part for part in moves if part.changes),
        source=source,
        covers=covers,
        record=tuple(job for job in source.jobs if _is_news(job, known, target, source)),
        forget=tuple(sorted(removed)),
        renames=known.renames,
        renamed=tuple(sorted({*known.left, *known.renames})),
        keys=_changed_keys(source.jobs, known.installed),
        warnings=(
            *_left_out(known.gone - removed, source.path, known, target, found),
            *_likely_renamed(known, known.gone - removed, source, journal.known()),
            *of_the_server,
            *(() if linger else target.backend.warnings(*where)),
            *_at_rest(known),
            *_switched_off(source.jobs),
            *other_accounts.open_secrets(target, source.jobs),
            *closed_folders.warnings(awake, target.host, target.reader),
            *unknown_pairs.warnings(awake),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the journal knows of the jobs of a spec, before an install."""

    names: frozenset[str]
    """Of the jobs in the spec."""
    installed: Mapping[str, Installed]
    """By the name that each job has, or gets with this install."""
    lacking: frozenset[str]
    """Jobs whose snapshot is not whole."""
    gone: frozenset[str]
    """Jobs that were installed from this spec and are no longer in it."""
    renames: Mapping[str, str]
    """Old name to new."""
    left: Mapping[str, str]
    """Old names, each with its new one, that an engine may still hold since a rename was cut short."""

    @property
    def affected(self) -> frozenset[str]:
        """All names under which an engine may hold one of these jobs."""
        return self.names | frozenset(self.renames) | frozenset(self.left)


def _known(
    target: Target, source: SpecSource, journal: Journal, renames: Mapping[str, str] | None
) -> _Known:
    """Return what *journal* knows of *source*. Raises ConfigError for jobs of another spec file."""
    lacking = journal.lacking(source.jobs)
    installed = {row.job.name: row for row in journal.readable()}
    names = frozenset(job.name for job in source.jobs)
    other_specs.refuse(target.reader, source.jobs, source.path, installed)
    if renames is None and source.whole:
        renames = renaming.noticed(source.jobs, source.path, installed, journal.known())
    renames = renames or {}
    left = renaming.left(journal, installed, names)
    for old, new in renames.items():
        installed[new] = installed.pop(old)
    return _Known(
        names=names,
        installed=installed,
        lacking=lacking,
        gone=_gone(source, installed),
        renames=renames,
        left=left,
    )


def _inactive(target: Target, found: Found, jobs: Sequence[Job], known: _Known) -> dict[str, str]:
    """Return the jobs that get no entry, each with why."""
    paused = {name: "paused" for name, row in known.installed.items() if row.paused}
    if target.backend.SUSPENDS:  # a paused entry stays, and what the spec says of it is kept up
        paused = {name: why for name, why in paused.items() if name not in found.entries}
    off = {job.name: "switched off in the spec" for job in jobs if not job.enabled}
    old = {**known.left, **known.renames}
    return paused | off | {name: f"renamed to {new}" for name, new in old.items()}


def apply(
    prepared: Prepared,
    journal: Journal,
    lock: InstallLock,
    *,
    perform: Callable[[Sequence[Step]], None],
    clock: Callable[[], dt.datetime],
) -> dict[str, InstalledEntry]:
    """Perform *prepared*, read back, and return the entries that now stand.

    Raises EngineError where the engine does not hold what was installed, or will run at another
    time, and what a step raised; then nothing of it is left.
    """
    lock.begin()
    before = journal.backup((*(job.name for job in prepared.record), *prepared.renames))
    try:
        perform(prepared.before)
        with renaming.at_rest(journal.state_dir, prepared.renames):
            if prepared.renames:
                journal.rename_jobs(prepared.renames)
            _record(prepared, journal, clock())
        for part in (*prepared.moves, prepared.main):
            perform(part.steps)
        entries = read_back(prepared.main, prepared.source.jobs, prepared.covers, clock)
        perform(prepared.after)
    except RatectlError as error:
        _take_back(prepared, journal, before, perform, error)
        lock.finish()
        raise error.saying(f"{error}\nEverything is as it was before.") from error
    if prepared.forget:
        journal.forget_jobs(prepared.forget)
    if prepared.renamed:
        journal.end_renames(prepared.renamed)
    lock.finish()
    return entries


def _record(prepared: Prepared, journal: Journal, now: dt.datetime) -> None:
    target = prepared.main.target
    if prepared.record:
        journal.record_jobs(
            prepared.record,
            spec=prepared.source.path,
            digest=prepared.source.digest,
            backend=target.backend.NAME,
            scope=target.scope,
            host_timezone=target.host.zone.key,
            now=now,
            source=target.place,
        )


def undo(
    done: Sequence[Prepared],
    journal: Journal,
    error: RatectlError,
    *,
    perform: Callable[[Sequence[Step]], None],
) -> None:
    """Take the installs *done* back, since what belongs to them failed with *error*. Raises EngineError where that is refused."""
    for prepared in reversed(done):
        _take_back(prepared, journal, {}, perform, error)


def _take_back(
    prepared: Prepared,
    journal: Journal,
    before: JobRowBackup,
    perform: Callable[[Sequence[Step]], None],
    error: RatectlError,
) -> None:
    """Bring engines and journal to where they were. Raises EngineError where that is refused, too."""
    try:
        for part in (prepared.main, *prepared.moves):
            target = part.target
            now = target.backend.inspect(target.reader, target.host, target.scope)
            names = {change.job for change in plan.pending(part.changes)}
            listed = target.backend.LISTS_ALL
            back = plan.restoring(part.found.entries, now.entries, names, lists_all=listed)
            perform(target.backend.stage(back, now, target.host, target.scope))
    except RatectlError as second:
        raise EngineError(
            f"{error}\nWhat stood before could not be put back: {second}\n"
            "`ratectl install` tries again, and finishes what is half done."
        ) from error
    if prepared.renames:
        journal.rename_back(prepared.renames)
    journal.restore(before)


def _gone(source: SpecSource, installed: Mapping[str, Installed]) -> frozenset[str]:
    """Return the jobs that were installed from the file of *source* and are no longer in it."""
    names = {job.name for job in source.jobs}
    of_this_file = (name for name, row in installed.items() if row.spec == source.path)
    return frozenset(of_this_file) - names if source.whole else frozenset()


def _refuse_jobs_of_other_journals(target: Target, found: Found, new: Collection[str]) -> None:
    """Raise ConfigError where the engine holds a job of the same name for another state directory."""
    for name in sorted(set(new) & set(found.entries)):
        if there := elsewhere.state_dir(target, found.entries[name]):
            raise ConfigError(
                f"{target} holds a job {name!r} of another state directory, {there}; call this one otherwise, or "
                f"`RATECTL_STATE_DIR={there} ratectl remove {name}`"
            )


def _changed_keys(
    jobs: Sequence[Job], installed: Mapping[str, Installed]
) -> dict[str, tuple[str, ...]]:
    """Return, by job, the keys that say something else than when it was installed."""
    known = {job.name: installed[job.name].job for job in jobs if job.name in installed}
    lines = {job.name: spec_keys.changed(known[job.name], job) for job in jobs if job.name in known}
    return {name: changed for name, changed in lines.items() if changed}


def _left_out(
    names: Collection[str], spec: str, known: _Known, target: Target, found: Found
) -> Iterator[str]:
    """Yield that jobs are no longer in the spec, and still run or at least still are on the list."""
    rows = {name: known.installed[name] for name in sorted(names)}
    idle = [
        name
        for name, row in rows.items()
        if row.paused or not row.job.enabled or _is_lost(row, target, found)
    ]
    at_work = [name for name in rows if name not in idle]
    for some, how in ((at_work, "still at work"), (idle, "still installed, though nothing wakes")):
        if some:
            them = "it" if len(some) == 1 else "them"
            state = how if some is at_work else f"{how} {them}"
            yield (
                f"{listed(some)}: no longer in {spec}, and {state}; "
                f"`ratectl install {spec} --prune` removes {them}"
            )


def _is_lost(row: Installed, target: Target, found: Found) -> bool:
    """Tell whether the job of *row* is to stand at *target*, which does not hold it."""
    return stands_at(target, row) and row.job.name not in found.entries


def _likely_renamed(
    known: _Known, gone: Collection[str], source: SpecSource, taken: Collection[str]
) -> Iterator[str]:
    """Yield how a job keeps its record where it got another name in the spec, and more than that was changed."""
    old_jobs = [known.installed[name].job for name in sorted(gone)]
    new_jobs = [job for job in source.jobs if job.name not in taken]
    if renamed := renaming.likely(old_jobs, new_jobs):
        old, new = renamed
        yield (
            f"if {new} is {old} under another name: `ratectl rename {old} {new}` before the install takes its record "
            f"along; after it `ratectl remove {new} --purge --yes`, `ratectl rename {old} {new}` and "
            f"`ratectl install {source.path}`"
        )


def _at_rest(known: _Known) -> Iterator[str]:
    """Yield that jobs of the spec are paused, which an install leaves so."""
    rows = known.installed.items()
    if paused := sorted(name for name, row in rows if row.paused and name in known.names):
        yield f"{listed(paused)}: paused until `ratectl resume {typed_names(paused)}`"


def _switched_off(jobs: Sequence[Job]) -> Iterator[str]:
    """Yield that jobs are in the spec and get no entry."""
    if off := sorted(job.name for job in jobs if not job.enabled):
        yield f"{listed(off)}: {SWITCHED_OFF}, so nothing wakes {'it' if len(off) == 1 else 'them'}"


def _is_news(job: Job, known: _Known, target: Target, source: SpecSource) -> bool:
    """Tell whether the journal's snapshot of *job* is missing or another."""
    row = known.installed.get(job.name)
    if row is None or job.name in known.lacking:
        return True
    stands = (row.backend, row.scope, row.spec, row.host_timezone, row.place)
    return row.job != job or stands != (
        target.backend.NAME,
        target.scope,
        source.path,
        target.host.zone.key,
        place_of(target, job),
    )


def _moves(
    target: Target, found: Found, installed: Mapping[str, Installed], names: Collection[str]
) -> Iterator[TargetPlan]:
    """Yield the removal of entries of *names* that the journal says stand at another site."""
    elsewhere: dict[Target, set[str]] = {}
    for name, row in installed.items():
        if name in names and row.backend in BACKENDS and not stands_at(target, row):
            place = recorded_target(row, target.host, target.reader)
            elsewhere.setdefault(place, set()).add(row.job.name)  # as it is called there
    for home_of, jobs in elsewhere.items():
        if home_of != target:
            with contextlib.suppress(EngineAbsentError):  # gone, and its entries with it
                try:
                    old = located(home_of)
                    standing = old.backend.inspect(old.reader, old.host, old.scope)
                except RatectlError as error:
                    raise with_way_out(home_of, error) from error
                if not same_target(old, standing, target, found):
                    yield stage(old, standing, plan.removals(standing.entries, jobs))


def _left_anywhere(
    target: Target, found: Found, installed: Mapping[str, Installed], names: Collection[str]
) -> Iterator[TargetPlan]:
    """Yield the removal of all entries of *names* at other sites, whatever the journal says."""
    asked = clusters(installed.values())
    for old, standing in inspect_all(target.host, target.reader, clusters=asked).items():
        if not same_target(old, standing, target, found):
            yield stage(old, standing, plan.removals(standing.entries, names))
