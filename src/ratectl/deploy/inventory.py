"""What stands in the engines x what the journal knows x the spec -> one row for each job, with its drift.

An entry has drifted where its backend says so, or where its text is not what an install would write now.
"""

from __future__ import annotations

import contextlib
import functools
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ratectl import schedule
from ratectl.backends import BACKENDS
from ratectl.deploy import elsewhere, targets
from ratectl.deploy.renames import noticed
from ratectl.errors import RefusedError, SpecError, StorageError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from ratectl.backends.protocol import Backend, Found, InstalledEntry, Reader
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

    def __call__(self, row: Installed) -> str:
        """Return the difference as one sentence, or an empty text."""
        try:
            digest = self._digest(row.spec)
        except (RefusedError, StorageError) as error:
            return f"spec unknown: {error}"
        if digest == row.digest:
            return ""
        if not digest:
            return f"spec missing: {row.spec}"
        try:
            jobs = {job.name: job for job in self._load(row.spec, row.host_timezone)}
        except SpecError:
            return f"spec has problems: `ratectl check {row.spec}`"
        if row.job.name not in jobs:
            new = noticed(list(jobs.values()), row.spec, self._known, self._taken).get(row.job.name)
            if new is not None:
                return f"renamed to {new!r} in the spec: `ratectl install` takes its record along"
            return f"no longer in the spec: {row.spec}"
        return "" if jobs[row.job.name] == row.job else "spec changed: `ratectl install` applies it"


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
    drift_of_spec: Callable[[Installed], str],
    now: dt.datetime,
    *,
    unseen: Mapping[Target, RatectlError] | None = None,
) -> tuple[Row, ...]:
    """Return the rows, ordered by job. *drift_of_spec* tells how the spec differs from an installed job.

    Nothing is known of what the *unseen* sites hold.
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
            unheld = _held(target, entry, row, last.get(job), spec=drift_of_spec, now=now)
            result.append(replace(unheld, troubles=troubles.get(job, ())))
    blind = unseen or {}
    for name, row in known.items():
        if name not in seen:
            unheld = _unheld(row, last.get(name), spec=drift_of_spec, now=now)
            blind_target = next(
                (target for target in blind if targets.stands_at(target, row)), None
            )
            result.append(
                unheld if blind_target is None else _unseen(unheld, row, blind_target, now)
            )
    return tuple(sorted(result, key=lambda row: (row.job, row.backend, row.scope)))


def _held(
    target: Target,
    entry: InstalledEntry,
    row: Installed | None,
    last: Firing | None,
    *,
    spec: Callable[[Installed], str],
    now: dt.datetime,
) -> Row:
    asleep = row is not None and row.paused and target.backend.SUSPENDS and not entry.enabled
    drift = [*entry.drift, *(() if asleep else entry.overrides)]
    fidelity, upcoming = "", entry.next
    if row is None and target.host.cluster is not None:
        drift.append("this machine's journal does not know it: a colleague may have installed it")
    elif row is None and (there := elsewhere.state_dir(target, entry)):
        drift.append(
            f"of another state directory: `RATECTL_STATE_DIR={there} ratectl list` shows it"
        )
    elif row is None:
        drift.append("the journal does not know it: install its spec again, or remove it")
    else:
        drift += filter(None, (row.job.fault,))
        drift += filter(None, _moved(target, entry, row))
        drift += filter(None, (spec(row),))
        fidelity = _fidelity(target.backend, row, target.host.zone)
        upcoming = _upcoming(row, now)
        if entry.rescheduled and entry.next is not None:  # by somebody, and so not at a slot
            upcoming = entry.next.astimezone(row.job.zone)
    return Row(
        job=entry.job,
        backend=target.backend.NAME,
        scope=target.scope,
        triggers=entry.triggers,
        fidelity=fidelity,
        enabled=entry.enabled,
        next=upcoming if entry.enabled else None,
        drift=tuple(drift),
        last=_in_zone(last, row),
        paused=row is not None and row.paused,
        place=str(target),
    )


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
            told = target.backend.difference(wanted, entry.artefacts)
            yield ": ".join(filter(None, ("differs from what would be installed now", told)))


def _goes_by_the_zone(target: Target, entry: InstalledEntry, row: Installed) -> bool:
    """Tell whether *entry* would be other text in the machine's zone of now."""
    if row.job.fault:
        return True
    cover = target.backend.check(row.job, target.host.zone)
    return targets.render(target, row.job, cover) != entry.artefacts


def _unheld(
    row: Installed,
    last: Firing | None,
    *,
    spec: Callable[[Installed], str],
    now: dt.datetime,
) -> Row:
    """Return the row of a job that no engine holds: one that is gone, switched off, or that ``serve`` wakes."""
    drift = [row.job.fault, spec(row)]
    served = row.backend not in BACKENDS
    fidelity = "exact" if served else ""
    if not served:
        with contextlib.suppress(ZoneInfoNotFoundError, ValueError, OSError):
            fidelity = _fidelity(BACKENDS[row.backend], row, ZoneInfo(row.host_timezone))
        if row.job.enabled and not row.paused:
            drift.append(f"gone from {targets.title(row)}: `ratectl install` puts it back")
    awake = served and row.job.enabled and not row.paused
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
        place=targets.title(row),
    )


def _unseen(listed: Row, row: Installed, target: Target, now: dt.datetime) -> Row:
    """Return *listed* as it should be, since *target* does not say how it is."""
    awake = row.job.enabled and not row.paused
    gone = f"gone from {row.backend}"
    known = tuple(text for text in listed.drift if not text.startswith(gone))
    return replace(
        listed,
        enabled=awake,
        next=_upcoming(row, now) if awake else None,
        drift=(f"unknown: {target} cannot be looked at now", *known),
    )


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
