"""What a person decides about a quarantined answer: it is recorded after all, or it never will be.

Accepting writes the decision, the quote and its lines in one transaction; the slot is then settled as if
the quote had passed by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ratectl.errors import ConfigError, TryLaterError, UsageError
from ratectl.journal import quarantine, revisions, statements
from ratectl.journal.quarantine import ACCEPTED, HELD, REJECTED
from ratectl.journal.rate_store import Claim, Settlement
from ratectl.journal.revisions import TakenBack
from ratectl.journal.rows import unix
from ratectl.runtime.deadline import Deadline

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from ratectl.errors import RatectlError
    from ratectl.firing.runner import Runner
    from ratectl.journal.quarantine import QuarantinedAnswer
    from ratectl.journal.rate_store import RateStore
    from ratectl.journal.statements import Statements
    from ratectl.model.job import Pair
    from ratectl.model.quote import Quote


def undecided(store: RateStore, number: int) -> QuarantinedAnswer:
    """Return the answer *number*. Raises ConfigError for one that is unknown or decided already."""
    answer = quarantine.find(store, number)
    if answer is None:
        raise ConfigError(f"there is no held answer {number}; `ratectl review` lists them")
    if answer.state != HELD:
        raise ConfigError(f"answer {number} was {answer.state} before")
    return answer


def accepted(store: RateStore, number: int) -> QuarantinedAnswer:
    """Return the answer *number*, which was recorded. Raises ConfigError for any other."""
    answer = quarantine.find(store, number)
    if answer is None:
        raise ConfigError(f"there is no held answer {number}; `ratectl review --all` lists them")
    if answer.state != ACCEPTED:
        raise ConfigError(
            f"answer {number} is {answer.state}, not recorded; there is nothing to void"
        )
    return answer


def reject(store: RateStore, number: int, now: dt.datetime) -> QuarantinedAnswer:
    """Note that the answer *number* will never be recorded."""
    answer = undecided(store, number)
    with store.database.transaction(durable=True) as connection:
        statements.record_decision(connection, number, REJECTED, unix(now))
    return answer


@dataclass(slots=True, kw_only=True)
class Acceptance:
    """The quote of the answer *number*, to be recorded for the slots that it was held for, those from *since* on."""

    runner: Runner
    number: int
    since: dt.datetime | None = None
    slots: tuple[dt.datetime, ...] = ()
    """For which it was recorded."""

    def run(self) -> RatectlError | None:
        """Record it; returns what stood in the way of a delivery, which is then made later.

        Raises ConfigError for what cannot be accepted, TryLaterError while a firing is at work.
        """
        self.runner.with_job_lock(lambda: self.runner.attempt(self._accept))
        if self.runner.report.note:
            raise TryLaterError(f"{self.runner.job.name}: {self.runner.report.note}")
        if self.runner.report.error is None:
            self.runner.journal.end_failures(self.runner.job.name)
        return self.runner.report.error

    def _accept(self) -> None:
        runner, name = self.runner, self.runner.job.name
        answer = undecided(runner.store, self.number)
        quote = self._quote(answer)
        recorded = runner.store.pairs(name, answer.slots)
        slots = self._lacking(answer, quote, recorded)
        if not slots:
            with runner.store.database.transaction(durable=True) as connection:
                now = unix(runner.env.clock())
                statements.record_decision(connection, self.number, ACCEPTED, now)
            return
        before = runner.store.open_again(name, slots)
        try:
            claims = runner.settler.claimed(slots)
            busy = [slot for slot in slots if claims[slot] is not Claim.OURS]
            if busy:
                told = runner.timetable.told(busy[0])
                raise TryLaterError(f"{name}: another host is at work on {told}")
            self._record(answer, quote, {slot: recorded[slot] for slot in slots})
            self.slots = tuple(slots)
        finally:
            runner.store.leave(name, slots, before, runner.watermark())

    def _lacking(
        self, answer: QuarantinedAnswer, quote: Quote, recorded: Mapping[dt.datetime, set[Pair]]
    ) -> list[dt.datetime]:
        """Return the slots that lack the pair. Raises ConfigError where none does, and one has another number."""
        wanted = [slot for slot in answer.slots if self.since is None or slot >= self.since]
        slots = [slot for slot in wanted if quote.pair not in recorded[slot]]
        name, timetable = self.runner.job.name, self.runner.timetable
        have = revisions.standing(self.runner.store, name, TakenBack.of(quote))
        others = [slot for slot in wanted if slot not in {entry.slot for entry in have}]
        if slots or not others:
            return slots
        slot = others[-1]
        raise ConfigError(
            f"{name}: {timetable.told(slot)} has a rate of {quote.pair} already; reject this one, or"
            f" `ratectl review void {timetable.typed(slot)} --job {name} --pair {quote.pair}`"
            " takes that one back"
        )

    def _record(
        self,
        answer: QuarantinedAnswer,
        quote: Quote,
        recorded: Mapping[dt.datetime, set[Pair]],
    ) -> None:
        """Write *quote* into its slots, which are claimed; those that still lack pairs are given back."""
        runner, name = self.runner, self.runner.job.name
        closed = runner.store.closed_pairs(name, tuple(recorded))
        lacking = {
            slot
            for slot, known in recorded.items()
            for pair in runner.job.pairs
            if pair not in {quote.pair, *known} and str(pair) not in closed[slot]
        }
        detail = f"accepted by hand: {answer.reason}"
        settlements = [
            Settlement(
                slot=slot,
                quotes=(quote,),
                outcome="" if slot in lacking else "recorded",
                detail=detail,
            )
            for slot in recorded
        ]
        now = unix(runner.env.clock())

        def also(connection: Statements) -> None:
            statements.record_decision(connection, self.number, ACCEPTED, now)
            for slot in recorded:
                revisions.reopen(connection, name, slot, quote.pair)
            for slot in lacking:
                claim = (name, slot, runner.store.owner)
                statements.release(connection, claim, detail="waits for its other pairs", at=now)

        runner.report.error = runner.settler.write(
            settlements, Deadline(runner.job.timeout), also=also
        )

    def _quote(self, answer: QuarantinedAnswer) -> Quote:
        if answer.quote is None:
            raise UsageError(f"answer {answer.id} holds no rate that could be recorded; reject it")
        if answer.quote.pair not in self.runner.job.pairs:
            raise ConfigError(f"{answer.job} no longer records {answer.quote.pair}; reject it")
        return answer.quote
