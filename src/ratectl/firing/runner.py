"""One firing of one job: under its lock, what is due is settled, and then forgotten.

A slot is forgotten (the watermark passes it) only after ``settle.py`` is done with it; when to look
again is stored only when nothing is owed.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import TYPE_CHECKING

from ratectl.errors import (
    ConfigError,
    DataError,
    RatectlError,
    RefusedError,
    TryLaterError,
    UsageError,
)
from ratectl.fetch import plausibility
from ratectl.fetch.cache import ResponseCache
from ratectl.fetch.client import ProviderClient
from ratectl.fetch.fetcher import Fetcher
from ratectl.fetch.http import Transport
from ratectl.firing import backoff, zone_stamp
from ratectl.firing import due as dues
from ratectl.firing.due import Timetable
from ratectl.firing.notify import Notifier
from ratectl.firing.report import FiringReport, Settled
from ratectl.firing.settle import Settler
from ratectl.model.job import CatchUp, Overlap
from ratectl.model.providers import traits_of
from ratectl.outputs.delivery import Delivery
from ratectl.runtime import accounts, locks
from ratectl.runtime.deadline import Deadline
from ratectl.schedule.occurrences.zones import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ratectl.journal.journal import Installed, Journal
    from ratectl.model.job import Job
    from ratectl.runtime.environment import Environment

EARLY = dt.timedelta(seconds=2)
"""Engines may wake us this much before the slot."""
STILL_LIVE = dt.timedelta(minutes=10)
"""A slot this young is answered with the newest rate even across midnight."""
MINUTE = dt.timedelta(minutes=1)
BATCH = 250
"""Past slots that are committed together."""


class Runner:
    """One firing of one installed job."""

    def __init__(self, journal: Journal, installed: Installed, env: Environment) -> None:
        self.journal = journal
        self.installed = installed
        self.job: Job = installed.recording_job
        _refuse_another_account(self.job)
        self.env = env
        self.report = FiringReport(job=self.job.name, zone=self.job.zone)
        self.store = journal.store(self.job)
        self.delivery = Delivery(self.job, self.store.database, journal.state_dir)
        self._reached: dt.datetime | None = None
        self._ends: Deadline | None = None
        self.timetable = Timetable(self.job)
        transport = Transport(proxy=self.job.proxy, ca_bundle=self.job.ca_bundle)
        self.notifier = Notifier(job=self.job, transport=transport)
        self.client = ProviderClient(transport, ResponseCache(journal.state_dir), env)
        fetcher = Fetcher(self.job, self.store, self.client, env)
        self.settler = Settler(self.timetable, self.store, self.delivery, fetcher, env)

    # The ways to start

    def run_due(self) -> FiringReport:
        """Settle every slot that is due now."""
        return self._scheduled(self._settle_due)

    def run_minute(self) -> FiringReport:
        """Settle every slot that is due now, and wait for those of the current minute, as a wakeup must."""
        return self._scheduled(self._walk)

    def run_wakeup(self, minute: dt.datetime) -> FiringReport:
        """Settle what was due in *minute*, which this wakeup is for however late it comes, and nothing later."""
        last = minute + MINUTE - SECOND
        return self._scheduled(lambda: self._walk_until(last))

    def run_slot(self, slot: dt.datetime) -> FiringReport:
        """Settle one *slot*, however old. Raises UsageError when the schedule has no such slot."""
        now, slot = self.env.clock(), slot.astimezone(dt.UTC)
        self.timetable.check_slot(slot, option="--slot")
        if slot > now:
            raise UsageError(f"--slot {self.timetable.typed(slot)}: still lies ahead")
        return self._locked(lambda: self._settle_again(slot))

    def _settle_again(self, slot: dt.datetime) -> None:
        """Settle *slot*, also one that was settled without a rate of some pair; under the job's lock, so that none stays open."""
        known = self.store.firing(self.job.name, slot)
        if known is None or not known.settled:
            self._pass(iter((slot,)), asked=True)
            return
        recorded = self.store.pairs(self.job.name, [slot])[slot]
        if known.outcome == "recorded" and recorded.issuperset(self.job.pairs):
            self.report.note = f"{self.timetable.told(slot)} is already recorded"
            return
        closed = self.store.reopen(self.job.name, slot)
        self._pass(iter((slot,)), asked=True)
        if not any(settled.outcome == "held" for settled in self.report.settled):
            self.store.close_again(known, closed)  # which nobody would come back to

    def run_now(self) -> FiringReport:
        """Record the newest rates under a manual slot: this second, whatever is due.

        A second that the schedule or an earlier firing has taken is left to it.
        """
        now = self.env.clock().replace(microsecond=0)
        seconds = (now + SECOND * number for number in range(60))
        free = (
            second
            for second in seconds
            if not self.timetable.is_slot(second)
            and self.store.firing(self.job.name, second) is None
        )
        slot = next(free, now)
        return self._locked(
            lambda: self.report.add(self.settler.settle_manual(slot, self._deadline()))
        )

    # One firing

    def _scheduled(self, work: Callable[[], None]) -> FiringReport:
        if self.installed.paused or not self.installed.enabled:
            self.report.note = "paused" if self.installed.paused else "switched off in the spec"
            return self.report
        report = self._locked(work)
        if not report.settled and report.error is None:
            report.note = report.note or "nothing is due"
        return report

    def _locked(self, work: Callable[[], None]) -> FiringReport:
        def firing() -> None:
            self.attempt(work)
            self._conclude()

        self.with_job_lock(firing)
        if self.report.settled or self.report.error is not None:
            self.publish()
        return self.report

    def publish(self) -> None:
        """Write the job's report page anew; that can only fail by itself."""
        if self.job.report:
            from ratectl.page.publish import publish  # noqa: PLC0415 - after all that matters, and for some only

            self.report.page = publish(
                self.journal.state_dir,
                self.job.report,
                host_timezone=self.installed.host_timezone,
                now=self.env.clock(),
            )

    def with_job_lock(self, work: Callable[[], None]) -> None:
        """Do *work* under the job's lock, or note that another firing has it.

        Raises TryLaterError where the job rather waits, and waited in vain.
        """
        path = self.journal.state_dir / "locks" / f"job-{self.job.name}.lock"
        wait = Deadline(self.job.timeout) if self.job.overlap is Overlap.WAIT else None
        with locks.acquire(path, until=wait) as got:
            if got:
                work()
            elif wait is not None:
                raise TryLaterError(f"{self.job.name}: another firing is still at work")
            else:
                self.report.note = "another firing is at work"
                self.report.owing = self.installed.retry_at is not None

    def attempt(self, work: Callable[[], None]) -> None:
        """Deliver what an earlier firing left, then do *work*; the first error is the report's."""
        try:
            self.report.error = self.delivery.rest() or self.report.error
            work()
        except RatectlError as error:
            self.report.error = self.report.error or error

    def _settle_due(self, last: dt.datetime | None = None) -> None:
        owed = dues.due(self.timetable, self.watermark(), self.env.clock(), last)
        if owed.passed is not None:
            missed = owed.missed - self._settled_elsewhere(owed.passed) if owed.missed else 0
            self.journal.advance(self.job.name, owed.passed, missed=max(0, missed))
        if self.job.catch_up is CatchUp.ALL:
            end = self.env.clock() if last is None else min(last, self.env.clock())
            self.settler.upcoming_days = self.timetable.days(self.watermark(), end)
        self._pass(iter(owed.slots))
        if self.job.catch_up is CatchUp.ALL and self.report.error is None:
            self._heal()

    def _heal(self) -> None:
        """Ask again for days that stand marked with an earlier day's rate; what fails is left to a later firing."""
        now = self.env.clock()
        begins = now - dt.timedelta(seconds=self.job.revisit)
        if not self.job.revisit or not self.journal.may_revisit(self.job.name, now):
            return
        from ratectl.firing import revisit  # noqa: PLC0415 - not each firing asks again

        self.journal.note_revisit(self.job.name, now)
        wanted = {
            slot: pairs
            for slot, pairs in revisit.marked(self.store, self.job, begins, now).items()
            if self._may_still_appear(slot, now)
        }
        if not wanted:
            return
        zone = self.timetable.zone
        self.settler.upcoming_days = sorted({slot.astimezone(zone).date() for slot in wanted})
        with contextlib.suppress(TryLaterError):
            for settled in revisit.Revisit(self.settler).run(wanted, self._deadline()):
                if settled.quotes:
                    self.report.add(settled)

    def _may_still_appear(self, slot: dt.datetime, now: dt.datetime) -> bool:
        """Tell whether some provider publishes on the day of *slot*, and is done with it."""
        day = slot.astimezone(self.timetable.zone).date()
        return any(
            (traits.weekends or day.isoweekday() < 6) and plausibility.is_final(day, traits, now)
            for traits in map(traits_of, self.job.providers)
            if traits.history
        )

    def _settled_elsewhere(self, until: dt.datetime) -> int:
        """Return how many slots up to *until* others settled: another host, a person, a backfill."""
        after = self.watermark() + SECOND
        settled = self.store.settled(self.job.name, after, until)
        return sum(1 for slot in settled if self.timetable.is_slot(slot))

    def _walk(self) -> None:
        horizon = _end_of_minute(self.env.clock() + EARLY)
        while True:
            self._settle_due()
            now = self.env.clock()
            if now >= horizon:  # a slow fetch: the wakeup of this minute found our lock
                horizon = _end_of_minute(now)
            following = self.timetable.next(max(now, self.watermark()))
            if following is None or self.report.error or following >= horizon:
                return
            if not self._waited_for(following):
                return

    def _walk_until(self, last: dt.datetime) -> None:
        while True:
            self._settle_due(last)
            seen = max(min(self.env.clock(), last), self.watermark())
            following = self.timetable.next(seen)
            if following is None or self.report.error or following > last:
                return
            if not self._waited_for(following):
                return

    def _waited_for(self, slot: dt.datetime) -> bool:
        """Sleep until *slot*, which is asked for anew and has a deadline of its own; tell whether it is still wanted.

        It is not where the job was removed, paused or changed meanwhile.
        """
        self._sleep_until(slot)
        self.settler.live_results.clear()
        self._ends = None
        now = self._current()
        return now is not None and now.enabled and not now.paused and now.job == self.installed.job

    def _current(self) -> Installed | None:
        """Return the job as it is installed now; None where it is no more."""
        try:
            return self.journal.installed_job(self.job.name)
        except ConfigError:
            return None

    def _pass(self, slots: Iterator[dt.datetime], *, asked: bool = False) -> None:
        """Settle *slots* in order, within one deadline; an error that time may fix ends the pass."""
        gapless = True
        for batch in self._batches(slots, asked=asked):
            for settled in self._settle(batch, asked=asked):
                if settled.outcome != "settled":
                    self.report.add(settled)
                gapless = gapless and settled.outcome not in {"failed", "held"}
                if gapless and not asked:
                    self._reached = settled.slot
            if self._reached is not None:
                self.journal.advance(self.job.name, self._reached)
            if isinstance(self.report.error, TryLaterError):
                return

    def _batches(
        self, slots: Iterator[dt.datetime], *, asked: bool
    ) -> Iterator[tuple[dt.datetime, ...]]:
        """Yield slots of past days that a provider knows together, all others one by one."""
        past: list[dt.datetime] = []
        for slot in slots:
            if self._has_history_of(slot, asked=asked):
                past.append(slot)
                if len(past) == BATCH:
                    yield tuple(past)
                    past.clear()
                continue
            if past:
                yield tuple(past)
                past.clear()
            yield (slot,)
        if past:
            yield tuple(past)

    def _settle(self, batch: tuple[dt.datetime, ...], *, asked: bool) -> Sequence[Settled]:
        [slot, *_] = batch
        if self._has_history_of(slot, asked=asked):
            return self.settler.settle_past(batch, self._deadline())
        known = self.store.firing(self.job.name, slot)
        if known is not None and known.settled:
            return (Settled(slot=slot, outcome="settled"),)
        if not asked:
            self._sleep_until(slot + self._delay())
        deadline = self._deadline()
        obstacle = self._obstacle(slot, self.env.clock(), asked=asked)
        if not obstacle:
            return (self.settler.settle_live(slot, deadline),)
        given_up = self.settler.mark_missed(slot, obstacle)
        told = self.timetable.told(slot)
        error = DataError(f"{self.job.name}: {told}: {obstacle}") if asked else None
        return (given_up._replace(error=error),)

    def _deadline(self) -> Deadline:
        """Return the one deadline of this firing, which begins with its first work."""
        if self._ends is None:
            self._ends = Deadline(self.job.timeout)
            self.notifier.start()
        return self._ends

    def _is_past(self, slot: dt.datetime) -> bool:
        now = self.env.clock()
        day = slot.astimezone(self.timetable.zone).date()
        today = now.astimezone(self.timetable.zone).date()
        return day != today and now - slot > STILL_LIVE

    def _obstacle(self, slot: dt.datetime, now: dt.datetime, *, asked: bool) -> str:
        """Return why this slot cannot be fetched any more, or an empty text."""
        late = (now - slot).total_seconds()
        if self.job.grace and not asked and late > self.job.grace + self.job.jitter:
            return f"seen {late:.0f} s late, more than the grace of {self.job.grace} s"
        if self._is_past(slot) and (asked or self.job.catch_up is CatchUp.ALL):
            return "none of the job's providers has historical rates; add frankfurter or ecb"
        return ""

    # The end

    def _conclude(self) -> None:
        """Store when to look again, if nothing is owed; count failures in a row; tell others."""
        if self._current() is None:
            return  # removed meanwhile
        error = self.report.error
        now = self.env.clock()
        following = self.timetable.next(self.watermark())
        believed = now >= self.installed.installed_at  # else the clock is wrong, and so is "then"
        if error is None and believed and (following is None or following > now):
            path = zone_stamp.zone_file(self.job.timezone)
            self.journal.set_next_due(
                self.installed.job,
                following,
                now=now,
                zone_file=path,
                zone_stamp=zone_stamp.stamp(path),
            )
        if error is not None and not self._in_vain_by_hand(error):
            failures = self.journal.count_failure(self.job.name, now, self._try_again(now))
            self.notifier.failure(failures, str(error))
        elif error is None and self.report.settled:
            self.notifier.success(self.journal.end_failures(self.job.name))

    def _in_vain_by_hand(self, error: RatectlError) -> bool:
        """Tell whether *error* is that of a slot which only a person asked for: nothing is owed, and nothing tries it again."""
        return any(
            settled.error is error
            and settled.outcome in {"failed", "missed"}
            and (settled.slot <= self.watermark() or not self.timetable.is_slot(settled.slot))
            for settled in self.report.settled
        )

    def _try_again(self, now: dt.datetime) -> Callable[[int], dt.datetime]:
        """Return what tells, of the failures in a row, when to try next: no later than at the slot that comes then."""
        following = self.timetable.next(now)

        def again(failures: int) -> dt.datetime:
            rested = now + dt.timedelta(seconds=backoff.wait(failures))
            return rested if following is None else min(rested, following)

        return again

    def watermark(self) -> dt.datetime:
        """Return up to where the job's slots are due no more; what a clock that stood ahead counted as missed is taken back."""
        before = self.journal.installed_job(self.job.name).settled_until
        until = self.journal.watermark(self.installed, self.env.clock())
        if until < before:
            settled = set(self.store.settled(self.job.name, until + SECOND, before))
            passed = self.timetable.between(until, before)
            self.journal.unmiss(self.job.name, sum(1 for slot in passed if slot not in settled))
        return until

    def _has_history_of(self, slot: dt.datetime, *, asked: bool) -> bool:
        """Tell whether *slot* is to be answered with the rate of its own day, which is over.

        Under ``latest`` that rate must be final by now: a later wakeup would not come back to it.
        """
        traits = [traits_of(provider) for provider in self.job.providers]
        able = [traits for traits in traits if traits.history]
        if not able or not self._is_past(slot):
            return False
        day, now = slot.astimezone(self.timetable.zone).date(), self.env.clock()
        patient = asked or self.job.catch_up is CatchUp.ALL
        return patient or any(plausibility.is_final(day, traits, now) for traits in able)

    def _delay(self) -> dt.timedelta:
        return dues.start_delay(self.job.name, self.env.host, self.job.jitter)

    def _sleep_until(self, moment: dt.datetime) -> None:
        while (left := (moment - self.env.clock()).total_seconds()) > 0:
            self.env.sleep(left)


def _refuse_another_account(job: Job) -> None:
    """Raise RefusedError where *job* is to be recorded with the rights of another account."""
    if accounts.is_foreign(job.user):
        raise RefusedError(
            f"{job.name} is recorded as {job.user}, and nobody else writes its record; root's commands that name "
            f"the job, such as `ratectl run {job.name}`, do that as {job.user}"
        )


def _end_of_minute(moment: dt.datetime) -> dt.datetime:
    return moment.replace(second=0, microsecond=0) + MINUTE
