"""A job's whole life in the scheduler of the very machine: installed, fired, listed, paused, resumed, removed.

For systems that no sandbox can stand in for. The job has a name of its own and lies in a folder that goes away again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

NAME = f"live-{os.getpid()}"
PATIENCE = 150
"""Seconds to wait for a line: at most one minute is expected."""
A_MINUTE_AND_MORE = 75
SPEC = """
[jobs.{name}]
pairs = ["USD/INR"]
schedule = "{schedule}"
providers = ["exchangerate-api-v4"]
output = "rates.txt"

[providers.exchangerate-api-v4]
base_url = "{url}/v4"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The one job, the folder that it lies in, and the engine that it is for."""

    folder: Path
    url: str
    engine: str

    def ratectl(self, *words: str) -> str:
        """Return what the command said on standard output; it has to end with 0."""
        argv = (sys.executable, "-m", "ratectl", *words)
        places = {
            "RATECTL_CONFIG_DIR": str(self.folder / "config"),
            "RATECTL_STATE_DIR": str(self.folder / "state"),
        }
        done = subprocess.run(
            argv, env=os.environ | places, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def listed(self) -> list[dict[str, Any]]:
        """Return what ``ratectl list`` has of the job."""
        return [row for row in json.loads(self.ratectl("list", "--json")) if row["job"] == NAME]

    def install(self, schedule: str = "every minute") -> None:
        """Write the spec and put it into the scheduler."""
        spec = self.folder / "jobs.toml"
        spec.write_text(SPEC.format(name=NAME, url=self.url, schedule=schedule), encoding="utf-8")
        self.ratectl("install", str(spec), "--backend", self.engine)

    def nothing_is_left_to_install(self) -> None:
        """Hold the system to what was written: a second install would find nothing to do."""
        spec = str(self.folder / "jobs.toml")
        self.ratectl("plan", spec, "--backend", self.engine, "--detailed-exitcode")

    def lines(self) -> int:
        """Return how many whole lines the system has had written."""
        path = self.folder / "rates.txt"
        return path.read_text(encoding="utf-8").count("\n") if path.exists() else 0

    def wait_for_another_line(self) -> None:
        """Return as soon as there is one line more than now."""
        before, end = self.lines(), time.monotonic() + PATIENCE
        while self.lines() == before:
            assert time.monotonic() < end, self.ratectl("doctor", "--json", "--offline")
            time.sleep(0.5)

    def remove(self) -> None:
        """Take the job out, whatever the test came to."""
        self.ratectl("remove", "--all", "--purge", "--yes")


def whole_life(life: Life, known: Any) -> None:
    """Live the job's life; *known* asks the system itself whether it has an entry of that name."""
    life.install()
    assert known()
    [row] = life.listed()
    assert (row["backend"], row["drift"], row["enabled"]) == (life.engine, [], True)
    life.wait_for_another_line()

    life.ratectl("pause", NAME)
    [row] = life.listed()
    assert row["paused"]
    paused_with = life.lines()
    time.sleep(A_MINUTE_AND_MORE)
    assert life.lines() == paused_with

    life.ratectl("resume", NAME)
    assert known()
    life.wait_for_another_line()

    life.ratectl("remove", NAME)
    assert not known()
    assert life.listed() == []
