"""What tests of faults need: the tools they stand on, and an installation with several outputs."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
OBEYING_MODES = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""Before a command: root gives up the power to ignore file modes."""


def need(*programs: str) -> None:
    """Skip where a program is missing or we are not root on Linux; fail where engines are required."""
    absent = [name for name in programs if shutil.which(name) is None]
    reason = f"programs not found: {', '.join(absent)}" if absent else ""
    if platform.system() != "Linux" or os.geteuid() != 0:
        reason = "needs root on Linux"
    if reason and os.environ.get("RATECTL_REQUIRE_ENGINES"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def wallclock(tmp_path_factory):
    """Compile the wall clock that can be set for one process, and return the library's path."""
    need("gcc")
    library = tmp_path_factory.mktemp("wallclock") / "wallclock.so"
    source = HERE / "wallclock.c"
    argv = ("gcc", "-Wall", "-Werror", "-O1", "-shared", "-fPIC", "-o", str(library), str(source))
    done = subprocess.run((*argv, "-ldl"), capture_output=True, text=True, check=False)
    if done.returncode and os.environ.get("RATECTL_REQUIRE_ENGINES"):
        pytest.fail(f"gcc: {done.stderr}")
    if done.returncode:
        pytest.skip("gcc cannot compile here")
    return library


@pytest.fixture
def apart(tmp_path):
    """Run a shell script in a mount namespace of its own, with *arguments* as $1 and so on."""
    need("unshare", "mount", "sh")

    def run(script: str, *arguments: str, within: float = 120) -> str:
        """Return what the script said on stdout; a failing one fails the test."""
        argv = ("unshare", "--mount", "--propagation", "private", "sh", "-eu", "-c", script, "sh")
        done = subprocess.run(
            (*argv, *arguments),
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
            cwd=tmp_path,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    return run
