"""The scripts that a person runs first: what they promise, seen on a machine of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[1]
SANDBOX = str(ROOT / "tests/engines/sandbox.py")
PYTHON = sys.executable
ROWS = [
    "wake, nothing due",
    "one firing",
    "ratectl --help",
    "ratectl list, 10 jobs",
    "install 2500 jobs, cron",
    "install 5000 jobs, cron",
    "install 1000 jobs, systemd",
]


def run(*argv, code=0, **options):
    """Return what *argv* said on both streams, after checking its exit code."""
    done = subprocess.run(argv, check=False, capture_output=True, text=True, **options)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def sandboxed():
    """Run a command in a sandbox of a kind; skip, or fail where engines are required, without one."""

    def in_sandbox(kind, *argv):
        reason = run(PYTHON, SANDBOX, "missing", kind).strip()
        if reason and os.environ.get("RATECTL_REQUIRE_ENGINES"):
            pytest.fail(f"{kind}: {reason}")
        if reason:
            pytest.skip(f"{kind}: {reason}")
        return run(PYTHON, SANDBOX, "run", kind, *argv)

    return in_sandbox


@pytest.fixture
def made_venv():
    """The checkout's own environment, which the quick start uses; only scripts/test.py makes it."""
    if Path(sys.prefix) != ROOT / ".venv":
        pytest.skip("not run from the checkout's .venv, as scripts/test.py does")


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("cron", marks=pytest.mark.xdist_group("quickstart-cron")),
        pytest.param("systemd", marks=pytest.mark.xdist_group("quickstart-systemd")),
    ],
)
@pytest.mark.usefixtures("made_venv")
def test_quickstart(sandboxed, kind):
    """The quick start uses the scheduler that runs, shows the line it fired, and leaves nothing.

    There is no network in a sandbox, so it also says that and serves demonstration rates.
    """
    said = sandboxed(kind, PYTHON, str(ROOT / "scripts/quickstart.py"))

    assert f"This machine's scheduler is {kind}" in said
    assert "not reachable" in said
    assert said.count("output.txt now has:") >= 2
    assert "Verified: the folder is gone" in said


@pytest.mark.usefixtures("made_venv")
def test_quickstart_without_a_scheduler(sandboxed):
    """Where no scheduler runs, the quick start says so and records in the foreground."""
    stop = "kill $(cat /run/crond.pid) && sleep 0.5 && exec "
    said = sandboxed("cron", "sh", "-c", f"{stop} {PYTHON} {ROOT}/scripts/quickstart.py")

    assert "No scheduler runs here" in said
    assert said.count("output.txt now has:") == 2
    assert "Verified: the folder is gone" in said


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
