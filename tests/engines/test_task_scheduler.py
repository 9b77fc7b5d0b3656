"""The real Task Scheduler of Windows: a job's whole life. Wine has none that fires, so there it is left out."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ratectl.deploy.machine import windows as windows_account
from tests.engines import life
from tests.support.rate_server import RateServer, demo_table


def real_windows():
    """Tell whether this is Windows itself: Wine's ntdll says whose it is."""
    if sys.platform != "win32":
        return False
    import ctypes  # noqa: PLC0415 - Windows only

    return not hasattr(ctypes.windll.ntdll, "wine_get_version")


pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not real_windows(), reason="the Task Scheduler runs on Windows alone"),
]

TASK = rf"\ratectl\{windows_account.sid()}\{life.NAME}"


def known():
    """Tell whether the Task Scheduler itself has the task."""
    argv = ("schtasks.exe", "/Query", "/TN", TASK)
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


@pytest.fixture
def windows(tmp_path):
    """A job for the Task Scheduler, which is gone afterwards whatever happens."""
    with RateServer(demo_table()) as rates:
        made = life.Life(folder=tmp_path, url=rates.url, engine="windows")
        try:
            yield made
        finally:
            made.remove()


def test_whole_life(windows):
    """It fires a job each minute, not while it is paused, and again once it is resumed; then the task is gone."""
    life.whole_life(windows, known)
