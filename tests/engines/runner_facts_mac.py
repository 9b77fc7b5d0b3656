"""Facts that only a real Mac can settle: each is printed, for the table in the manual. Run by its path, on macOS.

``python -m pytest -s tests/engines/runner_facts_mac.py`` in a session at the screen; all that it makes is taken away again.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
import platform
import plistlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.engines import clock_facts, life
from tests.support.rate_server import RateServer, demo_table

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(sys.platform != "darwin", reason="launchd runs on macOS alone"),
]

LABEL = f"ratectl-facts-{os.getpid()}"
AGENT = Path(f"~/Library/LaunchAgents/{LABEL}.plist").expanduser()
NOTE = "echo $(date +%s) >> {log}; sleep {runs}; exit {code}"


def told(fact):
    """Print a fact with the version that it was seen on."""
    print(f"FACT macOS {platform.mac_ver()[0]}: {fact}")  # noqa: T201 - what it is for


def agent(script, **keys):
    """Return the property list of an agent that runs the shell *script*."""
    values = {"Label": LABEL, "ProgramArguments": ["/bin/sh", "-c", script], "RunAtLoad": True}
    return plistlib.dumps(values | keys, sort_keys=True)


def launchctl(*words):
    return subprocess.run(("launchctl", *words), capture_output=True, check=False).returncode


@pytest.fixture
def load():
    """Load an agent, and unload and delete it afterwards."""
    domain = f"gui/{os.getuid()}"

    def loaded(data):
        AGENT.parent.mkdir(parents=True, exist_ok=True)
        AGENT.write_bytes(data)
        assert launchctl("bootstrap", domain, str(AGENT)) == 0

    yield loaded
    launchctl("bootout", f"{domain}/{LABEL}")
    AGENT.unlink(missing_ok=True)


def gaps(log):
    """Return the seconds between the starts that *log* has."""
    starts = [int(line) for line in log.read_text(encoding="utf-8").split()]
    return [later - earlier for earlier, later in itertools.pairwise(starts)]


def kept_alive(throttle):
    """Return the keys that start an agent anew until it ends with 0, at most each *throttle* seconds."""
    return {"KeepAlive": {"SuccessfulExit": False}, "ThrottleInterval": throttle}


@pytest.mark.parametrize(("code", "throttle"), [(0, 60), (75, 60), (75, 240)])
def test_kept_alive(load, tmp_path, code, throttle):
    """How often an agent that is kept alive until it ends with 0 is started, of those that end with *code*."""
    log, watched = tmp_path / "starts", 2 * throttle + 80
    load(agent(NOTE.format(log=log, runs=0, code=code), **kept_alive(throttle)))
    time.sleep(watched)

    told(
        f"KeepAlive, ThrottleInterval {throttle}, exit {code}: gaps of {gaps(log)} s in {watched} s"
    )
    assert bool(gaps(log)) is (code == 75)


@pytest.mark.parametrize("throttle", [60, 240])
def test_a_calendar_start_within_the_throttle(load, tmp_path, throttle):
    """How late a start at each minute comes right after one that failed."""
    log = tmp_path / "starts"
    script = NOTE.format(log=log, runs=5, code=75)
    load(agent(script, StartCalendarInterval=[{}], **kept_alive(throttle)))
    time.sleep(throttle + 190)

    late = [int(line) % 60 for line in log.read_text(encoding="utf-8").split()]
    told(
        f"with a start each minute besides ThrottleInterval {throttle}: gaps of {gaps(log)} s, "
        f"{late} s after the minute"
    )
    assert gaps(log)


def test_a_pulse_under_a_slow_job(load, tmp_path):
    """How often StartInterval 60 starts a job that takes 20 seconds."""
    log = tmp_path / "starts"
    load(agent(NOTE.format(log=log, runs=20, code=0), StartInterval=60))
    time.sleep(260)

    told(f"StartInterval 60 under a job of 20 s: gaps of {gaps(log)} s")
    assert gaps(log)


def test_twenty_times(load):
    """Whether unloading and loading again fails with 5, and how often."""
    load(agent("exit 0"))
    domain, codes = f"gui/{os.getuid()}", []
    for _ in range(20):
        launchctl("bootout", f"{domain}/{LABEL}")
        code = launchctl("bootstrap", domain, str(AGENT))
        codes.append(code)
        for _ in range(60):
            if launchctl("print", f"{domain}/{LABEL}") == 0:
                break
            time.sleep(0.5)
            launchctl("bootstrap", domain, str(AGENT))

    told(f"bootstrap right after bootout, twenty times: {codes}")
    assert set(codes) <= {0, 5, 36, 37}


def test_an_output_in_documents(load, tmp_path):
    """Whether an agent may write to Documents: written, refused or hanging."""
    there = Path(f"~/Documents/{LABEL}.txt").expanduser()
    log = tmp_path / "end"
    load(agent(f"echo x > '{there}' 2> {log}; echo $? >> {log}"))
    time.sleep(30)

    said = log.read_text(encoding="utf-8").split("\n") if log.exists() else []
    told(f"an output in Documents: {'hangs' if not said[1:] else said}")
    there.unlink(missing_ok=True)


def test_the_domain():
    """Whether the session of this account is there, and what is switched off in it."""
    domain = f"gui/{os.getuid()}"
    disabled = launchctl("print-disabled", domain)

    told(
        f"launchctl print {domain} ends with {launchctl('print', domain)}, its list of disabled ones with {disabled}"
    )
    assert launchctl("print", domain) == 0


def test_switched_off_and_on(load):
    """What loading an agent that was disabled ends with, and after it was enabled again."""
    load(agent("exit 0"))
    domain, codes = f"gui/{os.getuid()}", []
    for verb in ("disable", "enable"):
        launchctl(verb, f"{domain}/{LABEL}")
        launchctl("bootout", f"{domain}/{LABEL}")
        time.sleep(5)
        codes.append(launchctl("bootstrap", domain, str(AGENT)))

    told(f"bootstrap of a disabled agent: {codes[0]}, enabled again: {codes[1]}")
    assert codes[1] == 0


def test_installed_twice(tmp_path):
    """A second install of the same job finds nothing to do, and the job is started twice within 150 seconds."""
    with RateServer(demo_table()) as rates:
        made = life.Life(folder=tmp_path, url=rates.url, engine="launchd")
        try:
            made.install()
            made.nothing_is_left_to_install()
            made.install()
            time.sleep(life.PATIENCE)
            told(
                f"a job of each minute, installed twice: {made.lines()} slots in {life.PATIENCE} s"
            )
            assert made.lines() >= 2
        finally:
            made.remove()


def clock_command(moment):
    """Return the command that sets the clock to *moment* (UTC)."""
    return ("sudo", "-n", "date", "-u", f"{moment:%m%d%H%M%y.%S}")


@clock_facts.MAY_SET_THE_CLOCK
def test_both_clock_changes(load, tmp_path):
    """Which starts of a calendar launchd makes of a time that clocks skip, and of one that comes twice."""
    for words in (("-setusingnetworktime", "off"), ("-settimezone", clock_facts.ZONE)):
        subprocess.run(("sudo", "-n", "systemsetup", *words), capture_output=True, check=True)
    log, before = tmp_path / "starts", time.monotonic()
    began = dt.datetime.now(dt.UTC)
    starts = [{"Hour": hour, "Minute": minute} for hour, minute in clock_facts.TIMES]
    script = NOTE.format(log=log, runs=0, code=0)
    load(agent(script, StartCalendarInterval=starts, RunAtLoad=False))
    try:
        for moment in clock_facts.MOMENTS:
            told(clock_facts.watch(set_clock, log, moment))
    finally:
        set_clock(began + dt.timedelta(seconds=time.monotonic() - before))


def set_clock(moment):
    subprocess.run(clock_command(moment), capture_output=True, check=True)
