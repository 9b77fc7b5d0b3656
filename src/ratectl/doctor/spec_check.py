"""What a spec means before it is installed: each job's sentence, slots and engines, and what will come to nothing."""

from __future__ import annotations

import datetime as dt
import os
import sys
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from ratectl import schedule
from ratectl.backends import BACKENDS
from ratectl.backends.launchd import backend as launchd
from ratectl.deploy import execute, host_facts
from ratectl.deploy.checks import closed_folders, no_scheduler
from ratectl.deploy.select_backend import AUTO
from ratectl.doctor import install_refusals, outputs
from ratectl.errors import Issue, SpecError
from ratectl.model import currencies, unknown_pairs
from ratectl.outputs.foreign import foreign_files
from ratectl.outputs.formats import text
from ratectl.runtime import accounts
from ratectl.spec.key_lines import key_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from ratectl.backends.host import Host
    from ratectl.doctor.install_refusals import Refusal
    from ratectl.model.job import Job
    from ratectl.schedule.cover.triggers import Cover
    from ratectl.spec.document import Spec
    from ratectl.spec.key_lines import KeyPath

SLOTS_SHOWN = 3
REFUSED_HERE = "install refuses this here:"


class Meaning(NamedTuple):
    """What one job of a spec comes to on this machine."""

    job: Job
    slots: tuple[dt.datetime, ...]
    """The next few; none where it never fires again."""
    covers: Mapping[str, Cover]
    """By engine, how it can wake the job."""
    warnings: tuple[str, ...]


class SpecCheck(NamedTuple):
    """What a spec that can be read means, and what is wrong with it all the same."""

    meanings: tuple[Meaning, ...]
    problems: SpecError
    """Without issues where all is well."""
    remarks: tuple[str, ...]
    """About the account that installs it."""
    refused_here: bool
    """An install on this machine would refuse it; that is no fault of a spec, which may be for another machine."""
    no_scheduler: bool
    """An install would find no scheduler here."""


def check(loaded: Spec, written: str, zone: ZoneInfo, now: dt.datetime) -> SpecCheck:
    """Return what the spec *loaded* from the text *written* means on a machine whose clocks are in *zone*.

    What an install here would refuse is a warning.
    """
    here = host_facts.here(zone)
    meanings = tuple(_meaning(job, loaded, here, now) for job in loaded.jobs)
    ended = [meaning.job for meaning in meanings if not meaning.slots]
    going = [meaning.job for meaning in meanings if meaning.slots]
    refused = list(install_refusals.of_spec(loaded, going, here))
    unwoken = no_scheduler.why(here) if _may_choose(loaded) else ""
    lines = key_lines(written)
    found = [
        *_over(ended, lines, now),
        *_partly_over(going, lines, now),
        *_foreign(loaded.jobs, lines),
    ]
    return SpecCheck(
        meanings=tuple(_warned(meaning, refused) for meaning in meanings),
        problems=SpecError(loaded.path, found),
        remarks=(
            *_as_root(loaded.jobs),
            *(f"{REFUSED_HERE} {refusal.text}" for refusal in refused if not refusal.job),
            *([f"{REFUSED_HERE} {unwoken}"] if unwoken else ()),
        ),
        refused_here=bool(refused),
        no_scheduler=bool(unwoken),
    )


def _may_choose(loaded: Spec) -> bool:
    """Tell whether an install of *loaded* takes whatever scheduler it finds on this machine."""
    return loaded.installation.backend == AUTO and loaded.kubernetes is None


def _meaning(job: Job, loaded: Spec, here: Host, now: dt.datetime) -> Meaning:
    slots = tuple(islice(schedule.after(job.schedule, job.zone, now), SLOTS_SHOWN))
    warnings = (*_vain(job), *_closed_to(job, here.zone)) if slots else ()
    return Meaning(
        job=job,
        slots=slots,
        covers={name: backend.check(job, here.zone) for name, backend in BACKENDS.items()},
        warnings=(*warnings, *_mixed(job, loaded.jobs), *_odd_names(job)),
    )


def _warned(meaning: Meaning, refused: Sequence[Refusal]) -> Meaning:
    """Return *meaning* with what an install on this machine would refuse of its job."""
    told = (f"{REFUSED_HERE} {x.text}" for x in refused if x.job == meaning.job.name)
    return meaning._replace(warnings=(*meaning.warnings, *told))


