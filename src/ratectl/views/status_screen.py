"""Status as a person sees it: what is wrong first, and of each job why, what helps, and a line for each pair.

The symbol in front is coloured, and says nothing that the word beside it does not say as well.
"""

from __future__ import annotations

import datetime as dt
import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from ratectl.page import numbers, standing
from ratectl.views.format import clock, clocks, length, relative_time, sparkline
from ratectl.views.inventory import NOTHING
from ratectl.views.status import QUOTES, age
from ratectl.wording import SWITCHED_OFF, count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from ratectl.journal.journal import RecordedQuote
    from ratectl.views.status import JobStatus

STYLES = {
    "failing": "bold red",
    "drifted": "bold yellow",
    "missed": "bold yellow",
    "ok": "green",
    "new": "cyan",
    "paused": "dim",
    "off": "dim",
}
"""How the symbol of each word looks."""
COMMAND = re.compile(r"`[^`]{1,30}`")
"""A command that is short enough to stay on one line."""
KEPT_BLANK = "\0"
"""Stands for a blank at which no line is broken: no text that is shown has this character."""
INDENT = 4
FEWEST_BLOCKS = 8
GIVING_WAY = (4, 3, 2)
"""Cells of a rate that have no room on a narrow screen, the first to go first: its change, its day, its age."""
WIDE = 100
"""Columns from which on the provider of each rate has room."""
READABLE = 200
"""Columns of a screen; more is a pipe, where each fact is one line."""
DAY = dt.timedelta(days=1)
SLACK = 5 * DAY
"""How much older than a day the rate of "a day before" may be: a weekend with holidays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Who looks, when, and on how wide a screen."""

    now: dt.datetime
    zone: dt.tzinfo
    width: int
    height: int = 0
    """Lines of a screen that does not scroll; 0 is as many as there are."""
    nothing: str = NOTHING
    """What to say where no job is installed."""


class Block(NamedTuple):
    """The lines of one job."""

    word: str
    head: list[Text]
    """Its name, how it stands, and what comes next."""
    rates: list[Text]
    facts: list[Text]
    """What a person should know, and what helps."""

    def lines(self, *, rates: bool) -> list[Text]:
        """Return the lines, with those of the rates or without."""
        return [*self.head, *(self.rates if rates else ()), *self.facts]


def word(status: JobStatus) -> str:
    """Return the one word for how a job stands; the worst that is true of it."""
    return standing.word(
        failing=bool(status.failures or status.troubles),
        drifted=bool(status.drift),
        paused=status.paused,
        enabled=status.enabled,
        missed=status.last is not None and status.last.outcome == "missed",
        rated=status.newest is not None,
    )


def screen(found: Sequence[JobStatus], view: View) -> Text:
    """Return the whole screen for *found*, the worst first."""
    if not found:
        return Text("\n".join(wrapped(view.nothing, view.width, "", " " * INDENT)))
    names = max(len(status.job) for status in found)
    table = _Rates(found, view)
    worst_first = sorted(found, key=lambda status: standing.WORDS.index(word(status)))
    blocks = [_block(status, names, table, view) for status in worst_first]
    head = [*_summary(found, view), *_pages(found, view)]
    return Text("\n").join([*head, *_fitting(blocks, view.height - len(head))])


def _block(status: JobStatus, names: int, table: _Rates, view: View) -> Block:
    facts: list[Text] = []
    for text in _attention(status, view):
        facts += map(Text, wrapped(text, view.width, " " * INDENT))
    rates = [table.line(status.recent[pair]) for pair in status.pairs if status.recent.get(pair)]
    return Block(word(status), _head(status, names, view), rates, facts)


