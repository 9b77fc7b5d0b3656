"""A state directory that cannot be used: each cause is told by itself, and no mend moves or deletes a whole journal."""

from __future__ import annotations

import sqlite3
import subprocess

import pytest

from ratectl.errors import RefusedError
from ratectl.journal.sqlite_database import FILE, SqliteDatabase

pytestmark = pytest.mark.network


def refuse(monkeypatch, error):
    """Let the journal be opened by nobody, for the reason *error*."""

    def look(_self, _sql, _values=()):
        raise error

    monkeypatch.setattr(SqliteDatabase, "rows", look)


def state_file(clinic, name, *, owner=1000, closed=True):
    """Show the file *name* of the state directory to the fake machine."""
    path = clinic.account.state_dir / name
    clinic.machine.files[path] = b""
    clinic.machine.owners[path] = owner
    if closed:
        clinic.machine.closed.add(path)
    return path


def only(told):
    [finding] = told.findings
    return finding["check"], finding["mend"]


def test_a_journal_of_root(cron, monkeypatch):
    """A journal that root made is given back to the account, with all that lies beside it."""
    path = state_file(cron, FILE, owner=0)
    refuse(monkeypatch, RefusedError(f"{path}: may not be read by this account"))

    assert only(cron.doctor("--offline")) == (
        "state-of-another",
        f"sudo chown -Rh tester {path.parent}",
    )


def test_a_journal_that_its_own_account_may_not_read(cron, monkeypatch):
    """A journal whose permissions are too tight is opened again."""
    path = state_file(cron, FILE)
    refuse(monkeypatch, RefusedError(f"{path}: may not be read by this account"))

    assert only(cron.doctor("--offline")) == (
        "state-unwritable",
        f"chmod -R u+rwX {path.parent}",
    )


def test_a_file_of_sqlite_that_root_made(cron):
    """What SQLite lays beside the journal counts as the journal does."""
    path = state_file(cron, f"{FILE}-wal", owner=0)

    assert only(cron.doctor("--offline")) == (
        "state-of-another",
        f"sudo chown -Rh tester {path.parent}",
    )


def test_a_file_system_that_is_read_only(cron):
    """A file system that went read-only is mounted again; no permission helps there."""
    folder = cron.account.state_dir
    cron.machine.folders.add(folder)
    cron.machine.closed.add(folder)
    cron.machine.mounted_read_only.add(folder)

    assert only(cron.doctor("--offline")) == (
        "state-read-only",
        f"sudo mount -o remount,rw {folder}",
    )


def damaged(clinic, pages):
    """Record 3000 quotes of a job, then overwrite *pages* in the middle of the journal."""
    folder = clinic.account.state_dir
    with clinic.journal() as journal, journal.database.transaction() as connection:
        connection.executemany(
            "INSERT INTO quotes VALUES ('one', ?, 'USD', 'INR', '95.12', '2026-11-20', 'x', NULL, 0, 'published', '[]', '')",
            [(slot,) for slot in range(3000)],
        )
    connection = sqlite3.connect(folder / FILE)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    pages_of_quotes = [
        number
        for (number,) in connection.execute(
            "SELECT pageno FROM dbstat WHERE name = 'quotes' AND pagetype = 'leaf'"
        )
    ]
    connection.close()
    with (folder / FILE).open("r+b") as file:
        for number in pages_of_quotes[10 : 10 + pages]:
            file.seek((number - 1) * 4096)
            file.write(b"\xff" * 4096)


def test_a_damaged_journal_is_kept_and_its_rows_are_saved(cron, monkeypatch):
    """The mend, executed: the old journal stays, and all that can be read of it is in the new one."""
    damaged(cron, 1)
    folder = cron.account.state_dir
    before = (folder / FILE).read_bytes()

    [finding] = cron.doctor("--offline").of("journal-damaged")
    make, move, both = finding["mend"].split(" && ")
    install, copy, _ = both.removeprefix("{ ").split("; ")
    for command in (make, move):
        subprocess.run(("sh", "-c", command), check=True)
    assert install == "ratectl install /home/tester/jobs.toml"
    cron.put_in_place()
    monkeypatch.setenv("RATECTL_STATE_DIR", str(folder))
    told = cron.ratectl(*copy.split()[1:])

    assert told.code == 65, told.text
    assert "could not be read" in told.text
    assert (folder.with_name(f"{folder.name}.damaged") / FILE).read_bytes() == before
    with cron.journal() as journal:
        saved = [row["slot"] for row in journal.database.rows("SELECT slot FROM quotes")]
        assert 2900 < len(saved) < 3000
        assert {0, 2999} <= set(saved)
    assert cron.doctor("--offline").findings == []
    assert folder.with_name(f"{folder.name}.damaged").stat().st_mode & 0o077 == 0
