"""The table ``quotes`` in a SQLite file that belongs to the user: each row once, nothing of theirs changed."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3

import pytest

from ratectl.errors import CannotCreateError, ConfigError, StorageError, TryLaterError
from ratectl.journal.journal import Journal
from ratectl.journal.sqlite_database import FILE
from ratectl.model.job import Output
from ratectl.outputs import table_queue
from ratectl.outputs.formats import sqlite

pytestmark = pytest.mark.network  # some of them fire, which asks the rate server
ROW = (
    *("usd-inr", "2026-11-19T09:00:00+00:00", "USD", "INR", "95.10", "2026-11-19"),
    *("ecb", "2026-11-19T09:30:00+00:00", "published"),
)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "rates.sqlite"


def insert(target, *rows, seconds=5):
    sqlite.insert(str(target), rows or (ROW,), seconds=seconds)


def read(target, sql="SELECT * FROM quotes ORDER BY slot"):
    with contextlib.closing(sqlite3.connect(target)) as connection:
        return connection.execute(sql).fetchall()


def prepare(target, *statements):
    with contextlib.closing(sqlite3.connect(target)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_created(target):
    """The file, its folder and the table are made; digits and times stay the texts they are."""
    target = target.parent / "new" / "rates.db"

    insert(target)

    assert read(target) == [ROW]
    assert read(target, "SELECT typeof(rate), typeof(slot) FROM quotes") == [("text", "text")]
    assert read(target, "SELECT datetime(slot) FROM quotes") == [("2026-11-19 09:00:00",)]


def test_twice(target):
    """A row that is there already stays as it was first written."""
    insert(target)
    insert(target, (*ROW[:4], "1", *ROW[5:]), (ROW[0], "2026-11-21T09:00:00+00:00", *ROW[2:]))

    assert [row[4] for row in read(target)] == ["95.10", "95.10"]


@pytest.mark.posix("modes")
def test_mode_follows_the_umask(target):
    """The file belongs to the user, unlike the journal, which is private."""
    before = os.umask(0o007)
    try:
        insert(target)
    finally:
        os.umask(before)

    assert target.stat().st_mode & 0o777 == 0o660


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_journal_mode_is_the_users(target, mode):
    """The file keeps the journal mode that it has."""
    prepare(target, f"PRAGMA journal_mode = {mode}", "CREATE TABLE mine (a)")

    insert(target)

    assert read(target, "PRAGMA journal_mode") == [(mode,)]
    assert read(target) == [ROW]


def test_more_columns(target):
    """A table with columns of the user's own is written to."""
    insert(target)
    prepare(target, "ALTER TABLE quotes ADD COLUMN note TEXT")

    insert(target, (ROW[0], "2026-11-21T09:00:00+00:00", *ROW[2:]))

    assert len(read(target)) == 2


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("CREATE TABLE quotes (author TEXT, text TEXT)", "lacks job, slot, base"),
        (sqlite.CREATE.replace("rate TEXT", "rate REAL"), "would round"),
        (sqlite.CREATE.replace("PRIMARY KEY (job, slot, base, quote)", "UNIQUE (job)"), "unique"),
        ("CREATE VIEW quotes AS SELECT 1 AS job", "lacks slot"),
    ],
)
def test_another_shape(target, table, why):
    """A table of that name which is not ours is left alone, and the message says what is wrong with it."""
    prepare(target, table)

    with pytest.raises(StorageError, match=why):
        insert(target)


def test_a_key_of_another_spelling(target):
    """A unique index does as well as a primary key, in any order of its columns."""
    bare = sqlite.CREATE.replace("PRIMARY KEY (job, slot, base, quote)", "note TEXT")
    prepare(target, bare, "CREATE UNIQUE INDEX one ON quotes (quote, base, slot, job)")

    insert(target)
    insert(target)

    assert len(read(target)) == 1


def test_locked(target):
    """A file that another program writes to is waited for, and then it is exit 75."""
    insert(target)
    with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(TryLaterError, match=r"locked by another program for 0\.1 s"):
            insert(target, seconds=0.1)


def test_not_a_database(target):
    """A file of another kind is refused and stays as it is."""
    target.write_bytes(b"23/11/2026 - 95.12\n" * 100)

    with pytest.raises(StorageError, match="not a SQLite database"):
        insert(target)

    assert target.read_bytes() == b"23/11/2026 - 95.12\n" * 100