def _head(status: JobStatus, names: int, view: View) -> list[Text]:
    label = word(status)
    lead = f"{standing.SYMBOLS[label]} {status.job.ljust(names)}  {label:<7}"
    following = _next(status, label, view)
    whole = f"{lead}  {following}".rstrip()
    fits = len(whole) <= view.width
    head = Text(whole if fits else lead.rstrip())
    more = [] if fits else wrapped(following, view.width, " " * INDENT)
    head.stylize(STYLES[label], 0, 1)
    head.stylize("bold", 2, 2 + len(status.job))
    return [head, *map(Text, more)]


def _next(status: JobStatus, label: str, view: View) -> str:
    if status.next is not None:
        return f"next {clocks(status.next, view.zone)}, {relative_time(status.next, view.now)}"
    if status.switched_off:
        return SWITCHED_OFF
    if label == "paused":
        return f"`ratectl resume {status.job}` lets it run again"
    if status.enabled:
        return "no further slot"
    return "" if label == "off" else "nothing wakes it"


def _attention(status: JobStatus, view: View) -> Iterator[str]:
    """Yield what a person should know of a job, a sentence each, and the command that helps at the end."""
    last = status.last
    if last is not None and last.outcome != "recorded":
        ended = _ENDED.get(last.outcome, last.outcome)  # a shared journal may say anything
        if last.outcome == "failed":
            ended += " and is still due" if status.is_owed else " and is not due"
        why = f": {last.detail}" if last.detail else ""
        yield f"the last slot {ended} ({relative_time(last.at, view.now)}){why}"
    if status.failures:
        again = f"; next try {_soon(status.retry_at, view)}" if status.retry_at else ""
        yield f"{count(status.failures, 'firing')} in a row failed{again}"
    if status.missed:
        yield f"{count(status.missed, 'slot')} missed since the installation"
    yield from status.troubles
    yield from status.drift
    if helps := _help(status):
        yield helps


def _help(status: JobStatus) -> str:
    label, name = word(status), status.job
    if label not in standing.BAD:
        again = status.last is not None and status.last.outcome == "failed" and status.enabled
        return f"a rate right now: ratectl run {name} --force" if again else ""
    if status.last and "ratectl review" in status.last.detail:
        return "decide: ratectl review"
    if label == "failing" and not status.troubles:
        return f"try now: ratectl run {name}, and why: ratectl doctor {name}"
    return f"why: ratectl doctor {name}"


def _soon(moment: dt.datetime, view: View) -> str:
    """Return when a wait that ends at *moment* is followed by a try: engines look every few minutes."""
    if moment <= view.now:
        return "within minutes"
    return f"at {clocks(moment.astimezone(view.zone), view.zone)} or minutes later"


_ENDED = {
    "": "is being settled",
    "closed": "was closed without a rate",
    "missed": "was missed",
    "failed": "failed",
}


class _Rates:
    """Lines of rates, with columns as wide as the widest of all jobs and rates aligned at their decimal points."""

    def __init__(self, found: Sequence[JobStatus], view: View) -> None:
        self._view = view
        series = [entries for status in found for entries in status.recent.values() if entries]
        shown = [numbers.shown(entries[-1].quote.rate) for entries in series]
        self._whole = max((len(rate.whole) for rate in shown), default=0)
        cells = [self._cells(entries) for entries in series]
        self._widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for column in GIVING_WAY[: len(self._widths)]:
            if self._used() > view.width:
                self._widths[column] = 0
        room = view.width - self._used() - 2
        self._blocks = min(QUOTES, room) if room >= FEWEST_BLOCKS else 0

    def _cells(self, entries: Sequence[RecordedQuote]) -> tuple[str, ...]:
        quote = entries[-1].quote
        rate = numbers.shown(quote.rate)
        old = length(age(entries[-1], self._view.now))
        provider = (quote.provider,) if self._view.width >= WIDE else ()
        number = f"{rate.whole.rjust(self._whole)}{rate.fraction}"
        return (str(quote.pair), number, old, f"of {quote.rate_date}", _change(entries), *provider)

    def line(self, entries: Sequence[RecordedQuote]) -> Text:
        pair, rate, old, *rest = self._cells(entries)
        texts = (" " * INDENT + pair, rate, old.rjust(self._widths[2]), *rest)
        widths = (INDENT + self._widths[0], *self._widths[1:])
        cells = [
            Text(text.ljust(width), "bold" if text is rate else "")
            for text, width in zip(texts, widths, strict=True)
            if width
        ]
        drawn = [entry.quote.rate for entry in entries[-self._blocks :]] if self._blocks else []
        line = Text("  ").join((*cells, Text(sparkline(drawn), "cyan")))
        line.rstrip()
        return line

    def _used(self) -> int:
        """Return the columns that a line takes up to its drawing."""
        widths = [width for width in self._widths if width]
        return INDENT + sum(widths) + 2 * max(0, len(widths) - 1)


