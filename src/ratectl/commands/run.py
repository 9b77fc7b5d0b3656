"""``ratectl run``: one firing by hand, in this process, with an account of what it did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ratectl import paths
from ratectl.commands._shared.environment import surroundings
from ratectl.commands._shared.options import JsonOption
from ratectl.errors import RatectlError, UsageError
from ratectl.firing import due
from ratectl.firing.report import FiringReport
from ratectl.firing.runner import Runner
from ratectl.journal.journal import Installed, Journal
from ratectl.model import quote
from ratectl.views.format import as_json


def run(
    job: Annotated[str, typer.Argument(metavar="JOB", help="An installed job.")] = "",
    *,
    every: Annotated[bool, typer.Option("--all", help="Run every installed job.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Record a manual slot now, whatever is due.")
    ] = False,
    slot: Annotated[
        str,
        typer.Option(
            metavar="T", help="Settle the one slot T, such as 2026-11-23T10:30, however old it is."
        ),
    ] = "",
    state: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The state directory, where it is not the usual one."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Settle what is due, or one slot, or record a slot by hand.

    \b
    Examples:
      ratectl run usd-inr
      ratectl run usd-inr --force
      ratectl run usd-inr --slot 2026-11-23T10:30
    """
    if bool(job) == every:
        raise UsageError("run: name one JOB, or give --all")
    if slot and (force or every):
        raise UsageError("run: --slot goes with one JOB and without --force")
    with Journal(state or Path(paths.state_dir())) as journal:
        wanted = journal.installed() if every else (journal.installed_job(job),)
        if not wanted:
            raise UsageError("run --all: no job is installed; `ratectl install` comes first")
        done = [_one(journal, installed, force=force, slot=slot) for installed in wanted]
    if json:
        typer.echo(as_json([_as_json(one) for one in done]))
    else:
        typer.echo("\n".join(line for one in done for line in _lines(one)))
    errors = [one.error for one in done if one.error is not None]
    for one in done[:-1] if len(errors) > 1 else ():
        if one.error is not None and one.error is not errors[-1]:
            typer.echo(f"ratectl: {one.job}: {one.error}", err=True)
    if errors:
        raise errors[-1]


def _one(journal: Journal, installed: Installed, *, force: bool, slot: str) -> FiringReport:
    try:
        runner = Runner(journal, installed, surroundings())
        if force:
            done = runner.run_now()
        elif slot:
            done = runner.run_slot(due.parse_moment(slot, installed.job.zone))
        else:
            done = runner.run_due()
    except RatectlError as error:
        return FiringReport(job=installed.job.name, error=error)
    done.remarks = tuple(runner.notifier.remarks)
    return done


def _lines(done: FiringReport) -> list[str]:
    return [f"{done.job}: {line}" for line in done.lines()]


def _as_json(done: FiringReport) -> dict[str, object]:
    return {
        "job": done.job,
        "note": done.note,
        "error": None if done.error is None else str(done.error),
        "slots": [
            {
                "slot": settled.slot.isoformat(),
                "outcome": settled.outcome,
                "warnings": list(settled.warnings),
                "quotes": [quote.to_dict(one) for one in settled.quotes],
            }
            for settled in done.settled
        ],
    }
