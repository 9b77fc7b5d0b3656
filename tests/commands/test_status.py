"""``ratectl status``: for a glance, for programs, for monitoring."""

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys

import pytest

from ratectl.deploy.checks import serving
from tests.fakes import past
from tests.fakes.station import now

pytestmark = pytest.mark.network  # looks which schedulers run


@pytest.fixture
def fired(station, live_rates):
    """A job that recorded its newest slot a moment ago."""
    job = station.job(live_rates.url)
    station.install(job)
    past.settle(station.state, job, now())
    return job


@pytest.mark.usefixtures("fired")
def test_screen(ratectl):
    """The newest rate of each job, its provider and its drift; plain text in a pipe."""
    answer = ratectl("status")

    assert answer.code == 0
    assert "USD/INR  95.12  " in answer.out
    assert "    gone from cron (user)" in answer.out
    assert "\x1b" not in answer.out


@pytest.mark.usefixtures("fired")
def test_json(ratectl):
    """The facts of the contract, as JSON."""
    [fact] = json.loads(ratectl("status", "--json").out)

    assert fact["job"] == "usd-inr"
    assert fact["newest_rate"]["rate"] == "95.12"
    assert fact["last_outcome"] == "recorded"


def test_one_job(ratectl, station, live_rates, fired):
    """Named jobs only; a name that is not installed is refused with the nearest one."""
    station.install(fired, station.job(live_rates.url, name="other"))

    assert [fact["job"] for fact in json.loads(ratectl("status", "other", "--json").out)] == [
        "other"
    ]
    answer = ratectl("status", "othre")
    assert (answer.code, "did you mean 'other'" in answer.err) == (78, True)


def test_nothing_installed(ratectl, station):
    """An empty installation says what to do next, and leaves nothing behind."""
    answer = ratectl("status")

    assert (answer.code, "ratectl init" in answer.out) == (0, True)
    assert ratectl("status", "--json").out == "[]\n"
    assert not station.state.exists()


def test_a_run_by_hand_that_failed(ratectl, station, live_rates):
    """What failed by hand is owed by nobody: nothing counts it, and the advice is the command that records a rate."""
    wanted = station.job("http://127.0.0.1:9", timeout=2)
    station.install(wanted)
    past.settle(station.state, wanted, now())

    assert ratectl("run", "usd-inr", "--force").code == 75
    after = ratectl("status").out
    [fact] = json.loads(ratectl("status", "--json").out)
    station.install(station.job(live_rates.url))
    again = ratectl("run", "usd-inr", "--force")

    assert (fact["consecutive_failures"], fact["next_try"]) == (0, None)
    assert "the last slot failed and is not due" in after
    assert "in a row failed" not in after
    assert again.code == 0
    assert "failed" not in ratectl("status").out


def test_a_slot_that_failed_stays_owed(ratectl, station):
    """What failed for a slot of the schedule is counted and tried again, also where a person ran it."""
    station.install(station.job("http://127.0.0.1:9", timeout=2))

    assert ratectl("run", "usd-inr").code == 75

    [fact] = json.loads(ratectl("status", "--json").out)
    assert fact["consecutive_failures"] == 1
    assert "and is still due" in ratectl("status").out


class TestMaxAge:
    """Exit codes for monitoring."""

    @pytest.fixture
    def served(self, station, live_rates):
        """A job that something wakes, so that its rates have to be fresh."""
        job = station.job(live_rates.url)
        with past.Journal(station.state) as journal:
            journal.record_jobs(
                (job,),
                spec="/x",
                digest="",
                backend="serve",
                scope="user",
                host_timezone="UTC",
                now=now(),
            )
        return job

    @pytest.mark.usefixtures("served")
    def test_nobody_serves(self, ratectl, station):
        """A job that is for `serve` is told as not being served while no such process is at work on it."""
        held = serving.Held(station.state)

        before = (ratectl("status").out, ratectl("doctor", "--offline").out)
        held.hold(["usd-inr"])
        while_served = (ratectl("status").out, ratectl("doctor", "--offline").out)
        held.close()
        after = (ratectl("status").out, ratectl("list").out)

        assert ["not being served" in said for said in (*before, *after)] == [True] * 4
        assert ["served" in said for said in while_served] == [False, False]
        assert "fault: not-served: usd-inr: " in before[1]
        assert "fix: ratectl serve /x" in before[1]

    @pytest.mark.parametrize(("age", "code"), [(100, 0), (7300, 1)])
    def test_rate(self, ratectl, station, served, age, code):
        """A rate that is older than it may be exits with 1 and is named on stderr."""
        slot = now() - past.dt.timedelta(seconds=age)
        past.settle(station.state, served, slot, after=0)

        answer = ratectl("status", "--max-age", "2h")

        assert answer.code == code
        assert ("usd-inr: USD/INR is 2 h old" in answer.err) == bool(code)

    @pytest.mark.usefixtures("served")
    def test_no_rate_yet(self, ratectl):
        """A new job is given as long until its first rate."""
        assert ratectl("status", "--max-age", "1h").code == 0

    @pytest.mark.usefixtures("station")
    def test_no_jobs(self, ratectl):
        """Where nothing is installed monitoring must not be content."""
        assert ratectl("status", "--max-age", "1h").code == 78

    @pytest.mark.usefixtures("station")
    def test_misuse(self, ratectl):
        """What is no duration is refused with an example of one."""
        answer = ratectl("status", "--max-age", "26")

        assert (answer.code, '"90s"' in answer.err) == (2, True)


