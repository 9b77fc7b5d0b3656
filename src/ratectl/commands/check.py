"""``ratectl check``: each job as a sentence, its next slots, and what each engine makes of it."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sys
import textwrap
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ratectl import schedule, spec
from ratectl.backends import BACKENDS
from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.backends.launchd import backend as launchd
from ratectl.commands._shared.next_step import next_step
from ratectl.commands._shared.options import JsonOption, SpecArgument, default_spec
from ratectl.deploy import closed_folders, execute, host_facts
from ratectl.doctor import outputs
from ratectl.errors import Issue, SpecError, describe
from ratectl.model import currencies, unknown_pairs
from ratectl.outputs.foreign import foreign_files
from ratectl.outputs.formats import text
from ratectl.runtime import accounts
from ratectl.runtime.postgres import redacted
from ratectl.schedule.language.explain import explain
from ratectl.spec.key_lines import key_lines
from ratectl.views import format as words
from ratectl.views.format import as_json, clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from ratectl.model.job import Job
    from ratectl.spec.key_lines import KeyPath

SLOTS_SHOWN = 3
STDIN = "-"


def check(spec_path: SpecArgument = None, *, json: JsonOption = False) -> None:
    """Say what a spec means and what each engine makes of it.

    \b
    Examples:
      ratectl check
      ratectl check ./jobs.toml --json
      ratectl check - < jobs.toml
    """
    zone = host_facts.zone()
    place = spec_path or default_spec()
    try:
        if str(place) == STDIN:
            place = Path.cwd() / "stdin"
            data = sys.stdin.buffer.read()
            loaded = spec.loads(data, path=place, host_timezone=zone.key)
        else:
            loaded = spec.load(place, host_timezone=zone.key)
            data = place.read_bytes()
    except SpecError as error:
        if json:
            typer.echo(as_json({"jobs": [], "issues": _issues(error)}))
            raise typer.Exit(error.exit_code) from error
        raise
    now = dt.datetime.now(dt.UTC)
    facts = [_as_json(job, zone, now) for job in loaded.jobs]
    for fact in facts:
        fact["warnings"] += _mixed(fact["job"], loaded.jobs)
    ended = [job for job, fact in zip(loaded.jobs, facts, strict=True) if not fact["slots"]]
    lines = key_lines(data.decode("utf-8-sig"))
    spent = [job for job in loaded.jobs if job not in ended]
    found = [
        *_over(ended, lines),
        *_partly_over(spent, lines, now),
        *_foreign(loaded.jobs, lines),
    ]
    problems = SpecError(loaded.path, found)
    if json:
        typer.echo(as_json({"jobs": facts, "issues": _issues(problems)}))
    else:
        for job, fact in zip(loaded.jobs, facts, strict=True):
            typer.echo(_text(job, fact))
        typer.echo(
            f"this machine's clocks: {zone.key}, by {host_facts.LOCALTIME} (TZ is not asked)"
        )
        for line in _as_root(loaded.jobs):
            typer.echo(line)
        for issue in problems.issues:
            typer.echo(describe(loaded.path, issue))
        jobs = words.count(len(loaded.jobs), "job")
        issues = words.count(len(problems.issues), "issue")
        typer.echo(f"{loaded.path}: {jobs}, {issues if problems.issues else 'no issues'}")
    if problems.issues:
        raise typer.Exit(problems.exit_code)
    if not json and place.name != "stdin":
        named = () if spec_path is None else (str(spec_path),)
        typer.echo(next_step("ratectl", "install", *named, does="puts that into the scheduler"))


def _over(ended: Sequence[Job], lines: Mapping[KeyPath, int]) -> list[Issue]:
    """Return an issue for each of the jobs that have no slot from now on, where its end is said."""
    return [
        _issue(
            job,
            "until" if job.end else "schedule",
            f"{job.name} never fires again: its {'end' if job.end else 'only slot'} has passed",
            lines,
        )
        for job in ended
    ]


def _partly_over(
    jobs: Sequence[Job], lines: Mapping[KeyPath, int], now: dt.datetime
) -> list[Issue]:
    """Return an issue for each schedule in a list that has no slot from now on, while others have."""
    return [
        _issue(
            job,
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


def _issue(job: Job, name: str, message: str, lines: Mapping[KeyPath, int]) -> Issue:
    """Return an issue with the key *name* of *job*, or of the defaults where the job has none."""
    key: KeyPath = ("jobs", job.name, name)
    key = key if key in lines else ("defaults", name)
    return Issue(line=lines.get(key), key=".".join(key), message=message)


def _foreign(jobs: Sequence[Job], lines: Mapping[KeyPath, int]) -> list[Issue]:
    """Return an issue for each output that is a file of somebody else's."""
    found = []
    for (job, _), problem in foreign_files(jobs).items():
        key: KeyPath = ("jobs", job, "output")
        key = key if key in lines else ("defaults", "output")
        found.append(Issue(line=lines.get(key), key=".".join(key), message=problem))
    return found


