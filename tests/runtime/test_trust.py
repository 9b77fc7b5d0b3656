"""Whose a state directory is, while other firings are at work in it."""

from __future__ import annotations

import os
import threading
from types import SimpleNamespace

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


@pytest.mark.posix("accounts have no numbers there")
def test_a_member_that_no_list_shows(monkeypatch):
    """A member of a group that the machine does not list among its accounts, as from a directory server, is another account."""
    import grp  # noqa: PLC0415 - POSIX only

    monkeypatch.setattr(grp, "getgrgid", lambda _gid: SimpleNamespace(gr_mem=["from-a-server"]))

    assert not trust._is_lonely(54_321, os.geteuid())


@pytest.mark.posix("accounts have no numbers there")
def test_a_number_without_a_name():
    """A command names an account without a name, as in a container, by its number."""
    assert trust._ours("/srv/x", 60_123, 60_124) == "sudo chown 60124 /srv/x"
    assert trust.account(60_124) == "account 60124"
