"""``ratectl history``: what the journal holds for one job, oldest slot first, in constant memory.

Other formats are the same projections of the journal that outputs are: one line for each quote.
"""

from __future__ import annotations

import datetime as dt
import json as jsons
from collections import deque
from itertools import chain, groupby
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from ratectl.commands._shared import date_range, tags, terminal
from ratectl.commands._shared.options import JsonOption
from ratectl.commands._shared.tags import TagOption
from ratectl.errors import UsageError
from ratectl.journal import queries
from ratectl.journal import revisions as all_numbers
from ratectl.journal.journal import Journal
from ratectl.model.quote import to_dict
from ratectl.outputs.formats import FILES
from ratectl.runtime import own_places
from ratectl.runtime.visible import visible
from ratectl.views.history_table import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ratectl.journal.journal import RecordedQuote
    from ratectl.model.job import Job, Pair


MOST = 1_000_000_000


def history(
    job: Annotated[
        str, typer.Argument(metavar="JOB", show_default=False, help="A job, installed or removed.")
    ] = "",
    *,
    tag: TagOption = None,
    since: date_range.SinceOption = "",
    until: date_range.UntilOption = "",
    pair: date_range.PairOption = "",
    last: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=MOST, help="Only the newest N quotes.")
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=f"Lines as an output has them: {', '.join(FILES)}. By default a table.",
        ),
    ] = "",
    revisions: Annotated[
        bool,
        typer.Option(
            "--revisions", help="Show numbers that count no more, too, and why they do not."
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show what was recorded for a job.

    Each quote with where it is from: provider, the day that the rate is for, when it was
    received, whether it was backfilled, derived, or revised an earlier one. A --format rewrites
    a clean file: the number that counts for each pair and day, and nothing that was voided.

    \b
    Examples:
      ratectl history usd-inr --last 20
      ratectl history usd-inr --since 2026-01-01 --format ledger > prices.ledger
    """
    if form and json:
        raise UsageError("history: --json is a format of its own; leave --format out")
    if form and revisions:
        raise UsageError("history: --format writes what counts; leave --revisions out")
    if form and form not in FILES:
        raise UsageError(f"--format {form}: there are {', '.join(FILES)}, and --json")
    if not (job or tag):
        raise UsageError("history: name a JOB, or give --tag")
    with Journal(own_places.state_dir()) as journal:
        names = tags.chosen(journal, [job] if job else (), tag)
        limits = _Limits(since, until, pair, last, revisions)
        found = [_entries(journal, name, limits) for name in names]
        if json:
            _print_json((entry, known) for known, entries in found for entry in entries)
        elif form:
            _print_lines(found, form)
        else:
            for known, entries in found:
                if len(found) > 1:
                    typer.echo(f"{known.name}:")
                _print_table(entries, known, any((since, until, pair)))


class _Limits(NamedTuple):
    """Which quotes are shown."""

    since: str
    until: str
    pair: str
    last: int | None
    revisions: bool


def _entries(journal: Journal, name: str, limits: _Limits) -> tuple[Job, Iterable[RecordedQuote]]:
    """Return the job *name*, and those of its quotes that are within *limits*."""
    known = journal.remembered(name).recording_job
    span = date_range.span(limits.since, limits.until, known.zone)
    wanted, store = date_range.pair(limits.pair, known), journal.store(known)
    if limits.last is not None:
        oldest = queries.newest_slot(store, name, span, wanted, skip=limits.last - 1)
        span = span._replace(start=oldest or span.start)
    quotes: Iterable[RecordedQuote] = (
        all_numbers.history(store, name, span, wanted)
        if limits.revisions
        else store.quotes(name, span, wanted)
    )
    return known, quotes if limits.last is None else deque(quotes, maxlen=limits.last)


def _print_table(entries: Iterable[RecordedQuote], job: Job, narrowed: bool) -> None:
    lines = table(_in_order(entries, job), job.zone, terminal.width())
    head = next(lines, None)
    if head is None:
        where = "in that time " if narrowed else ""
        typer.echo(f"{job.name}: nothing was recorded {where}yet", err=True)
        return
    for line in chain((head,), lines):
        typer.echo(line)


def _in_order(entries: Iterable[RecordedQuote], job: Job) -> Iterable[RecordedQuote]:
    """Yield *entries* with those of one slot in the order in which the job names its pairs."""
    places = {pair: place for place, pair in enumerate(job.pairs)}
    for _slot, group in groupby(entries, key=lambda entry: entry.slot):
        yield from sorted(group, key=lambda entry: places.get(entry.quote.pair, len(places)))


def _print_lines(found: Sequence[tuple[Job, Iterable[RecordedQuote]]], form: str) -> None:
    sink = FILES[form]
    typer.echo(sink.HEADER, nl=False)
    every = ((job, entry) for job, entries in found for entry in entries)
    for job, entry in _newest_of_each_day(every) if sink.BY_DAY else every:
        lines = b"".join(sink.lines(job, entry.slot, (entry.quote,)))
        shown = visible(lines.decode("utf-8", "replace"))  # who shares a journal wrote some of it
        typer.echo(shown.encode(), nl=False)


def _newest_of_each_day(
    every: Iterable[tuple[Job, RecordedQuote]],
) -> Iterable[tuple[Job, RecordedQuote]]:
    """Return that of the newest slot for each pair and day: a file of them is clean, whatever was revised, and whichever jobs have the pair."""
    newest: dict[tuple[Pair, dt.date], tuple[Job, RecordedQuote]] = {}
    for job, entry in every:
        day = (entry.quote.pair, entry.quote.rate_date)
        if day not in newest or newest[day][1].slot <= entry.slot:
            newest[day] = (job, entry)
    return newest.values()


def _print_json(entries: Iterable[tuple[RecordedQuote, Job]]) -> None:
    separator = "["
    for entry, job in entries:
        typer.echo(separator)
        typer.echo(f"  {jsons.dumps(_as_json(entry, job), ensure_ascii=False)}", nl=False)
        separator = ","
    typer.echo("[]" if separator == "[" else "\n]")


def _as_json(entry: RecordedQuote, job: Job) -> dict[str, object]:
    revised = {} if entry.supersedes is None else {"supersedes": str(entry.supersedes)}
    slot = entry.slot.astimezone(job.zone).isoformat()
    retired = {"state": entry.state, "reason": entry.reason, "at": _utc(entry.retired_at)}
    counts_no_more = retired if entry.state else {}
    return {"job": job.name, "slot": slot} | to_dict(entry.quote) | revised | counts_no_more


def _utc(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(dt.UTC).isoformat()
