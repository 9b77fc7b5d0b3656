"""Pairs that a provider is known not to have: said before a job is installed, not by a firing that asks in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.model.providers import PROVIDER_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ratectl.model.job import Job, Pair, Provider


def warnings(jobs: Sequence[Job]) -> Iterator[str]:
    """Yield a warning for each provider of *jobs* whose short list of currencies lacks one that it is asked for."""
    limited = {kind for kind, traits in PROVIDER_KINDS.items() if traits.currencies}
    for job in jobs:
        for provider in job.providers:
            if provider.kind in limited:
                lacking = [pair for pair in job.pairs if _lacks(provider, pair)]
                if lacking:
                    yield _warning(job, provider, lacking)


def _lacks(provider: Provider, pair: Pair) -> bool:
    known = PROVIDER_KINDS[provider.kind].currencies
    return bool(known) and not provider.base_url and not known.issuperset((pair.base, pair.quote))


def _warning(job: Job, provider: Provider, lacking: Sequence[Pair]) -> str:
    named = ", ".join(map(str, lacking))
    others = [other.name for other in job.providers if not any(_lacks(other, p) for p in lacking)]
    rest = f"{', '.join(others)} may" if others else "no other provider of the job does"
    return f"{job.name}: {provider.name} publishes no {named}; {rest}; `ratectl providers` shows who gives what"
