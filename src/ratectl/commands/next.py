"""``ratectl next``: the slots of an installed job, of a job in a spec, or of a schedule as typed."""

from __future__ import annotations

import datetime as dt
import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from ratectl import machine, report, schedule, spec
from ratectl.commands.options import JsonOption
from ratectl.errors import UsageError
from ratectl.firing import due
from ratectl.firing.journal import Journal
from ratectl.schedule.parse import parse_one

if TYPE_CHECKING:
    from collections.abc import Iterator

JOB_NAME = re.compile(r"[A-Za-z0-9-]+")


def next_(
    what: Annotated[
        str, typer.Argument(metavar='JOB|"EXPR"', help="A job, or a schedule in quotes.")
    ],
    *,
    spec_path: Annotated[
        Path | None, typer.Option("--spec", metavar="SPEC", help="Take the job from this spec.")
    ] = None,
    timezone: Annotated[
        str, typer.Option(help="Zone of a schedule in quotes; by default this machine's.")
    ] = "",
    after: Annotated[
        str, typer.Option(metavar="T", help="Slots later than T, such as 2026-11-23T10:30.")
    ] = "",
    before: Annotated[
        str, typer.Option(metavar="T", help="Slots earlier than T, newest first.")
    ] = "",
    count: Annotated[int, typer.Option(min=1, help="How many slots.")] = 5,
    json: JsonOption = False,
) -> None:
    """Show the slots of a job or schedule.

    \b
    Examples:
      ratectl next usd-inr --count 10
      ratectl next "every friday at 16:00" --timezone Europe/Berlin
      ratectl next "30 10 * * 1-5" --before 2026-11-23T10:30
    """
    if after and before:
        raise UsageError("next: give --after or --before, not both")
    value, zone = _schedule(what, spec_path, timezone)
    given, option = (before, "--before") if before else (after, "--after")
    moment = due.named(given, zone, option=option) if given else dt.datetime.now(dt.UTC)
    find = schedule.before if before else schedule.after
    slots: Iterator[dt.datetime] = islice(find(value, zone, moment), count)
    if json:
        typer.echo(report.as_json([slot.isoformat() for slot in slots]))
        return
    lines = [f"{slot:%a %Y-%m-%d %H:%M:%S %z} {zone.key}" for slot in slots]
    typer.echo("\n".join(lines) or "no slot: the schedule has ended, or not begun")


def _schedule(
    what: str, spec_path: Path | None, timezone: str
) -> tuple[schedule.Schedule, ZoneInfo]:
    if not JOB_NAME.fullmatch(what):
        if spec_path:
            raise UsageError(
                f'next: "{what}" is a schedule, and --spec goes with the name of a job'
            )
        return parse_one(what), _zone(timezone) if timezone else machine.zone()
    if timezone:
        raise UsageError(
            f'next: the job "{what}" has a zone of its own; --timezone goes with "EXPR"'
        )
    if spec_path:
        job = spec.load(spec_path, host_timezone=machine.zone().key).job(what)
        return job.schedule, job.zone
    with Journal(machine.current().state_dir) as journal:
        job = journal.installed_job(what).job
    return job.schedule, job.zone


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"--timezone {name!r}: no such IANA zone, such as Europe/Berlin"
        raise UsageError(message) from error
