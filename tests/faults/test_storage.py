"""No space and no permission, for an output and for the journal: the right code and line, and nothing lost after.

Full disks are small tmpfs in a mount namespace; root obeys file modes once it has given up ignoring them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.station import PYTHON, Station
from tests.faults.conftest import OBEYING_MODES, need
from tests.support.lines import TEXT_LINE

pytestmark = pytest.mark.engine

REST = """
import sqlite3, sys
with sqlite3.connect(f"file:{sys.argv[1]}/journal.sqlite3?mode=rw", uri=True) as database:
    database.execute("UPDATE jobs SET retry_at = 0")
"""
"""Lets the time be over in which what failed is not tried again; the state directory is its argument."""
FULL = f"""
REST='{REST}'
fetch() {{
    code=0; "$@" 2>&1 || code=$?; echo "exit $code"
    for state in "$@"; do :; done
    "$1" -c "$REST" "$state" 2>/dev/null || true
}}
mkdir -p disk
mount -t tmpfs -o size=$SIZE,mode=755 none disk
[ ! -d seed ] || cp -a seed/. disk/
cat /dev/zero > disk/ballast 2>/dev/null || true
fetch "$@"
fetch "$@"
rm disk/ballast
fetch "$@"
fetch "$@"
mkdir saved
cp -a disk/. saved/
"""
"""Fires twice on a full disk and twice after space is back; leaves what is on the disk in saved/."""


def ended(said):
    """Return the exit codes and the lines in between."""
    lines = said.splitlines()
    codes = [int(line.split()[1]) for line in lines if line.startswith("exit ")]
    return codes, [line for line in lines if not line.startswith("exit ")]


def test_full_disk_under_the_output(station, apart, live_rates, tmp_path):
    """The rate goes into the journal, the line says so with exit 74, and is written once there is space."""
    outputs = (station.output("disk/output.txt"), station.output("disk/other.csv", "csv"))
    station.install(station.job(live_rates.url, outputs=outputs))

    codes, said = ended(apart(f"SIZE=64k\n{FULL}", *station.argv()))

    assert codes in ([73, 73, 0, 0], [74, 74, 0, 0])
    assert len(said) == 2
    assert all("No space left on device; the rate is kept in the journal" in line for line in said)
    assert len(station.recorded()) == 1
    assert station.undelivered() == 0
    saved = Station(folder=tmp_path / "saved")
    assert len(saved.lines("output.txt")) == 1
    assert len(saved.lines("other.csv")) == 2


def test_full_disk_under_a_long_output(station, apart, live_rates, tmp_path):
    """A line torn by the end of the disk, after the last whole one, is finished and not repeated."""
    seed = tmp_path / "seed"
    seed.mkdir()
    (seed / "output.txt").write_text("01/01/2026 - 90.00\n" * 200 + "x" * (4090 - 3800) + "\n")
    outputs = (station.output("disk/output.txt"),)
    station.install(station.job(live_rates.url, outputs=outputs))
    assert (seed / "output.txt").stat().st_size < 4096 < (seed / "output.txt").stat().st_size + 10

    codes, said = ended(apart(f"SIZE=64k\n{FULL}", *station.argv()))

    assert codes == [74, 74, 0, 0]
    assert len(said) == 2
    lines = Station(folder=tmp_path / "saved").lines("output.txt")
    assert len(lines) == 202
    assert TEXT_LINE.fullmatch(lines[-1])
    assert station.undelivered() == 0


def test_full_disk_under_the_journal(tmp_path, apart, live_rates):
    """Without a journal there is no record: exit 73 or 74, no line in the output, and all of it once space is back."""
    disk, seed = Station(folder=tmp_path / "disk"), Station(folder=tmp_path / "seed")
    outputs = (Station(folder=tmp_path).output("output.txt"),)
    seed.install(seed.job(live_rates.url, outputs=outputs))

    codes, said = ended(apart(f"SIZE=512k\n{FULL}", *disk.argv()))

    assert codes[2:] == [0, 0]
    assert set(codes[:2]) <= {73, 74}
    assert len(said) == 2
    assert all(str(disk.state) in line for line in said)
    saved = Station(folder=tmp_path / "saved")
    assert len(saved.recorded()) == 1
    assert saved.settled()
    assert len(Station(folder=tmp_path).lines()) == 1


@pytest.fixture
def obeying():
    """What goes before a command to make it obey file modes."""
    need("setpriv")
    return OBEYING_MODES


@pytest.mark.parametrize("exists", [False, True], ids=["a new file", "a file that is there"])
def test_read_only_output(station, live_rates, obeying, exists):
    """A folder or file that may not be written to: exit 73 or 74, the line waits, and comes when it may."""
    folder = station.folder / "shut"
    folder.mkdir()
    output = folder / "output.txt"
    if exists:
        output.write_text("ours\n")
        output.chmod(0o444)
    folder.chmod(0o555)
    station.install(station.job(live_rates.url, outputs=(station.output("shut/output.txt"),)))

    done = station.fetch(before=obeying)

    assert done.returncode == (74 if exists else 73)
    assert len(done.stderr.splitlines()) == 1
    assert f"{output}: cannot be" in done.stderr
    assert "Permission denied; the rate is kept in the journal" in done.stderr
    folder.chmod(0o755)
    if exists:
        output.chmod(0o644)
    station.rest()
    assert station.fetch(before=obeying).returncode == 0
    assert len(station.lines("shut/output.txt")) == 1 + exists
    assert station.undelivered() == 0


def test_read_only_state(station, live_rates, obeying):
    """A state directory that may not be written to: exit 74 with its name, and nothing appended or asked."""
    station.install(station.job(live_rates.url))
    (station.state / "locks").mkdir(exist_ok=True)
    places = (station.state / "locks", station.state)
    for place in places:
        place.chmod(0o555)

    done = station.fetch(before=obeying)

    assert (done.returncode, len(done.stderr.splitlines())) == (74, 1)
    assert str(station.state) in done.stderr
    assert station.lines() == []
    assert live_rates.requests == []
    for place in places:
        place.chmod(0o755)
    assert station.fetch(before=obeying).returncode == 0
    assert len(station.lines()) == 1


def test_state_that_cannot_be_made(station, obeying):
    """Where no state directory can be made the job is simply not installed, and nothing is created."""
    station.folder.chmod(0o555)

    done = station.fetch(before=obeying)

    station.folder.chmod(0o755)
    assert (done.returncode, len(done.stderr.splitlines())) == (78, 1)
    assert not station.state.exists()


FULL_AT_FIRST = """
mkdir -p disk
mount -t tmpfs -o size=$SIZE,mode=700 none disk
code=0; "$@" 2>&1 || code=$?; echo "exit $code"
"""


@pytest.mark.parametrize("size", [24, 48, 96])
def test_full_disk_at_the_first_install(tmp_path, apart, size):
    """However far the journal comes, a full disk is exit 73 or 74 and says so, and never that it is another program's."""
    need("sh")
    code = (
        "import sys\nfrom pathlib import Path\nfrom tests.fakes.station import Station, now\n"
        "from ratectl.errors import RatectlError\nfrom ratectl.journal.journal import Journal\n"
        "station = Station(folder=Path(sys.argv[1]))\n"
        "jobs = [station.job('http://127.0.0.1:9', name=f'job-{n}') for n in range(200)]\n"
        "stands = dict(spec='/x', digest='0', backend='cron', scope='user', host_timezone='UTC', now=now())\n"
        "with Journal(station.state) as journal:\n    try:\n        before = journal.backup(job.name for job in jobs)\n"
        "        try:\n            journal.record_jobs(jobs, **stands)\n"
        "        except RatectlError:\n            journal.restore(before)\n            raise\n"
        "    except RatectlError as error:\n        print(error)\n        sys.exit(error.exit_code)\n"
    )
    root = str(Path(__file__).parents[2])
    environment = ("env", f"PYTHONPATH={root}/src:{root}")

    said = apart(
        f"SIZE={size}k\n{FULL_AT_FIRST}", *environment, PYTHON, "-c", code, str(tmp_path / "disk")
    )

    codes, lines = ended(said)
    assert codes[0] in {73, 74}, said
    assert "another program" not in said
    assert len(lines) == 1
