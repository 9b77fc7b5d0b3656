"""``ratectl run``: one firing by hand, in this process, with an account of what it did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ratectl.commands._shared import as_account, date_range, tags, terminal
from ratectl.commands._shared.environment import surroundings
from ratectl.commands._shared.options import JsonOption
from ratectl.commands._shared.progress import patience
from ratectl.commands._shared.tags import TagOption
from ratectl.errors import RatectlError, TryLaterError, UsageError
from ratectl.firing.report import FiringReport
from ratectl.firing.runner import Runner
from ratectl.journal.journal import Installed, Journal
from ratectl.model import quote
from ratectl.runtime import accounts, own_places
from ratectl.views.format import as_json

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from ratectl.firing.due import Timetable


def run(
    job: Annotated[str, typer.Argument(metavar="JOB", help="An installed job.")] = "",
    *,
    tag: TagOption = None,
    every: Annotated[bool, typer.Option("--all", help="Run every installed job.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Record a manual slot now, whatever is due.")
    ] = False,
    slot: Annotated[
        str,
        typer.Option(
            metavar="T",
            help="Settle the one slot T, such as 2026-11-23T10:30, or a day with one slot; however old it is.",
        ),
    ] = "",
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            readable=False,
            help="The state directory, where it is not the usual one.",
        ),
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
    tags.refuse_unclear("run", bool(job), bool(tag), every, names="name one JOB")
    if job and tag:
        raise UsageError("run: name one JOB or give --tag, not both")
    if slot and (force or every or tag):
        raise UsageError("run: --slot goes with one JOB and without --force")
    with Journal(state or own_places.state_dir()) as journal:
        if job:
            more = ["--slot", slot] if slot else []
            as_account.hand_over(journal, job, ["run", job, *_options(force, json), *more])
        named = tags.chosen(journal, [job] if job else (), tag)
        wanted = journal.installed() if every else tuple(map(journal.installed_job, named))
        if not wanted:
            typer.echo("[]" if json else f"nothing to run: {_nothing()}")
            return
        theirs = [row for row in wanted if accounts.is_foreign(row.job.user)]
        own = [row for row in wanted if row not in theirs]
        done = [_one(journal, installed, force=force, slot=slot) for installed in own]
    codes = [as_account.command(user, _words(force, json)) for user in _users(theirs)]
    if not own:
        raise typer.Exit(max(codes))
    if json:
        typer.echo(as_json([_as_json(firing_report) for firing_report in done]))
    else:
        lines = [line for firing_report in done for line in _lines(firing_report)]
        if lines:
            terminal.show("\n".join(lines))
    failed = [(report.job, report.error) for report in done if report.error is not None]
    if force:
        _say_that_none_repeats(failed)
    if failed and len(done) == 1:
        raise failed[0][1]
    for name, error in failed:
        terminal.complain(f"ratectl: {name}: {error}")
    if failed or any(codes):
        raise typer.Exit(failed[-1][1].exit_code if failed else max(codes))


def _nothing() -> str:
    from ratectl.commands._shared import next_step  # noqa: PLC0415 - for this only

    return next_step.nothing_installed()


def _say_that_none_repeats(failed: Sequence[tuple[str, RatectlError]]) -> None:
    """Say what repeats those tries by hand that *failed* and may work later: nothing does by itself."""
    for name, error in failed:
        if isinstance(error, TryLaterError):
            again = f"`ratectl run {name} --force` does, once that has passed"
            terminal.complain(f"{name}: nothing tries this again by itself; {again}")


def _users(rows: Sequence[Installed]) -> list[str]:
    return list(dict.fromkeys(row.job.user for row in rows))


def _words(force: bool, json: bool) -> list[str]:
    return ["run", "--all", *_options(force, json)]


def _options(force: bool, json: bool) -> list[str]:
    return [*(["--force"] if force else []), *(["--json"] if json else [])]


def _one(journal: Journal, installed: Installed, *, force: bool, slot: str) -> FiringReport:
    try:
        with patience(installed.job) as tell:
            runner = Runner(journal, installed, surroundings(tell))
            if force:
                done = runner.run_now()
            elif slot:
                done = runner.run_slot(_named(slot, runner.timetable))
            else:
                done = runner.run_due()
    except RatectlError as error:
        return FiringReport(job=installed.job.name, error=error)
    done.remarks = tuple(runner.notifier.remarks)
    return done


def _named(slot: str, timetable: Timetable) -> dt.datetime:
    """Return the slot that ``--slot`` names: a time, or a day that has one slot, also today and yesterday."""
    if slot in date_range.NAMED_DAYS:
        slot = date_range.day_of(slot, timetable.zone).isoformat()
    return timetable.slot_named(slot, option="--slot")


def _lines(report: FiringReport) -> list[str]:
    return [f"{report.job}: {line}" for line in report.lines()]


def _as_json(report: FiringReport) -> dict[str, object]:
    return {
        "job": report.job,
        "note": report.note,
        "error": None if report.error is None else str(report.error),
        "slots": [
            {
                "slot": settled.slot.astimezone(report.zone).isoformat(),
                "outcome": settled.outcome,
                "warnings": list(settled.warnings),
                "quotes": [quote.to_dict(recorded) for recorded in settled.quotes],
            }
            for settled in report.settled
        ],
    }
