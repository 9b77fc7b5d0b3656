"""Providers asked once, all at the same time and as a firing would, and nothing of it recorded.

The environment of the caller does not count, since an engine hands on none of it.
"""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ratectl.errors import RefusedError
from ratectl.fetch.cache import ResponseCache
from ratectl.fetch.client import ProviderClient
from ratectl.fetch.failures import FailureKind, FetchError
from ratectl.fetch.http import Transport, host_of
from ratectl.fetch.providers import SOURCES
from ratectl.fetch.providers._shared.query import RateQuery, base_url
from ratectl.runtime import secrets
from ratectl.runtime.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ratectl.fetch.providers._shared.query import PublishedRate
    from ratectl.model.job import Job, Pair, Provider
    from ratectl.runtime.environment import Environment

SECONDS = 10.0
"""For each question; all are asked at the same time."""
AT_ONCE = 32
"""Questions at the same time at most."""


class ProviderProbe(NamedTuple):
    """What came of asking one provider."""

    provider: str
    host: str
    """Host and port of the provider."""
    failure: FetchError | None
    """None: it gave a rate."""
    asked: bool = True
    """False: its key cannot be had here, so it was left alone."""
    published: tuple[PublishedRate, ...] = ()
    """What it said; none too where it knows no asked pair."""


class Endpoint(NamedTuple):
    """A provider and how to get there."""

    provider: Provider
    proxy: str
    ca_bundle: str


def providers(jobs: Sequence[Job], env: Environment) -> dict[str, list[ProviderProbe]]:
    """Return what the providers of each of *jobs* said of its pairs; what several jobs would ask is asked once."""
    pairs_of: dict[Endpoint, dict[Pair, None]] = {}
    for job in jobs:
        for provider in job.providers:
            way = Endpoint(provider, job.proxy, job.ca_bundle)
            pairs_of.setdefault(way, {}).update(dict.fromkeys(job.pairs))
    questions = [
        (way, tuple(group))
        for way, pairs in pairs_of.items()
        for group in SOURCES[way.provider.kind].groups(way.provider, list(pairs))
    ]
    said = _ask_all(questions, env)

    def of(job: Job, provider: Provider) -> ProviderProbe:
        way = Endpoint(provider, job.proxy, job.ca_bundle)
        mine = [probe for (asked, group), probe in said if asked == way and {*group} & {*job.pairs}]
        return _of_job(job, mine)

    return {job.name: [of(job, provider) for provider in job.providers] for job in jobs}


def _of_job(job: Job, said: Sequence[ProviderProbe]) -> ProviderProbe:
    """Return what one provider said of the pairs of *job*: the first failure, or that it lacks one of them."""
    failed = next((probe for probe in said if probe.failure is not None or not probe.asked), None)
    if failed is not None:
        return failed
    published = tuple(rate for probe in said for rate in probe.published)
    lacking = [str(pair) for pair in job.pairs if pair not in {rate.pair for rate in published}]
    whole = said[0]._replace(published=published)
    if not lacking:
        return whole
    return whole._replace(failure=FetchError(FailureKind.CONFIG, f"has no {', '.join(lacking)}"))


def ask(
    pairs_of: Mapping[Endpoint, Sequence[Pair]], env: Environment
) -> dict[Endpoint, ProviderProbe]:
    """Return what came of each way, asked for the first of its pairs that one request can answer."""
    questions = [
        (way, tuple(SOURCES[way.provider.kind].groups(way.provider, pairs)[0]))
        for way, pairs in pairs_of.items()
    ]
    return {way: probe for (way, _), probe in _ask_all(questions, env)}


def _ask_all(
    questions: Sequence[tuple[Endpoint, tuple[Pair, ...]]], env: Environment
) -> list[tuple[tuple[Endpoint, tuple[Pair, ...]], ProviderProbe]]:
    """Return each question, of pairs that one request can answer, with what came of it."""
    with (
        tempfile.TemporaryDirectory(prefix="ratectl-asking-") as folder,
        ThreadPoolExecutor(min(max(len(questions), 1), AT_ONCE)) as pool,
    ):
        cache = ResponseCache(Path(folder))
        results = pool.map(lambda asked: _ask(asked[0], asked[1], cache, env), questions)
        return list(zip(questions, results, strict=True))


def _ask(
    way: Endpoint, pairs: Sequence[Pair], cache: ResponseCache, env: Environment
) -> ProviderProbe:
    provider = way.provider
    reached = ProviderProbe(provider=provider.name, host=host_of(base_url(provider)), failure=None)
    waits = provider.api_key.startswith("credential:") and "CREDENTIALS_DIRECTORY" not in os.environ
    if waits:  # only the unit that loads it can know
        return reached._replace(asked=False)
    try:
        secrets.resolve(provider.api_key)
    except RefusedError as error:
        return reached._replace(asked=False, failure=FetchError(FailureKind.REFUSED, str(error)))
    transport = Transport(proxy=way.proxy, ca_bundle=way.ca_bundle, environment=False)
    client = ProviderClient(transport, cache, env)
    try:
        query = RateQuery(pairs=tuple(pairs), civil_day=env.clock().date())
        reply = client.ask(provider, query, Deadline(SECONDS))
    except FetchError as failure:
        return reached._replace(failure=failure)
    if not reply.published and reply.unusable:
        return reached._replace(failure=FetchError(FailureKind.DATA, reply.unusable[0].problem))
    return reached._replace(published=reply.published)
