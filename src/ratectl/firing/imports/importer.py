"""A file of rates into the journal: all of its lines are right, or nothing is written; each row once, however often it is repeated.

A row is known by its civil day, pair and number, whatever slot of the day has it, and also where it was taken back.
The others go to the slots of their day in the order of the file. Outputs get nothing of it.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ratectl.firing import by_hand
from ratectl.firing.due import civil_day
from ratectl.firing.imports.doubts import Doubtful, Doubts, Weighed
from ratectl.firing.imports.lines import Row, Wrong
from ratectl.journal import revisions
from ratectl.journal.rows import Span
from ratectl.model.quote import IMPORTED, Quote, plain
from ratectl.schedule.occurrences.zones import SECOND
from ratectl.schedule.values import YEARS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from decimal import Decimal

    from ratectl.firing.runner import Runner
    from ratectl.journal.statements import Statements
    from ratectl.model.job import Pair

AT_ONCE = 500
"""Rows that are committed together."""


@dataclass(slots=True, kw_only=True)
class Imported:
    """What an import came to."""

    rows: int = 0
    """Rows of the file that are for the job."""
    written: int = 0
    known: int = 0
    """Rows that were there already."""
    left_out: list[Wrong] = field(default_factory=list)
    """Rows for whose slot another number is recorded."""
    doubtful: list[Doubtful] = field(default_factory=list)
    """Rows that were written, and are hard to believe."""


class _Placed(NamedTuple):
    """A row, and the slot that it is for."""

    row: Row
    slot: dt.datetime
    quote: Quote
    replaces: Quote | None = None
    """An earlier line of the slot, of which it is a revision."""


class _Number(NamedTuple):
    """What a row says of its civil day, and by what it is found again."""

    pair: Pair | None
    day: dt.date
    rate: Decimal


class _Standing:
    """What the journal has of the days of a batch."""

    def __init__(self, runner: Runner, first: dt.date, last: dt.date) -> None:
        zone, name = runner.timetable.zone, runner.job.name
        start, end = (
            civil_day(first, zone)[0],
            civil_day(last, zone)[1],
        )
        self.quotes: dict[tuple[dt.datetime, Pair], Quote] = {}
        self.known: Counter[_Number] = Counter()
        """How often a day has each number; also those that count no more."""
        self.earlier: dict[tuple[dt.datetime, Pair], list[Quote]] = defaultdict(list)
        """All that a slot ever had."""
        for entry in revisions.history(runner.store, name, Span(start, end + SECOND), None):
            if not entry.state:
                self.quotes[entry.slot, entry.quote.pair] = entry.quote
            self.earlier[entry.slot, entry.quote.pair].append(entry.quote)
            day = entry.slot.astimezone(zone).date()
            self.known[_Number(entry.quote.pair, day, entry.quote.rate)] += 1


class Importer:
    """The rows of one file on their way into the record of *runner*'s job."""

    def __init__(self, runner: Runner, pair: Pair | None, origin: str) -> None:
        self.runner = runner
        self.pair = pair
        """The only one that is wanted, and the one of lines that name none."""
        self.origin = origin
        """Of the file, as the record of a slot names it."""
        self.done = Imported()
        self._count: dict[tuple[Pair, dt.date], int] = defaultdict(int)
        """How many rows of a day there were so far that do not name their slots."""
        self._seen: Counter[_Number] = Counter()
        """How often they had each number."""
        self._in_file: set[_Number] = set()
        self._doubts = Doubts(runner.store, runner.job.name, runner.timetable.zone)

    def checked(self, said: Iterable[Row | Wrong]) -> tuple[list[Row], list[Wrong]]:
        """Return the rows that are for the job, oldest day first, and the lines that are wrong."""
        rows, wrong = [], []
        for one in said:
            known = one if isinstance(one, Wrong) else self._checked(one)
            if isinstance(known, Wrong):
                wrong.append(known)
            elif known is not None:
                rows.append(known)
        return sorted(rows, key=self._day), wrong

    def _checked(self, row: Row) -> Row | Wrong | None:
        """Return *row* with its pair, what is wrong with it, or None where it is of another pair than is wanted."""
        job = self.runner.job
        only = job.pairs[0] if len(job.pairs) == 1 else None
        pair = row.pair or self.pair or only
        if pair is None:
            return Wrong(row.line, f"names no pair, and {job.name} has several; --pair says which")
        if self.pair is not None and pair != self.pair:
            return None
        if pair not in job.pairs:
            return Wrong(
                row.line, f"{job.name} records no {pair}; --pair picks the rows of one pair"
            )
        now = self.runner.env.clock()
        today = now.astimezone(self.runner.timetable.zone).date()
        if row.slot is not None and row.slot > now:
            return Wrong(row.line, f"{self.runner.timetable.told(row.slot)} still lies ahead")
        if row.slot is None and self._day(row) > today:
            return Wrong(row.line, f"{self._day(row)} still lies ahead")
        if self._day(row).year < YEARS[0]:
            return Wrong(row.line, f"{self._day(row)} is before {YEARS[0]}, when slots begin")
        return row._replace(pair=pair)

    def _day(self, row: Row) -> dt.date:
        """Return the civil day of the row's slot."""
        if row.slot is not None:
            return row.slot.astimezone(self.runner.timetable.zone).date()
        return row.day or row.rate_date

    def run(self, rows: Sequence[Row], on_progress: Callable[[int], None]) -> Imported:
        """Write *rows*; after each batch *on_progress* is called with how many it had.

        Raises TryLaterError while a firing of the job is at work; the same call again does the rest.
        """
        self.done.rows = len(rows)
        self._in_file = {self._number(row) for row in rows}

        def work() -> None:
            for first in range(0, len(rows), AT_ONCE):
                batch = rows[first : first + AT_ONCE]
                self._write(batch)
                on_progress(len(batch))

        by_hand.locked(self.runner, work)
        self._doubts.end()
        self.done.doubtful = self._doubts.found
        return self.done

    def _write(self, batch: Sequence[Row]) -> None:
        standing = _Standing(self.runner, self._day(batch[0]), self._day(batch[-1]))
        placed = list(self._placed(batch, standing))
        if placed:
            ledger = by_hand.Ledger(self.runner)
            with self.runner.store.database.transaction(durable=True) as connection:
                for one in placed:
                    self._enter(connection, ledger, one)
        self.done.written += len(placed)

    def _enter(self, connection: Statements, ledger: by_hand.Ledger, one: _Placed) -> None:
        if one.replaces is not None:
            revisions.replace(
                connection,
                self.runner.job.name,
                one.slot,
                one.quote,
                before=one.replaces,
                reason="a later line of the file",
            )
            return
        detail = f"imported from {self.origin}, line {one.row.line}"
        ledger.enter(connection, one.slot, one.quote, detail=detail)

    def _placed(self, batch: Sequence[Row], standing: _Standing) -> Iterator[_Placed]:
        """Yield those of *batch* that are not there yet, each with its slot; note the others."""
        for row in batch:
            one = self._place(row, standing)
            slot, quote = (one.slot, one.quote) if one else (None, self._quote(row))
            self._doubts.add(Weighed(row.line, slot, quote))
            if one is not None:
                standing.quotes[one.slot, one.quote.pair] = one.quote
                standing.earlier[one.slot, one.quote.pair].append(one.quote)
                yield one

    def _place(self, row: Row, standing: _Standing) -> _Placed | None:
        pair, day = row.pair, self._day(row)
        assert pair is not None  # noqa: S101 - checked() saw to it
        if row.slot is not None:
            return self._place_in(row.slot.astimezone(dt.UTC), row, pair, standing)
        place, number = self._count[pair, day], self._number(row)
        self._count[pair, day] += 1
        self._seen[number] += 1
        if self._seen[number] <= standing.known[number]:
            self.done.known += 1
            return None
        slot = self._slot(day, place)
        while self._is_of_another_row(standing.quotes.get((slot, pair)), day):
            place += 1
            slot = self._slot(day, place)
        return self._place_in(slot, row, pair, standing)

    def _number(self, row: Row) -> _Number:
        return _Number(row.pair, self._day(row), row.rate)

    def _is_of_another_row(self, there: Quote | None, day: dt.date) -> bool:
        """Tell whether *there* is what a row of the file says, so that a row more of *day* goes elsewhere."""
        return there is not None and _Number(there.pair, day, there.rate) in self._in_file

    def _place_in(
        self, slot: dt.datetime, row: Row, pair: Pair, standing: _Standing
    ) -> _Placed | None:
        there = standing.quotes.get((slot, pair))
        earlier = standing.earlier.get((slot, pair), ())
        for quote in earlier:
            if _same(row, quote):
                self._compare(row, quote)
                return None
        quote = self._quote(row, slot)
        if there is None:
            return _Placed(row, slot, quote)
        if there.kind == IMPORTED and row.slot and there.observed_at < quote.observed_at:
            return _Placed(row, slot, quote, replaces=there)
        self._compare(row, there)
        return None

    def _compare(self, row: Row, there: Quote) -> None:
        """Note that the place of *row* is taken: by the same, or by another number, which stays."""
        if _same(row, there):
            self.done.known += 1
            return
        number = f"{plain(there.rate)} of {there.rate_date} ({there.provider})"
        self.done.left_out.append(Wrong(row.line, f"{there.pair} is recorded there as {number}"))

    def _slot(self, day: dt.date, number: int) -> dt.datetime:
        """Return the slot of the row *number* of *day*: one of the schedule, or where that has no more, a second after."""
        now = self.runner.env.clock()
        slots = [slot for slot in self.runner.timetable.on_day(day) if slot <= now]
        if number < len(slots):
            return slots[number].astimezone(dt.UTC)
        first, _ = civil_day(day, self.runner.timetable.zone)
        after = (slots[-1] + SECOND if slots else first).astimezone(dt.UTC)
        return after + (number - len(slots)) * SECOND

    def _quote(self, row: Row, slot: dt.datetime | None = None) -> Quote:
        assert row.pair is not None  # noqa: S101 - checked() saw to it
        return Quote(
            pair=row.pair,
            rate=row.rate,
            rate_date=row.rate_date,
            provider=row.provider,
            provider_time=None,
            observed_at=row.observed_at or slot or self.runner.env.clock(),
            kind=IMPORTED,
        )


def _same(row: Row, quote: Quote) -> bool:
    return (row.rate, row.rate_date) == (quote.rate, quote.rate_date)
