"""Whose a state directory is, while other firings are at work in it."""

from __future__ import annotations

import threading

import pytest

from ratectl.runtime import trust


@pytest.mark.posix("accounts have no numbers there")
def test_files_that_come_and_go(tmp_path):
    """SQLite makes and deletes files of its own there at any time: that one is gone is nobody's fault."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    (folder / "journal.sqlite3").touch()
    over = threading.Event()

    def another_firing():
        while not over.is_set():
            for name in ("journal.sqlite3-wal", "journal.sqlite3-shm"):
                (folder / name).touch()
            for name in ("journal.sqlite3-wal", "journal.sqlite3-shm"):
                (folder / name).unlink()

    beside = threading.Thread(target=another_firing)
    beside.start()
    try:
        for _ in range(2000):
            trust.require_private(str(folder))
    finally:
        over.set()
        beside.join()

    assert (folder / "journal.sqlite3").exists()
