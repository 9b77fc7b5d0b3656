"""``ratectl history``: what the journal holds for one job, oldest slot first, in constant memory."""

from __future__ import annotations

import datetime as dt
import json as jsons
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from ratectl import paths
from ratectl.commands.install import JsonOption
from ratectl.errors import ConfigError
from ratectl.firing.journal import Entry, Journal
from ratectl.firing.quote import facts, plain


def history(
    job: Annotated[str, typer.Argument(metavar="JOB", help="A job, installed or removed.")],
    *,
    json: JsonOption = False,
) -> None:
    """Show what was recorded for a job.

    \b
    Examples:
      ratectl history usd-inr
      ratectl history usd-inr --json
    """
    with Journal(Path(paths.state_dir())) as journal:
        entries = journal.book_of(job).quotes(job)
        first = next(entries, None)
        try:
            zone: dt.tzinfo = journal.installed_job(job).job.zone
        except ConfigError:
            if first is None:
                raise
            zone = dt.UTC  # removed since; its quotes stay
        found = chain(() if first is None else (first,), entries)
        if not json:
            for entry in found:
                typer.echo(_line(entry, zone))
            return
        separator = "["
        for entry in found:
            moment = entry.slot.astimezone(zone).isoformat()
            typer.echo(separator)
            fact = {"job": job, "slot": moment} | facts(entry.quote)
            typer.echo(f"  {jsons.dumps(fact, ensure_ascii=False)}", nl=False)
            separator = ","
        typer.echo("[]" if separator == "[" else "\n]")


def _line(entry: Entry, zone: dt.tzinfo) -> str:
    quote = entry.quote
    slot = entry.slot.astimezone(zone)
    return (
        f"{slot:%Y-%m-%d %H:%M:%S %z}  {quote.pair} {plain(quote.rate)}"
        f"  of {quote.rate_date}  {quote.provider} ({quote.kind})"
    )
