"""``ratectl record``: a rate that a person knows, into the record and the outputs of a job."""

from __future__ import annotations

import re
import sys
from typing import Annotated

import typer

from ratectl.commands._shared import as_account, date_range, terminal
from ratectl.commands._shared.environment import surroundings
from ratectl.errors import UsageError
from ratectl.fetch import measure
from ratectl.fetch.failures import FetchError
from ratectl.fetch.providers._shared import json_body
from ratectl.firing.by_hand import Entry
from ratectl.firing.runner import Runner
from ratectl.journal.journal import Journal
from ratectl.model.quote import plain
from ratectl.runtime import own_places

EXAMPLE = "95.12"
"""A rate, as it is typed."""


def _mended(rate: str, failure: FetchError) -> str:
    """Return what is wrong with *rate*, and how it is written; with a point for the decimals, and neither currency nor blanks."""
    if re.fullmatch(r"-[\d.]+", rate):
        return f"RATE is {rate!r}, not a positive number"
    if "not a number" not in str(failure):
        return str(failure)
    digits = re.sub(r"^\s*(?:[A-Z]{3}|[^\w\s.,-])?\s*|\s*(?:[A-Z]{3}|[^\w\s.,%-])?\s*$", "", rate)
    found = re.fullmatch(r"([0-9]*(?:[., '\u00a0\u202f][0-9]{3})*)([.,])([0-9]+)", digits)
    if found is None or found[2] in found[1] or _groups_thousands(found):
        return f"{failure}; write it as {EXAMPLE}"
    return f"{failure}; write it as {re.sub('[^0-9]', '', found[1]) or 0}.{found[3]}"


def _groups_thousands(found: re.Match[str]) -> bool:
    """Tell whether the comma of *found*, such as ``1,234``, may as well stand between thousands."""
    return (
        found[2] == "," and len(found[3]) == 3 and re.fullmatch("[0-9]{1,3}", found[1]) is not None
    )


def record(
    job: Annotated[str, typer.Argument(metavar="JOB", help="An installed job.")],
    pair: Annotated[str, typer.Argument(metavar="PAIR", help="One of its pairs, such as USD/INR.")],
    rate: Annotated[str, typer.Argument(metavar="RATE", help="Its rate, such as 95.12.")],
    *,
    on: Annotated[
        str,
        typer.Option(
            metavar="D",
            help="The day that the rate is of, or a slot as 2026-11-23T10:30; by default today.",
        ),
    ] = "",
) -> None:
    """Enter a rate by hand.

    It counts for the last slot of its day that has none, and goes to the job's outputs like any other.
    ratectl review void takes it back.

    \b
    Examples:
      ratectl record usd-inr USD/INR 95.12
      ratectl record usd-inr USD/INR 95.12 --on 2026-11-20
    """
    try:
        number = json_body.number_text(rate, "RATE")
    except FetchError as failure:
        raise UsageError(f"record: {_mended(rate, failure)}") from failure
    with Journal(own_places.state_dir()) as journal:
        as_account.hand_over(journal, job, sys.argv[1:])
        installed = journal.installed_job(job)
        wanted = date_range.named_pair(pair, installed.job, option="PAIR")
        runner = Runner(journal, installed, surroundings())
        zone = runner.timetable.zone
        now = runner.env.clock()
        moment = date_range.moment(on, zone, option="--on") if on else now
        slot = moment if date_range.is_time(on) else None
        day = moment.astimezone(zone).date()
        entry = Entry(runner=runner, pair=wanted, rate=number, day=day, slot=slot)
        error = entry.run()
    timetable, slot = runner.timetable, entry.slot or now
    if entry.doubt is not None:
        undo = f"ratectl review void {timetable.typed(slot)} --job {job} --pair {wanted}"
        terminal.complain(f"ratectl: {job}: {measure.advice(entry.doubt, undo)}")
    done = "was recorded before" if entry.is_known else "recorded"
    terminal.show(f"{job}: {done}: {wanted} {plain(number)} of {day} for {timetable.told(slot)}")
    if error is not None:
        raise error
