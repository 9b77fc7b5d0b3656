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


def open_file(path):
    path.touch()
    path.chmod(0o666)


def open_folder(path):
    path.mkdir()
    path.chmod(0o777)


def link_to_an_open_file(path):
    elsewhere = path.parents[1] / "elsewhere"
    open_file(elsewhere)
    path.symlink_to(elsewhere)


@pytest.mark.posix("permissions are lists there")
@pytest.mark.parametrize("make", [open_file, open_folder, link_to_an_open_file])
def test_a_folder_with_all_that_is_in_it(monkeypatch, tmp_path, make):
    """One walk to a folder finds what a walk to each thing in it finds, and nothing where nothing is at fault."""
    monkeypatch.setattr(trust, "_is_strict", lambda _strict: True)
    folder = tmp_path / "packages"
    (folder / "sound").mkdir(parents=True)
    (folder / "sound.py").touch()
    (folder / "link.py").symlink_to("sound.py")
    assert trust.fault_in(str(folder)) is trust.fault_in(str(folder / "absent")) is None

    make(folder / "spoilt")

    found, one = trust.fault_in(str(folder)), trust.fault(str(folder / "spoilt"))
    assert (found.place, found.why, found.fix) == (one.place, one.why, one.fix)


@pytest.mark.posix("permissions are lists there")
def test_one_thing_that_may_not_be_looked_at(monkeypatch, tmp_path):
    """It hides nothing that comes after it."""
    monkeypatch.setattr(trust, "_is_strict", lambda _strict: True)
    folder, status = tmp_path / "packages", trust.Way.status
    folder.mkdir()
    (folder / "closed").touch()
    open_file(folder / "spoilt")

    def closed(way, name):
        if name == "closed":
            raise PermissionError(13, "Permission denied")
        return status(way, name)

    monkeypatch.setattr(trust.Way, "status", closed)

    assert trust.fault_in(str(folder)).place == str(folder / "spoilt")
