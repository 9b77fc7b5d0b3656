"""Standard streams that are closed, full or read to their first line only: no traceback, and an exit code of the table."""

import os
import shlex
import subprocess
import sys

import pytest

from ratectl import cli
from ratectl.errors import EXIT_CODES
from scripts.docs import command_line

pytestmark = [pytest.mark.posix("shells redirect so"), pytest.mark.network, pytest.mark.slow]

WAYS = {"no stdout": ">&-", "none": "<&- >&- 2>&-", "full": ">/dev/full", "head": "| head -1"}


def shell(folder, line):
    """Return how *line* ended in a shell of an account without jobs."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
        "HOME": str(folder),
        "RATECTL_CONFIG_DIR": str(folder / "config"),
        "RATECTL_STATE_DIR": str(folder / "state"),
    }
    return subprocess.run(
        ("bash", "-c", f"set -o pipefail; {line}"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
        env=environment,
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")  # noqa: PTH110
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("verb", [*cli.COMMANDS, "--help", "--version"])
def test_streams(verb, way, tmp_path):
    """Whatever is done to the streams, the command ends as it would have, or with 74 where its output was lost."""
    words = (
        [verb] if verb.startswith("--") else command_line.words(command_line.examples(verb)[0])[1:]
    )
    program = shlex.join((sys.executable, "-m", "ratectl", *words))
    plain = shell(tmp_path, program).returncode
    for path in (tmp_path / "config").glob("*"):
        path.unlink()

    done = shell(tmp_path, f"{program} {WAYS[way]}")

    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert done.returncode in EXIT_CODES
    assert done.returncode == plain or (done.returncode == 74 and "full" in way)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")  # noqa: PTH110
def test_lost_findings_are_told(tmp_path):
    """What was lost to a full disk is told also where the command's own findings decide the exit code."""
    (tmp_path / "tab").write_text("* * * * 8 /bin/true\n")
    program = shlex.join((sys.executable, "-m", "ratectl", "lint-crontab", "tab"))
    found = shell(tmp_path, program)

    done = shell(tmp_path, f"{program} >/dev/full")

    assert (found.returncode, done.returncode) == (65, 65)
    assert done.stderr == "ratectl: standard output: No space left on device\n"
