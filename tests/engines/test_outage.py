"""A real systemd and a provider that is down: what failed is tried again until it is recorded, and then nothing wakes.

Only the clock is hastened: services come back each second instead of each minute, and what the journal knows of a
failure is made older.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import re
import subprocess
import sys
import time

import pytest

from tests.engines.conftest import CHECKOUT

pytestmark = pytest.mark.engine

JOB = "usd-inr"
SERVICE = f"ratectl-{JOB}.service"
PORTS = itertools.count(8391)
"""Where nobody listens until a test says so."""
UNITS = {"root": "/run/systemd/system", "tester": "/run/user/$(id -u)/systemd/user"}
AGE = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1] + "/journal.sqlite3") as connection:
    connection.execute("UPDATE jobs SET failed_at = failed_at - ?1, retry_at = retry_at - ?1", (int(sys.argv[2]),))
"""
STATE = "~/.local/state/ratectl"


class Outage:
    """One account whose only provider is down."""

    def __init__(self, engine, user):
        self.account = engine.account(user)
        self.port = 0
        self.user = user
        self.manager = "systemctl" if user == "root" else "systemctl --user"

    def begin(self, *, rest=1):
        """Install a job whose slot is the next minute, with a service that comes back after *rest* seconds."""
        self.port = next(PORTS)  # no answer of another outage is kept for it
        slot = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=90)  # at least 30 for the install
        self.slot = slot.replace(second=0, microsecond=0)
        spec = f"""
            [jobs.{JOB}]
            pairs = ["USD/INR"]
            schedule = "every day at {self.slot:%H:%M}"
            timezone = "UTC"
            timeout = "5s"
            providers = ["exchangerate-api-v4"]
            output = "~/{JOB}.txt"
            [providers.exchangerate-api-v4]
            base_url = "http://127.0.0.1:{self.port}/v4"
        """
        self.account.write(f"{self.account.home}/.config/ratectl/jobs.toml", spec.encode())
        if self.user != "root":
            self.account.engine.account("root").run("loginctl", "enable-linger", self.user)
            self.account.sh(
                "until systemctl --user is-system-running >/dev/null 2>&1; do sleep 0.1; done"
            )
        self.account.ratectl("install")
        self.hasten(rest)

    def hasten(self, rest=1):
        folder = f"{UNITS[self.user]}/{SERVICE}.d"
        self.account.sh(
            f'mkdir -p {folder}; printf "[Service]\\nRestartSec={rest}\\n" > {folder}/fast.conf; '
            f"{self.manager} daemon-reload"
        )

    def shows(self, *names):
        """Return properties of the service."""
        said = self.account.sh(f"{self.manager} show {SERVICE} --property={','.join(names)}")
        return dict(line.split("=", 1) for line in said.splitlines())

    def failed(self):
        """Return the units that the manager lists as failed."""
        return self.account.sh(f"{self.manager} --failed --plain --no-legend")

    def failures(self):
        [row] = self.account.json("status")
        return row["consecutive_failures"]

    def wait_for(self, what, limit=150):
        end = time.monotonic() + limit
        while not what():
            assert time.monotonic() < end, self.account.sh(f"{self.manager} status {SERVICE}")
            time.sleep(0.5)

    def age(self, seconds):
        script = f"{sys.executable} -c '{AGE}' {STATE} {seconds}"
        self.account.run("sh", "-c", script)

    @contextlib.contextmanager
    def provider(self):
        """Let the provider be there for the time of the block."""
        server = f"{sys.executable} {CHECKOUT}/tests/support/rate_server.py --data ecb --port {self.port}"
        argv = self.account.entered("sh", "-c", f"echo $$ > ~/server.pid; exec {server}")
        with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline()
            try:
                yield
            finally:
                self.account.sh("kill $(cat ~/server.pid)")

    def lines(self):
        return self.account.read(f"{self.account.home}/{JOB}.txt").decode().splitlines()


@pytest.fixture(scope="module", params=UNITS)
def outage(systemd, request):
    """An account right after the first try of its slot failed."""
    one = Outage(systemd, request.param)
    one.begin()
    one.wait_for(lambda: one.failures() == 1)
    one.wait_for(lambda: one.shows("SubState")["SubState"] == "auto-restart")
    return one


