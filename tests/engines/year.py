"""A year of one job on a real scheduler: its sandbox has a wall clock of its own, which is moved from slot to slot.

What is due is told by the calendar here, in civil days, and not by ratectl. What became of it is asked from what a person
can ask: ``history``, the output, ``status`` and the page of ``report``.
"""

from __future__ import annotations

import datetime as dt
import html
import json
import re
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from ratectl import __version__
from tests.engines import package
from tests.faults.conftest import need

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engines.conftest import Account, Engine

CLOCK = "etc/moved-clock"
SPEC = """
[jobs.{job}]
pairs = ["USD/INR"]
schedule = "{schedule}"
timeout = "5s"
providers = ["exchangerate-api-v4"]
output = "~/rates.txt"
[providers.exchangerate-api-v4]
base_url = "{url}/v4"
"""
ROW = re.compile(
    r'<tr><td>([^<]*)</td><td>[^<]*</td><td class="number">(\d+)</td><td>([^<]*)</td><td class="detail">([^<]*)</td></tr>'
)
OF_THE_TEST = {"clock-unsynchronised", "runs-as-root", "entry-overridden"}
DAY, HOUR, MINUTE = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(minutes=1)
PATIENCE = 60
"""Real seconds that a slot may take."""


class MovedClock:
    """The wall clock of a sandbox, as all of its processes see it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.ahead = 0
        root = engine.account("root")
        root.write("/usr/lib/moved_clock.so", _library())
        root.write(f"/{CLOCK}", struct.pack("q", 0))
        root.run("chmod", "755", "/usr/lib/moved_clock.so")
        root.write("/etc/ld.so.preload", b"/usr/lib/moved_clock.so\n")
        engine.power_off()
        engine.boot()  # the first process, too, has to be under it

    def now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp((time.time_ns() + self.ahead) / 1e9, dt.UTC)

    def move(self, moment: dt.datetime) -> None:
        """Let it be *moment*, while the machine is on."""
        self._write(Path(f"/proc/{self.engine.first}/root/{CLOCK}"), moment)

    def move_while_off(self, moment: dt.datetime) -> None:
        """Let it be *moment* when the machine is switched on."""
        self._write(self.disk() / CLOCK, moment)

    def disk(self) -> Path:
        """Return what was written inside, as it is while the machine is off."""
        holder = Path(f"/proc/{self.engine.holder}/root{tempfile.gettempdir()}")
        [found] = (
            path
            for path in holder.glob("ratectl-sandbox-*/changes/upper")
            if (path / CLOCK).exists()
        )
        return found

    def _write(self, path: Path, moment: dt.datetime) -> None:
        self.ahead = int((moment - dt.datetime.now(dt.UTC)) / dt.timedelta(microseconds=1)) * 1000
        with path.open("r+b") as file:  # never cut short: it is part of the memory of each process
            file.write(struct.pack("q", self.ahead))


def _library() -> bytes:
    """Return the compiled clock."""
    need("gcc")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, "moved_clock.so")
        source = Path(__file__).with_name("moved_clock.c")
        argv = ("gcc", "-O1", "-shared", "-fPIC", "-o", str(library), str(source))
        subprocess.run(argv, check=True)
        return library.read_bytes()


class Rhythm(NamedTuple):
    """On which days the job has a slot: in the words of a spec, and by the calendar."""

    words: str
    has: Callable[[dt.date], bool]

    def __str__(self) -> str:
        return self.words


BERLIN = ZoneInfo("Europe/Berlin")
TWICE_A_MONTH = Rhythm("on the 1st and 15th of each month", lambda day: day.day in {1, 15})
WEEKLY = Rhythm("every wednesday", lambda day: day.isoweekday() == 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a person is told of slots that have no rate."""

    slot: str
    number: int
    kind: str
    why: str


