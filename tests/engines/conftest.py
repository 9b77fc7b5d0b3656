"""Real schedulers for tests: a sandbox per engine and file of tests, entered as root or an ordinary user.

No file sees what another one left, in whatever order the files come to a worker: they share homes' paths,
job names and outputs. A sandbox comes up in a second or two.

Where a sandbox cannot be made the tests skip with the reason, or fail when
``RATECTL_REQUIRE_ENGINES`` is set, as ``scripts/test.py`` does.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
SANDBOX = str(HERE / "sandbox.py")
RATECTL = str(Path(sys.executable).with_name("ratectl"))
PORT = 8377
"""Of the rate server; each sandbox has a loopback of its own."""
FIRING_LIMIT = 120
"""Seconds to wait for the firing of a daemon's next minute: at most one, and as long again on a busy machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account inside a sandbox: its commands, files, and ratectl with the defaults of its home."""

    engine: Engine
    user: str
    program: str = RATECTL
    """The ratectl that it types."""

    @property
    def home(self) -> str:
        return "/root" if self.user == "root" else f"/home/{self.user}"

    def run(
        self, *argv: str, stdin: bytes = b"", code: int = 0
    ) -> subprocess.CompletedProcess[bytes]:
        """Run *argv*; another exit code than *code* fails the test with what was said."""
        done = subprocess.run(self.entered(*argv), input=stdin, capture_output=True, check=False)
        said = (done.stdout + done.stderr).decode(errors="replace")
        assert done.returncode == code, f"{' '.join(argv)} ended with {done.returncode}\n{said}"
        return done

    def entered(self, *argv: str) -> tuple[str, ...]:
        """Return the command line that runs *argv* as this account, for what must not be waited for."""
        first = self.engine.first
        return (sys.executable, SANDBOX, "exec", first, "--user", self.user, *argv)

    def sh(self, script: str) -> str:
        """Return the output of a shell *script*, whatever its exit code."""
        return self.run("sh", "-c", f"{script}\ntrue").stdout.decode()

    def ratectl(self, *arguments: str, code: int = 0) -> str:
        """Return what ``ratectl`` said on both streams."""
        done = self.run(self.program, *arguments, code=code)
        return (done.stdout + done.stderr).decode()

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(self.program, *arguments, "--json").stdout)

    def write(self, path: str, data: bytes) -> None:
        self.run("sh", "-c", 'mkdir -p "${0%/*}" && cat > "$0"', path, stdin=data)

    def read(self, path: str) -> bytes:
        """Return the bytes of *path*, none where there is no such file."""
        return self.run("sh", "-c", '[ ! -e "$0" ] || cat "$0"', path).stdout

    def write_spec(self, job: str, url: str, *, schedule: str = "every minute") -> None:
        """Write the account's ``jobs.toml`` with one *job* that appends to ``~/JOB.txt``."""
        spec = f"""
            [jobs.{job}]
            pairs = ["USD/INR"]
            schedule = "{schedule}"
            providers = ["exchangerate-api-v4"]
            output = "~/{job}.txt"
            [providers.exchangerate-api-v4]
            base_url = "{url}/v4"
        """
        self.write(f"{self.home}/.config/ratectl/jobs.toml", spec.encode())

    def wait_for_lines(self, path: str, *, limit: float, count: int = 1) -> bytes:
        """Return the bytes of *path* as soon as it holds *count* whole lines."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            text = self.read(path)
            if text.count(b"\n") >= count:
                return text
            time.sleep(0.25)
        log = self.sh("cat ~/.local/state/ratectl/*.log /var/log/cron.log /var/log/cron.mail")
        journal = self.sh("journalctl --no-pager --lines 40") if shutil.which("journalctl") else ""
        pytest.fail(f"{count} lines not in {path} after {limit} seconds\n{log}\n{journal}")


class Engine:
    """A sandbox in which one scheduler runs, with the rate server, which has the ECB's history, on its loopback."""

    rates = f"http://127.0.0.1:{PORT}"

    def __init__(self, kind: str) -> None:
        self.kind = kind
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._holder = subprocess.Popen((sys.executable, SANDBOX, "hold", kind), **pipes)
        self._come_up()

    def _come_up(self) -> None:
        self.first = self._holder.stdout.readline().decode().strip()
        assert self.first, f"the {self.kind} sandbox did not start"
        self.start_server()

    def start_server(self) -> None:
        """Let the provider be there, as it is from the boot on."""
        server = f"{CHECKOUT}/tests/support/rate_server.py --data ecb --port {PORT}"
        script = f"echo $$ > /run/rates.pid; exec {sys.executable} {server}"
        argv = self.account("root").entered("sh", "-c", script)
        self._server = subprocess.Popen(argv, stdout=subprocess.PIPE)
        assert self._server.stdout.readline().decode().strip() == self.rates

    def stop_server(self) -> None:
        """Let the provider be down."""
        self.account("root").sh("kill $(cat /run/rates.pid)")
        self._server.wait()
        self._server.stdout.close()

    def account(self, user: str) -> Account:
        return Account(engine=self, user=user)

    def power_off(self) -> None:
        """Kill everything inside at once; the disk stays, as after a power cut."""
        self._tell("off")
        assert self._holder.stdout.readline() == b"off\n"
        self._server.wait()
        self._server.stdout.close()

    def boot(self) -> None:
        """Start the machine again from its disk, and the rate server."""
        self._tell("on")
        self._come_up()

    @property
    def holder(self) -> int:
        """The process of this machine that has the sandbox's disk in its mount namespace."""
        return self._holder.pid

    def _tell(self, word: str) -> None:
        self._holder.stdin.write(f"{word}\n".encode())
        self._holder.stdin.flush()

    def end(self) -> None:
        """Leave nothing of it."""
        self._holder.stdin.close()
        self._holder.wait()
        self._holder.stdout.close()
        self._server.wait()
        self._server.stdout.close()


