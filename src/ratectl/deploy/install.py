"""Install: inspect, check, render, plan, stage, perform, read back.

The journal knows a job before the engine can wake it, so a run that is cut short anywhere leaves
nothing that fires without a snapshot, and the next run converges. What the engine refuses, or
does not hold as installed, is taken back: engine and journal are as they were.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ratectl import schedule
from ratectl.backends import BACKENDS
from ratectl.backends.protocol import EngineAbsentError, Verb
from ratectl.deploy import closed_folders, elsewhere, other_accounts, plan, spec_keys
from ratectl.deploy import renames as renaming
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
from ratectl.schedule.values import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from ratectl.backends.protocol import Found, InstalledEntry, Reader, Step
    from ratectl.deploy.install_lock import InstallLock
    from ratectl.journal.job_store import JobRowBackup
    from ratectl.journal.journal import Installed, Journal
    from ratectl.model.job import Job
    from ratectl.schedule.cover.triggers import Cover

TOLERANCE = dt.timedelta(seconds=60)
"""How far the engine's next run may lie behind our own next slot."""


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


def digest_of(reader: Reader, path: str) -> str:
    """Return the checksum of the spec file, or an empty text where it is gone."""
    data = reader.read(Path(path))
    return "" if data is None else hashlib.sha256(data).hexdigest()


def covers_of(target: Target, jobs: Sequence[Job]) -> dict[str, Cover]:
    """Return the cover of each job. Raises ConfigError, which lists every job that the engine cannot wake."""
    covers = {job.name: target.backend.check(job, target.host.zone) for job in jobs}
    refused = {name: c for name, c in covers.items() if c.fidelity is Fidelity.REFUSED}
    if refused:
        lines = (f"  {name}: {cover.reason}" for name, cover in refused.items())
        raise ConfigError(
            f"{target.backend.NAME} cannot wake these jobs, so nothing was installed:\n"
            + "\n".join(lines)
        )
    return covers


def files(target: Target, jobs: Sequence[Job]) -> dict[str, bytes]:
    """Return the files that hold the native texts of the enabled *jobs*, by name; ordered by job."""
    covers = covers_of(target, jobs)
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
    other_accounts.refuse(target, source.jobs, source.path)
    lacking = journal.lacking(source.jobs)
    installed = {row.job.name: row for row in journal.readable()}
    names = frozenset(job.name for job in source.jobs)
    refuse_jobs_of_other_specs(target.reader, source, installed)
    if renames is None and source.whole:
        renames = renaming.noticed(source.jobs, source.path, installed, journal.known())
    renames = renames or {}
    left = renaming.left(journal, installed, names)
    for old, new in renames.items():
        installed[new] = installed.pop(old)
    gone = _gone(source, installed)
    not_in_spec = gone if prune else frozenset()
    covers = covers_of(target, source.jobs)
    found = target.backend.inspect(target.reader, target.host, target.scope)
    _refuse_jobs_of_other_journals(target, found, frozenset(names) - frozenset(installed))
    inactive = _inactive(target, found, source.jobs, installed)
    inactive |= {old: f"renamed to {new}" for old, new in {**left, **renames}.items()}
    awake = [job for job in source.jobs if job.name not in inactive]
    wanted = {job.name: render(target, job, covers[job.name]) for job in awake}
    changes = plan.changes(
        wanted,
        found.entries,
        inactive=inactive,
        prune=not_in_spec,
        rewrite_all=rewrite_all,
        difference=target.backend.difference,
    )
    where = (target.reader, target.host, target.scope)
    affected = names | not_in_spec | frozenset(renames) | frozenset(left)
    look = _left_anywhere if rewrite_all else _moves
    moves = look(target, found, installed, affected)
    server_warnings = target.backend.dry_run(target.reader, changes, target.host, target.scope)
    last = target.backend.enable_linger(*where) if enable_linger else ()
    return Prepared(
        before=tuple(other_accounts.folders_to_make(target, source.jobs)),
        after=last,
        main=stage(target, found, changes),
        moves=tuple(part for part in moves if part.changes),
        source=source,
        covers=covers,
        record=tuple(
            job
            for job in source.jobs
            if job.name in lacking or _is_news(job, installed.get(job.name), target, source)
        ),
        forget=tuple(sorted(not_in_spec)),
        renames=renames,
        renamed=tuple(sorted({*left, *renames})),
        keys=_changed_keys(source.jobs, installed),
        warnings=(
            *_left_out(gone - not_in_spec, source.path),
            *server_warnings,
            *(() if last else target.backend.warnings(*where)),
            *_at_rest(installed, names),
            *other_accounts.open_secrets(target, source.jobs),
            *closed_folders.warnings(awake, target.host, target.reader),
            *unknown_pairs.warnings(awake),
        ),
    )


def _inactive(
    target: Target, found: Found, jobs: Sequence[Job], installed: Mapping[str, Installed]
) -> dict[str, str]:
    """Return the jobs that get no entry, each with why."""
    paused = {name: "paused" for name, row in installed.items() if row.paused}
    if target.backend.SUSPENDS:  # a paused entry stays, and what the spec says of it is kept up
        paused = {name: why for name, why in paused.items() if name not in found.entries}
    return paused | {job.name: "switched off in the spec" for job in jobs if not job.enabled}


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
        entries = _read_back(prepared, clock)
        perform(prepared.after)
    except RatectlError as error:
        _take_back(prepared, journal, before, perform, error)
        lock.finish()
        raise type(error)(f"{error}\nEverything is as it was before.") from error
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


