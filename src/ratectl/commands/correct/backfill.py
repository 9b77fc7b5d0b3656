"""``ratectl backfill``: past slots on request, with a progress bar."""

from __future__ import annotations

import datetime as dt
import sys
import time
from typing import Annotated

import typer

from ratectl.commands._shared import as_account, complaints, date_range, terminal
from ratectl.commands._shared.environment import surroundings
from ratectl.commands._shared.options import JsonOption
from ratectl.commands._shared.progress import progress
from ratectl.errors import TryLaterError, UsageError
from ratectl.firing.backfill import Backfill, Filled
from ratectl.firing.runner import Runner
from ratectl.journal.journal import Journal
from ratectl.runtime import own_places
from ratectl.schedule.values import YEARS
from ratectl.views.format import as_json
from ratectl.wording import count

DEFAULT_DAYS = 30
SHOWN = ("recorded", "closed", "revised", "unchanged", "missed", "failed", "held")
"""The outcomes that are shown to a person, in this order."""


def backfill(
    job: Annotated[str, typer.Argument(metavar="JOB", help="An installed job.")],
    *,
    since: Annotated[
        str,
        typer.Option(
            metavar="D",
            help="The first day, such as 2026-11-23; by default 30 days before the last.",
        ),
    ] = "",
    until: Annotated[
        str, typer.Option(metavar="D", help="The last day; by default yesterday.")
    ] = "",
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="Ask again for closed days and for those with an earlier day's rate."
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Record the rates of past days, from providers with history.

    Slots that have a rate already are left alone, so after Ctrl-C the same command
    does the rest. With --again a number that is new is recorded as a revision; the earlier
    one stays in ratectl history --revisions.

    \b
    Examples:
      ratectl backfill usd-inr
      ratectl backfill usd-inr --since 2006-04-01 --until 2026-03-31
      ratectl backfill usd-inr --again
    """
    begun = time.monotonic()
    with Journal(own_places.state_dir()) as journal:
        as_account.hand_over(journal, job, sys.argv[1:])
        installed = journal.installed_job(job)
        runner = Runner(journal, installed, surroundings())
        first, last = _days(since, until, runner)
        work = Backfill(runner, first, last, again=again)
        try:
            with progress(job, len(work.slots) + len(work.revisits)) as on_progress:
                filled = work.run(lambda _, count: on_progress(count))
        except KeyboardInterrupt:
            done = sum(work.filled.outcomes.values())
            raise TryLaterError(
                f"{job}: stopped after {done} of {work.filled.wanted} slots, which are kept; "
                "the same command does the rest"
            ) from None
    seconds = time.monotonic() - begun
    complaints.told(f"{job}: ", list(filled.taken_back))
    if json:
        typer.echo(as_json(_as_json(filled, seconds)))
    else:
        terminal.show(_text(job, filled, seconds))
    if filled.error is not None:
        raise filled.error


def _days(since: str, until: str, runner: Runner) -> tuple[dt.date, dt.date]:
    zone = runner.timetable.zone
    today = runner.env.clock().astimezone(zone).date()
    last = _day(until, "--until", zone) if until else today - dt.timedelta(days=1)
    first = _day(since, "--since", zone) if since else last - dt.timedelta(days=DEFAULT_DAYS)
    if first > last:
        raise UsageError(f"backfill: {first} is after {last}; --since comes first")
    if last > today:
        raise UsageError(f"backfill: --until {last} still lies ahead")
    return first, last


def _day(text: str, option: str, zone: dt.tzinfo) -> dt.date:
    try:
        day = date_range.day_of(text, zone)
    except ValueError as error:
        raise UsageError(f"backfill: {option} {text!r}: not a day such as 2026-11-23") from error
    if day.year < YEARS[0]:
        raise UsageError(f"backfill: {option} {text!r}: schedules have slots from {YEARS[0]} on")
    return day


def _text(job: str, filled: Filled, seconds: float) -> str:
    counts = [f"{filled.outcomes[word]} {word}" for word in SHOWN if filled.outcomes[word]]
    requests = count(filled.requests, "request")
    lines = [f"{job}: {', '.join(counts) or 'nothing to do'} ({requests}, {seconds:.1f} s)"]
    if filled.before:
        were = "was" if filled.before == 1 else "were"
        lines.append(f"{job}: {count(filled.before, 'slot')} {were} settled already")
    if filled.waiting:
        wait = "waits until its" if filled.waiting == 1 else "wait until their"
        lines.append(f"{job}: {count(filled.waiting, 'slot')} {wait} day is over at the provider")
    return "\n".join(lines)


def _as_json(filled: Filled, seconds: float) -> dict[str, object]:
    return {
        "wanted": filled.wanted,
        "settled_before": filled.before,
        "waiting": filled.waiting,
        "outcomes": dict(filled.outcomes),
        "taken_back": list(filled.taken_back),
        "requests": filled.requests,
        "seconds": round(seconds, 3),
        "error": None if filled.error is None else str(filled.error),
    }
