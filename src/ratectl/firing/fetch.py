"""Providers in order, inside one deadline -> the quotes that may be recorded, and what stands in the way.

Each pair falls back on its own. A quote is believed when it passes the gate,
and where the job asks for agreement, when a second provider confirms it.
"""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ratectl.errors import RefusedError
from ratectl.firing import gate, keys
from ratectl.firing.connectivity import RETRIED, Class, FetchError, of_clock, of_status
from ratectl.firing.deadline import Deadline, ceilings
from ratectl.firing.journal import Quarantined
from ratectl.firing.providers import SOURCES
from ratectl.firing.providers.ask import Ask, Published
from ratectl.firing.quote import DERIVED, PUBLISHED, Quote
from ratectl.model import PROVIDER_KINDS, ClosedDays, Job, Pair, Provider

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from ratectl.firing.journal import Journal
    from ratectl.firing.transport import Answer, Transport

REQUEST_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """Which pairs, and for which civil day: the newest rates, or with *past* those of that day."""

    pairs: tuple[Pair, ...]
    day: dt.date
    past: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What one round over the providers gave."""

    quotes: tuple[Quote, ...]
    closed: tuple[Pair, ...]
    """Pairs whose newest rate everywhere is of an earlier day, while the job wants none such."""
    failures: tuple[tuple[str, FetchError], ...]
    """The last failure of each provider, while pairs are missing."""
    quarantined: tuple[Quarantined, ...]
    warnings: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class _Progress:
    """What is known so far; a (provider, pair) is spent once asking again cannot help."""

    want: Want
    found: dict[Pair, Quote] = field(default_factory=dict)
    lone: list[tuple[Quote, bytes]] = field(default_factory=list)
    """Passed the gate, and waits for a second provider to agree."""
    held: list[tuple[Quote, bytes, gate.Jump]] = field(default_factory=list)
    closed: dict[Pair, Quote] = field(default_factory=dict)
    failures: dict[str, FetchError] = field(default_factory=dict)
    spent: set[tuple[str, Pair]] = field(default_factory=set)
    quarantined: list[Quarantined] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def missing(self, provider: Provider) -> tuple[Pair, ...]:
        return tuple(
            pair
            for pair in self.want.pairs
            if pair not in self.found and (provider.name, pair) not in self.spent
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """Everything that a fetch needs besides the wish itself."""

    job: Job
    journal: Journal
    transport: Transport
    clock: Callable[[], dt.datetime]
    sleep: Callable[[float], None]

    def fetch(self, want: Want, deadline: Deadline) -> Fetched:
        """Return the quotes for *want*, retrying what may mend until the deadline."""
        providers = [
            provider
            for provider in self.job.providers
            if not want.past or PROVIDER_KINDS[provider.kind].history
        ]
        progress = _Progress(want=want)
        for ceiling in ceilings():
            for position, provider in enumerate(providers):
                # one that hangs must leave time for those behind it
                turn = Deadline(deadline.left() / (len(providers) - position))
                self._try(provider, progress, turn)
            alive = [provider for provider in providers if progress.missing(provider)]
            asked = [progress.failures[provider.name].retry_after for provider in alive]
            pause = max(random.uniform(0, ceiling), min(asked, default=0))  # noqa: S311 - jitter
            if not alive or pause >= deadline.left():
                break
            self.sleep(pause)
        return self._outcome(progress)

    def _try(self, provider: Provider, progress: _Progress, deadline: Deadline) -> None:
        source = SOURCES[provider.kind]
        for pairs in source.groups(provider, progress.missing(provider)):
            if not pairs:
                continue
            day = progress.want.day if progress.want.past else None
            ask = Ask(pairs=pairs, since=day, until=day)
            body = b""
            try:
                body = self._answer(provider, ask, deadline)
                published = source.parse(provider, ask, body)
            except FetchError as failure:
                progress.failures[provider.name] = failure
                if failure.kind in RETRIED:
                    continue
                if failure.kind is Class.DATA:
                    progress.quarantined.append(
                        Quarantined(provider=provider.name, reason=str(failure), body=body)
                    )
            else:
                progress.failures.pop(provider.name, None)
                self._sort(provider, ask, published, body, progress)
            progress.spent |= {(provider.name, pair) for pair in pairs}

    def _answer(self, provider: Provider, ask: Ask, deadline: Deadline) -> bytes:
        source = SOURCES[provider.kind]
        seconds = min(deadline.left(), float(provider.timeout or REQUEST_SECONDS))
        if seconds <= 0:
            raise FetchError(Class.TRANSIENT, "no time was left to ask")
        request = source.request(provider, ask, self.clock().date())
        try:
            request = dataclasses.replace(request, key=keys.resolve(provider.api_key))
        except RefusedError as error:
            raise FetchError(Class.REFUSED, str(error)) from error
        answer = self.transport.get(request, seconds=seconds)
        failure = self._failure(provider, answer)
        if failure is not None:
            raise failure
        return answer.body

    def _failure(self, provider: Provider, answer: Answer) -> FetchError | None:
        now = self.clock()
        refusal = SOURCES[provider.kind].refusal(answer.status, answer.body)
        by_status = of_status(answer.status, answer.headers, now)
        if by_status is not None:
            told = refusal is not None and refusal.kind is Class.REFUSED
            return refusal if told else by_status
        if refusal is not None:
            return refusal
        if answer.status != 200:
            return FetchError(Class.DATA, f"HTTP {answer.status}")
        return of_clock(answer.headers, now)

    def _sort(
        self,
        provider: Provider,
        ask: Ask,
        published: Sequence[Published],
        body: bytes,
        progress: _Progress,
    ) -> None:
        """Put each published rate where it belongs: found, held, lone, closed or quarantined."""
        lacking = [str(p) for p in ask.pairs if p not in {one.pair for one in published}]
        if lacking:
            progress.failures[provider.name] = FetchError(
                Class.CONFIG, f"has no {', '.join(lacking)}"
            )
        newest = {one.pair: one for one in published}  # of a range the one nearest to the day
        for one in newest.values():
            quote = self._quote(provider, one)
            problem = gate.date_problem(
                quote,
                today=quote.observed_at.date(),
                longest_gap=PROVIDER_KINDS[provider.kind].longest_gap,
                asked=ask.until,
            )
            if problem:
                self._quarantine(progress, quote, body, problem)
            elif (
                self.job.closed_days is not ClosedDays.MARK and quote.rate_date < progress.want.day
            ):
                progress.closed.setdefault(quote.pair, quote)
            else:
                self._weigh(quote, body, progress)

    def _weigh(self, quote: Quote, body: bytes, progress: _Progress) -> None:
        jump = gate.jump(quote, self.journal.nearest_quote(quote.pair, quote.rate_date))
        if jump is not None and jump.held and not self._repeated(quote, jump):
            for other, _, _ in progress.held:
                if other.pair == quote.pair and gate.near(quote.rate, other.rate):
                    progress.found[quote.pair] = other
                    progress.warnings.append(f"{jump.reason}, confirmed by {quote.provider}")
                    return
            progress.held.append((quote, body, jump))
            return
        if jump is not None:
            progress.warnings.append(jump.reason)
        if not self.job.agree:
            progress.found[quote.pair] = quote
            return
        for other, _ in progress.lone:
            if other.pair == quote.pair and gate.near(quote.rate, other.rate, self.job.agree):
                progress.found[quote.pair] = other
                return
        progress.lone.append((quote, body))

    def _repeated(self, quote: Quote, jump: gate.Jump) -> bool:
        """Tell whether the same provider, for an earlier day, already published about this held rate."""
        if jump.slip:
            return False
        held = self.journal.held_quote(quote.pair, quote.provider, quote.rate_date)
        return held is not None and gate.near(quote.rate, held, gate.WARN)

    def _quote(self, provider: Provider, one: Published) -> Quote:
        now = self.clock().replace(microsecond=0)
        return Quote(
            pair=one.pair,
            rate=one.rate,
            rate_date=one.rate_date or now.date(),
            provider=provider.name,
            provider_time=one.provider_time,
            observed_at=now,
            kind=DERIVED if one.legs else PUBLISHED,
            legs=one.legs,
        )

    def _quarantine(self, progress: _Progress, quote: Quote, body: bytes, reason: str) -> None:
        progress.quarantined.append(
            Quarantined(provider=quote.provider, reason=reason, body=body, quote=quote)
        )
        progress.failures[quote.provider] = FetchError(Class.DATA, reason)

    def _outcome(self, progress: _Progress) -> Fetched:
        for quote, body, jump in progress.held:
            if progress.found.get(quote.pair) is not quote:
                self._quarantine(progress, quote, body, jump.reason)
        for quote, body in progress.lone:
            if quote.pair not in progress.found:
                self._disagree(progress, quote, body)
        missing = [pair for pair in progress.want.pairs if pair not in progress.found]
        return Fetched(
            quotes=tuple(progress.found[p] for p in progress.want.pairs if p in progress.found),
            closed=tuple(pair for pair in missing if pair in progress.closed),
            failures=tuple(progress.failures.items()) if missing else (),
            quarantined=tuple(progress.quarantined),
            warnings=tuple(progress.warnings),
        )

    def _disagree(self, progress: _Progress, quote: Quote, body: bytes) -> None:
        others = [o for o, _ in progress.lone if o.pair == quote.pair and o is not quote]
        if others:
            told = ", ".join(f"{other.rate} ({other.provider})" for other in others)
            reason = f"{quote.pair} {quote.rate} is not within {self.job.agree:%} of {told}"
            self._quarantine(progress, quote, body, reason)
        elif not progress.failures:
            reason = f"{quote.pair} {quote.rate}: no second provider to agree with it"
            self._quarantine(progress, quote, body, reason)
