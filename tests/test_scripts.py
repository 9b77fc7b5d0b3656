"""The scripts of the project do what they promise (the quick start has a file of its own)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[1]
PYTHON = sys.executable
ROWS = [
    "wake, nothing due",
    "one firing",
    "ratectl --help",
    "append to a 1 GB file",
    "append to a long journal",
    "status, 100 jobs, long journal",
    "status, long journal",
    "history --since, long journal",
    "status, PostgreSQL",
    "history --since, PostgreSQL",
    "one firing, PostgreSQL",
    "next slot of a cron line",
    "slots, peak memory",
    "ratectl list, 10 jobs",
    "install 500 jobs, cron",
    "install 1000 jobs, cron",
    "install 200 jobs, systemd",
    "the same, and they run",
]


def run(*argv, code=0, **options):
    """Return what *argv* said on both streams, after checking its exit code."""
    done = subprocess.run(argv, check=False, capture_output=True, text=True, **options)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_bench_names_every_budget():
    """The bench prints one row for each budget that exists so far; an absent engine is named."""
    rows = json.loads(run(PYTHON, str(ROOT / "scripts/bench.py"), "--quick", "--json"))

    assert [row["name"] for row in rows] == ROWS
    assert all(row["ratio"] or row["reason"] for row in rows)


def test_ci_runs_from_anywhere(tmp_path):
    """The CI entry finds its own checkout and a Python, and passes the flags' meaning on."""
    text = (ROOT / ".ci/run").read_text()

    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert "set -eu" in text
    run("bash", "-n", str(ROOT / ".ci/run"), cwd=tmp_path)


def test_require_engines_and_quick_exclude_each_other():
    """Asking for the engines and leaving them out at once is a usage error."""
    script = str(ROOT / "scripts/test.py")

    assert "not allowed with" in run(PYTHON, script, "--quick", "--require-engines", code=2)
