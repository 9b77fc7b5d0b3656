"""Providers in order, inside one deadline -> the quotes that may be recorded, and what stands in the way.

Each item (pair and day) falls back on its own; what may mend is asked again until the deadline.
"""

from __future__ import annotations

import datetime as dt
import random
from typing import TYPE_CHECKING

from ratectl.fetch import plausibility
from ratectl.fetch.failures import FailureKind, FetchError
from ratectl.fetch.providers import SOURCES
from ratectl.fetch.providers._shared.query import RateQuery
from ratectl.fetch.selection import QuoteSelector
from ratectl.model.providers import History, traits_of
from ratectl.runtime.deadline import Deadline, ceilings, pauses

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ratectl.fetch.client import ProviderClient
    from ratectl.fetch.request import FetchRequest, FetchResult, PairDay
    from ratectl.journal.rate_store import RateStore
    from ratectl.model.job import Job, Pair, Provider
    from ratectl.runtime.environment import Environment


LONGEST_REST = 86_400
"""Seconds; no firing takes as long, and a header may say anything."""


class Fetcher:
    """Everything that a fetch needs besides the wish itself."""

    def __init__(
        self, job: Job, store: RateStore, client: ProviderClient, env: Environment
    ) -> None:
        self.job = job
        self.store = store
        self.client = client
        self.env = env
        self._resting: dict[str, tuple[dt.datetime, FetchError]] = {}
        """Until when a provider asked to be left alone, and with what."""

    def fetch(self, wanted: FetchRequest, deadline: Deadline) -> FetchResult:
        """Return the quotes for *wanted*, retrying what time may fix until the deadline."""
        providers = [
            provider
            for provider in self.job.providers
            if not wanted.past or traits_of(provider).history
        ]
        selector = QuoteSelector(self.job, self.store, wanted)
        for ceiling in ceilings():
            for position, provider in enumerate(providers):
                # one that hangs must leave time for those behind it
                share = Deadline(deadline.left() / (len(providers) - position))
                self._try(provider, selector, share)
            alive = [provider for provider in providers if selector.missing(provider)]
            if not alive:
                break
            rest = min(self._rest(provider) for provider in alive)
            left = deadline.left()
            pause = random.uniform(*pauses(ceiling, rest, left))  # noqa: S311 - jitter
            if pause >= left:
                break
            self.env.sleep(pause)
        return selector.outcome()

    def _try(self, provider: Provider, selector: QuoteSelector, deadline: Deadline) -> None:
        if self._rest(provider):
            selector.fail(provider, selector.missing(provider), self._resting[provider.name][1])
            return
        for query, items in self._asks(provider, selector):
            try:
                reply = self.client.ask(provider, query, deadline)
            except FetchError as failure:
                self.env.tell(f"{provider.name}: {failure}")
                selector.fail(provider, items, failure)
                if failure.retry_after:
                    wait = dt.timedelta(seconds=min(failure.retry_after, LONGEST_REST))
                    self._resting[provider.name] = self.env.clock() + wait, failure
                    selector.fail(provider, selector.missing(provider), failure)
                    return
            else:
                if not selector.add_reply(provider, items, reply):
                    self.client.forget(reply)

    def _rest(self, provider: Provider) -> float:
        """Return for how many seconds more *provider* asked to be left alone, 0 for none."""
        now = self.env.clock()
        until, _ = self._resting.get(provider.name, (now, None))
        return max(0.0, (until - now).total_seconds())

    def _asks(
        self, provider: Provider, selector: QuoteSelector
    ) -> Iterator[tuple[RateQuery, tuple[PairDay, ...]]]:
        """Yield each request that *provider* needs for what is missing, and the items it is for."""
        missing = selector.missing(provider)
        if not selector.wanted.past:
            for pairs, items in _grouped(provider, missing):
                today = self.env.clock().astimezone(self.job.zone).date()
                yield RateQuery(pairs=pairs, civil_day=today), items
            return
        final = self._final(provider, selector, missing)
        for pairs, items in _grouped(provider, final):
            for days in _spans(provider, sorted({day for _, day in items})):
                query = RateQuery(pairs=pairs, since=days[0], until=days[-1])
                yield query, tuple(item for item in items if days[0] <= item[1] <= days[-1])

    def _final(
        self, provider: Provider, selector: QuoteSelector, items: Sequence[PairDay]
    ) -> tuple[PairDay, ...]:
        """Return those of *items* whose day the provider is done with; the others are awaited."""
        traits = traits_of(provider)
        now = self.env.clock()
        days = {day for _, day in items if plausibility.is_final(day, traits, now)}
        final = tuple(item for item in items if item[1] in days)
        waiting = tuple(item for item in items if item[1] not in days)
        if waiting:
            selector.not_final.update(waiting)
            first = min(day for _, day in waiting)
            why = (
                f"may still publish for {first}; what it says of that day now is not the end of it"
            )
            selector.fail(provider, waiting, FetchError(FailureKind.NOT_YET, why))
        return final


def _grouped(
    provider: Provider, items: Sequence[PairDay]
) -> Iterator[tuple[tuple[Pair, ...], tuple[PairDay, ...]]]:
    """Yield the pairs that one request answers, and their items."""
    pairs = tuple(dict.fromkeys(pair for pair, _ in items))
    for group in SOURCES[provider.kind].groups(provider, pairs):
        if group:
            members = set(group)
            yield group, tuple(item for item in items if item[0] in members)


def _spans(provider: Provider, days: Sequence[dt.date]) -> Sequence[Sequence[dt.date]]:
    """Return *days* as the provider can be asked for them: all at once, or one by one."""
    if traits_of(provider).history is History.RANGES:
        return [days]
    return [[day] for day in days]
