"""What stands in the engines x what the journal knows x the spec -> one row for each job, with its drift.

An entry has drifted where its backend says so, or where its text is not what an install would write now.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ratectl import schedule
from ratectl.backends import BACKENDS
from ratectl.deploy import remedies, targets
from ratectl.deploy.checks import elsewhere, serving
from ratectl.deploy.renames import noticed
from ratectl.errors import RefusedError, SpecError, StorageError
from ratectl.wording import typed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from ratectl.backends.protocol import Backend, Found, InstalledEntry
    from ratectl.backends.reader import Reader
    from ratectl.deploy.targets import Target
    from ratectl.errors import RatectlError
    from ratectl.journal.journal import Firing, Installed
    from ratectl.model.job import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One job at one site, as ``ratectl list`` shows it."""

    job: str
    backend: str
    scope: str
    triggers: tuple[str, ...]
    fidelity: str
    """exact or guarded; empty where the journal does not know the job, or this machine not its zone."""
    enabled: bool
    next: dt.datetime | None
    """The next slot, in the job's zone."""
    drift: tuple[str, ...]
    last: Firing | None
    paused: bool = False
    place: str = ""
    """Engine and place as people call them, such as ``cron (user)``."""
    troubles: tuple[str, ...] = ()
    """Why what the engine started came to nothing, as far as it tells."""
    switched_off: bool = False
    """By its spec, so that no engine is to hold it."""
    foreign: bool = False
    """It is recorded in another state directory of the account, and here nothing is known of it, nor wrong with it."""


class SpecState(Enum):
    """How the spec file of an installed job is, where it says something else than was installed."""

    CHANGED = "changed"
    RENAMED = "renamed"
    """It has the job under another name."""
    LEFT_OUT = "left out"
    """It has the job no more."""
    MISSING = "missing"
    """There is no such file."""
    UNUSABLE = "unusable"
    """It cannot be read."""

    @property
    def installs(self) -> bool:
        """Tell whether an install of the file still brings the job to its scheduler."""
        return self in {SpecState.CHANGED, SpecState.RENAMED}


class SpecDifference(NamedTuple):
    """What the spec says of a job by now, for programs and as a sentence."""

    state: SpecState
    text: str
    renamed: str = ""
    """The name that it has there by now."""


class SpecDrift:
    """How the spec files differ from what was installed from them; each file is read once."""

    def __init__(
        self,
        digest: Callable[[str], str],
        load: Callable[[str, str], Sequence[Job]],
        installed: Sequence[Installed] = (),
        taken: Collection[str] = (),
    ) -> None:
        self._digest = functools.cache(digest)
        self._load = functools.cache(load)
        self._known = {row.job.name: row for row in installed}
        self._taken = taken

    def __call__(self, row: Installed) -> SpecDifference | None:
        """Return how the spec of *row* differs from what was installed, None where it does not."""
        try:
            digest = self._digest(row.spec)
        except (RefusedError, StorageError) as error:
            return SpecDifference(SpecState.UNUSABLE, f"spec unknown: {error}")
        if digest == row.digest:
            return None
        if not digest:
            return SpecDifference(SpecState.MISSING, f"spec missing: {row.spec}")
        try:
            jobs = {job.name: job for job in self._load(row.spec, row.host_timezone)}
        except SpecError:
            text = f"spec has problems: `ratectl check {row.spec}`"
            return SpecDifference(SpecState.UNUSABLE, text)
        if row.job.name not in jobs:
            new = noticed(list(jobs.values()), row.spec, self._known, self._taken).get(row.job.name)
            if new is not None:
                command = remedies.take_along(row, new)
                text = f"renamed to {new!r} in the spec: `{command}` takes its record along"
                return SpecDifference(SpecState.RENAMED, text, new)
            return SpecDifference(SpecState.LEFT_OUT, f"no longer in the spec: {row.spec}")
        if jobs[row.job.name] == row.job:
            return None
        anew = ", started again," if row.backend == serving.BACKEND else ""
        text = f"spec changed: `{remedies.by_spec(row)}`{anew} applies it"
        return SpecDifference(SpecState.CHANGED, text)


def digest_of(reader: Reader, path: str) -> str:
    """Return the checksum of the spec file, or an empty text where it is gone."""
    data = reader.read(Path(path))
    return "" if data is None else hashlib.sha256(data).hexdigest()


def _spec_text(difference: SpecDifference | None) -> str:
    return "" if difference is None else difference.text


