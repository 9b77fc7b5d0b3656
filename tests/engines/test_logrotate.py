"""The real logrotate, in every way it rotates, between and during our appends: no line lost, none doubled, none torn."""

from __future__ import annotations

import bz2
import collections
import gzip
import itertools
import lzma
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from ratectl.journal.sqlite_database import SqliteDatabase
from ratectl.outputs import outbox
from ratectl.outputs.formats import FILES

pytestmark = pytest.mark.engine
TEXT = FILES["text"]
UNPACKED = Path(sys.prefix) / "engines"  # put there by scripts/test.py
OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
OLD = b"18/11/2026 - 94.90\n"
LINES = (b"20/11/2026 - 95.07\n", b"20/11/2026 - 95.12\n")
BATCH = b"".join(LINES)
NEXT = b"21/11/2026 - 95.20\n"
HOW = {
    "create": "create",
    "nocreate": "nocreate",
    "copytruncate": "copytruncate",
    "dateext": "create\ndateext\ndateformat -%Y%m%d-%s",
}
COMPRESS = {
    "plain": "nocompress",
    "gz": "compress",
    "bz2": "compress\ncompresscmd /bin/bzip2\ncompressext .bz2",
    "xz": "compress\ncompresscmd /usr/bin/xz\ncompressext .xz",
    "delayed": "compress\ndelaycompress",
}
CASES = [f"{how} {packed}" for how, packed in itertools.product(HOW, COMPRESS)]


@pytest.fixture
def database(tmp_path):
    database = SqliteDatabase(tmp_path / "state")
    yield database
    database.close()


@pytest.fixture
def target(tmp_path):
    """An output with a line of an hour ago."""
    target = tmp_path / "logs" / "output.txt"
    target.parent.mkdir(mode=0o755)
    target.write_bytes(OLD)
    os.utime(target, (time.time() - 3600,) * 2)
    return target


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotator:
    """The real logrotate with a configuration for one file."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    pause: float
    """Seconds before it can rotate again, where the copies are named after the second."""

    def __call__(self) -> None:
        """Rotate once, now."""
        subprocess.run(self.argv, check=True, env=self.environment)
        time.sleep(self.pause)


def rotator(folder, target, directives):
    program = shutil.which("logrotate", path=os.environ["PATH"] + ":/usr/sbin")
    program = program or str(UNPACKED / "logrotate" / "usr" / "sbin" / "logrotate")
    if not Path(program).exists():
        reason = "no logrotate: scripts/test.py unpacks it"
        pytest.fail(reason) if os.environ.get("RATECTL_REQUIRE_ENGINES") else pytest.skip(reason)
    conf = folder / "logrotate.conf"
    conf.write_text(f"{target} {{\nrotate 2000\n{directives}\n}}\n")
    conf.chmod(0o644)
    libraries = ":".join(map(str, (UNPACKED / "popt" / "usr" / "lib").glob("*")))
    return Rotator(
        argv=(program, "--force", "--state", str(folder / "logrotate.state"), str(conf)),
        environment=os.environ | {"LD_LIBRARY_PATH": libraries},
        pause=1.01 if "dateext" in directives else 0,
    )


@pytest.fixture(params=CASES)
def rotate(request, target, tmp_path):
    """Rotate the output once, now, in one way of logrotate's."""
    how, packed = request.param.split()
    return rotator(tmp_path, target, f"{HOW[how]}\n{COMPRESS[packed]}")


def commit(database, target, lines=LINES):
    """Do what a firing does up to its commit, and die there."""
    intent = outbox.plan_append(database, str(target), TEXT)
    with database.transaction(durable=True) as connection:
        outbox.enqueue(
            connection, str(target), intent, job="j", lines=[(1, line) for line in lines]
        )


def fire(database, target, lines):
    commit(database, target, lines)
    outbox.drain(database, str(target), TEXT)


def everything(target):
    """Return the lines of the file and all its copies."""
    lines = []
    for path in sorted(target.parent.iterdir()):
        with OPENERS.get(path.suffix, open)(path, "rb") as file:
            lines += file.read().splitlines(keepends=True)
    return lines


def test_between_firings(database, target, rotate):
    """A rotation after a confirmed append loses nothing and brings nothing back, however often."""
    lines = [b"%02d/11/2026 - 95.00\n" % day for day in range(1, 6)]
    for line in lines:
        fire(database, target, (line,))
        rotate()

    assert sorted(everything(target)) == sorted([OLD, *lines])


@pytest.mark.parametrize("written", [0, 7, len(LINES[0]), 30, len(BATCH)])
def test_killed_before_the_confirmation(database, target, rotate, written):
    """Killed after any number of bytes and then rotated: each line is whole once, and torn only where it is compressed."""
    commit(database, target)
    with target.open("ab") as file:
        file.write(BATCH[:written])
    rotate()

    outbox.drain(database, str(target), TEXT)
    fire(database, target, (NEXT,))

    lines = everything(target)
    whole = [line for line in lines if line in {OLD, *LINES, NEXT}]
    assert collections.Counter(whole) == collections.Counter([OLD, *LINES, NEXT])
    if not any(path.suffix in OPENERS for path in target.parent.iterdir()):
        assert len(lines) == len(whole)


ROTATING = """
import itertools, pathlib, subprocess, sys
stop, logs = map(pathlib.Path, sys.argv[1:3])
numbers = itertools.count()
while not stop.exists():
    subprocess.run(sys.argv[3:], check=False, stderr=subprocess.DEVNULL)
    for path in logs.glob("*.backup"):
        path.rename(logs / f"{path.name}.{next(numbers)}")
"""
"""A file that we made between its rename and its create, logrotate calls NAME-HOUR.backup, over another of that hour."""


@pytest.mark.parametrize("directives", ["copytruncate", "create", "nocreate"])
def test_while_we_append(database, target, tmp_path, directives):
    """Rotations that run while we append by the hundred lose, double and tear nothing."""
    rotate = rotator(tmp_path, target, f"{directives}\nnocompress")
    lines = [b"line %05d, of the same length each\n" % number for number in range(1500)]
    stop = tmp_path / "stop"
    argv = (sys.executable, "-c", ROTATING, str(stop), str(target.parent), *rotate.argv)

    with subprocess.Popen(argv, env=rotate.environment):
        try:
            for line in lines:
                fire(database, target, (line,))
        finally:
            stop.touch()
    fire(database, target, (NEXT,))

    found = collections.Counter(everything(target))
    assert {line: found[line] for line in lines if found[line] != 1} == {}
    assert found.total() == len(lines) + 2
