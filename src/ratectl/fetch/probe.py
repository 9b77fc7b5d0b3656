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
from ratectl.fetch.providers.query import RateQuery, base_url
from ratectl.runtime import secrets
from ratectl.runtime.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ratectl.fetch.providers.query import PublishedRate
    from ratectl.model.job import Job, Pair, Provider
    from ratectl.runtime.environment import Environment

SECONDS = 10.0
"""For each question; all are asked at the same time."""


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
    """Return what the providers of each of *jobs* said; one that several jobs share is asked once."""
    pairs_of: dict[Endpoint, Sequence[Pair]] = {}
    for job in jobs:
        for provider in job.providers:
            pairs_of.setdefault(Endpoint(provider, job.proxy, job.ca_bundle), job.pairs)
    said = ask(pairs_of, env)
    return {
        job.name: [said[Endpoint(provider, job.proxy, job.ca_bundle)] for provider in job.providers]
        for job in jobs
    }


def ask(
    pairs_of: Mapping[Endpoint, Sequence[Pair]], env: Environment
) -> dict[Endpoint, ProviderProbe]:
    """Return what came of each way, asked for the first of its pairs that one request can answer."""
    with (
        tempfile.TemporaryDirectory(prefix="ratectl-asking-") as folder,
        ThreadPoolExecutor(max(len(pairs_of), 1)) as pool,
    ):
        cache = ResponseCache(Path(folder))
        results = pool.map(lambda way: _ask(way, pairs_of[way], cache, env), pairs_of)
        return dict(zip(pairs_of, results, strict=True))


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
        groups = SOURCES[provider.kind].groups(provider, pairs)
        reply = client.ask(
            provider, RateQuery(pairs=groups[0], civil_day=env.clock().date()), Deadline(SECONDS)
        )
    except FetchError as failure:
        return reached._replace(failure=failure)
    if not reply.published and reply.unusable:
        return reached._replace(failure=FetchError(FailureKind.DATA, reply.unusable[0].problem))
    return reached._replace(published=reply.published)