UNITS = re.compile(r"ratectl-.+\.timer|ratectl\..+\.plist")
PLACES_OF_ROOT = (Path("/etc/systemd/system"), Path("/Library/LaunchDaemons"))


def root_has_jobs(reader: Reader) -> bool:
    """Tell whether there are jobs of root's on this machine, as far as any account may see."""
    if reader.status(Path("/etc/cron.d/ratectl")) is not None:
        return True
    for place in PLACES_OF_ROOT:
        with contextlib.suppress(RefusedError):
            if any(UNITS.fullmatch(name) for name in reader.names(place)):
                return True
    return False


def rows(
    found_at: Mapping[Target, Found],
    installed: Sequence[Installed],
    last: Mapping[str, Firing],
    drift_of_spec: Callable[[Installed], SpecDifference | None],
    now: dt.datetime,
    *,
    unseen: Mapping[Target, RatectlError] | None = None,
    unserved: Collection[str] = (),
) -> tuple[Row, ...]:
    """Return the rows, ordered by job. *drift_of_spec* tells how the spec differs from an installed job.

    Nothing is known of what the *unseen* sites hold, and nobody wakes those *unserved*.
    """
    known = {row.job.name: row for row in installed}
    result, seen = [], set()
    for target, found in found_at.items():
        troubles = target.backend.troubles(
            target.reader, target.host, tuple(found.entries.values())
        )
        for job, entry in found.entries.items():
            seen.add(job)
            row = known.get(job)
            held = _held_row(target, entry, row, last.get(job), spec=drift_of_spec, now=now)
            result.append(replace(held, troubles=troubles.get(job, ())))
    for name, row in known.items():
        if name not in seen:
            blind = (target for target in unseen or {} if targets.stands_at(target, row))
            missing = _missing_row(
                row, last.get(name), spec=drift_of_spec, now=now, unseen=next(blind, None)
            )
            if name in unserved:
                told = not_served(row, drift_of_spec(row))
                missing = replace(missing, drift=(*missing.drift, told))
            result.append(missing)
    return tuple(sorted(result, key=lambda row: (row.job, row.backend, row.scope)))


def not_served(row: Installed, difference: SpecDifference | None) -> str:
    """Return that nothing wakes the job of *row*, which is for ``serve``, and what does: its spec, or where the *difference* of that is too great, its name."""
    return f"not being served, so nothing wakes it: `{serving_again(row, difference)}` does"


def serving_again(row: Installed, difference: SpecDifference | None) -> str:
    """Return the command that serves the job of *row*: its spec, or where by the *difference* that is gone or lacks it, the job as it is recorded."""
    by_spec = difference is None or difference.state is SpecState.CHANGED
    return typed("ratectl", "serve", row.spec if by_spec else row.job.name)


def _held_row(
    target: Target,
    entry: InstalledEntry,
    row: Installed | None,
    last: Firing | None,
    *,
    spec: Callable[[Installed], SpecDifference | None],
    now: dt.datetime,
) -> Row:
    """Return the row of a job that the engine holds, whether or not the journal knows it."""
    paused = row is not None and row.paused
    asleep = paused and target.backend.SUSPENDS and not entry.enabled
    fidelity, upcoming = "", entry.next
    of_record: tuple[str, ...] = ()
    if row is None:
        of_record = (_unknown(target, entry),)
    else:
        fidelity = _fidelity(target.backend, row, target.host.zone)
        upcoming = _upcoming(row, now)
        if entry.rescheduled and entry.next is not None:  # by somebody, and so not at a slot
            upcoming = entry.next.astimezone(row.job.zone)
        of_record = tuple(_drift(target, entry, row, spec))
    return Row(
        job=entry.job,
        backend=target.backend.NAME,
        scope=target.scope,
        triggers=entry.triggers,
        fidelity=fidelity,
        enabled=entry.enabled,
        next=upcoming if entry.enabled else None,
        drift=(*entry.drift, *(() if asleep else entry.overrides), *of_record),
        last=_in_zone(last, row),
        paused=paused,
        switched_off=row is not None and not row.job.enabled,
        place=str(target),
        foreign=row is None and bool(elsewhere.state_dir(target, entry)),
    )


def _unknown(target: Target, entry: InstalledEntry) -> str:
    """Return why the journal may not know *entry*."""
    if target.host.cluster is not None:
        return "this machine's journal does not know it: a colleague may have installed it"
    if there := elsewhere.state_dir(target, entry):
        return f"of another state directory: `RATECTL_STATE_DIR={there} ratectl list` shows it"
    return "the journal does not know it: install its spec again, or remove it"


