"""Facts that only a real Mac can settle: each is printed, for the table in the manual. Run by its path, on macOS.

``python -m pytest -s tests/engines/runner_facts_mac.py`` in a session at the screen; all that it makes is taken away again.
"""

from __future__ import annotations

import itertools
import os
import platform
import plistlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("code", [0, 75])
def test_kept_alive(load, tmp_path, code):
    """How often an agent that is kept alive until it ends with 0 is started, of those that end with *code*."""
    log = tmp_path / "starts"
    keys = {"KeepAlive": {"SuccessfulExit": False}, "ThrottleInterval": 60}
    load(agent(NOTE.format(log=log, runs=0, code=code), **keys))
    time.sleep(200)

    told(f"KeepAlive, ThrottleInterval 60, exit {code}: gaps of {gaps(log)} s in 200 s")
    assert bool(gaps(log)) is (code == 75)


def test_a_calendar_start_within_the_throttle(load, tmp_path):
    """How late a start at each minute comes right after one that failed."""
    log = tmp_path / "starts"
    keys = {"KeepAlive": {"SuccessfulExit": False}, "ThrottleInterval": 60}
    load(agent(NOTE.format(log=log, runs=5, code=75), StartCalendarInterval=[{}], **keys))
    time.sleep(250)

    late = [int(line) % 60 for line in log.read_text(encoding="utf-8").split()]
    told(f"with a start each minute besides: gaps of {gaps(log)} s, {late} s after the minute")
    assert max(gaps(log)) <= 120


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