@pytest.mark.posix("named pipes are no files there")
def test_no_file_at_all(tmp_path):
    """A folder, a pipe and a device hold no database; a place where nothing can be made is exit 73."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()

    for target in (tmp_path, tmp_path / "pipe", "/dev/full"):
        with pytest.raises(StorageError, match="not a regular file"):
            insert(target)
    with pytest.raises(CannotCreateError, match="will be written later"):
        insert(tmp_path / "file" / "rates.db")


def test_all_or_nothing(target):
    """Where one row is not taken the file gets none, and it is exit 74."""
    insert(target)
    rows = [(ROW[0], f"slot {n}", *ROW[2:]) for n in range(1000)]
    prepare(
        target,
        "CREATE TRIGGER full AFTER INSERT ON quotes WHEN new.slot = 'slot 999'"
        " BEGIN SELECT raise(ABORT, 'database or disk is full'); END",
    )

    with pytest.raises(StorageError, match="full; the rate is kept in the journal"):
        insert(target, *rows)

    assert len(read(target)) == 1


# From the journal


@pytest.fixture
def usd(job, installed, target):
    return installed(job(outputs=(Output(kind="sqlite", target=str(target)),), timeout=1))


def queued(state):
    with Journal(state) as journal:
        return len(journal.database.rows("SELECT 1 FROM lines"))


def test_firing(usd, fire, target, state):
    """A firing leaves its quote in the table and nothing in the journal's queue."""
    report = fire(usd)

    assert report.error is None
    assert [row[:6] for row in read(target)] == [
        ("usd-inr", "2026-11-20T09:00:00+00:00", "USD", "INR", "95", "2026-11-20")
    ]
    assert queued(state) == 0


def test_kept_while_locked(usd, fire, target, state):
    """What a locked file does not take waits in the journal, and the next firing hands it over."""
    insert(target)
    with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        error = fire(usd).error
    assert isinstance(error, TryLaterError)
    assert queued(state) == 1

    assert fire(usd).error is None

    assert len(read(target)) == 2
    assert queued(state) == 0


def test_killed_before_the_confirmation(usd, fire, target, state):
    """Rows that the database has and the journal does not know of are handed over again, and change nothing."""
    fire(usd)
    before = read(target)
    with Journal(state) as journal, journal.database.transaction() as connection:
        [(line,)] = (
            sqlite.lines(usd, e.slot, [e.quote]) for e in journal.store().quotes("usd-inr")
        )
        connection.execute(
            "INSERT INTO lines (target, job, slot, data) VALUES (?, 'usd-inr', 0, ?)",
            (f"sqlite:{target}", line),
        )

    assert fire(usd).error is None

    assert read(target) == before
    assert queued(state) == 0


def test_the_journal_itself(job, installed, fire, state):
    """The journal of ratectl is no output; what was for it is kept, and the journal unharmed."""
    usd = installed(job(outputs=(Output(kind="sqlite", target=str(state / FILE)),)))

    error = fire(usd).error

    assert isinstance(error, ConfigError)
    assert "own journal" in str(error)
    assert queued(state) == 1


def test_lines_and_rows_of_one_path_do_not_mix(job, installed, fire, target, state):
    """A text output that names a database is refused, and neither gets what is for the other."""
    outputs = (
        Output(kind="sqlite", target=str(target)),
        Output(kind="text", target=str(target)),
    )
    usd = installed(job(outputs=outputs))
    insert(target)

    error = fire(usd).error

    assert "a SQLite database, not a file of lines" in str(error)
    assert len(read(target)) == 2
    assert queued(state) == 1


def test_thousands(state, target):
    """A queue longer than one transaction is handed over whole and in order."""
    count = table_queue.AT_ONCE * 2 + 1
    with Journal(state) as journal:
        with journal.database.transaction() as connection:
            connection.executemany(
                "INSERT INTO lines (target, job, slot, data) VALUES ('queue', 'j', 0, ?)",
                [(numbered(n),) for n in range(count)],
            )
        table_queue.drain(journal.database, "queue", sqlite, str(target), seconds=5)

        assert not journal.database.rows("SELECT 1 FROM lines")
    assert [row[1] for row in read(target, "SELECT * FROM quotes ORDER BY rowid")] == [
        f"slot {n}" for n in range(count)
    ]


def numbered(number):
    return json.dumps(
        dict(zip(sqlite.COLUMNS, (ROW[0], f"slot {number}", *ROW[2:]), strict=True))
    ).encode()