def _over(ended: Sequence[Job], lines: Mapping[KeyPath, int], now: dt.datetime) -> list[Issue]:
    """Return an issue for each of the jobs that have no slot from now on, where its end is said."""
    return [
        _issue(
            job.name,
            "until" if job.end else "schedule",
            f"{job.name} never fires again: {_why_over(job, now)}",
            lines,
        )
        for job in ended
    ]


def _why_over(job: Job, now: dt.datetime) -> str:
    """Return why *job* has no slot from *now* on: random gaps may reach over an end that is still ahead."""
    if not job.end:
        return "its only slot has passed"
    end = dt.datetime.fromisoformat(job.end)
    end = end if end.tzinfo else end.replace(tzinfo=job.zone)
    return "its end has passed" if end <= now else "no slot of it lies between now and its end"


def _partly_over(
    jobs: Sequence[Job], lines: Mapping[KeyPath, int], now: dt.datetime
) -> list[Issue]:
    """Return an issue for each schedule in a list that has no slot from now on, while others have."""
    return [
        _issue(
            job.name,
            "schedule",
            f'"{phrase}" of {job.name} never fires again: its time has passed; leave it out',
            lines,
        )
        for job in jobs
        if len(job.schedule_texts) > 1
        for phrase in job.schedule_texts
        if next(schedule.after(_alone(job, phrase), job.zone, now), None) is None
    ]


def _alone(job: Job, phrase: str) -> schedule.Schedule:
    """Return one schedule of the list of *job*, within its bounds."""
    return schedule.parse([phrase], start=job.start, end=job.end, name=job.name, zone=job.zone)


def _issue(job: str, name: str, message: str, lines: Mapping[KeyPath, int]) -> Issue:
    """Return an issue with the key *name* of *job*, or of the defaults where the job has none."""
    key: KeyPath = ("jobs", job, name) if name else ("jobs", job)
    key = key if key in lines or not name else ("defaults", name)
    return Issue(line=lines.get(key), key=".".join(key), message=message)


def _foreign(jobs: Sequence[Job], lines: Mapping[KeyPath, int]) -> list[Issue]:
    """Return an issue for each output that is a file of somebody else's."""
    wrong = foreign_files(jobs)
    return [_issue(job, "output", problem, lines) for (job, _), problem in wrong.items()]


def _as_root(jobs: Sequence[Job]) -> Iterator[str]:
    """Yield, to root, that its jobs would run as root, and what ends that."""
    rest = [job.name for job in jobs if not job.user]
    if not rest or sys.platform == "win32" or os.geteuid() != 0:
        return
    name = outputs.OWN_ACCOUNT
    make = "" if accounts.find(name) else f"; `{accounts.making(name)}` makes it"
    which = "these jobs" if len(rest) == len(jobs) else ", ".join(rest[:3])
    yield (
        f"installed by root, {which} would run as root, and an account without rights is enough: "
        f'user = "{name}" under [ratectl]{make}'
    )


def _vain(job: Job) -> list[str]:
    """Return what a job that still fires asks for in vain: rates of currencies that ended, or that a provider does not have."""
    codes = dict.fromkeys(code for pair in job.pairs for code in (pair.base, pair.quote))
    over = [
        f"{phrase}; providers may have no rate after that day: leave it out, or end the job by until"
        for code in codes
        if (phrase := currencies.ended(code))
    ]
    return [*over, *unknown_pairs.warnings([job])]


def _mixed(job: Job, jobs: Sequence[Job]) -> list[str]:
    """Return which text files of *job* get lines of other pairs, too, while none says of which pair it is."""
    if text.names_pairs(job):
        return []
    return [
        f"{output.target} also gets the rates of {other.name}, and no line says of which pair it is: "
        'give each a file of its own, or set pairs_in_text = "always"'
        for output in job.outputs
        if output.kind == "text"
        for other in jobs
        if not text.names_pairs(other) and other.pairs != job.pairs and output in other.outputs
    ]


def _odd_names(job: Job) -> list[str]:
    """Return which files of *job* have something in their names that looks like a part of the date, and is none."""
    return [
        f"{output.target}: {', '.join(output.unknown_parts)} stays as it is; parts of the date are %Y, %m, %d, %y, %j, %G, %V"
        for output in job.outputs
        if output.unknown_parts
    ]


def _closed_to(job: Job, host_zone: ZoneInfo) -> tuple[str, ...]:
    """Return which files of *job* the scheduler of this machine would not let it reach."""
    if not host_facts.is_native(launchd):
        return ()
    here = host_facts.target(launchd, host_zone, "")
    return tuple(closed_folders.warnings([job], here, execute.SystemReader()))
