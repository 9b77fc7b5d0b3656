"""Which published rates are believed: each wanted item is found, closed, suspect, or still missing.

A quote passes the gate first; where the job asks for agreement, a second provider must confirm it. A move
too large to believe is believed when another provider, or the next publication, says the same.
"""

from __future__ import annotations

import bisect
import datetime as dt
from collections import defaultdict
from decimal import Context
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from ratectl import schedule
from ratectl.fetch import measure, plausibility
from ratectl.fetch.failures import RETRIED, FailureKind, FetchError
from ratectl.fetch.request import FetchResult
from ratectl.journal import revisions
from ratectl.journal.revisions import TakenBack
from ratectl.journal.rows import Span
from ratectl.model.job import ClosedDays
from ratectl.model.providers import History, traits_of
from ratectl.model.quote import BACKFILLED, DERIVED, PUBLISHED, Quote, SuspectQuote, plain
from ratectl.schedule.occurrences.zones import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ratectl.fetch.client import ProviderReply
    from ratectl.fetch.providers._shared.query import PublishedRate
    from ratectl.fetch.request import FetchRequest, PairDay
    from ratectl.journal.rate_store import RateStore
    from ratectl.model.job import Job, Pair, Provider


ANOTHER_DAY = dt.timedelta(hours=6)
"""What was held at least as long before was said on another occasion: several days in one answer are one."""


class Candidate(NamedTuple):
    """A quote that waits for a second opinion."""

    quote: Quote
    body: bytes
    reason: str = ""
    """Why it is suspect; empty while it only waits for agreement."""
    way_out: str = ""
    """As in :class:`SuspectQuote`."""

    @property
    def told(self) -> str:
        """All that is said of it."""
        return "; ".join(filter(None, (self.reason, self.way_out)))


class Problem(NamedTuple):
    """Why a cell holds no rate that counts."""

    text: str
    quote: Quote | None
    """What a person may accept all the same."""


class Published(NamedTuple):
    """What one answer says of one pair."""

    quotes: Sequence[Quote]
    """Oldest first."""
    problems: Mapping[dt.date, Problem]
    """What is wrong with the cells of other days, which hold no rate."""
    body: bytes