def refuse_jobs_of_other_specs(
    reader: Reader, source: SpecSource, installed: Mapping[str, Installed]
) -> None:
    """Raise ConfigError where a job of *source* is installed from another spec file that still has it."""
    for job in source.jobs:
        row = installed.get(job.name)
        if row is not None and row.spec != source.path and _has_job(reader, row.spec, job.name):
            raise ConfigError(
                f"{job.name!r} is a job of {row.spec}, and {source.path} has one of the same name; rename one "
                f"of them, or take it out of the other file and `ratectl remove {job.name}`"
            )


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


def _has_job(reader: Reader, path: str, name: str) -> bool:
    """Tell whether the spec at *path* has a job *name*, as far as it can be read."""
    try:
        data = reader.read(Path(path))
        found = {} if data is None else tomllib.loads(data.decode("utf-8-sig"))
    except (RatectlError, ValueError):
        return True
    jobs = found.get("jobs")
    return isinstance(jobs, dict) and name in jobs


def _changed_keys(
    jobs: Sequence[Job], installed: Mapping[str, Installed]
) -> dict[str, tuple[str, ...]]:
    """Return, by job, the keys that say something else than when it was installed."""
    known = {job.name: installed[job.name].job for job in jobs if job.name in installed}
    lines = {job.name: spec_keys.changed(known[job.name], job) for job in jobs if job.name in known}
    return {name: changed for name, changed in lines.items() if changed}


def _left_out(names: Collection[str], spec: str) -> Iterator[str]:
    """Yield that jobs are no longer in the spec, and still run."""
    if listed := sorted(names):
        more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
        yield (
            f"{', '.join(listed[:3])}{more}: no longer in {spec}, and still at work; "
            f"`ratectl install {spec} --prune` removes them"
        )


def _at_rest(installed: Mapping[str, Installed], names: Collection[str]) -> Iterator[str]:
    """Yield that jobs of the spec are paused, which an install leaves so."""
    if paused := sorted(name for name, row in installed.items() if row.paused and name in names):
        more = f" and {len(paused) - 3} more" if len(paused) > 3 else ""
        yield f"{', '.join(paused[:3])}{more}: paused until `ratectl resume`"


def _is_news(job: Job, row: Installed | None, target: Target, source: SpecSource) -> bool:
    """Tell whether the journal's snapshot of *job* is missing or another."""
    if row is None:
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


def _read_back(prepared: Prepared, clock: Callable[[], dt.datetime]) -> dict[str, InstalledEntry]:
    """Return what the engine holds now. Raises EngineError where it is not what was installed."""
    target = prepared.main.target
    entries = target.backend.inspect(target.reader, target.host, target.scope).entries
    now = clock()
    jobs = {job.name: job for job in prepared.source.jobs}
    problems = []
    for change in prepared.main.changes:
        entry = entries.get(change.job)
        if change.verb is Verb.DELETE:
            problems += [f"{change.job}: is still there"] if entry else []
        elif entry is None:
            problems.append(f"{change.job}: is missing")
        elif entry.artefacts != change.artefacts:
            told = target.backend.difference(change.artefacts, entry.artefacts)
            problems.append(f"{change.job}: is not what was written{told and f': {told}'}")
        elif entry.drift:
            problems.append(f"{change.job}: {'; '.join(entry.drift)}")
        elif change.job in jobs and target.backend.REPORTS_NEXT_RUN:
            problems += _clock_problem(jobs[change.job], prepared.covers[change.job], entry, now)
        elif change.job in jobs:
            problems += _unheeded_slot(target, jobs[change.job], entry, now)
    if problems:
        listed = "\n  ".join(problems[:20])
        raise EngineError(f"{target} does not hold what was installed:\n  {listed}")
    return dict(entries)


def _unheeded_slot(
    target: Target, job: Job, entry: InstalledEntry, now: dt.datetime
) -> Iterator[str]:
    """Yield that *entry*, as the engine holds it, does not wake us for the next slot."""
    slot = next(schedule.after(job.schedule, job.zone, now), None)
    if slot is not None and not target.backend.covers_slot(entry, slot):
        triggers = "; ".join(entry.triggers)
        yield f"{job.name}: is held as {triggers}, which leaves out the next slot, {slot.isoformat()}"


def _clock_problem(job: Job, cover: Cover, entry: InstalledEntry, now: dt.datetime) -> list[str]:
    """Return how the engine's next run contradicts our own next slot, if it does."""
    slot = next(schedule.after(job.schedule, job.zone, now), None)
    if slot is None or (entry.next is not None and entry.next <= now):
        return []
    if entry.next is None and entry.running:
        return []
    if entry.next is None:
        return [f"{job.name}: is never run, although the next slot is {slot.isoformat()}"]
    late = entry.next > slot + TOLERANCE
    bounded = isinstance(job.schedule, Window)
    early = cover.fidelity is Fidelity.EXACT and not bounded and entry.next < slot - TOLERANCE
    if not late and not early:
        return []
    runs = entry.next.astimezone(job.zone).isoformat()
    return [f"{job.name}: is next run at {runs}, but the next slot is {slot.isoformat()}"]
