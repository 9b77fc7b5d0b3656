"""Each provider and database of the installed jobs asked once, as a firing would, and nothing of it kept.

The environment of the caller does not count, since an engine hands on none of it.
"""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ratectl.errors import RatectlError, RefusedError
from ratectl.firing import keys, postgres
from ratectl.firing.answers import Answers
from ratectl.firing.asking import Asker
from ratectl.firing.connectivity import Class, FetchError
from ratectl.firing.deadline import Deadline
from ratectl.firing.providers import SOURCES
from ratectl.firing.providers.ask import Ask, base_url
from ratectl.firing.transport import Transport, host_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ratectl.firing.outcome import Surroundings
    from ratectl.model import Job, Provider

SECONDS = 10.0
"""For each question; all are asked at the same time."""
AT_ONCE = 16


class Reached(NamedTuple):
    """What came of asking one provider for one job."""

    job: str
    provider: str
    host: str
    """Host and port of the provider."""
    failure: FetchError | None
    """None: it gave a rate."""
    asked: bool = True
    """False: its key cannot be had here, so it was left alone."""


class Stored(NamedTuple):
    """What came of connecting to one database for one job."""

    job: str
    place: str
    """Its URL without passwords."""
    error: RatectlError | None


class Way(NamedTuple):
    """A provider and how to get there."""

    provider: Provider
    proxy: str
    ca_bundle: str


def providers(jobs: Sequence[Job], around: Surroundings) -> tuple[Reached, ...]:
    """Return what each provider of each of *jobs* said; one that several jobs share is asked once."""
    ways: dict[Way, Job] = {}
    for job in jobs:
        for provider in job.providers:
            ways.setdefault(Way(provider, job.proxy, job.ca_bundle), job)
    with (
        tempfile.TemporaryDirectory(prefix="ratectl-doctor-") as folder,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        answers = Answers(Path(folder))
        told = pool.map(lambda way: _ask(way, ways[way], answers, around), ways)
        said = dict(zip(ways, told, strict=True))
    return tuple(
        said[Way(provider, job.proxy, job.ca_bundle)]._replace(job=job.name)
        for job in jobs
        for provider in job.providers
    )


def _ask(way: Way, job: Job, answers: Answers, around: Surroundings) -> Reached:
    provider = way.provider
    reached = Reached(
        job=job.name, provider=provider.name, host=host_of(base_url(provider)), failure=None
    )
    waits = provider.api_key.startswith("credential:") and "CREDENTIALS_DIRECTORY" not in os.environ
    if waits:  # only the unit that loads it can know
        return reached._replace(asked=False)
    try:
        keys.resolve(provider.api_key)
    except RefusedError as error:
        return reached._replace(asked=False, failure=FetchError(Class.REFUSED, str(error)))
    transport = Transport(proxy=way.proxy, ca_bundle=way.ca_bundle, environment=False)
    asker = Asker(transport, answers, around)
    try:
        groups = SOURCES[provider.kind].groups(provider, job.pairs)
        asker.ask(provider, Ask(pairs=groups[0]), Deadline(SECONDS))
    except FetchError as failure:
        return reached._replace(failure=failure)
    return reached


def databases(jobs: Iterable[Job]) -> tuple[Stored, ...]:
    """Return whether each database that *jobs* record in lets us in; no table is touched."""
    wanted = [
        (job.name, url)
        for job in jobs
        for url in dict.fromkeys(
            (job.journal, *(o.target for o in job.outputs if o.kind == "postgresql"))
        )
        if url
    ]
    urls = list(dict.fromkeys(url for _, url in wanted))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        said = dict(zip(urls, pool.map(_connect, urls), strict=True))
    return tuple(Stored(job=job, place=postgres.shown(url), error=said[url]) for job, url in wanted)


def _connect(url: str) -> RatectlError | None:
    try:
        with postgres.translated(url), postgres.connect(url, seconds=SECONDS) as connection:
            connection.execute("SELECT 1")
    except RatectlError as error:
        return error
    return None