class TestPrometheus:
    """Metrics for a textfile collector."""

    @pytest.mark.usefixtures("fired")
    def test_file(self, ratectl, tmp_path):
        """They replace the file as a whole, readable for the collector, and stdout stays empty."""
        path = tmp_path / "ratectl.prom"
        path.write_text("# HELP ratectl_of_old An older one.\n")

        answer = ratectl("status", "--prometheus", str(path))

        assert (answer.code, answer.out) == (0, "")
        assert 'ratectl_rate{base="USD",job="usd-inr"' in path.read_text()
        assert [entry.name for entry in tmp_path.glob("*.prom*")] == ["ratectl.prom"]

    @pytest.mark.posix("modes")
    @pytest.mark.usefixtures("fired")
    def test_mode(self, ratectl, tmp_path):
        """The file has the rights that the umask gives: another account's collector reads it."""
        before = os.umask(0o022)
        try:
            ratectl("status", "--prometheus", str(tmp_path / "x.prom"))
        finally:
            os.umask(before)

        assert stat.S_IMODE((tmp_path / "x.prom").stat().st_mode) == 0o644

    @pytest.mark.usefixtures("fired")
    def test_unwritable(self, ratectl, tmp_path):
        """A folder in the place of the file is refused by name."""
        answer = ratectl("status", "--prometheus", str(tmp_path))

        assert (answer.code, str(tmp_path) in answer.err) == (73, True)


@pytest.mark.usefixtures("fired")
def test_watch_needs_a_terminal(ratectl):
    """--watch in a pipe would fill it for ever, and is refused."""
    answer = ratectl("status", "--watch")

    assert (answer.code, answer.out) == (2, "")


@pytest.mark.posix("a pseudo-terminal")
@pytest.mark.usefixtures("fired")
def test_watch(station):
    """On a terminal it shows the screen, and Ctrl-C ends it without a word."""
    master, slave = os.openpty()
    argv = (sys.executable, "-m", "ratectl", "status", "--watch")
    environment = os.environ | {"TERM": "xterm", "RATECTL_STATE_DIR": str(station.state)}
    with subprocess.Popen(
        argv, stdin=slave, stdout=slave, stderr=slave, env=environment
    ) as process:
        os.close(slave)
        shown = b""
        while b"95.12" not in shown:
            shown += os.read(master, 4096)
        process.send_signal(signal.SIGINT)
        rest = _drained(master)
    os.close(master)

    assert process.returncode == 0
    assert b"95.12" in shown
    assert b"Traceback" not in rest


def _drained(master):
    said = b""
    with contextlib.suppress(OSError):  # the other end was closed
        while part := os.read(master, 4096):
            said += part
    return said


@pytest.mark.network
@pytest.mark.posix("Windows has no pseudo-terminals")
def test_watch_takes_the_screen(tmp_path):
    """On a terminal the sequences that take its screen arrive as they are, though text from outside has none."""
    import pty  # noqa: PLC0415 - POSIX only

    ours, theirs = pty.openpty()
    environment = {**os.environ, "RATECTL_STATE_DIR": str(tmp_path / "state"), "TERM": "xterm"}
    argv = (sys.executable, "-m", "ratectl", "status", "--watch")
    watching = subprocess.Popen(
        argv, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    shown = b""
    while b"no jobs are installed" not in shown:
        shown += os.read(ours, 4096)
    watching.kill()
    watching.wait()
    os.close(ours)
    os.close(theirs)

    assert shown.startswith(b"\x1b[?1049h")
