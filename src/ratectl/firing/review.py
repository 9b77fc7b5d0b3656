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
from ratectl.journal.rows import unix
from ratectl.runtime.deadline import Deadline

if TYPE_CHECKING:
    import datetime as dt

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The quote of the answer *number*, to be recorded for the slot that it was held for."""

    runner: Runner
    number: int

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
        runner = self.runner
        answer = undecided(runner.store, self.number)
        quote = self._quote(answer)
        slot, name, timetable = answer.slot, runner.job.name, runner.timetable
        recorded = runner.store.pairs(name, [slot])[slot]
        if quote.pair in recorded:
            raise ConfigError(
                f"{name}: {timetable.told(slot)} has a rate of {quote.pair} already; reject this one, or"
                f" `ratectl review void {timetable.typed(slot)} --job {name} --pair {quote.pair}`"
                " takes that one back"
            )
        before = runner.store.open_again(name, [slot])
        if runner.settler.claimed((slot,))[slot] is not Claim.OURS:
            raise TryLaterError(f"{name}: another host is at work on {timetable.told(slot)}")
        try:
            self._record(answer, quote, recorded)
        finally:
            runner.store.leave(name, [slot], before, runner.watermark())

    def _record(self, answer: QuarantinedAnswer, quote: Quote, recorded: set[Pair]) -> None:
        """Write *quote* into its slot, which is claimed; one that still lacks pairs is given back."""
        runner, name, slot = self.runner, self.runner.job.name, answer.slot
        closed = runner.store.closed_pairs(name, [slot])[slot]
        known = {quote.pair, *recorded}
        whole = all(pair in known or str(pair) in closed for pair in runner.job.pairs)
        settlement = Settlement(
            slot=slot,
            quotes=(quote,),
            outcome="recorded" if whole else "",
            detail=f"accepted by hand: {answer.reason}",
        )
        now = unix(runner.env.clock())
        claim = (name, slot, runner.store.owner)

        def also(connection: Statements) -> None:
            statements.record_decision(connection, self.number, ACCEPTED, now)
            revisions.reopen(connection, name, slot, quote.pair)
            if not whole:
                statements.release(connection, claim, detail="waits for its other pairs", at=now)

        runner.report.error = runner.settler.write(
            (settlement,), Deadline(runner.job.timeout), also=also
        )

    def _quote(self, answer: QuarantinedAnswer) -> Quote:
        if answer.quote is None:
            raise UsageError(f"answer {answer.id} holds no rate that could be recorded; reject it")
        if answer.quote.pair not in self.runner.job.pairs:
            raise ConfigError(f"{answer.job} no longer records {answer.quote.pair}; reject it")
        return answer.quote
