"""``ratectl check``: each job as a sentence, its next slots, and what each engine makes of it."""

from __future__ import annotations

import datetime as dt
import shutil
import textwrap
from itertools import islice
from typing import TYPE_CHECKING, Any

import typer

from ratectl import machine, report, schedule, spec
from ratectl.backends import BACKENDS, kubernetes
from ratectl.commands.options import JsonOption, SpecArgument, default_spec
from ratectl.errors import SpecError
from ratectl.firing.postgres import shown
from ratectl.schedule.explain import explain

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from ratectl.model import Job

SLOTS_SHOWN = 3


def check(spec_path: SpecArgument = None, *, json: JsonOption = False) -> None:
    """Say what a spec means and what each engine makes of it.

    \b
    Examples:
      ratectl check
      ratectl check ./jobs.toml --json
    """
    zone = machine.zone()
    try:
        loaded = spec.load(spec_path or default_spec(), host_timezone=zone.key)
    except SpecError as error:
        if json:
            typer.echo(report.as_json({"jobs": [], "issues": _issues(error)}))
            raise typer.Exit(error.exit_code) from error
        raise
    now = dt.datetime.now(dt.UTC)
    facts = [_facts(job, zone, now) for job in loaded.jobs]
    if json:
        typer.echo(report.as_json({"jobs": facts, "issues": []}))
        return
    for job, fact in zip(loaded.jobs, facts, strict=True):
        typer.echo(_text(job, fact))
    count = len(loaded.jobs)
    typer.echo(f"{loaded.path}: {count} job{'' if count == 1 else 's'}, no issues")


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


def _facts(job: Job, host_zone: ZoneInfo, now: dt.datetime) -> dict[str, Any]:
    covers = {name: backend.check(job, host_zone) for name, backend in BACKENDS.items()}
    slots = islice(schedule.after(job.schedule, job.zone, now), SLOTS_SHOWN)
    return {
        "job": job.name,
        "sentence": explain(job.schedule),
        "timezone": job.timezone,
        "journal": shown(job.journal) if job.journal else "sqlite",
        "slots": [slot.isoformat() for slot in slots],
        "engines": {
            name: {"fidelity": cover.fidelity.value, "reason": cover.reason}
            for name, cover in covers.items()
        },
    }


def _text(job: Job, fact: dict[str, Any]) -> str:
    slots = [f"{dt.datetime.fromisoformat(slot):%a %Y-%m-%d %H:%M:%S %z}" for slot in fact["slots"]]
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
        *((("journal", shown(job.journal)),) if job.journal else ()),
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