def _issues(error: SpecError) -> list[dict[str, Any]]:
    return [
        {
            "file": error.path,
            "line": issue.line,
            "key": issue.key,
            "message": issue.message,
            "pointer": issue.pointer,
        }
        for issue in error.issues
    ]


def _as_json(job: Job, host_zone: ZoneInfo, now: dt.datetime) -> dict[str, Any]:
    covers = {name: backend.check(job, host_zone) for name, backend in BACKENDS.items()}
    slots = list(islice(schedule.after(job.schedule, job.zone, now), SLOTS_SHOWN))
    return {
        "job": job.name,
        "sentence": explain(job.schedule),
        "timezone": job.timezone,
        "user": job.user,
        "journal": redacted(job.journal) if job.journal else "sqlite",
        "warnings": [*_warnings(job), *_of_places(job, host_zone)] if slots else [],
        "slots": [slot.isoformat() for slot in slots],
        "engines": {
            name: {"fidelity": cover.fidelity.value, "reason": cover.reason}
            for name, cover in covers.items()
        },
    }


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


def _warnings(job: Job) -> list[str]:
    """Return what a job that still fires asks for in vain: rates of currencies that ended, or that a provider does not have."""
    codes = dict.fromkeys(code for pair in job.pairs for code in (pair.base, pair.quote))
    over = [
        f"{phrase}; providers may have no rate after that day: leave it out, or end the job by until"
        for code in codes
        if (phrase := currencies.ended(code))
    ]
    return [*over, *unknown_pairs.warnings([job])]


def _mixed(name: str, jobs: Sequence[Job]) -> list[str]:
    """Return which text files of the job *name* get lines of other pairs, too, while none says of which pair it is."""
    nameless = [job for job in jobs if not text.names_pairs(job)]
    mine = [job for job in nameless if job.name == name]
    return [
        f"{output.target} also gets the rates of {other.name}, and no line says of which pair it is: "
        'give each a file of its own, or set pairs_in_text = "always"'
        for job in mine
        for output in job.outputs
        if output.kind == "text"
        for other in nameless
        if other.pairs != job.pairs and output in other.outputs
    ]


def _of_places(job: Job, host_zone: ZoneInfo) -> tuple[str, ...]:
    """Return which files of *job* the scheduler of this machine would not let it reach."""
    if not host_facts.is_native(launchd):
        return ()
    here = host_facts.target(launchd, host_zone, "")
    return tuple(closed_folders.warnings([job], here, execute.SystemReader()))


def _text(job: Job, fact: dict[str, Any]) -> str:
    slots = [clock(dt.datetime.fromisoformat(slot).astimezone(job.zone)) for slot in fact["slots"]]
    first, *later = slots or ["never again"]
    engines: dict[tuple[str, str], list[str]] = {}
    for name, engine in fact["engines"].items():
        if name == kubernetes.NAME and job.kubernetes is None:
            continue  # of which the spec says nothing
        engines.setdefault((engine["fidelity"], engine["reason"]), []).append(name)
    rows = [
        ("means", f"{fact['sentence'].removesuffix('.')} ({job.timezone})."),
        ("next", first),
        *(("", slot) for slot in later),
        ("records", f"{', '.join(map(str, job.pairs))} into {', '.join(map(str, job.outputs))}"),
        *(("warning", warning) for warning in fact["warnings"]),
        *((("journal", redacted(job.journal)),) if job.journal else ()),
        *((("runs as", job.user),) if job.user else ()),
        ("asks", ", then ".join(provider.name for provider in job.providers)),
        *(
            (fidelity, f"{', '.join(names)}{f': {reason}' if reason else ''}")
            for (fidelity, reason), names in engines.items()
        ),
    ]
    return "\n".join([job.name, *(_row(label, text) for label, text in rows)])


def _row(label: str, text: str) -> str:
    """Return one row, broken at the terminal's width and set in under its own text."""
    return textwrap.fill(
        text,
        width=max(shutil.get_terminal_size().columns, 60),
        initial_indent=f"  {label:<8}  ",
        subsequent_indent=" " * 12,
        break_on_hyphens=False,
        break_long_words=False,
    )