def _drift(
    target: Target,
    entry: InstalledEntry,
    row: Installed,
    spec: Callable[[Installed], SpecDifference | None],
) -> Iterator[str]:
    """Yield how *entry*, its record and its spec differ."""
    yield from filter(None, (row.job.fault, *_moved(target, entry, row), _spec_text(spec(row))))


def _moved(target: Target, entry: InstalledEntry, row: Installed) -> Iterator[str]:
    """Yield how *entry* differs from what would be installed for the same snapshot now."""
    if not targets.stands_at(target, row):
        yield f"left over: the job was since installed in {targets.title(row)}"
        return
    zone = target.host.zone.key
    if zone != row.host_timezone and _goes_by_the_zone(target, entry, row):
        yield f"the machine's zone is {zone}, and was {row.host_timezone} at the installation"
    elif not row.job.enabled:
        yield "switched off, but still there"
    elif row.paused and (entry.enabled or not target.backend.SUSPENDS):
        yield f"paused, but still there: `ratectl pause {row.job.name}` takes it out"
    elif not row.job.fault:
        cover = target.backend.check(row.job, target.host.zone)
        wanted = targets.render(target, row.job, cover)
        if wanted != entry.artefacts and not entry.drift:
            words = target.backend.difference(wanted, entry.artefacts)
            yield ": ".join(filter(None, ("differs from what would be installed now", words)))


def _goes_by_the_zone(target: Target, entry: InstalledEntry, row: Installed) -> bool:
    """Tell whether *entry* would be other text in the machine's zone of now."""
    if row.job.fault:
        return True
    cover = target.backend.check(row.job, target.host.zone)
    return targets.render(target, row.job, cover) != entry.artefacts


def _missing_row(
    row: Installed,
    last: Firing | None,
    *,
    spec: Callable[[Installed], SpecDifference | None],
    now: dt.datetime,
    unseen: Target | None,
) -> Row:
    """Return the row of a job that no engine holds: gone, switched off, woken by ``serve``, or at an *unseen* target."""
    served = row.backend not in BACKENDS
    wanted = row.job.enabled and not row.paused
    of_spec = spec(row)
    drift = [row.job.fault, _spec_text(of_spec)]
    if unseen is not None:
        drift.insert(0, f"unknown: {unseen} cannot be looked at now")
    elif wanted and not served:
        drift.append(f"gone from {targets.title(row)}: {_way_back(row, of_spec)}")
    fidelity = "exact" if served else ""
    if not served:
        with contextlib.suppress(ZoneInfoNotFoundError, ValueError, OSError):
            fidelity = _fidelity(BACKENDS[row.backend], row, ZoneInfo(row.host_timezone))
    awake = wanted and (served or unseen is not None)
    return Row(
        job=row.job.name,
        backend=row.backend,
        scope=row.scope,
        triggers=(),
        fidelity=fidelity,
        enabled=awake,
        next=_upcoming(row, now) if awake else None,
        drift=tuple(filter(None, drift)),
        last=_in_zone(last, row),
        paused=row.paused,
        switched_off=not row.job.enabled,
        place=targets.title(row),
    )


def _way_back(row: Installed, difference: SpecDifference | None) -> str:
    """Return what brings the job of *row* back to its scheduler, or ends it where its spec no longer can."""
    if difference is None or difference.state.installs:
        return f"`ratectl install {row.spec}` puts it back"
    if difference.state is SpecState.UNUSABLE:
        return f"`ratectl install {row.spec}` puts it back, once the spec can be read"
    return f"`ratectl remove {row.job.name}` takes it off this list, too"


def _fidelity(backend: Backend, row: Installed, zone: ZoneInfo) -> str:
    """Return how tightly *backend* wakes the job; nothing where its slots cannot be told here."""
    return "" if row.job.fault else backend.check(row.job, zone).fidelity.value


def _upcoming(row: Installed, now: dt.datetime) -> dt.datetime | None:
    if row.job.fault:
        return None
    return next(schedule.after(row.job.schedule, row.job.zone, now), None)


def _in_zone(last: Firing | None, row: Installed | None) -> Firing | None:
    """Return *last* with its slot on the job's own clocks."""
    if last is None or row is None or row.job.fault:
        return last
    return last._replace(slot=last.slot.astimezone(row.job.zone))