def need(kind: str) -> None:
    """Skip where a sandbox of *kind* cannot be made, or fail where engines are required."""
    probe = (sys.executable, SANDBOX, "missing", kind)
    reason = subprocess.run(probe, capture_output=True, text=True, check=True).stdout.strip()
    if reason and os.environ.get("RATECTL_REQUIRE_ENGINES"):
        pytest.fail(f"{kind}: {reason}")
    if reason:
        pytest.skip(f"{kind}: {reason}")


def start(kind: str) -> Iterator[Engine]:
    """Yield an engine of *kind*; it ends with the file of tests, or when this process dies."""
    need(kind)
    engine = Engine(kind)
    try:
        yield engine
    finally:
        engine.end()


@pytest.fixture(scope="module")
def cron() -> Iterator[Engine]:
    yield from start("cron")


@pytest.fixture(scope="module")
def cronie() -> Iterator[Engine]:
    yield from start("cronie")


@pytest.fixture(scope="module")
def busybox() -> Iterator[Engine]:
    yield from start("busybox")


@pytest.fixture(scope="module")
def systemd() -> Iterator[Engine]:
    yield from start("systemd")


@pytest.fixture(scope="module")
def both(systemd: Engine) -> Engine:
    """A machine with systemd on which there is a crontab program, too, as a move needs."""
    cron = Path(sys.prefix) / "engines" / "cron"  # put there by scripts/test.py
    root = systemd.account("root")
    root.sh(
        "groupadd --system --force crontab; mkdir -p /var/spool/cron; "
        f"install -m 2755 -g crontab {cron}/usr/bin/crontab /usr/bin/crontab; "
        "install -m 1730 -g crontab -d /var/spool/cron/crontabs"
    )
    root.run("loginctl", "enable-linger", "tester")
    account = systemd.account("tester")
    account.sh("until systemctl --user is-system-running >/dev/null 2>&1; do sleep 0.1; done")
    return systemd


@pytest.fixture(scope="session")
def every_engine() -> None:
    """Skip or fail unless all engines can be had."""
    for kind in ("cron", "cronie", "busybox", "systemd"):
        need(kind)
