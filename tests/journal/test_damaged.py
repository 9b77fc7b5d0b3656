"""A journal that is not one: each damage is told with its exit code, and the file stays byte for byte as it is."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import time

import pytest

from ratectl.journal.schema import VERSION
from tests.fakes.station import Station
from tests.support.rate_server import Fault

pytestmark = pytest.mark.network


def filled(station, url):
    """Install a job, fire it once, and leave the journal in one closed file."""
    station.install(station.job(url))
    assert station.fetch().returncode == 0
    path = station.state / "journal.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


def random_bytes(path):
    path.write_bytes(random.Random(7).randbytes(path.stat().st_size))  # noqa: S311 - noise


def random_after_the_header(path):
    size = path.stat().st_size
    noise = random.Random(7).randbytes(size - 100)  # noqa: S311 - noise
    path.write_bytes(path.read_bytes()[:100] + noise)


def half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def one_page(path):
    path.write_bytes(path.read_bytes()[:4096])


def a_few_bytes(path):
    path.write_bytes(path.read_bytes()[:50])


def text(path):
    path.write_text("this was a journal\n" * 100)


def nothing(path):
    path.write_bytes(b"")


def newer(path):
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()


def foreign(version):
    def make(path):
        path.unlink()
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE recipes (name TEXT)")
            connection.execute(f"PRAGMA user_version = {version}")
        connection.close()

    make.__name__ = f"foreign_{version}"
    return make


DAMAGES = [
    (random_bytes, 74, "damaged"),
    (random_after_the_header, 74, "damaged"),
    (half, 74, "damaged"),
    (one_page, 74, "damaged"),
    (a_few_bytes, 74, "damaged"),
    (text, 74, "damaged"),
    (nothing, 78, "not installed"),
    (newer, 78, "newer ratectl"),
    (foreign(0), 78, "another program's tables"),
    (foreign(VERSION), 78, "another program's tables"),
    (foreign(99), 78, "another program's tables"),
]


@pytest.mark.parametrize(
    ("damage", "code", "said"), DAMAGES, ids=lambda v: getattr(v, "__name__", None)
)
def test_damage(tmp_path, live_rates, damage, code, said):
    """A firing says what is wrong in one line and changes nothing, neither in the file nor in the output."""
    station = Station(folder=tmp_path)
    path = filled(station, live_rates.url)
    damage(path)
    before, lines = path.read_bytes(), station.lines()

    done = station.fetch("--force")

    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert str(path) in done.stderr or said == "not installed"
    assert len(done.stderr.splitlines()) == 1
    assert path.read_bytes() == before
    assert station.lines() == lines


def test_folder(tmp_path):
    """A folder of the journal's name is told as such."""
    station = Station(folder=tmp_path)
    (station.state / "journal.sqlite3" / "kept").mkdir(parents=True)

    done = station.fetch()

    assert (done.returncode, len(done.stderr.splitlines())) == (74, 1)
    assert "is a folder" in done.stderr
    assert (station.state / "journal.sqlite3" / "kept").is_dir()


@pytest.mark.posix("modes")
def test_unreadable(tmp_path, live_rates):
    """A journal of another account is a matter of permission: exit 77."""
    station = Station(folder=tmp_path)
    path = filled(station, live_rates.url)
    before = path.read_bytes()
    path.chmod(0)
    obeying = ()
    if os.geteuid() == 0:  # root ignores modes, unless it gives that up
        if shutil.which("setpriv") is None:
            pytest.skip("root without setpriv cannot give up its powers")
        obeying = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")

    done = station.fetch(before=obeying)

    path.chmod(0o600)
    assert (done.returncode, len(done.stderr.splitlines())) == (77, 1)
    assert "may not be read by this account" in done.stderr
    assert path.read_bytes() == before


@pytest.mark.posix("Windows deletes no open file")
@pytest.mark.parametrize("replaced", [False, True], ids=["deleted", "replaced"])
def test_gone_while_at_work(station, live_rates, replaced):
    """A journal that is deleted or replaced while a firing is at work is exit 74, and nothing is appended."""
    path = filled(station, live_rates.url)
    output = station.lines()
    copy = station.folder / "copy"
    shutil.copy(path, copy)
    shutil.rmtree(station.state / "answers")
    live_rates.misbehave(Fault(delay=2))
    argv = (*station.argv(), "--force")
    firing = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 20
    while live_rates.faults and time.monotonic() < end:
        time.sleep(0.01)

    for each in path.parent.glob("journal.sqlite3*"):
        each.unlink()
    if replaced:
        copy.replace(path)
    said = firing.communicate(timeout=60)[1]

    assert (firing.returncode, len(said.splitlines())) == (74, 1), said
    assert "was deleted or replaced while we were at work" in said
    assert station.lines() == output
