"""From one version of the journal's tables to the next: everything that was recorded is still there."""

from __future__ import annotations

import datetime as dt
import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest

from ratectl.journal import quarantine, revisions, schema
from ratectl.journal.journal import Journal
from ratectl.journal.rows import EVERY_SLOT
from ratectl.model.job import REVISIT

OLD = (Path(__file__).with_name("journal-1.sql")).read_text(encoding="utf-8")
LAST = (Path(__file__).with_name("journal-5.sql")).read_text(encoding="utf-8")
"""A journal of the version before ``written`` and ``names_pairs``: two jobs, their quotes, held answers and lines."""
BEFORE_REVISIONS = (Path(__file__).with_name("journal-6.sql")).read_text(encoding="utf-8")
"""A journal of version 6: two jobs with days that are marked, closed, failed and held, lines that wait, and what a file got."""
BEFORE_RETRIES = (Path(__file__).with_name("journal-7.sql")).read_text(encoding="utf-8")
"""A journal of version 7: two jobs, a number that was voided, one that was revised, a slot that failed, and what is held."""
BEFORE_THE_INDEX = (Path(__file__).with_name("journal-8.sql")).read_text(encoding="utf-8")
"""A journal of version 8: that of version 7, a failure that waits for its next try, and an answer held for two slots."""
SLOT = dt.datetime(2025, 11, 20, 9, tzinfo=dt.UTC)


def tables(path):
    """Return the columns of each table (in any order) and of each index of a database."""
    connection = sqlite3.connect(path)
    listing = "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite%'"
    found = {}
    for kind, name in connection.execute(listing).fetchall():
        rows = connection.execute(f"PRAGMA {kind}_xinfo({name})").fetchall()
        if kind == "table":
            found[name] = sorted(row[1:6] for row in rows)  # name, type, not null, default, key
        else:
            found[name] = [row[2] for row in rows]
    connection.close()
    return found


@pytest.fixture
def old(state):
    """A state directory with a journal of version 1."""
    state.mkdir()
    connection = sqlite3.connect(state / "journal.sqlite3")
    connection.executescript(OLD)
    connection.close()
    return state


def test_what_was_recorded_is_there(old):
    """Firings, quotes, lines that wait and what is held outlive the change of version."""
    with Journal(old) as journal:
        [entry] = journal.store().quotes("usd-inr")
        assert (entry.slot, entry.quote.rate, entry.supersedes) == (SLOT, Decimal("95.07"), None)
        assert journal.store().firing("usd-inr", SLOT).settled
        slip, broken = quarantine.quarantine(journal.store())
        assert (slip.quote.rate, slip.state, slip.seen) == (Decimal(9507), "held", 1)
        assert broken.quote is None
        assert (
            quarantine.body(journal.store(), slip.id)
            == quarantine.body(journal.store(), broken.id)
            == b"{}"
        )
        assert journal.database.rows("SELECT data FROM lines WHERE target = '/rates/output.txt'")


def test_same_tables_as_a_new_journal(old, tmp_path):
    """A journal that was brought up has the same columns and indexes as one that is new."""
    with Journal(old) as journal:
        journal.known()
    with Journal(tmp_path / "new") as journal:
        journal.owner()

    assert tables(old / "journal.sqlite3") == tables(tmp_path / "new" / "journal.sqlite3")


def test_brought_up_once(old):
    """The second opening finds the new version and changes nothing."""
    for _ in range(2):
        with Journal(old) as journal:
            assert journal.database.rows("PRAGMA user_version")[0][0] == schema.VERSION


