"""The real launchd of a Mac: a job's whole life. Elsewhere these tests are left out; nothing stands in for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engines import life
from tests.support.rate_server import RateServer, demo_table

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(sys.platform != "darwin", reason="launchd runs on macOS alone"),
]

LABEL = f"ratectl.{life.NAME}"
AGENT = Path(f"~/Library/LaunchAgents/{LABEL}.plist").expanduser()


def known():
    """Tell whether launchd itself has the agent loaded."""
    argv = ("launchctl", "print", f"gui/{os.getuid()}/{LABEL}")
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


@pytest.fixture
def mac(tmp_path):
    """A job for launchd, which is gone afterwards whatever happens."""
    with RateServer(demo_table()) as rates:
        made = life.Life(folder=tmp_path, url=rates.url, engine="launchd")
        try:
            yield made
        finally:
            made.remove()


def test_whole_life(mac):
    """A job is fired each minute, not while it is paused, and again once it is resumed; then nothing is left."""
    life.whole_life(mac, known)

    assert not AGENT.exists()
    assert not Path(f"~/Library/Logs/{LABEL}.log").expanduser().exists()
