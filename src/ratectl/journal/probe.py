"""Databases connected to once, all at the same time and as a firing would; no table is touched."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from ratectl.errors import RatectlError
from ratectl.runtime import postgres

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.model.job import Job

SECONDS = 10.0
"""For each database; all are asked at the same time."""
AT_ONCE = 16
"""Databases that are asked side by side."""


class DatabaseProbe(NamedTuple):
    """What came of connecting to one database."""

    url: str
    """Its URL without passwords."""
    error: RatectlError | None


def databases(jobs: Sequence[Job]) -> dict[str, list[DatabaseProbe]]:
    """Return whether the databases that each of *jobs* records in let us in; no table is touched."""
    wanted = {job.name: _urls(job) for job in jobs}
    urls = list({url: None for urls in wanted.values() for url in urls})
    with ThreadPoolExecutor(AT_ONCE) as pool:
        said = dict(zip(urls, pool.map(_connect, urls), strict=True))
    return {
        name: [DatabaseProbe(url=postgres.redacted(url), error=said[url]) for url in urls]
        for name, urls in wanted.items()
    }


def _urls(job: Job) -> list[str]:
    outputs = (output.target for output in job.outputs if output.kind == "postgresql")
    return [url for url in dict.fromkeys((job.journal, *outputs)) if url]


def _connect(url: str) -> RatectlError | None:
    try:
        with postgres.translated(url), postgres.connect(url, seconds=SECONDS) as connection:
            connection.execute("SELECT 1")
    except RatectlError as error:
        return error
    return None
