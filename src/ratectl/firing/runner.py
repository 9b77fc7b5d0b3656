"""One firing: due slots -> fetch -> record -> deliver -> settle.

The order is the durability argument: what is fetched is committed together with the lines to be written
and the intent to write them; only then is a file touched; only then is the slot forgotten.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import zoneinfo
from typing import TYPE_CHECKING

from ratectl.errors import ConfigError, DataError, RatectlError, TryLaterError, UsageError
from ratectl.firing import due as dues
from ratectl.firing import locks, rows, zonedata
from ratectl.firing.connectivity import worst
from ratectl.firing.deadline import Deadline
from ratectl.firing.delivery import Delivery
from ratectl.firing.due import Timetable
from ratectl.firing.fetch import Fetched, Fetcher, Want
from ratectl.firing.notify import Notifier
from ratectl.firing.outcome import Report, Settled
from ratectl.firing.quote import MANUAL
from ratectl.firing.transport import Transport
from ratectl.model import PROVIDER_KINDS, CatchUp, ClosedDays, Overlap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ratectl.firing.journal import Installed, Journal
    from ratectl.firing.outcome import Surroundings
    from ratectl.model import Job, Output

EARLY = dt.timedelta(seconds=2)
"""Engines may wake us this much before the slot."""
STILL_LIVE = dt.timedelta(minutes=10)
"""A slot this young is answered with the newest rate even across midnight."""
MOST_ATTEMPTS = 10
"""Answers that failed a check before a past slot is given up."""
LEASE_MARGIN = 60


class Runner:
    """One firing of one installed job."""

    def __init__(self, journal: Journal, installed: Installed, around: Surroundings) -> None:
        self.journal = journal
        self.installed = installed
        self.job: Job = installed.job
        self.around = around
        self.report = Report(job=self.job.name)
        self.delivery = Delivery(job=self.job, journal=journal)
        try:
            self.timetable = Timetable.of(self.job)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
            raise ConfigError(
                f"job {self.job.name!r}: no zone data for {self.job.timezone!r} on this machine; "
                "install the system's tzdata package"
            ) from error
        transport = Transport(proxy=self.job.proxy, ca_bundle=self.job.ca_bundle)
        self.notifier = Notifier(job=self.job, transport=transport)
        self.fetcher = Fetcher(
            job=self.job,
            journal=journal,
            transport=transport,
            clock=around.clock,
            sleep=around.sleep,
        )
        self.answers: dict[Want, Fetched] = {}

    # The three ways to start

    def run_due(self) -> Report:
        """Settle every slot that is due now."""
        return self._scheduled(self._settle_due)

    def run_minute(self) -> Report:
        """Settle every slot that is due now, and wait for those of the current minute, as a wakeup must."""
        return self._scheduled(self._walk)

    def run_slot(self, slot: dt.datetime) -> Report:
        """Settle one *slot*, however old. Raises UsageError when the schedule has no such slot."""
        now = self.around.clock()
        if not self.timetable.is_slot(slot):
            last, following = self.timetable.last(slot), self.timetable.next(slot)
            near = " and ".join(s.isoformat() for s in (last, following) if s is not None)
            raise UsageError(
                f"--slot {slot.isoformat()}: not a slot of {self.job.name}; near it: {near}"
            )
        if slot > now:
            raise UsageError(f"--slot {slot.isoformat()}: still lies ahead")
        known = self.journal.firing(self.job.name, slot)
        if known is not None and known.settled and known.outcome == "recorded":
            self.report.note = f"{slot.isoformat()} is already recorded"
            return self.report
        if known is not None and known.settled:
            self.journal.reopen(self.job.name, slot, detail=known.detail, now=now, judged=False)
        return self._locked(lambda: self._pass(iter((slot,)), asked=True))

    def run_now(self) -> Report:
        """Record the newest rates under a manual slot: this second, whatever is due.

        A second that the schedule or an earlier firing has taken is left to it.
        """
        now = self.around.clock().replace(microsecond=0)
        seconds = (now + dues.SECOND * number for number in range(60))
        free = (
            second
            for second in seconds
            if not self.timetable.is_slot(second)
            and self.journal.firing(self.job.name, second) is None
        )
        slot = next(free, now)
        return self._locked(lambda: self._pass(iter((slot,)), manual=True))

    # One firing

    def _scheduled(self, work: Callable[[], None]) -> Report:
        if not self.installed.enabled:
            self.report.note = "paused"
            return self.report
        report = self._locked(work)
        if not report.settled and report.error is None:
            report.note = report.note or "nothing is due"
        return report

    def _locked(self, work: Callable[[], None]) -> Report:
        path = self.journal.state_dir / "locks" / f"job-{self.job.name}.lock"
        wait = Deadline(self.job.timeout) if self.job.overlap is Overlap.WAIT else None
        with locks.held(path, until=wait) as got:
            if not got and wait is not None:
                raise TryLaterError(f"{self.job.name}: another firing is still at work")
            if not got:
                self.report.note = "another firing is at work"
                return self.report
            try:
                self.report.error = self.delivery.rest() or self.report.error
                work()
            except RatectlError as error:
                self.report.error = self.report.error or error
            self._conclude()
        return self.report

    def _settle_due(self) -> None:
        owed = dues.due(self.timetable, self._watermark(), self.around.clock())
        if owed.passed is not None:
            self.journal.advance(self.job.name, owed.passed, missed=owed.missed)
        self._pass(iter(owed.slots))

    def _walk(self) -> None:
        horizon = _end_of_minute(self.around.clock() + EARLY)
        while True:
            self._settle_due()
            now = self.around.clock()
            if now >= horizon:  # a slow fetch: the wakeup of this minute found our lock
                horizon = _end_of_minute(now)
            following = self.timetable.next(max(now, self._watermark()))
            if following is None or self.report.error or following >= horizon:
                return
            self._sleep_until(following)
            self.answers.clear()

    def _pass(
        self, slots: Iterator[dt.datetime], *, asked: bool = False, manual: bool = False
    ) -> None:
        """Settle *slots* in order, within one deadline; an error that time may mend ends the pass."""
        deadline: Deadline | None = None
        gapless = True
        for slot in slots:
            known = self.journal.firing(self.job.name, slot)
            if known is None or not known.settled:
                if not (asked or manual):
                    self._sleep_until(slot + self._delay())
                if deadline is None:
                    deadline = Deadline(self.job.timeout - self.notifier.reserve)
                    self.notifier.start()
                settled = self._settle(slot, deadline, asked=asked, manual=manual)
                self.report.add(settled)
                gapless = gapless and settled.outcome != "failed"
                if isinstance(settled.error, TryLaterError):
                    return
            if gapless and not (asked or manual):
                self.journal.advance(self.job.name, slot)

    def _settle(
        self, slot: dt.datetime, deadline: Deadline, *, asked: bool, manual: bool
    ) -> Settled:
        now = self.around.clock()
        claimed = self.journal.claim(
            self.job.name,
            slot,
            owner=self.around.owner,
            now=now,
            lease=self.job.timeout + LEASE_MARGIN,
        )
        if not claimed:
            error = TryLaterError(f"{self.job.name}: another host is at work on {slot.isoformat()}")
            return Settled(slot=slot, outcome="held", error=error)
        day = slot.astimezone(self.job.zone).date()
        past = day != now.astimezone(self.job.zone).date() and now - slot > STILL_LIVE
        obstacle = "" if manual else self._obstacle(slot, now, past=past, asked=asked)
        if obstacle:
            return self._give_up(slot, obstacle, asked=asked)
        recorded = {entry.quote.pair for entry in self.journal.quotes(self.job.name, slot)}
        pairs = tuple(pair for pair in self.job.pairs if pair not in recorded)
        want = Want(pairs=pairs, day=day, past=past and self._has_history())
        fetched = self.answers.get(want)
        if fetched is None:
            fetched = self.fetcher.fetch(want, deadline)
            if len(fetched.quotes) == len(pairs):
                self.answers[want] = fetched
        if manual:
            fetched = dataclasses.replace(
                fetched,
                quotes=tuple(dataclasses.replace(q, kind=MANUAL) for q in fetched.quotes),
            )
        return self._record(slot, fetched, deadline, whole=len(pairs))

    def _obstacle(self, slot: dt.datetime, now: dt.datetime, *, past: bool, asked: bool) -> str:
        """Return why this slot cannot be fetched any more, or an empty text."""
        if past and self._has_history():
            return ""
        late = (now - slot).total_seconds()
        if self.job.grace and not asked and late > self.job.grace + self.job.jitter:
            return f"seen {late:.0f} s late, more than the grace of {self.job.grace} s"
        if past and (asked or self.job.catch_up is CatchUp.ALL):
            return "none of the job's providers knows past days; add frankfurter or ecb"
        return ""

    def _give_up(self, slot: dt.datetime, why: str, *, asked: bool) -> Settled:
        with self.journal.database.transaction() as connection:
            rows.settle(
                connection,
                self.job.name,
                slot,
                outcome="missed",
                detail=why,
                now=self.around.clock(),
            )
        error = DataError(f"{self.job.name}: {slot.isoformat()}: {why}") if asked else None
        return Settled(slot=slot, outcome="missed", error=error)

    # The commit

    def _record(
        self, slot: dt.datetime, fetched: Fetched, deadline: Deadline, *, whole: int
    ) -> Settled:
        complete = len(fetched.quotes) + len(fetched.closed) == whole
        if not fetched.quotes and not complete:
            return self._failed(slot, fetched)
        error: RatectlError | None = None
        with self.delivery.held(deadline) as outputs:
            self._commit(slot, fetched, outputs, complete=complete)
            for output in outputs:
                error = self.delivery.drain(output) or error
        if not complete:
            return dataclasses.replace(self._failed(slot, fetched), quotes=fetched.quotes)
        if fetched.closed:
            closed = ", ".join(map(str, fetched.closed))
            if self.job.closed_days is ClosedDays.FAIL:
                error = error or DataError(
                    f"{self.job.name}: no rate of the day itself for {closed}"
                )
        outcome = "recorded" if fetched.quotes else "closed"
        return Settled(
            slot=slot,
            outcome=outcome,
            quotes=fetched.quotes,
            warnings=fetched.warnings,
            error=error,
        )

    def _commit(
        self, slot: dt.datetime, fetched: Fetched, outputs: tuple[Output, ...], *, complete: bool
    ) -> None:
        now = self.around.clock()
        intents = [(o, self.delivery.intent(o) if fetched.quotes else None) for o in outputs]
        with self.journal.database.transaction(durable=True) as connection:
            rows.add_quotes(connection, self.job.name, slot, fetched.quotes)
            rows.add_quarantined(connection, self.job.name, slot, fetched.quarantined, now)
            if complete:
                outcome = "recorded" if fetched.quotes else "closed"
                detail = "; ".join(fetched.warnings)
                rows.settle(
                    connection, self.job.name, slot, outcome=outcome, detail=detail, now=now
                )
            for output, intent in intents:
                self.delivery.enqueue(connection, output, intent, slot, fetched.quotes)

    def _failed(self, slot: dt.datetime, fetched: Fetched) -> Settled:
        now = self.around.clock()
        error = worst(fetched.failures)
        if not fetched.quotes:
            with self.journal.database.transaction() as connection:
                rows.add_quarantined(connection, self.job.name, slot, fetched.quarantined, now)
        judged = not isinstance(error, TryLaterError)
        attempts = self.journal.reopen(
            self.job.name, slot, detail=str(error), now=now, judged=judged
        )
        past = slot.astimezone(self.job.zone).date() < now.astimezone(self.job.zone).date()
        if judged and past and attempts >= MOST_ATTEMPTS:
            self._give_up(slot, f"given up after {attempts} tries: {error}", asked=False)
            return Settled(slot=slot, outcome="missed", error=error)
        return Settled(slot=slot, outcome="failed", error=error)

    # The end

    def _conclude(self) -> None:
        """Store when to look again, if nothing is owed; count failures in a row; tell others."""
        error = self.report.error
        now = self.around.clock()
        following = self.timetable.next(self._watermark())
        if error is None and (following is None or following > now):
            path = zonedata.zone_file(self.job.timezone)
            self.journal.set_next_due(
                self.job.name, following, now=now, zone_file=path, zone_stamp=zonedata.stamp(path)
            )
        if error is not None:
            self.notifier.failure(self.journal.count_failure(self.job.name), str(error))
        elif self.report.settled:
            self.notifier.success(self.journal.end_failures(self.job.name))

    def _watermark(self) -> dt.datetime:
        return self.journal.watermark(self.job.name, self.around.clock())

    def _has_history(self) -> bool:
        return any(PROVIDER_KINDS[provider.kind].history for provider in self.job.providers)

    def _delay(self) -> dt.timedelta:
        return dues.delay(self.job.name, self.around.host, self.job.jitter)

    def _sleep_until(self, moment: dt.datetime) -> None:
        while (left := (moment - self.around.clock()).total_seconds()) > 0:
            self.around.sleep(left)


def _end_of_minute(moment: dt.datetime) -> dt.datetime:
    return moment.replace(second=0, microsecond=0) + dt.timedelta(minutes=1)
