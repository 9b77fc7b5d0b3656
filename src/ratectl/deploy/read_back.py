"""After an install: does the engine hold what was written, and will it wake us for the next slot? ``install.py`` takes back what it does not."""

from __future__ import annotations

import datetime as dt
import functools
from typing import TYPE_CHECKING

from ratectl import schedule
from ratectl.backends.protocol import Verb
from ratectl.errors import EngineError
from ratectl.schedule.cover.triggers import Fidelity
from ratectl.schedule.values import Window
from ratectl.views.format import clock as told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ratectl.backends.protocol import InstalledEntry
    from ratectl.deploy.targets import Target, TargetPlan
    from ratectl.model.job import Job
    from ratectl.schedule.cover.triggers import Cover

TOLERANCE = dt.timedelta(seconds=60)
"""How far the engine's next run may lie behind our own next slot."""


def read_back(
    installed: TargetPlan,
    jobs: Sequence[Job],
    covers: Mapping[str, Cover],
    clock: Callable[[], dt.datetime],
) -> dict[str, InstalledEntry]:
    """Return what the engine holds now. Raises EngineError where it is not what was installed of *jobs*."""
    target = installed.target
    entries = target.backend.inspect(target.reader, target.host, target.scope).entries
    now = clock()
    next_slot = functools.cache(lambda when, zone: next(schedule.after(when, zone, now), None))
    known = {job.name: job for job in jobs}
    problems = []
    for change in installed.changes:
        entry = entries.get(change.job)
        if change.verb is Verb.DELETE:
            problems += [f"{change.job}: is still there"] if entry else []
        elif entry is None:
            problems.append(f"{change.job}: is missing")
        elif entry.artefacts != change.artefacts:
            words = target.backend.difference(change.artefacts, entry.artefacts)
            problems.append(f"{change.job}: is not what was written{words and f': {words}'}")
        elif entry.drift and change.job in known:  # what was wrong with others before is theirs
            problems.append(f"{change.job}: {'; '.join(entry.drift)}")
        elif change.job in known:
            job = known[change.job]
            slot = next_slot(job.schedule, job.zone)
            if slot is not None and target.backend.REPORTS_NEXT_RUN:
                problems += _clock_problem(job, covers[job.name], entry, slot, now)
            elif slot is not None:
                problems += _unheeded_slot(target, job, entry, slot)
    if problems:
        listed = "\n  ".join(problems[:20])
        raise EngineError(f"{target} does not hold what was installed:\n  {listed}")
    return dict(entries)


def _unheeded_slot(
    target: Target, job: Job, entry: InstalledEntry, slot: dt.datetime
) -> Iterator[str]:
    """Yield that *entry*, as the engine holds it, does not wake us for the next *slot*."""
    if not target.backend.covers_slot(entry, slot):
        triggers = "; ".join(entry.triggers)
        yield f"{job.name}: is held as {triggers}, which leaves out the next slot, {told(slot)}"


def _clock_problem(
    job: Job, cover: Cover, entry: InstalledEntry, slot: dt.datetime, now: dt.datetime
) -> list[str]:
    """Return how the engine's next run contradicts our own next *slot*, if it does."""
    if entry.next is not None and entry.next <= now:
        return []
    if entry.next is None and entry.running:
        return []
    if entry.next is None:
        return [f"{job.name}: is never run, although the next slot is {told(slot)}"]
    instant = slot.astimezone(dt.UTC)  # the second pass of an hour is an hour later than the first
    late = entry.next > instant + TOLERANCE
    bounded = isinstance(job.schedule, Window)
    early = cover.fidelity is Fidelity.EXACT and not bounded and entry.next < instant - TOLERANCE
    if not late and not early:
        return []
    runs = told(entry.next.astimezone(job.zone))
    return [f"{job.name}: is next run at {runs}, but the next slot is {told(slot)}"]