class QuoteSelector:
    """What is known so far about *wanted*; a (provider, item) is exhausted once another request cannot help."""

    def __init__(self, job: Job, store: RateStore, wanted: FetchRequest) -> None:
        self.job = job
        self.store = store
        self.wanted = wanted
        self.found: dict[PairDay, Quote] = {}
        self.awaiting_agreement: dict[PairDay, list[Candidate]] = defaultdict(list)
        self.suspects: dict[PairDay, list[Candidate]] = defaultdict(list)
        self.closed: set[PairDay] = set()
        self.not_final: set[PairDay] = set()
        """Some provider may still publish the day itself, so it is not closed yet."""
        self.failures: dict[PairDay, dict[str, FetchError]] = defaultdict(dict)
        """The last failure of each provider, by name, for each item."""
        self.exhausted: set[tuple[str, PairDay]] = set()
        self.quarantined: list[tuple[PairDay | None, SuspectQuote]] = []
        self.warnings: dict[PairDay, str] = {}
        self.taken_back: dict[PairDay, str] = {}
        """Items for which a provider gave a number that a person took back."""

    def missing(self, provider: Provider) -> tuple[PairDay, ...]:
        """Return the items that are still to be asked of *provider*."""
        return tuple(
            item
            for item in self.wanted.items
            if item not in self.found and (provider.name, item) not in self.exhausted
        )

    def fail(self, provider: Provider, items: Iterable[PairDay], failure: FetchError) -> None:
        """Note that *provider* gave nothing for *items*; what a retry may fix is not exhausted."""
        items = tuple(items)
        if failure.is_absent:
            failure = self._absence(provider, items, failure)
        self._note(provider.name, items, failure)
        if failure.kind in RETRIED:
            return
        if failure.body and (failure.kind is FailureKind.DATA or failure.is_notice):
            suspect = SuspectQuote(provider=provider.name, reason=str(failure), body=failure.body)
            self.quarantined.append((items[0] if items else None, suspect))
        self.exhausted |= {(provider.name, item) for item in items}

    def _absence(
        self, provider: Provider, items: Sequence[PairDay], failure: FetchError
    ) -> FetchError:
        """Return what it means that *provider*, which has a page for each day, has none for that of *items*.

        On a day on which markets are closed, and of a provider that gave rates before, that day has no rate; otherwise its URL may be wrong.
        """
        days = sorted({day for _, day in items})
        if traits_of(provider).history is not History.DAYS or not days:
            return failure
        if not all(day.isoweekday() > 5 for day in days) and not self._gave_before(provider, items):
            return failure
        if not self.wanted.past:
            return FetchError(FailureKind.NOT_YET, f"no rate of {days[0]} so far ({failure})")
        self.closed |= set(items)
        return FetchError(FailureKind.DATA, f"no rate of {days[0]} ({failure})")

    def _gave_before(self, provider: Provider, items: Sequence[PairDay]) -> bool:
        now = any(quote.provider == provider.name for quote in self.found.values())
        return now or any(self.store.has_quote(pair, provider.name) for pair, _ in items)

    def add_reply(self, provider: Provider, items: Sequence[PairDay], reply: ProviderReply) -> bool:
        """Classify what *provider* published about *items*; return False when some of it is not believed."""
        before = self._unbelieved()
        by_pair: dict[Pair, list[dt.date]] = defaultdict(list)
        for pair, day in items:
            self.failures[pair, day].pop(provider.name, None)
            by_pair[pair].append(day)
        quotes: dict[Pair, list[Quote]] = defaultdict(list)
        for rate in sorted(reply.published, key=lambda rate: rate.rate_date or dt.date.max):
            quotes[rate.pair].append(self._quote(provider, rate, reply.received_at))
        problems: dict[Pair, dict[dt.date, Problem]] = defaultdict(dict)
        for cell in reply.unusable:
            day = cell.rate_date or reply.received_at.astimezone(self.job.zone).date()
            held = cell.held and self._quote(provider, cell.held, reply.received_at)
            problems[cell.pair][day] = Problem(cell.problem, held)
        for pair, days in by_pair.items():
            published = Published(quotes[pair], problems[pair], reply.body)
            self._assign(provider, pair, days, published)
        notices = {rate.pair: rate.notice for rate in reply.published if rate.notice}
        for item in items:
            if item[0] in notices and item in self.found:
                self.warnings.setdefault(item, f"{provider.name} {notices[item[0]]}")
        self.exhausted |= {(provider.name, item) for item in items}
        return before == self._unbelieved()

    def _unbelieved(self) -> int:
        """Return how many numbers were not believed so far."""
        suspects = sum(map(len, self.suspects.values()))
        return len(self.quarantined) + suspects + len(self.taken_back)

    def outcome(self) -> FetchResult:
        """Return the end of it: what waited for a second opinion in vain is quarantined."""
        for item, candidates in self.suspects.items():
            for candidate in candidates:
                if self.found.get(item) is not candidate.quote:
                    self._quarantine(item, candidate)
        for item, candidates in self.awaiting_agreement.items():
            if item not in self.found:
                self._disagree(item, candidates)
        missing = {item for item in self.wanted.items if item not in self.found}
        unheard = {
            item
            for item in missing
            if any(failure.kind in RETRIED for failure in self.failures[item].values())
        }
        closed = frozenset(missing & (self.closed - self.not_final - unheard))
        return FetchResult(
            quotes=self.found,
            closed=closed,
            failures={item: self.failures[item] for item in missing},
            quarantined=tuple(self.quarantined),
            warnings=self.warnings,
            taken_back={item: self.taken_back[item] for item in closed & self.taken_back.keys()},
        )

    def _assign(
        self,
        provider: Provider,
        pair: Pair,
        days: Sequence[dt.date],
        published: Published,
    ) -> None:
        quotes, problems, body = published
        if not quotes and not problems:
            failure = FetchError(FailureKind.CONFIG, f"has no {pair}")
            self._note(provider.name, [(pair, day) for day in days], failure)
            return
        jumps = self._jumps(quotes) if quotes else {}
        by_date = {quote.rate_date: quote for quote in quotes}
        dates = sorted({*by_date, *problems})
        traits = traits_of(provider)
        gap, ahead = (dt.timedelta(days=n) for n in (traits.longest_gap, traits.ahead))
        for day in days:
            last = bisect.bisect_right(dates, day + ahead) if self.wanted.past else len(dates)
            if self.wanted.past and (not last or dates[last - 1] < day - gap):
                self._no_rate(provider, (pair, day), later=last < len(dates))
                continue
            newest = dates[last - 1]
            if newest in problems:
                self._unusable(provider, (pair, day), problems[newest], body)
            else:
                self._classify(provider, (pair, day), by_date[newest], jumps[newest], body)

    def _unusable(self, provider: Provider, item: PairDay, problem: Problem, body: bytes) -> None:
        """Hold the answer for *item*, in which no rate stands where one is due."""
        suspect = SuspectQuote(
            provider=provider.name, reason=problem.text, body=body, quote=problem.quote
        )
        self.quarantined.append((item, suspect))
        self._note(provider.name, [item], FetchError(FailureKind.DATA, problem.text))

    def _no_rate(self, provider: Provider, item: PairDay, *, later: bool) -> None:
        """Note a past day for which nothing was published; one with a *later* rate will never get any."""
        pair, day = item
        if later:
            self.closed.add(item)
        else:
            why = f"no rate of {pair} for {day} or shortly before"
            self._note(provider.name, [item], FetchError(FailureKind.DATA, why))

    def _classify(
        self,
        provider: Provider,
        item: PairDay,
        quote: Quote,
        jump: plausibility.Jump | None,
        body: bytes,
    ) -> None:
        _, day = item
        traits = traits_of(provider)
        problem = plausibility.date_problem(
            quote,
            today=quote.observed_at.date(),
            longest_gap=traits.longest_gap,
            ahead=traits.ahead,
            past_day=day if self.wanted.past else None,
        )
        if problem:
            self._quarantine(item, Candidate(quote, body, problem))
        elif self._is_taken_back(quote):
            self._take_back(provider, item, quote)
        elif self.job.closed_days is not ClosedDays.MARK and quote.rate_date < day:
            self._close(provider, item, quote)
        elif jump is not None and jump.is_suspect:
            self._suspect(item, Candidate(quote, body, jump.reason, measure.way_out(jump)), jump)
        else:
            reasons = [measure.told(jump) if jump else "", plausibility.coarseness(quote)]
            if any(reasons):
                self.warnings[item] = "; ".join(filter(None, reasons))
            self._agree(item, Candidate(quote=quote, body=body))

    @cached_property
    def _voided(self) -> frozenset[TakenBack]:
        return revisions.taken_back(self.store, self.job.name)

    def _is_taken_back(self, quote: Quote) -> bool:
        return TakenBack.of(quote) in self._voided

    def _take_back(self, provider: Provider, item: PairDay, quote: Quote) -> None:
        """Leave *item* without *quote*, which a person took back, to the next provider; where there is none, it has no rate."""
        number = plain(quote.rate)
        if quote.rate_date < item[1]:
            self._close(provider, item, quote, " and was taken back")
        else:
            self.closed.add(item)
        self.taken_back[item] = (
            f"{quote.pair} {number} of {quote.rate_date} ({quote.provider}) was taken back with `review void`"
            f" and is not recorded again{self._way_back(quote, item[1])}"
        )

    def _way_back(self, quote: Quote, wanted: dt.date) -> str:
        """Return the command that enters *quote* all the same: for its own day, or where that has another number for the day that is *wanted*."""
        name, now = self.job.name, quote.observed_at
        for day in dict.fromkeys((min(quote.rate_date, wanted), wanted)):
            if self._has_room(quote.pair, day, now):
                number = plain(quote.rate)
                command = f"ratectl record {name} {quote.pair} {number} --on {day}"
                return f"; `{command}` enters it all the same"
        return ""

    def _has_room(self, pair: Pair, day: dt.date, now: dt.datetime) -> bool:
        """Tell whether some slot of *day* that is over lacks *pair*, so that ``ratectl record`` can fill it."""
        start, end = (
            dt.datetime.combine(one, dt.time(), self.job.zone).astimezone(dt.UTC)
            for one in (day, day + dt.timedelta(days=1))
        )
        recorded = self.store.quotes(self.job.name, Span(start, end), pair)
        taken = {entry.slot for entry in recorded}
        following = schedule.after(self.job.schedule, self.job.zone, start - SECOND)
        instants = (slot.astimezone(dt.UTC) for slot in following)
        slots = list(takewhile(lambda slot: slot < min(end, now + SECOND), instants))
        return any(slot not in taken for slot in slots or [start])

    def _close(self, provider: Provider, item: PairDay, quote: Quote, more: str = "") -> None:
        """Note that *quote* is of an earlier day than *item*, whose own rate may still come."""
        _, day = item
        if self.wanted.past or plausibility.is_final(day, traits_of(provider), quote.observed_at):
            self.closed.add(item)
            return
        self.not_final.add(item)
        why = f"its newest rate of {quote.pair} is of {quote.rate_date}{more}, that of {day} comes later"
        self._note(provider.name, [item], FetchError(FailureKind.NOT_YET, why))

    def _suspect(self, item: PairDay, candidate: Candidate, jump: plausibility.Jump) -> None:
        if self._repeated(candidate.quote, jump):
            self.warnings[item] = candidate.told
            self._agree(item, Candidate(candidate.quote, candidate.body))
            return
        for other in self.suspects[item]:
            within = self.job.agree or plausibility.SAME
            if plausibility.within_fraction(candidate.quote.rate, other.quote.rate, within):
                self.found[item] = other.quote
                self.warnings[item] = f"{jump.reason}, confirmed by {candidate.quote.provider}"
                return
        self.suspects[item].append(candidate)

    def _agree(self, item: PairDay, candidate: Candidate) -> None:
        if not self.job.agree:
            self.found[item] = candidate.quote
            return
        for other in self.awaiting_agreement[item]:
            if plausibility.within_fraction(candidate.quote.rate, other.quote.rate, self.job.agree):
                self.found[item] = other.quote
                return
        self.awaiting_agreement[item].append(candidate)

    def _repeated(self, quote: Quote, jump: plausibility.Jump) -> bool:
        """Tell whether the same provider, for as many earlier days as it takes, already published about this suspect rate."""
        if not jump.repeats:
            return False
        until = quote.observed_at - (ANOTHER_DAY if jump.is_scale_error else dt.timedelta(0))
        earlier = self.store.suspect_rates(quote, until=until, most=jump.repeats)
        return len(earlier) == jump.repeats and all(
            plausibility.within_fraction(quote.rate, rate, plausibility.WARN) for rate in earlier
        )

    def _jumps(self, quotes: Sequence[Quote]) -> dict[dt.date, plausibility.Jump | None]:
        """Return the jump of each of *quotes* (oldest first) from the believed one before it.

        A held one whose next publication stays where it went is a move, and no slip of a day.
        """
        wanted = quotes if self.wanted.past else quotes[-1:]
        name = self.job.name
        near = self.store.nearest_quote(wanted[0].pair, wanted[0].rate_date, name)
        believed: Quote | None = None
        found: dict[dt.date, plausibility.Jump | None] = {}
        for place, quote in enumerate(wanted):
            if believed is None:
                jump = measure.jump(self.store, name, quote, near, self.job.zone)
            else:
                jump = plausibility.jump(quote, believed)
            following = wanted[place + 1 : place + 2]
            if jump is not None and jump.is_suspect and not jump.is_scale_error and following:
                stays = plausibility.within_fraction(
                    following[0].rate, quote.rate, plausibility.WARN
                )
                jump = jump._replace(is_suspect=not stays)
            if (jump is None or not jump.is_suspect) and not self._is_taken_back(quote):
                believed = quote
            found[quote.rate_date] = jump
        return found

    def _quote(self, provider: Provider, rate: PublishedRate, received_at: dt.datetime) -> Quote:
        kind = DERIVED if rate.legs else PUBLISHED
        number = rate.rate
        if rate.legs and self.job.digits:
            number = Context(prec=self.job.digits).plus(number)
        return Quote(
            pair=rate.pair,
            rate=number,
            rate_date=rate.rate_date or received_at.astimezone(self.job.zone).date(),
            provider=provider.name,
            provider_time=rate.provider_time,
            observed_at=received_at,
            kind=BACKFILLED if self.wanted.past else kind,
            legs=rate.legs,
        )

    def _quarantine(self, item: PairDay, candidate: Candidate) -> None:
        quote, body, reason, way_out = candidate
        suspect = SuspectQuote(quote.provider, reason, body, quote, way_out)
        self.quarantined.append((item, suspect))
        self._note(quote.provider, [item], FetchError(FailureKind.DATA, candidate.told))

    def _note(self, provider: str, items: Iterable[PairDay], failure: FetchError) -> None:
        for item in items:
            self.failures[item][provider] = failure

    def _disagree(self, item: PairDay, candidates: Sequence[Candidate]) -> None:
        for candidate in candidates:
            quote = candidate.quote
            others = [other.quote for other in candidates if other is not candidate]
            if others:
                rates = ", ".join(f"{other.rate} ({other.provider})" for other in others)
                reason = f"{quote.pair} {quote.rate} is not within {self.job.agree:%} of {rates}"
                self._quarantine(item, candidate._replace(reason=reason))
            elif not self.failures[item]:
                reason = f"{quote.pair} {quote.rate}: no second provider to agree with it"
                self._quarantine(item, candidate._replace(reason=reason))
