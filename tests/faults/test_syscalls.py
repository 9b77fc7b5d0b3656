"""A firing killed, or told EIO or ENOSPC, at every system call on its files: one clean run mends all.

strace -P counts only the calls on the paths that matter, so that "the N-th write" is the same one in every
run. (strace 6.1 injects nothing under --seccomp-bpf, which is therefore not used.)
"""

from __future__ import annotations

import collections
import itertools
import re
import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from ratectl.fetch.cache import _digest
from ratectl.fetch.http import Request
from tests.fakes.station import Station
from tests.faults.conftest import need
from tests.support.rate_server import RateServer, demo_table
from tests.support.share import share, times

pytestmark = pytest.mark.engine
OUTPUTS = (
    ("one.txt", "text"),
    ("two.csv", "csv"),
    ("three.jsonl", "jsonl"),
    ("four.ledger", "ledger"),
    ("five.sqlite", "sqlite"),
)
"""Where the firing under test writes to: names and kinds."""
BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite puts beside a file."""
HEADERS = {"csv": 1}
"""Lines that a fresh file of a kind begins with."""
CALLS = (
    "openat,open,creat,write,pwrite64,writev,fsync,fdatasync,ftruncate,rename,renameat,renameat2,"
    "link,linkat,unlink,unlinkat,mkdir,mkdirat,flock,close"
)
DURABLE = frozenset({"write", "pwrite64", "fsync", "fdatasync", "ftruncate"})
"""Calls whose failure a disk can cause."""
FEWEST_KILLS = times(40)
FEWEST_ERRORS = times(20)
AT_ONCE = 2
STORAGE_CODES = {73, 74, 75}


def prepare(folder, server):
    """Install the job in *folder*, with one slot due."""
    folder.mkdir()
    station = Station(folder=folder)
    outputs = tuple(station.output(name, kind) for name, kind in OUTPUTS)
    station.install(station.job(server.url, outputs=outputs, timeout=60))
    return station


def kept_answers(server):
    """Return the names of the files that keep the answer, which a firing writes and renames."""
    digest = _digest(Request(url=f"{server.url}/v4/latest/USD"))
    return (digest, f"{digest}.new")


def traced(station, server, *options):
    """Return the command that runs a firing under strace, which looks at what the firing owns."""
    journal = station.state / "journal.sqlite3"
    places = [
        journal,
        *(journal.with_name(journal.name + end) for end in BESIDE),
        station.state,
        station.state / "locks",
        station.state / "answers",
        *(station.state / "answers" / name for name in kept_answers(server)),
        station.folder,
        *(station.folder / (name + end) for name, _ in OUTPUTS for end in ("", *BESIDE)),
    ]
    watched = [word for place in places for word in ("-P", str(place))]
    log = station.folder / "strace.log"
    return ("strace", "-f", "-qq", "-o", str(log), *watched, *options)


def points(folder, server):
    """Return every call that a firing makes on its files, as (name, which one of that name)."""
    station = prepare(folder, server)
    done = station.fetch(before=traced(station, server, "-e", f"trace={CALLS}"))
    assert (done.returncode, done.stderr) == (0, "")
    assert_complete(station)
    log = (station.folder / "strace.log").read_text()
    names = re.findall(r"^\d+ +(\w+)\(", log, flags=re.MULTILINE)
    counts: collections.Counter[str] = collections.Counter()
    found = []
    for name in names:
        counts[name] += 1
        found.append((name, counts[name]))
    return found


def assert_complete(station):
    """Assert that the slot is settled, once in the journal, and whole and once in every output."""
    assert station.settled()
    assert len(station.recorded()) == 1
    assert station.undelivered() == 0
    for name, kind in OUTPUTS:
        assert_whole_and_once(station.folder / name, kind)


def assert_whole_and_once(path, kind):
    """Assert that the output at *path* holds the one line or row of the one slot, whole."""
    if kind == "sqlite":
        connection = sqlite3.connect(path)
        rows = connection.execute("SELECT job, base, quote, length(rate) FROM quotes").fetchall()
        connection.close()
        assert [row[:3] for row in rows] == [("usd-inr", "USD", "INR")]
        assert rows[0][3] > 1
        return
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == 1 + HEADERS.get(kind, 0), (path.name, lines)
    assert all(line.endswith(b"\n") and len(line) > 10 for line in lines), (path.name, lines)


def side_by_side(work, tasks):
    """Do *work* for each of *tasks*, AT_ONCE at a time; return what failed."""

    def attempt(task):
        try:
            work(*task)
        except AssertionError as error:
            return f"{task[1:]}: {error}"
        return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [told for told in pool.map(attempt, tasks) if told]


@pytest.fixture
def server():
    need("strace")
    with RateServer(demo_table()) as running:
        yield running


def test_kill_at_every_call(tmp_path, server, record_property):
    """Killed before any of its calls on files, and run once more, a firing has done everything once.

    Each run of the suite tries another tenth of the calls.
    """
    found = share(points(tmp_path / "plain", server))

    def die(folder, name, number):
        station = prepare(folder, server)
        where = f"--inject={name}:signal=KILL:when={number}"
        done = station.fetch(before=traced(station, server, "-e", f"trace={name}", where))
        assert done.returncode == -signal.SIGKILL, f"not killed: {done.returncode} {done.stderr}"
        again = station.fetch()
        assert (again.returncode, again.stderr) == (0, "")
        assert_complete(station)

    failed = side_by_side(
        die, [(tmp_path / f"{name}-{number}", name, number) for name, number in found]
    )

    kinds = collections.Counter(name for name, _ in found)
    told = ", ".join(f"{number} {name}" for name, number in kinds.items())
    record_property("figures", f"{len(found)} kill points: {told}")
    assert not failed, "\n".join(failed)
    assert len(found) >= FEWEST_KILLS


def test_error_at_every_write(tmp_path, server, record_property):
    """A disk that says EIO or ENOSPC once is told in one line with its exit code; the next run completes all."""
    found = [point for point in points(tmp_path / "plain", server) if point[0] in DURABLE]
    ended: collections.Counter[int] = collections.Counter()

    def fail(folder, name, number, error):
        station = prepare(folder, server)
        where = f"--inject={name}:error={error}:when={number}"
        done = station.fetch(before=traced(station, server, "-e", f"trace={name}", where))
        assert "INJECTED" in (station.folder / "strace.log").read_text()
        ended[done.returncode] += 1
        if done.returncode == 0:  # where SQLite can do without
            assert done.stderr == ""
            assert_complete(station)
        else:
            assert done.returncode in STORAGE_CODES, done.stderr
            assert len(done.stderr.splitlines()) == 1, done.stderr
            assert done.stderr.startswith("ratectl-fetch: usd-inr: ")
        station.rest()
        again = station.fetch()
        assert (again.returncode, again.stderr) == (0, "")
        assert_complete(station)

    tasks = [
        (tmp_path / f"{name}-{number}-{error}", name, number, error)
        for (name, number), error in share(itertools.product(found, ("EIO", "ENOSPC")))
    ]
    failed = side_by_side(fail, tasks)

    codes = ", ".join(f"{count} with {code}" for code, count in sorted(ended.items()))
    record_property("figures", f"{len(tasks)} injected errors: ended {codes}")
    assert not failed, "\n".join(failed)
    assert len(tasks) >= FEWEST_ERRORS
