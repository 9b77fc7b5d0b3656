"""Rates over time as dots on a terminal, drawn by plotille; ``journal/queries.py`` thins long series out."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import plotille

from ratectl.model.quote import plain
from ratectl.views.format import number_of_rates
from ratectl.wording import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ratectl.journal.queries import Point, Series
    from ratectl.model.job import Pair

AXES = 22
"""Columns that plotille takes for both axes and their labels, beside what it draws in."""
BLANK = " \N{BRAILLE PATTERN BLANK}"
SET_IN = " " * 9
"""Before the second line of a title, which begins below the rate of the first."""
DOTS = 2
"""In one column; what lies on the right edge itself plotille leaves out."""
MARGIN = 0.05
"""Of the height, left free above and below."""
DAY = dt.timedelta(days=1)
SHORT = dt.timedelta(minutes=20)
"""Of a shorter chart two labels would be of one minute."""


def chart(pair: Pair, series: Series, zone: dt.tzinfo, size: tuple[int, int]) -> str:
    """Return *series* (of at least one point, oldest first) in *size* columns and lines, with times in *zone*.

    A single one makes no line: it is only told. plotille colours on a terminal only, and honours ``NO_COLOR``.
    """
    title, points = list(_title(pair, series, zone, size[0])), series.points
    if len(points) == 1:
        return "\n".join(title)
    times = [point.slot.astimezone(zone).replace(tzinfo=None) for point in points]
    rates = [float(point.rate) for point in points]
    low, high = min(rates), max(rates)
    margin = (high - low) * MARGIN or abs(high) * MARGIN
    figure = plotille.Figure()
    figure.width, figure.height = max(10, size[0] - AXES), max(1, size[1] - 4 - len(title))
    figure.color_mode = "names"
    figure.x_label = figure.y_label = ""
    figure.register_label_formatter(float, _rate)
    figure.register_label_formatter(dt.datetime, _time)
    dot = (times[-1] - times[0]) / (DOTS * figure.width)
    figure.set_x_limits(min_=times[0], max_=times[-1] + dot)
    figure.set_y_limits(min_=low - margin, max_=high + margin)
    figure.plot(times, rates, lc="cyan")
    _, *drawn = figure.show().splitlines()  # the first only names the axis
    return "\n".join((*title, *(line.removesuffix(" ()").rstrip(BLANK) for line in drawn)))


def _title(pair: Pair, series: Series, zone: dt.tzinfo, columns: int) -> Iterator[str]:
    """Yield what the dots cannot say exactly: the last rate, the lowest and the highest, each with its day, and how many.

    In one line where that has room in *columns*, else from the lowest rate on in the next.
    """
    points = series.points
    last = points[-1]
    newest = f"{pair}  {plain(last.rate)} on {_day(last, zone)}"
    others = "the only rate"
    if len(points) > 1:
        lowest, highest = min(points, key=_of_rate), max(points, key=_of_rate)
        reach = f"from {plain(lowest.rate)} ({_day(lowest, zone)}) to {plain(highest.rate)} ({_day(highest, zone)})"
        others = f"{reach}; {number_of_rates(series)}"
    whole = f"{newest}, {others}"
    if len(whole) <= columns:
        yield whole
        return
    yield newest
    yield from wrapped(others, columns, first=SET_IN, further=SET_IN)


def _of_rate(point: Point) -> Decimal:
    return point.rate


def _day(point: Point, zone: dt.tzinfo) -> str:
    return f"{point.slot.astimezone(zone):%Y-%m-%d}"


def _rate(value: float, chars: int, delta: float, left: bool = False) -> str:
    """Return a label of the axis of rates, with as many digits as its steps need."""
    digits = next((n for n in range(7) if delta * 10**n >= 20), 7)
    text = f"{value:.{digits}f}"[:chars]
    return text.ljust(chars) if left else text.rjust(chars)


def _time(value: dt.datetime, chars: int, delta: dt.timedelta, left: bool = False) -> str:
    """Return a label of the axis of time: seconds, hours, days or months, as the whole chart is long."""
    forms = ((SHORT, "%H:%M:%S"), (3 * DAY, "%H:%M"), (1100 * DAY, "%d %b %y"))
    form = next((form for most, form in forms if delta < most), "%b %Y")
    text = value.strftime(form)
    return text.ljust(chars) if left else text.rjust(chars)
