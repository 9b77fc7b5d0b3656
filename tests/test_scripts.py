"""The scripts of the project do what they promise (the quick start has a file of its own)."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[1]
PYTHON = sys.executable
ROWS = [
    "wake, nothing due",
    "a day of wakeups, processor time",
    "one firing",
    "one firing, its floor",
    "one firing, peak memory",
    "ratectl --help",
    "ratectl status",
    "ratectl list",
    "ratectl check",
    "ratectl next",
    "ratectl history",
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
    "install 1000 jobs, cron, its floor",
    "install 1000 jobs, cron, peak memory",
    "install 200 jobs, systemd",
    "install 200 jobs, systemd, its floor",
]


STARTED = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "scripts").rglob("*.py")
    if '__name__ == "__main__"' in path.read_text()
    and path.parent.name != "docs"
    and path.name != "install_by_hand.py"
)
"""The scripts that a person starts; those in docs/ and the floor of an install are started by one of them."""


def run(*argv, code=0, **options):
    """Return what *argv* said on both streams, after checking its exit code."""
    done = subprocess.run(argv, check=False, capture_output=True, text=True, **options)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("script", STARTED)
def test_help_and_unknown_words(script):
    """Each script answers --help with its first sentence, refuses what it does not know, and does nothing else."""
    first = ast.get_docstring(ast.parse((ROOT / script).read_text())).splitlines()[0]

    helped = run(PYTHON, str(ROOT / script), "--help")
    refused = run(PYTHON, str(ROOT / script), "--no-such-option", code=2)

    assert first.replace(" ", "") in "".join(helped.split())
    assert "unrecognized arguments: --no-such-option" in refused


@pytest.mark.long
def test_bench_names_every_budget():
    """The bench prints one row for each budget that exists so far; an absent engine is named."""
    rows = json.loads(run(PYTHON, str(ROOT / "scripts/bench.py"), "--quick", "--json"))

    assert [row["name"] for row in rows] == ROWS
    assert all(row["ratio"] or row["reason"] for row in rows)


@pytest.fixture
def checkout(tmp_path):
    """A repository with the CI entry and a test.py that only says where and how it was started."""
    folder = tmp_path / "checkout"
    for name in (".ci", "scripts"):
        (folder / name).mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci" / "run")
    (folder / "scripts" / "test.py").write_text(
        "import os, stat, sys\n"
        "mode = stat.S_IMODE(os.stat('..').st_mode)\n"
        "print(sys.argv[1:], oct(mode), os.getcwd())\n"
        "sys.exit(int(os.environ['CODE']))\n"
    )
    git = ("git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@example.org")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "all")):
        run(*git, *words)
    return folder


@pytest.mark.parametrize("code", [0, 3])
def test_ci_runs_in_a_private_clone(tmp_path, checkout, code):
    """From anywhere, CI tests a clone in a folder of mode 0700, insists on the engines, and leaves nothing there."""
    home = tmp_path / "home"
    home.mkdir()
    environment = os.environ | {"HOME": str(home), "CODE": str(code)}

    said = run(str(checkout / ".ci" / "run"), code=code, cwd=tmp_path, env=environment)

    assert said.startswith(f"['--require-engines'] 0o700 {home}/")
    assert list(home.iterdir()) == []


def test_require_engines_and_quick_exclude_each_other():
    """Asking for the engines and leaving them out at once is a usage error."""
    script = str(ROOT / "scripts/test.py")

    assert "not allowed with" in run(PYTHON, script, "--quick", "--require-engines", code=2)
