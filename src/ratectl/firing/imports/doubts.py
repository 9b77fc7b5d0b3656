"""Which rows of a file are hard to believe, by the limits of ``fetch/plausibility.py``: each beside the one before it, the first and the last beside the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ratectl.fetch import measure, plausibility

if TYPE_CHECKING:
    import datetime as dt

    from ratectl.fetch.plausibility import Jump
    from ratectl.journal.rate_store import Neighbour, RateStore
    from ratectl.model.job import Pair
    from ratectl.model.quote import Quote


class Doubtful(NamedTuple):
    """A row that was imported, and is far from the one before it."""

    line: int
    slot: dt.datetime
    pair: Pair
    jump: Jump


class Weighed(NamedTuple):
    """A row of the file."""

    line: int
    slot: dt.datetime | None
    """For which it was imported; None where it was not."""
    quote: Quote


@dataclass(slots=True)
class _Course:
    """The rows of one pair so far."""

    near: tuple[Neighbour, ...]
    """What the record had beside the first row."""
    believed: Weighed | None = None
    """The last row that was no suspect."""
    is_alone: bool = False
    """It is the first row, and nothing bears it out."""
    suspect: Weighed | None = None
    """The row before, where it was one."""


class Doubts:
    """The rows of a file, in the order of their days, beside what *job* has recorded in *store*."""

    def __init__(self, store: RateStore, job: str, zone: dt.tzinfo) -> None:
        self._store = store
        self._job = job
        self._zone = zone
        self._courses: dict[Pair, _Course] = {}
        self.found: list[Doubtful] = []

    def add(self, row: Weighed) -> None:
        """Weigh *row*, which is the next of its pair; a move that the next row bears out is where it stands."""
        course = self._course(row.quote)
        found = self._jump(course, row.quote)
        before, course.suspect = course.suspect, None
        stays = before is not None and plausibility.within_fraction(
            row.quote.rate, before.quote.rate, plausibility.WARN
        )
        if found is None or not found.is_suspect or (stays and not found.is_scale_error):
            course.is_alone = course.believed is None and not course.near
            course.believed = row
            self._note(row, found)
        elif before and stays and course.is_alone and course.believed:
            self._blame(course.believed, before, row)
            course.believed, course.is_alone = row, False
        else:
            course.suspect = row
            self._note(row, found)

    def _course(self, quote: Quote) -> _Course:
        if quote.pair not in self._courses:
            near = self._store.nearest_quotes(quote.pair, quote.rate_date, self._job)
            self._courses[quote.pair] = _Course(tuple(near))
        return self._courses[quote.pair]

    def _jump(self, course: _Course, quote: Quote) -> Jump | None:
        if course.believed is not None:
            return plausibility.jump(quote, course.believed.quote)
        return measure.doubt(self._store, self._job, quote, course.near, self._zone)

    def end(self) -> None:
        """Weigh the last row of each pair beside what is recorded after it, where it was not doubted before."""
        doubted = {one.line for one in self.found}
        last = [c.believed for c in self._courses.values() if c.believed and not c.suspect]
        for row in last:
            near = self._store.nearest_quotes(row.quote.pair, row.quote.rate_date, self._job)
            later = [one.quote for one in near if one.quote.rate_date > row.quote.rate_date]
            found = plausibility.jump(row.quote, later[0]) if later else None
            if row.line not in doubted and found is not None and found.is_suspect:
                self._note(row, found)

    def _blame(self, first: Weighed, second: Weighed, third: Weighed) -> None:
        """Doubt the *first* row in place of the *second*, which the *third* bears out."""
        self.found = [one for one in self.found if one.line != second.line]
        self._note(first, plausibility.jump(first.quote, third.quote))

    def _note(self, row: Weighed, found: Jump | None) -> None:
        if found is not None and row.slot is not None:
            self.found.append(Doubtful(row.line, row.slot, row.quote.pair, found))