def test_an_outage(outage):
    """Each wait is kept, no unit counts as failed, and when the provider is back the slot is recorded, once."""
    outage.wait_for(lambda: int(outage.shows("NRestarts")["NRestarts"]) >= 2)
    during = outage.shows("ActiveState")
    tries = [outage.failures()]
    outage.age(240)
    outage.wait_for(lambda: outage.failures() == 2)
    said = outage.account.ratectl("status")
    with outage.provider():
        time.sleep(3)
        early = outage.lines()
        outage.age(480)
        outage.wait_for(outage.lines)
        outage.wait_for(lambda: outage.shows("ActiveState")["ActiveState"] == "inactive")
    after = outage.shows("NRestarts", "Result", "ExecMainStartTimestampMonotonic")
    time.sleep(4)

    assert tries == [1]
    assert during["ActiveState"] in {"activating", "deactivating"}  # it waits, or a try just ends
    assert re.search(r"2 firings in a row failed; next try at \w+ .* or minutes later", said)
    assert (early, len(outage.lines())) == ([], 1)
    assert outage.failed() == ""
    assert after["Result"] == "success"
    assert outage.shows(*after) == after  # nothing wakes while nothing is owed
    [row] = outage.account.json("status")
    assert (row["last_outcome"], row["consecutive_failures"], row["missed"]) == ("recorded", 0, 0)


def test_removed_while_it_waits(outage):
    """A pause and a removal end the waiting service as well: nothing of it is loaded or listed as failed."""
    outage.account.sh(f"rm -f ~/{JOB}.txt")
    outage.begin(rest=30)
    outage.wait_for(lambda: outage.shows("SubState")["SubState"] == "auto-restart")
    outage.account.ratectl("pause", JOB)
    paused = outage.shows("ActiveState")
    outage.account.ratectl("resume", JOB)
    outage.account.ratectl("remove", "--all")

    assert paused == {"ActiveState": "inactive"}
    assert outage.failed() == ""
    assert (
        outage.account.sh(f"{outage.manager} list-units --all --plain --no-legend 'ratectl*'") == ""
    )


@pytest.mark.parametrize("change", ["pause", "remove", "rename"])
def test_changed_while_a_try_begins(outage, change):
    """A service that just starts at the moment of a change is ended with it, and never left behind as a failed unit."""
    outage.account.sh(f"{sys.prefix}/bin/ratectl remove --all --purge --yes; rm -f ~/{JOB}.txt")
    outage.begin(rest=30)
    folder = f"{UNITS[outage.user]}/{SERVICE}.d"
    outage.account.sh(
        f'printf "[Service]\\nExecStartPre=/bin/sleep 15\\n" > {folder}/slow.conf; '
        f"{outage.manager} daemon-reload; {outage.manager} start --no-block {SERVICE}"
    )
    outage.wait_for(lambda: outage.shows("SubState")["SubState"] == "start-pre")
    outage.account.ratectl(change, JOB, *(["dollar"] if change == "rename" else []))
    state = outage.shows("ActiveState")
    time.sleep(16)

    assert outage.failed() == ""
    assert state == {"ActiveState": "inactive"}
    assert (
        outage.account.sh(f"{outage.manager} list-units --all --plain --no-legend '*{JOB}*'") == ""
    )
    outage.account.sh(f"rm -rf {folder}; {outage.manager} daemon-reload")
    outage.account.ratectl("remove", "--all", "--purge", "--yes")


def test_over_a_restart_of_the_machine(systemd):
    """What is owed when the machine goes off is tried after the boot, though the timer's slot is over."""
    one = Outage(systemd, "root")
    one.begin()
    one.wait_for(lambda: one.shows("SubState")["SubState"] == "auto-restart")
    systemd.power_off()
    systemd.boot()
    one.wait_for(lambda: int(one.shows("ExecMainStatus")["ExecMainStatus"]) == 75)
    one.hasten()
    with one.provider():
        one.age(3600)
        one.wait_for(one.lines)

    assert len(one.lines()) == 1
    one.account.ratectl("remove", "--all")
    assert one.account.sh("ls /etc/systemd/system /var/lib/systemd/timers | grep ratectl") == ""


def test_renamed_while_a_slot_is_owed(outage):
    """A slot that failed before its job got another name is recorded once under the new one, without waiting for tomorrow."""
    outage.account.sh(f"{sys.prefix}/bin/ratectl remove --all --purge --yes; rm -f ~/{JOB}.txt")
    outage.begin(rest=30)
    outage.wait_for(outage.failures)
    outage.wait_for(lambda: outage.shows("SubState")["SubState"] == "auto-restart")
    outage.account.ratectl("rename", JOB, "dollar")
    before = outage.account.sh(f"{outage.manager} list-units --all --plain --no-legend 'ratectl-*'")

    with outage.provider():  # first: a try that is due and finds no provider puts off the next one
        outage.age(600)
        outage.wait_for(lambda: outage.account.read(f"{outage.account.home}/{JOB}.txt"), 150)
        time.sleep(5)

    assert JOB not in before
    assert outage.account.read(f"{outage.account.home}/{JOB}.txt").count(b"\n") == 1
    [quote] = outage.account.json("history", "dollar")
    assert dt.datetime.fromisoformat(quote["slot"]) == outage.slot
    assert outage.failures() == 0
    outage.account.ratectl("remove", "--all", "--purge", "--yes")
