"""States of a machine that the page and the terminal are looked at in, each a state directory made of the ECB's real rates.

Everything is written through the journal's own tables, so that ``ratectl`` shows it as if it had been recorded.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from ratectl import schedule, spec
from ratectl.deploy.checks.serving import Held
from ratectl.journal.journal import Journal
from ratectl.journal.rows import unix
from tests.support.rate_table import TABLES, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from ratectl.model.job import Job, Pair

DAY = dt.timedelta(days=1)
NAMES = ("USD", "GBP", "JPY", "CHF", "SEK", "NOK", "PLN", "CZK", "HUF", "INR")
TEN = " ".join(f"EUR/{code}" for code in NAMES)
SECTION = """
[jobs.{name}]
pairs = {pairs}
schedule = "{schedule}"
timezone = "{zone}"
providers = ["ecb"]
output = "{name}.csv"
"""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[None]:
    """Hold what ``ratectl serve`` holds, so that the jobs of the state in *folder* are such as something wakes."""
    held = Held(folder)
    with Journal(folder) as journal:
        held.hold([row.job.name for row in journal.installed()])
    try:
        yield
    finally:
        held.close()


class Machine:
    """One state directory, at *now*, with the spec of its jobs."""

    def __init__(self, folder: Path, now: dt.datetime, table: Table) -> None:
        self.folder, self.now, self.table = folder, now, table
        self.spec = folder / "jobs.toml"

    def install(self, name: str, pairs: str, schedule: str, zone: str, days: float) -> Job:
        """Write a job of *pairs* into the spec and record it as installed so many *days* ago, and settled until now."""
        section = SECTION.format(name=name, pairs=pairs.split(), schedule=schedule, zone=zone)
        text = self.spec.read_text() if self.spec.exists() else ""
        self.spec.write_text(text + section)
        loaded = spec.load(self.spec, host_timezone="Asia/Kolkata")
        job = loaded.job(name)
        with Journal(self.folder) as journal:
            journal.record_job(
                job,
                spec=str(self.spec),
                digest=loaded.digest(name),
                backend="serve",
                scope="user",
                host_timezone="Asia/Kolkata",
                now=self.now - DAY * days,
            )
            journal.advance(name, self.now)
        return job

    def slots(self, job: Job, days: float, until: float = 0) -> list[dt.datetime]:
        """Return the slots of *job* from so many *days* ago until others, the oldest first."""
        found: list[dt.datetime] = []
        for slot in schedule.after(job.schedule, job.zone, self.now - DAY * days):
            if slot > self.now - DAY * until:
                return found
            found.append(slot)
        return found

    def record(
        self, job: Job, slots: Iterable[dt.datetime], after: int = 3, wave: bool = False
    ) -> None:
        """Settle *slots* with the rates of their days; *wave* moves them within the day, by less than a thousandth."""
        firings, quotes = [], []
        for number, slot in enumerate(slots):
            day, row = self.table.newest(slot.date()) or (None, {})
            if day is None:
                continue
            moved = 1 + Decimal((number * 7919) % 1000 - 500) / 2_000_000 if wave else Decimal(1)
            at = unix(slot)
            firings.append((job.name, at, at + 60, "recorded", at + after))
            for pair in job.pairs:
                rate = with_digits(rate_of(row, pair) * moved)
                quotes.append(
                    (job.name, at, pair.base, pair.quote, str(rate), str(day), at + after)
                )
        with Journal(self.folder) as journal, journal.database.transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO firings (job, slot, state, owner, lease_until, outcome, at)"
                " VALUES (?, ?, 'settled', 'here/1', ?, ?, ?)",
                firings,
            )
            connection.executemany(
                "INSERT OR IGNORE INTO quotes (job, slot, base, quote, rate, rate_date, provider,"
                " observed_at, kind) VALUES (?, ?, ?, ?, ?, ?, 'ecb', ?, 'published')",
                quotes,
            )

    def end(self, job: Job, slots: list[dt.datetime], outcome: str, detail: str = "") -> None:
        """Let *slots* end without a rate, and those that failed stay due."""
        failed = outcome == "failed"
        state, after = ("open", 3) if failed else ("settled", 18_000)
        rows = [
            (job.name, unix(slot), state, unix(slot), outcome, detail, unix(slot) + after)
            for slot in slots
        ]
        with Journal(self.folder) as journal, journal.database.transaction() as connection:
            connection.executemany(
                "INSERT INTO firings (job, slot, state, owner, lease_until, outcome, detail, at)"
                " VALUES (?, ?, ?, 'here/1', ?, ?, ?, ?)",
                rows,
            )
            if failed:
                connection.execute(
                    "UPDATE jobs SET failures = ?, next_due = NULL WHERE name = ?",
                    (len(slots), job.name),
                )

    def hold(self, job: Job, slots: list[dt.datetime]) -> None:
        """Let the answers for *slots* wait for a person."""
        [pair] = job.pairs
        self.end(job, slots, "failed", "bad data: ecb: looks inverted; `ratectl review` decides")
        for slot in slots:
            with Journal(self.folder) as journal, journal.database.transaction() as connection:
                connection.execute(
                    "INSERT INTO quarantine (job, slot, provider, base, quote, rate, rate_date, reason, at)"
                    " VALUES (?, ?, 'ecb', ?, ?, '0.0203', ?, 'USD/TRY 0.0203 looks inverted', ?)",
                    (job.name, unix(slot), pair.base, pair.quote, str(slot.date()), unix(slot)),
                )


def rate_of(row: dict[str, Decimal], pair: Pair) -> Decimal:
    """Return the rate of *pair* in a *row* of units for one euro."""
    units = {"EUR": Decimal(1)} | row
    return units[pair.quote] / units[pair.base]


def with_digits(rate: Decimal) -> Decimal:
    """Return *rate* in six digits, or to four decimals where that is more."""
    if rate > 100:
        return rate.quantize(Decimal("0.0001") if rate < 10_000 else Decimal("0.01"))
    return Decimal(f"{rate:.5g}")


def nothing(_machine: Machine) -> None:
    """No job at all."""


def one(machine: Machine) -> None:
    """A job with its first rate."""
    job = machine.install("usd-inr", "USD/INR", "every day at 10:30", "Asia/Kolkata", 1.2)
    machine.record(job, machine.slots(job, 1.2)[-1:])


def three(machine: Machine) -> None:
    """A job with three rates."""
    job = machine.install("usd-inr", "USD/INR", "every day at 10:30", "Asia/Kolkata", 3.2)
    machine.record(job, machine.slots(job, 3.2)[-3:])


def decade(machine: Machine) -> None:
    """Ten pairs of ten years."""
    job = machine.install("euro", TEN, "every weekday at 16:30", "Europe/Berlin", 3652)
    machine.record(job, machine.slots(job, 3652))


def desks(machine: Machine) -> None:
    """All well: three jobs of a year, as a treasury has them."""
    jobs = (
        machine.install("usd-inr", "USD/INR", "every day at 10:30", "Asia/Kolkata", 420),
        machine.install(
            "euro",
            "EUR/USD EUR/GBP EUR/JPY EUR/CHF",
            "every weekday at 16:30",
            "Europe/Berlin",
            420,
        ),
        machine.install(
            "nordics", "EUR/SEK EUR/NOK EUR/DKK", "every weekday at 17:00", "Europe/Stockholm", 420
        ),
    )
    for job in jobs:
        slots = machine.slots(job, 420)
        machine.record(job, slots[-40:-38], after=4000)
        machine.record(job, slots)


def mess(machine: Machine) -> None:
    """Jobs that fail, hold answers, missed slots, are paused, begin later, or were removed, beside those that do well."""
    job = machine.install(
        "failing-ecb", "EUR/USD EUR/SEK", "every weekday at 16:30", "Europe/Berlin", 400
    )
    *good, fourth, third, second, first = machine.slots(job, 400)
    machine.record(job, good)
    machine.end(job, [fourth, third, second, first], "failed", "offline: no way to ecb")

    job = machine.install("held-try", "USD/TRY", "every day at 12:00", "Europe/Istanbul", 400)
    slots = machine.slots(job, 400)
    machine.record(job, slots[:-2])
    machine.hold(job, slots[-2:])

    job = machine.install("laptop-missed", "USD/JPY", "every day at 08:15", "Asia/Kolkata", 80)
    slots = machine.slots(job, 80)
    machine.end(job, [*slots[20:22], slots[30], *slots[-2:]], "missed", "seen 5 h late")
    machine.record(job, slots[:-2])

    job = machine.install("usd-inr", "USD/INR EUR/INR", "every day at 10:30", "Asia/Kolkata", 380)
    slots = machine.slots(job, 380)
    machine.record(job, slots[-14:-12], after=9000)
    machine.end(job, slots[-60::7], "closed")
    machine.record(job, slots)

    machine.install("future", "USD/BRL", "on the 15th at 18:30", "America/Sao_Paulo", 0.5)

    job = machine.install("paused-gbp", "GBP/USD", "every day at 09:00", "Europe/London", 300)
    machine.record(job, machine.slots(job, 300, until=20))
    removed = machine.install("old-chf", "EUR/CHF", "every weekday at 16:30", "Europe/Berlin", 700)
    machine.record(removed, machine.slots(removed, 700, until=300))
    with Journal(machine.folder) as journal:
        journal.pause_jobs(["paused-gbp"])
        journal.forget_jobs(["old-chf"])


def minutely(machine: Machine) -> None:
    """A hundred thousand quotes of a job that fires each minute."""
    job = machine.install("ticks", "USD/JPY", "every minute", "Asia/Tokyo", 69.5)
    machine.record(job, machine.slots(job, 69.5), wave=True)


def extremes(machine: Machine) -> None:
    """Huge and tiny rates, and a gap of years."""
    job = machine.install(
        "huge-and-tiny",
        "EUR/IDR IDR/EUR USD/KRW JPY/USD",
        "every weekday at 18:00",
        "Asia/Jakarta",
        3000,
    )
    machine.record(job, [*machine.slots(job, 3000, until=2000), *machine.slots(job, 200)])


def long_names(machine: Machine) -> None:
    """Names as long as they may be, and pairs whose words are long."""
    names = ("treasury-month-end-closing-rates-ap-desk", "a")
    pairs = ("SGD/INR SGD/USD KRW/NZD", "MXN/IDR")
    for name, codes in zip(names, pairs, strict=True):
        job = machine.install(name, codes, "every weekday at 09:40", "Asia/Singapore", 60)
        machine.record(job, machine.slots(job, 60))


STATES: dict[str, Callable[[Machine], None]] = {
    state.__name__: state
    for state in (nothing, one, three, decade, desks, mess, minutely, extremes, long_names)
}


def build(parent: Path, now: dt.datetime) -> Iterator[tuple[str, Path]]:
    """Make every state in a folder of its own below *parent*, and yield its name and its folder."""
    table = TABLES["ecb"]()
    for name, state in STATES.items():
        folder = parent / name
        folder.mkdir(parents=True)
        state(Machine(folder, now, table))
        yield name, folder