def test_from_version_5(state, tmp_path):
    """A journal of version 5 is brought up without loss, and knows which jobs name their pairs."""
    state.mkdir()
    connection = sqlite3.connect(state / "journal.sqlite3")
    connection.executescript(LAST)
    held = {
        table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
        for table in ("jobs", "firings", "quotes", "quarantine", "bodies", "lines", "sinks")
    }
    connection.close()

    with Journal(state) as journal:
        named = {row.job.name: row.names_pairs for row in journal.readable()}
        journal.known()
        journal.owner()
        found = {
            table: journal.database.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"]  # noqa: S608
            for table in held
        }
        rates = {
            str(entry.quote.pair): str(entry.quote.rate) for entry in journal.store().quotes("both")
        }
    with Journal(tmp_path / "new") as journal:
        journal.owner()

    assert named == {"usd-inr": False, "both": True}
    assert found == held
    assert rates == {"USD/INR": "95.070", "USD/JPY": "155.20"}
    assert tables(state / "journal.sqlite3") == tables(tmp_path / "new" / "journal.sqlite3")


def test_from_version_6(state, tmp_path):
    """A journal of version 6 is brought up without loss of a row, and its rates can be revised and voided."""
    state.mkdir()
    connection = sqlite3.connect(state / "journal.sqlite3")
    connection.executescript(BEFORE_REVISIONS)
    kept = ("firings", "quotes", "quarantine", "bodies", "lines", "sinks", "written", "meta")
    held = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in kept}  # noqa: S608
    connection.close()

    with Journal(state) as journal:
        journal.known()
        found = {
            table: [tuple(row) for row in journal.database.rows(f"SELECT * FROM {table}")]  # noqa: S608
            for table in kept
        }
        jobs = {row.job.name: row.job.revisit for row in journal.readable()}
        assert list(revisions.history(journal.store(), "both", EVERY_SLOT, None)) == list(
            journal.store().quotes("both")
        )
    with Journal(tmp_path / "new") as journal:
        journal.owner()

    assert jobs == {"usd-inr": REVISIT, "both": REVISIT}
    assert found == held
    assert tables(state / "journal.sqlite3") == tables(tmp_path / "new" / "journal.sqlite3")


def test_from_version_7(state, tmp_path):
    """A journal of version 7 is brought up without loss of a row; what was voided in it is known, and what is held stands for its slot."""
    state.mkdir()
    connection = sqlite3.connect(state / "journal.sqlite3")
    connection.executescript(BEFORE_RETRIES)
    kept = ("firings", "quotes", "revisions", "quarantine", "bodies", "lines", "sinks", "written")
    held = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in kept}  # noqa: S608
    connection.close()

    with Journal(state) as journal:
        journal.known()
        store = journal.store()
        found = {
            table: [tuple(row) for row in journal.database.rows(f"SELECT * FROM {table}")]  # noqa: S608
            for table in kept
        }
        again = {row.job.name: row.retry_at for row in journal.readable()}
        voided = {str(number.rate) for number in revisions.taken_back(store, "both")}
        [answer] = quarantine.quarantine(store)
    with Journal(tmp_path / "new") as journal:
        journal.owner()

    assert found == held
    assert again == {"usd-inr": None, "both": None}
    assert voided == {"0.0105"}
    assert answer.slots == (answer.slot,)
    assert tables(state / "journal.sqlite3") == tables(tmp_path / "new" / "journal.sqlite3")


def test_from_version_8(state, tmp_path):
    """A journal of version 8 is brought up without loss of a row; it gets an index alone."""
    state.mkdir()
    connection = sqlite3.connect(state / "journal.sqlite3")
    connection.executescript(BEFORE_THE_INDEX)
    held = list(connection.iterdump())
    connection.close()

    with Journal(state) as journal:
        journal.known()
        again = {row.job.name: row.retry_at for row in journal.readable()}
        [answer] = quarantine.quarantine(journal.store())
    with Journal(tmp_path / "new") as journal:
        journal.owner()
    connection = sqlite3.connect(state / "journal.sqlite3")
    found = list(connection.iterdump())
    connection.close()

    assert set(held) <= set(found)
    assert [one for one in found if one not in held] == [schema.QUOTES_BY_JOB.strip()]
    assert again == {"usd-inr": dt.datetime(2026, 11, 23, 9, 15, tzinfo=dt.UTC), "both": None}
    assert len(answer.slots) == 2
    assert tables(state / "journal.sqlite3") == tables(tmp_path / "new" / "journal.sqlite3")
