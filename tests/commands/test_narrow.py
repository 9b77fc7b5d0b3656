"""What commands print fits a terminal of 80 columns, commands to copy aside."""

import contextlib
import os
import select
import subprocess
import sys

import pytest

from tests.fakes.station import Station

pytestmark = [pytest.mark.posix("a pseudo-terminal"), pytest.mark.network]

LONG = "a job with a very long name of its own, as people have them, which is odd"
TAB = f"""61 24 * * * /usr/bin/backup --with "{LONG}"
0 0 13 * 5 /usr/bin/report --to somebody@example.org --with % signs and more words than fit
@reboot sleep 60 && /usr/bin/start
*/7 * * * * something
"""
LIMIT = 60
"""Seconds without a word after which a command is given up."""
TO_COPY = ("    instead:", "    fix:", "next:")


def shown(folder, *words, answer=b""):
    """Return the lines that ``ratectl`` shows to *words* on a terminal of 80 columns."""
    master, slave = os.openpty()
    argv = (sys.executable, "-m", "ratectl", *words)
    environment = os.environ | {
        "COLUMNS": "80",
        "TERM": "dumb",
        "RATECTL_STATE_DIR": str(folder / "state"),
    }
    with subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, env=environment):
        os.close(slave)
        os.write(master, answer)
        data = b""
        with contextlib.suppress(OSError):  # the other end was closed
            while select.select([master], [], [], LIMIT)[0] and (part := os.read(master, 4096)):
                data += part
    os.close(master)
    return data.decode().replace("[y/N]: ", "[y/N]:\n").splitlines()


def too_wide(lines):
    return [line for line in lines if len(line) > 80 and not line.startswith(TO_COPY)]


def test_lint_crontab(tmp_path):
    """Findings are folded, and what to write instead stays whole."""
    tab = tmp_path / "tab"
    tab.write_text(TAB)

    lines = shown(tmp_path, "lint-crontab", str(tab))

    assert any("error:" in line for line in lines)
    assert too_wide(lines) == []


def test_questions_of_remove(tmp_path):
    """The question of a purge names all jobs, in lines that fit."""
    station = Station(folder=tmp_path)
    names = [f"a-long-name-of-a-job-{number}" for number in range(8)]
    station.install(*(station.job("http://127.0.0.1:9", name=name, outputs=()) for name in names))

    lines = shown(tmp_path, "remove", "--all", "--purge", answer=b"n\n")

    assert all(any(name in line for line in lines) for name in names)
    assert too_wide(lines) == []
