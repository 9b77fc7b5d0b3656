"""The quick start on machines where cron, systemd or no scheduler at all runs: all at the same time.

It uses the checkout's ``.venv``, which is up to date only when scripts/test.py made it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.engine

CHECKOUT = Path(__file__).resolve().parents[2]
SANDBOX = str(Path(__file__).with_name("sandbox.py"))
QUICKSTART = (sys.executable, str(CHECKOUT / "scripts/quickstart.py"))
WITHOUT_CRON = ("sh", "-c", 'kill "$(pidof cron)" && sleep 0.5 && exec "$@"', "sh")
MACHINES = {
    "cron": ("cron", *QUICKSTART),
    "systemd": ("systemd", *QUICKSTART),
    "nothing": ("cron", *WITHOUT_CRON, *QUICKSTART),
}


@pytest.fixture(scope="module")
def said(every_engine):
    """What the quick start said on each machine; there is no network on any of them."""
    assert every_engine is None
    if Path(sys.prefix) != CHECKOUT / ".venv":
        pytest.skip("not run from the checkout's .venv, as scripts/test.py does")
    running = {
        name: subprocess.Popen(
            (sys.executable, SANDBOX, "run", *command),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name, command in MACHINES.items()
    }
    heard = {name: process.communicate()[0] for name, process in running.items()}
    for name, process in running.items():
        assert process.returncode == 0, f"{name}:\n{heard[name]}"
    return heard


@pytest.mark.parametrize("engine", ["cron", "systemd"])
def test_with_a_scheduler(said, engine):
    """The scheduler that runs is used: one line by hand, one by the system, then nothing is left."""
    assert f"This machine's scheduler is {engine}" in said[engine]
    assert said[engine].count("output.txt now has:") == 2
    assert "Verified: the folder is gone" in said[engine]


def test_without_a_scheduler(said):
    """Where no scheduler runs, that is said, and two slots are recorded in the foreground."""
    assert "No scheduler runs here" in said["nothing"]
    assert said["nothing"].count("output.txt now has:") == 2
    assert "Verified: the folder is gone" in said["nothing"]


def test_without_the_internet(said):
    """Where the provider cannot be reached, that is said, and demonstration rates take its place."""
    assert all("not reachable" in text for text in said.values())