def _change(entries: Sequence[RecordedQuote]) -> str:
    """Return the change since the day before the newest rate; empty where that is not among the newest."""
    newest = entries[-1]
    then = newest.slot - DAY
    before: list[Decimal] = [
        entry.quote.rate for entry in entries if then - SLACK <= entry.slot <= then
    ]
    return f"{numbers.percent(newest.quote.rate, before[-1])} %" if before else ""


def _summary(found: Sequence[JobStatus], view: View) -> list[Text]:
    """Return how many jobs stand how, and when that was; on two lines where the screen is narrow."""
    words = [word(status) for status in found]
    summary = standing.summary(words)
    moment = clock(view.now.astimezone(view.zone).replace(microsecond=0, second=0))
    room = min(view.width, WIDE) - len(summary) - len(moment)
    if view.width > READABLE:
        return [Text(f"{summary}  {moment}")]
    if room < 2:
        return [Text(summary, "bold"), Text(moment, "dim")]
    return [Text.assemble((summary, "bold"), " " * room, (moment, "dim"))]


def _pages(found: Sequence[JobStatus], view: View) -> Iterator[Text]:
    """Yield, once of each report page that cannot be written, why, and what helps."""
    for page in dict.fromkeys(status.page for status in found if status.page):
        text = f"cannot write the report page {page}; what helps: ratectl doctor"
        yield from map(Text, wrapped(text, view.width, "", " " * INDENT))


def _fitting(blocks: list[Block], height: int) -> list[Text]:
    """Return the lines of *blocks*; in *height* lines, where that is above 0, those that do well are folded first, then rates are left out."""
    whole = [block.lines(rates=True) for block in blocks]
    if height <= 0 or _size(whole) <= height:
        return [line for lines in whole for line in lines]
    kept = len(blocks)
    while kept > 1 and blocks[kept - 1].word not in standing.BAD and _size(whole[:kept]) >= height:
        kept -= 1
    if _size(whole[:kept]) >= height:
        whole = [block.lines(rates=False) for block in blocks]
    while kept > 1 and _size(whole[:kept]) >= height:
        kept -= 1
    folded = [
        f"+{number} {name}" for name, number in standing.counted(b.word for b in blocks[kept:])
    ]
    lines = [line for lines in whole[:kept] for line in lines]
    return [*lines, Text(", ".join(folded), "dim")] if folded else lines


def _size(blocks: Sequence[Sequence[Text]]) -> int:
    return sum(map(len, blocks))


def wrapped(text: str, width: int, lead: str, indent: str = "") -> list[str]:
    """Return *text* behind *lead* in lines of *width*, the further ones indented by *indent* or as far as the lead and two more."""
    if width > READABLE:
        return [(lead + text).rstrip()]
    kept = COMMAND.sub(lambda command: command[0].replace(" ", KEPT_BLANK), text)
    lines = textwrap.wrap(
        kept,
        max(width, len(lead) + 20),
        initial_indent=lead,
        subsequent_indent=indent or " " * (len(lead) + 2),
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [line.replace(KEPT_BLANK, " ") for line in lines] or [lead.rstrip()]
