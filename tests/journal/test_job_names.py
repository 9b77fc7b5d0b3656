"""The names of the jobs for a shell's Tab, out of journals in every state."""

import datetime as dt
import sqlite3

import pytest

from ratectl.journal import job_names
from ratectl.journal.journal import Journal
from ratectl.journal.sqlite_database import FILE
from tests.fakes.station import Station

ELSEWHERE = "https://rates.example"


@pytest.fixture
def station(tmp_path):
    """An installation with two jobs, and one that was removed."""
    station = Station(folder=tmp_path)
    names = ("usd-inr", "euro", "gone")
    station.install(*(station.job(ELSEWHERE, name=name) for name in names))
    with Journal(station.state) as journal:
        journal.forget_jobs(["gone"])
    return station


def contents(folder):
    """Return every file of *folder* with its bytes and the time of its last change."""
    return {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(folder.iterdir())
    }


def test_names(station):
    """Installed jobs come in order; those removed are known, too."""
    assert job_names.installed(station.state) == ("euro", "usd-inr")
    assert job_names.known(station.state) == ("euro", "gone", "usd-inr")


def test_leaves_no_trace(station):
    """A journal that nobody has open lies there afterwards as before, with nothing beside it."""
    before = contents(station.state)

    assert job_names.installed(station.state)
    assert contents(station.state) == before
    assert set(before) == {FILE}


def test_nothing_there(state):
    """Where nothing was ever installed there are no names, and no folder appears."""
    assert job_names.installed(state) == ()
    assert not state.exists()


def test_sees_what_was_just_written(station):
    """What another process has written and not yet moved into the file counts, also while it writes."""
    with Journal(station.state) as journal:
        journal.forget_jobs(["euro"])
        before = set(contents(station.state))
        with journal.database.transaction() as connection:
            connection.execute("DELETE FROM jobs")

            assert job_names.installed(station.state) == ("usd-inr",)

        assert set(contents(station.state)) == before > {FILE}


@pytest.mark.parametrize("text", [b"", b"not a database" * 100, b"SQLite format 3\0" + b"x" * 5000])
def test_damaged(state, text):
    """A file that is no journal gives no names and stays as it is."""
    state.mkdir()
    (state / FILE).write_bytes(text)

    assert job_names.installed(state) == ()
    assert (state / FILE).read_bytes() == text
    assert set(contents(state)) == {FILE}


def test_another_programs_tables(state):
    """A database without our tables gives no names."""
    state.mkdir()
    with sqlite3.connect(state / FILE) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    connection.close()

    assert job_names.known(state) == ()


def test_older_journal_is_not_brought_up(station):
    """A journal of an older ratectl is read as it is."""
    connection = sqlite3.connect(station.state / FILE)
    connection.execute("ALTER TABLE jobs DROP COLUMN paused")
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    before = contents(station.state)

    assert job_names.installed(station.state) == ("euro", "usd-inr")
    assert contents(station.state) == before


@pytest.mark.parametrize(
    "name",
    [
        "50% of mode=rwc#jobs",
        pytest.param("jobs?mode=rwc", marks=pytest.mark.posix("no name may hold a question mark")),
    ],
)
def test_awkward_folder(tmp_path, name):
    """A folder whose name means something in a URI is the one that is meant."""
    station = Station(folder=tmp_path / name)
    station.install(station.job(ELSEWHERE), since=dt.datetime(2026, 11, 20, tzinfo=dt.UTC))

    assert job_names.installed(station.state) == ("usd-inr",)
