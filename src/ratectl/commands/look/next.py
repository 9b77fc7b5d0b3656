"""``ratectl next``: the slots of an installed job, of a job in a spec, or of a schedule as typed."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from ratectl import schedule
from ratectl.commands._shared.environment import utc_now
from ratectl.commands._shared.options import JsonOption
from ratectl.deploy import host_facts
from ratectl.errors import ScheduleError, UsageError
from ratectl.firing import due
from ratectl.journal.journal import Journal
from ratectl.runtime import own_places, zones
from ratectl.schedule.language.explain import explain
from ratectl.schedule.language.parse import members_of, parse_one
from ratectl.schedule.occurrences.subsets import idle_members
from ratectl.views.format import clock
from ratectl.wording import SWITCHED_OFF

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self
    from zoneinfo import ZoneInfo

    from ratectl.model.job import Job

JOB_NAME = re.compile(r"[A-Za-z0-9-]+")
MOST_SLOTS = 1_000_000_000
NEAR = 0.75


def next_(
    what: Annotated[
        str, typer.Argument(metavar='JOB|"EXPR"', help="A job, or a schedule in quotes.")
    ],
    *,
    spec_path: Annotated[
        Path | None,
        typer.Option("--spec", metavar="SPEC", readable=False, help="Take the job from this spec."),
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Zone of a schedule in quotes; by default this machine's.")
    ] = None,
    after: Annotated[
        str, typer.Option(metavar="T", help="Slots later than T, such as 2026-11-23T10:30.")
    ] = "",
    before: Annotated[
        str, typer.Option(metavar="T", help="Slots earlier than T, newest first.")
    ] = "",
    count: Annotated[int, typer.Option(min=1, max=MOST_SLOTS, help="How many slots.")] = 5,
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
    asked = _asked(what, spec_path, timezone)
    value, zone = asked.schedule, asked.zone
    given, option = (before, "--before") if before else (after, "--after")
    moment = due.parse_moment(given, zone, option=option) if given else utc_now()
    find = schedule.before if before else schedule.after
    slots: Iterator[dt.datetime] = islice(find(value, zone, moment), count)
    if json:
        _print_json(slot.isoformat() for slot in slots)
        return
    typer.echo(f"{explain(value).removesuffix('.')} ({zone.key}).")
    if asked.off:
        typer.echo(f"{asked.off} is {SWITCHED_OFF}, so nothing wakes it; its slots would be:")
    first = next(slots, None)
    if first is None:
        typer.echo("no slot: the schedule has ended, or not begun")
        return
    for slot in chain((first,), slots):
        typer.echo(clock(slot))


class _Asked(NamedTuple):
    """The schedule whose slots are asked for."""

    schedule: schedule.Schedule
    zone: ZoneInfo
    off: str = ""
    """The job that has it, where its spec switches it off."""

    @classmethod
    def of_job(cls, job: Job) -> Self:
        """Return that of *job*."""
        return cls(job.schedule, job.zone, "" if job.enabled else job.name)


def _print_json(texts: Iterator[str]) -> None:
    """Print a list of any length in constant memory, as ``report.as_json`` would."""
    separator = "["
    for text in texts:
        typer.echo(f'{separator}\n  "{text}"', nl=False)
        separator = ","
    typer.echo("[]" if separator == "[" else "\n]")


def _asked(what: str, spec_path: Path | None, timezone: str | None) -> _Asked:
    if what.endswith(".toml"):
        raise UsageError(
            f"next: {what} is a file; `ratectl check {what}` shows the next slots of its jobs, and "
            f"`ratectl next JOB --spec {what}` more of one"
        )
    if not JOB_NAME.fullmatch(what):
        if spec_path:
            raise UsageError(
                f'next: "{what}" is a schedule, and --spec goes with the name of a job'
            )
        return _Asked(_typed(what), _zone(timezone))
    if not spec_path and not _is_installed(what):
        return _Asked(_as_schedule(what, as_job=timezone is None), _zone(timezone))
    if timezone is not None:
        raise UsageError(
            f'next: the job "{what}" has a zone of its own; --timezone goes with "EXPR"'
        )
    if spec_path:
        from ratectl import spec  # noqa: PLC0415 - an installed job is in the journal

        return _Asked.of_job(spec.load(spec_path, host_timezone=host_facts.zone().key).job(what))
    with Journal(host_facts.current().state_dir) as journal:
        return _Asked.of_job(journal.installed_job(what).job)


def _is_near(word: str, other: str) -> bool:
    """Tell whether *word* may well be *other* misspelt, and no name of a job."""
    return difflib.SequenceMatcher(None, word.lower(), other).ratio() >= NEAR


def _typed(text: str) -> schedule.Schedule:
    """Return the schedule that *text* says. Raises ScheduleError, also where one of its parts adds no slot, as for a spec."""
    value = parse_one(text)
    members = members_of(text)
    for place in idle_members([parse_one(member) for member in members]):
        raise ScheduleError(
            f'"{text}": "{members[place]}" adds nothing to the other schedules; leave it out'
        )
    return value


def _is_installed(name: str) -> bool:
    with Journal(own_places.state_dir()) as journal:
        return name in {row.job.name for row in journal.readable()}


def _as_schedule(word: str, *, as_job: bool) -> schedule.Schedule:
    """Return the schedule that *word*, no installed job, is, such as hourly.

    Raises ScheduleError where it was near to one; else, or with *as_job* beside that, an error about the job.
    """
    try:
        return parse_one(word)
    except ScheduleError as error:
        offered = re.search(r'(did you mean|say) ("[^"]+"( or "[^"]+")*)', error.message)
        if offered and not as_job:
            raise
        near = offered and (offered[1] == "say" or _is_near(word, offered[2].strip('"')))
        hint = f"; as a schedule, say {offered[2]}" if offered and near else ""
        if as_job:
            with Journal(own_places.state_dir()) as journal:
                unknown = journal.unknown_job(word)
            unknown.args = (f"{unknown}{hint}",)
            raise unknown from error
    raise UsageError(
        f'next: no job "{word}" is installed, and a job has a zone of its own; --timezone goes with "EXPR"'
    )


def _zone(name: str | None) -> ZoneInfo:
    if name in {None, zones.DEFAULT_TIMEZONE}:
        return host_facts.zone()
    try:
        return zones.named(name)
    except ValueError as error:
        raise UsageError(f"--timezone {name!r}: {error}, such as Europe/Berlin") from error