@dataclass(slots=True, kw_only=True)
class Year:
    """The job, its machine, what was due so far, and what was told as missed."""

    account: Account
    clock: MovedClock
    rhythm: Rhythm
    zone: ZoneInfo = BERLIN
    job: str = "usd-inr"
    at: dt.time = dt.time(10, 30)
    due: list[dt.datetime] = field(default_factory=list)
    told: dict[dt.datetime, Told] = field(default_factory=dict)
    """Of each slot that the page of the report told as without a rate at some time."""
    knows_zones: bool = False
    """The engine's entries name the zone that they go by."""
    began: dt.datetime = field(init=False)

    # the calendar

    def begin(self) -> None:
        """Install the job the day before its first slot."""
        self.set_zone(BERLIN.key)
        self.clock.move(self.after(self.clock.now() + DAY) - 22 * HOUR)
        self.upgrade(__version__)
        self.install()
        self.hasten()
        self.began = self.clock.now()

    def after(self, moment: dt.datetime) -> dt.datetime:
        """Return the first slot after *moment*."""
        day = moment.astimezone(self.zone).date() - DAY
        while True:
            day += DAY
            slot = dt.datetime.combine(day, self.at, self.zone).astimezone(dt.UTC)
            if self.rhythm.has(day) and slot > moment:
                return slot

    def coming(self) -> dt.datetime:
        """Return the next slot, which is due from now on."""
        known = self.due[-1:]
        self.due.append(self.after(max([self.clock.now(), *known])))
        return self.due[-1]

    # the machine

    def install(self) -> str:
        spec = SPEC.format(
            job=self.job,
            schedule=f"{self.rhythm.words} at {self.at:%H:%M}",
            url=self.account.engine.rates,
        )
        self.account.write(f"{self.account.home}/.config/ratectl/jobs.toml", spec.encode())
        return self.account.ratectl("install")

    def upgrade(self, version: str, environment: str = "first") -> None:
        """Let *version* of the package be in an *environment* of the account, and be what is typed."""
        folder = f"{self.account.home}/{environment}"
        self.account = package.install(self.account, folder, version)
        assert f"ratectl {version}" in self.account.ratectl("--version")

    @property
    def path(self) -> str:
        """The assignment by which a shell finds the account's ratectl."""
        return f"PATH={Path(self.account.program).parent}:$PATH"

    def set_zone(self, zone: str) -> None:
        root = self.account.engine.account("root")
        root.sh(f"ln -sfn /usr/share/zoneinfo/{zone} /etc/localtime; echo {zone} > /etc/timezone")
        self.zone = ZoneInfo(zone)

    def lines(self) -> list[str]:
        path = Path(f"/proc/{self.account.engine.first}/root{self.account.home}/rates.txt")
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def wait_for(self, what: Callable[[], object]) -> None:
        """Wait until *what*, and then until no firing is at work."""
        end = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < end, self.state()
            time.sleep(0.05)
        while self.firing():
            assert time.monotonic() < end, self.state()
            time.sleep(0.02)

    def firing(self) -> bool:
        """Tell whether a firing is at work in the sandbox."""
        space = Path(f"/proc/{self.account.engine.first}/ns/pid").readlink()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "ns/pid").readlink() != space:
                    continue
                words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if self.job in words and any("/firing/" in word for word in words):
                return True
        return False

    def state(self) -> str:
        """Return what helps to see why a slot was not recorded."""
        asked = (
            "ratectl status; ratectl doctor --offline; ratectl list; date; "
            "cat ~/.local/state/ratectl/*.log /var/log/cron.log /var/log/cron.mail; journalctl --no-pager -n 40 2>&1"
        )
        return f"slot {self.due[-1:]}\n" + self.account.sh(f"{self.path}; {asked}")[-6000:]

    def recorded(self, count: int | None = None) -> Callable[[], bool]:
        """Return what tells whether there is one line more than now."""
        wanted = len(self.lines()) + 1 if count is None else count
        return lambda: len(self.lines()) >= wanted

    def status(self) -> dict[str, Any]:
        [row] = self.account.json("status")
        return row

    def slots(self) -> list[dt.datetime]:
        """Return the slot of each rate that is recorded."""
        entries = self.account.json("history", self.job)
        return [dt.datetime.fromisoformat(entry["slot"]) for entry in entries]

    def read_report(self, *missed: dt.datetime) -> None:
        """Keep what the page tells of slots that are without a rate by now, and hold it to what *missed* says."""
        self.account.ratectl("report", "/tmp/year.html")
        page = self.account.read("/tmp/year.html").decode()
        rows = [
            Told(slot=slot, number=int(number), kind=kind, why=html.unescape(why))
            for slot, number, kind, why in ROW.findall(page)
        ]
        for slot in missed:
            here = f"{slot.astimezone(self.zone):%Y-%m-%d %H:%M}"
            found = [row for row in rows if here in row.slot]
            assert found, f"{here} is not among {rows}"
            self.told[slot] = found[0]

    def doctor(self) -> list[dict[str, Any]]:
        """Return what is to be mended, apart from what the sandbox brings about."""
        asked = f"{self.account.program} doctor --json --offline || true"
        found = json.loads(self.account.sh(asked))
        return [row for row in found if row["check"] not in OF_THE_TEST]

    def mend(self, finding: dict[str, Any]) -> None:
        command = finding["mend"].removeprefix("sudo ")
        self.account.run("sh", "-c", f"{self.path}; {command}")

    def lines_of_disk(self) -> list[str]:
        """Return the lines of the output while the machine is off."""
        path = self.clock.disk() / f"{self.account.home[1:]}/rates.txt"
        return path.read_text(encoding="utf-8").splitlines()

    # what happens

    def reach(self, moment: dt.datetime) -> None:
        """Let the scheduler pass *moment* as it does when nothing happens."""
        raise NotImplementedError

    def try_again(self, moment: dt.datetime) -> None:
        """Let the scheduler wake what failed, no sooner than at *moment*."""
        raise NotImplementedError

    def wait_for_the_engine_to_fail(self) -> None:
        """Return when the scheduler tried to start a program that is not there."""
        raise NotImplementedError

    def start_scheduler_anew(self) -> None:
        """Do what the engine needs when the machine's zone changed: nothing."""

    def hasten(self) -> None:
        """Hasten what waits in real time between two tries: nothing."""

    def pass_a_slot(self) -> dt.datetime:
        """Let the next slot pass as on any day; it has to be recorded."""
        slot, more = self.coming(), self.recorded()
        self.reach(slot)
        self.wait_for(more)
        return slot

    def fail_a_slot(self) -> dt.datetime:
        """Let the next slot pass while the provider is down."""
        self.account.engine.stop_server()
        slot = self.coming()
        self.reach(slot)
        self.wait_for(lambda: self.status()["consecutive_failures"] == 1)
        return slot
