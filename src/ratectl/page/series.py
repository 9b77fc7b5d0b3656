"""The series of the charts, packed as JSON-ready values for the page's script.

Times are minutes on the job's own clocks, as if these were UTC: a browser then shows the job's wall time wherever
it stands. Rates are texts, with the provider's own digits. A long series was thinned by ``journal/queries.py``.
"""

from __future__ import annotations

import datetime as dt
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from ratectl.model.quote import plain
from ratectl.views.format import number_of_rates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.journal.queries import Point, Series
    from ratectl.model.job import Pair
    from ratectl.page.reading import JobPage

EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - wall time, of whichever zone


def data(pages: Sequence[JobPage]) -> list[dict[str, Any]]:
    """Return every series of *pages*."""
    return [
        _series(page, pair.pair, pair.series)
        for page in pages
        for pair in page.pairs
        if pair.series.number
    ]


def _series(page: JobPage, pair: Pair, series: Series) -> dict[str, Any]:
    """Return one line of a chart; each time but the first is the minutes since the one before."""
    zone = page.job.zone
    minutes = [_minute(point.slot, zone) for point in series.points]
    steps = [after - before for before, after in pairwise(minutes)]
    return {
        "id": address(page.job.name, pair),
        "job": page.job.name,
        "zone": page.job.timezone,
        "pair": str(pair),
        "told": number_of_rates(series),
        "times": [minutes[0], *steps],
        "rates": [plain(point.rate) for point in series.points],
        "from": _origins(series.points, zone),
    }


def address(job: str, pair: Pair) -> str:
    """Return where the page shows *pair*, after the ``#``."""
    return f"{job}/{pair.base}-{pair.quote}"


def _origins(points: Sequence[Point], zone: dt.tzinfo) -> list[list[Any]]:
    """Return where stretches of rates are from: how many, the days from the slot's to the rate's, provider and kind."""
    found = (_origin(point, zone) for point in points)
    return [[sum(1 for _ in group), *origin] for origin, group in groupby(found)]


def _origin(point: Point, zone: dt.tzinfo) -> tuple[int, str, str]:
    day = dt.date.fromisoformat(point.rate_date)
    return (day - point.slot.astimezone(zone).date()).days, point.provider, point.kind


def _minute(slot: dt.datetime, zone: dt.tzinfo) -> int:
    return int((slot.astimezone(zone).replace(tzinfo=None) - EPOCH).total_seconds() // 60)
