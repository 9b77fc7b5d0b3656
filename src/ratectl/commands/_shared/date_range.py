"""What ``--since``, ``--until`` and ``--pair`` mean, for every command that looks back."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from ratectl.commands._shared.environment import utc_now
from ratectl.errors import UsageError
from ratectl.journal.rows import Span
from ratectl.schedule.values import YEARS

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from ratectl.model.job import Job, Pair

SinceOption = Annotated[
    str,
    typer.Option(
        metavar="T",
        help="Leave older slots out: a day (also today, yesterday), or a time as 2026-11-23T10:30.",
    ),
]
UntilOption = Annotated[
    str, typer.Option(metavar="T", help="Leave newer slots out; a day counts as a whole.")
]
NAMED_DAYS = {"today": dt.timedelta(), "yesterday": dt.timedelta(days=-1)}
PairOption = Annotated[
    str, typer.Option(metavar="PAIR", help="One pair, such as USD/INR, of a job with several.")
]


def span(since: str, until: str, zone: ZoneInfo) -> Span:
    """Return the slots that both options leave. Raises UsageError; empty texts are no limit."""
    start = moment(since, zone, option="--since") if since else None
    end = moment(until, zone, option="--until", after=True) if until else None
    if start is not None and end is not None and start >= end:
        raise UsageError(f"--since {since}: not before --until {until}")
    return Span(start=start, end=end)


def moment(text: str, zone: ZoneInfo, *, option: str, after: bool = False) -> dt.datetime:
    """Return where a day or time begins in *zone*, or with *after* what comes right after it."""
    try:
        day = day_of(text, zone)
        step, found = dt.timedelta(days=1), dt.datetime.combine(day, dt.time())
    except ValueError:
        try:
            step, found = dt.timedelta(seconds=1), dt.datetime.fromisoformat(text)
        except ValueError as error:
            raise UsageError(
                f"{option} {text!r}: neither a day such as 2026-11-23 or yesterday nor a time such as 2026-11-23T10:30"
            ) from error
    try:
        found = found + step if after else found
    except OverflowError as error:
        raise UsageError(f"{option} {text!r}: lies beyond the calendar") from error
    if found.year < YEARS[0] or found.year == dt.MAXYEAR:
        raise UsageError(f"{option} {text!r}: lies beyond the calendar; slots begin in {YEARS[0]}")
    return found if found.tzinfo else found.replace(tzinfo=zone)


def is_time(text: str) -> bool:
    """Tell whether *text*, which :func:`moment` took, says more than a day."""
    try:
        day_of(text, dt.UTC)
    except ValueError:
        return bool(text)
    return False


def day_of(text: str, zone: dt.tzinfo | None) -> dt.date:
    """Return the day that *text* names, by the calendar of *zone*, without one of this machine. Raises ValueError for anything else."""
    if text in NAMED_DAYS:
        return utc_now().astimezone(zone).date() + NAMED_DAYS[text]
    return dt.date.fromisoformat(text)


def pair(text: str, job: Job) -> Pair | None:
    """Return the pair of *job* that the option names, None for no text. Raises UsageError for one it lacks."""
    return named_pair(text, job, option="--pair") if text else None


def named_pair(text: str, job: Job, *, option: str) -> Pair:
    """Return the pair of *job* that *option* names. Raises UsageError for one it lacks."""
    known = {str(pair): pair for pair in job.pairs}
    if text.upper() not in known:
        raise UsageError(f"{option} {text}: {job.name} records {', '.join(known)}")
    return known[text.upper()]
