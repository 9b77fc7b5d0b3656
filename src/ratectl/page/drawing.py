"""Small pictures as SVG text: sparklines, where a rate stands in its year, and marks for how a day went.

Each mark has a shape of its own, so that colour says nothing alone. All text that comes in is ours or escaped.
"""

from __future__ import annotations

import html
from itertools import groupby
from typing import TYPE_CHECKING

from ratectl.page.slots import BEFORE, COURSES, DUE, NONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.journal.queries import Point
    from ratectl.page.slots import Day

SPARK = (140, 26)
GAP = 10 * 86_400
"""Seconds without a rate over which no line is drawn."""
CELL = (10, 20)
SQUARE = (10, 10)
A_MONTH = 30
MARKS: dict[str, tuple[tuple[float, float, float, float], ...]] = {
    "on time": ((0.1, 0.1, 0.9, 0.9),),
    "late": ((0.1, 0.5, 0.9, 0.9),),
    "backfilled": ((0.1, 0.1, 0.9, 0.9),),
    "closed": ((0.1, 0.4, 0.9, 0.6),),
    "open": ((0.3, 0.35, 0.7, 0.65),),
    "held": ((0.1, 0.1, 0.38, 0.9), (0.62, 0.1, 0.9, 0.9)),
    "failed": ((0.1, 0.1, 0.9, 0.9), (0.9, 0.1, 0.1, 0.9)),
    "missed": ((0.34, 0.05, 0.66, 0.62), (0.34, 0.75, 0.66, 0.95)),
    DUE: ((0.15, 0.15, 0.85, 0.85),),
    NONE: ((0.4, 0.46, 0.6, 0.54),),
    BEFORE: (),
}
"""How each course of a day is drawn in a box of one by one: rectangles, or for CROSSED the strokes of a cross."""
CROSSED = "failed"
IN_WORDS = frozenset(COURSES) - {"on time"}
"""Courses whose days say at the pointer what they were."""


def name_of(course: str) -> str:
    """Return the CSS class of a course."""
    return "none" if course in {NONE, BEFORE} else course.replace(" ", "-")


def sparkline(points: Sequence[Point]) -> str:
    """Return a line through *points*; nothing for fewer than two, and none across a gap."""
    if len(points) < 2:
        return ""
    width, height = SPARK
    times = [point.slot.timestamp() for point in points]
    rates = [float(point.rate) for point in points]
    low, high, begin = min(rates), max(rates), times[0]
    across = (width - 4) / (times[-1] - begin or 1)
    up = (height - 6) / (high - low or 1)
    middle = 0 if high > low else (height - 6) / 2
    text = ""
    for index, (time, rate) in enumerate(zip(times, rates, strict=True)):
        jump = index == 0 or time - times[index - 1] > GAP
        y = height - 3 - middle - (rate - low) * up
        text += f"{'M' if jump else 'L'}{2 + (time - begin) * across:.4g} {y:.3g}"
    return f'<svg class="spark" viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true"><path d="{text}"/></svg>'


def place(low: float, mean: float, high: float, value: float) -> str:
    """Return a line from *low* to *high* with a bar where *value* stands and a shorter one for the *mean*."""
    if not low < high:
        return ""
    at = 2 + 156 * min(1, max(0, (value - low) / (high - low)))
    dot = 2 + 156 * (mean - low) / (high - low)
    return (
        '<svg class="place" viewBox="0 0 160 12" preserveAspectRatio="none" aria-hidden="true"><path class="track" d="M2 6h156"/>'
        f'<path class="mean" d="M{dot:.1f} 3v6"/><path class="bar" d="M{at:.1f} 1v10"/></svg>'
    )


def strip(days: Sequence[Day]) -> list[str]:
    """Return *days* as one picture for each thirty, which a narrow screen shows below each other, without those before the installation."""
    parts = [days[start : start + A_MONTH] for start in range(0, len(days), A_MONTH)]
    width, height = CELL
    return [
        _svg(
            "days early" if all(day.course == BEFORE for day in part) else "days",
            _marks([(day, n, 0) for n, day in enumerate(part)], CELL),
            A_MONTH * width,
            height,
        )
        for part in parts
    ]


def calendar(days: Sequence[Day]) -> str:
    """Return whole weeks of *days* as columns, with the months above and the weekdays beside."""
    side = SQUARE[0]
    placed = [(day, n // 7, n % 7) for n, day in enumerate(days)]
    labels = [
        f'<text x="{26 + column * side}" y="9">{day.date:%b}</text>'
        for day, column, row in placed
        if row == 0 and day.date.day <= 7
    ]
    labels += [
        f'<text x="0" y="{23 + row * side}">{name}</text>'
        for row, name in ((0, "Mon"), (3, "Thu"), (6, "Sun"))
    ]
    body = "".join(labels) + f'<g transform="translate(26 14)">{_marks(placed, SQUARE)}</g>'
    return _svg("calendar", body, 26 + side * (len(days) // 7), 15 + 7 * side)


def mark(course: str) -> str:
    """Return the mark of one *course* alone, for the legend."""
    return _svg(
        "mark", f'<path class="{name_of(course)}" d="{_path(course, (0, 0), SQUARE)}"/>', *SQUARE
    )


def _svg(name: str, body: str, width: int, height: int) -> str:
    return f'<svg class="{name}" viewBox="0 0 {width} {height}" aria-hidden="true">{body}</svg>'


def _marks(placed: Sequence[tuple[Day, int, int]], size: tuple[int, int]) -> str:
    """Return the marks of days at (column, row); days that went well in one path, each other one with its words."""
    text = ""
    by_course = sorted(placed, key=lambda item: item[0].course)
    for course, group in groupby(by_course, key=lambda item: item[0].course):
        drawn = [(day, _path(course, (x, y), size)) for day, x, y in group]
        name = name_of(course)
        if course not in IN_WORDS:
            whole = "".join(path for _, path in drawn)
            text += f'<path class="{name}" d="{whole}"/>' if whole else ""
        else:
            text += "".join(
                f'<path class="{name}" d="{path}"><title>{html.escape(day.summary)}</title></path>'
                for day, path in drawn
            )
    return text


def _path(course: str, cell: tuple[int, int], size: tuple[int, int]) -> str:
    """Return the path of a mark in the *cell* (column, row) of a grid of cells of *size*."""
    (column, row), (width, height) = cell, size
    form = "M{0} {2}L{1} {3}" if course == CROSSED else "M{0} {2}H{1}V{3}H{0}z"
    return "".join(
        form.format(
            *(f"{(column + x) * width:.4g}" for x in (x0, x1)),
            *(f"{(row + y) * height:.4g}" for y in (y0, y1)),
        )
        for x0, y0, x1, y1 in MARKS[course]
    )
