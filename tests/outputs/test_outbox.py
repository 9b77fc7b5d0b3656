"""Each line exactly once and whole, whatever state an earlier process left the file and the journal in."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import pytest

from ratectl.errors import CannotCreateError, StorageError
from ratectl.journal.sqlite_database import SqliteDatabase
from ratectl.outputs import outbox
from ratectl.outputs.formats import SINKS

if TYPE_CHECKING:
    from pathlib import Path

TEXT, CSV = SINKS["text"], SINKS["csv"]
LINES = (b"20/11/2026 - 95.07\n", b"21/11/2026 - 95.12\n")
BATCH = b"".join(LINES)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "output.txt"


def commit(database, target, sink=TEXT, lines=LINES):
    """Do what a firing does up to its commit, and die there."""
    intent = outbox.plan_append(database, str(target), sink)
    with database.transaction(durable=True) as connection:
        outbox.enqueue(
            connection, str(target), intent, job="j", lines=[(1, line) for line in lines]
        )


def drain(database, target, sink=TEXT):
    outbox.drain(database, str(target), sink)


def test_append(database, target):
    """What was committed is appended, once."""
    commit(database, target)
    drain(database, target)
    drain(database, target)

    assert target.read_bytes() == BATCH
    assert not outbox.waiting(database, str(target))


@pytest.mark.parametrize("written", range(len(BATCH) + 1))
@pytest.mark.parametrize("first", ["file", "link"])
@pytest.mark.posix("symbolic links need a privilege")
def test_killed_under_another_name(database, target, written, first):
    """A batch that was torn under one name of a file is completed before another name of it is written to."""
    link = target.parent / "link"
    link.symlink_to(target.parent, target_is_directory=True)
    names = {"file": target, "link": link / target.name}
    torn = names.pop(first)
    [other] = names.values()
    commit(database, torn)
    with target.open("ab") as file:
        file.write(BATCH[:written])

    commit(database, other, lines=(b"22/11/2026 - 95.20\n",))
    drain(database, other)
    drain(database, torn)

    assert target.read_bytes() == BATCH + b"22/11/2026 - 95.20\n"


@pytest.mark.parametrize("written", range(len(BATCH) + 1))
def test_killed_while_writing(database, target, written):
    """Killed after any number of bytes, the next firing completes the batch and doubles nothing."""
    target.write_bytes(b"earlier\n")
    commit(database, target)
    with target.open("ab") as file:
        file.write(BATCH[:written])

    drain(database, target)

    assert target.read_bytes() == b"earlier\n" + BATCH


@pytest.mark.parametrize("written", [0, 5, len(CSV.HEADER), len(CSV.HEADER) + 3])
def test_killed_while_writing_the_header(database, target, written):
    """The header of a new file is part of the batch, so it too is written exactly once."""
    commit(database, target, CSV)
    if written:
        target.write_bytes((CSV.HEADER + BATCH)[:written])

    drain(database, target, CSV)

    assert target.read_bytes() == CSV.HEADER + BATCH


def test_killed_before_the_position_is_confirmed(database, target):
    """A whole batch that nobody confirmed is recognised, also when others appended after it."""
    commit(database, target)
    target.write_bytes(BATCH + b"# a note by hand\n")

    drain(database, target)

    assert target.read_bytes() == BATCH + b"# a note by hand\n"


def test_written_by_others_meanwhile(database, target):
    """Lines that someone added between our commit and our append stay, and ours follow."""
    target.write_bytes(b"mine\n")
    commit(database, target)
    target.write_bytes(b"mine\nyours\n")

    drain(database, target)

    assert target.read_bytes() == b"mine\nyours\n" + BATCH


def test_no_final_newline(database, target):
    """A last line that is not ours and lacks its newline gets one, and keeps its text."""
    target.write_bytes(b"typed by hand")
    commit(database, target)

    drain(database, target)

    assert target.read_bytes() == b"typed by hand\n" + BATCH


def test_rotated(database, target, tmp_path):
    """After a rotation the lines that waited go to the new file, with its header."""
    target.write_bytes(CSV.HEADER)
    commit(database, target, CSV)
    target.rename(tmp_path / "output.txt.1")

    drain(database, target, CSV)

    assert target.read_bytes() == CSV.HEADER + BATCH
    assert (tmp_path / "output.txt.1").read_bytes() == CSV.HEADER


class Rotated(SqliteDatabase):
    """A journal after each of whose commits, for so many times, the output has been rotated away."""

    target: Path
    times: int

    @contextlib.contextmanager
    def transaction(self, *, durable=False):
        with super().transaction(durable=durable) as connection:
            yield connection
        if durable and self.times:
            self.times -= 1
            self.target.rename(self.target.with_name(f"{self.target.name}.{self.times}"))


@pytest.fixture
def rotated(tmp_path, target):
    database = Rotated(tmp_path / "state")
    database.target, database.times = target, 0
    yield database
    database.close()


def test_rotated_again_and_again(rotated, target, monkeypatch):
    """Who rotates faster than we append, for a while, holds nothing up."""
    monkeypatch.setattr(outbox, "PATIENCE", 600)
    rotated.times = 40
    commit(rotated, target)

    drain(rotated, target)

    assert target.read_bytes() == BATCH


@pytest.mark.parametrize("patience", [0, 0.5])
def test_rotated_without_end(rotated, target, monkeypatch, patience):
    """Where each append is overtaken, the firing ends and says so; the lines wait, and go in when it is over.

    However slow the disk is, ten appends are tried.
    """
    monkeypatch.setattr(outbox, "PATIENCE", patience)
    rotated.times = 1_000_000
    commit(rotated, target)
    with pytest.raises(StorageError, match="keeps writing to it; lines kept in the journal"):
        drain(rotated, target)
    assert 1_000_000 - rotated.times > 10

    rotated.times = 0
    drain(rotated, target)

    assert target.read_bytes() == BATCH


def test_truncated(database, target):
    """A file that was emptied meanwhile gets the whole batch."""
    target.write_bytes(b"much that was here\n" * 10)
    commit(database, target)
    os.truncate(target, 0)

    drain(database, target)

    assert target.read_bytes() == BATCH


def test_torn_batch_is_finished_before_the_next(database, target):
    """A batch that was torn is completed first; the one behind it follows."""
    commit(database, target)
    target.write_bytes(BATCH[:7])
    commit(database, target, lines=(b"22/11/2026 - 95.20\n",))

    drain(database, target)

    assert target.read_bytes() == BATCH + b"22/11/2026 - 95.20\n"


@pytest.mark.posix("symbolic links need a privilege")
def test_link_is_followed(database, target, tmp_path):
    """An output that is a link stays one."""
    real = tmp_path / "real.txt"
    real.write_bytes(b"")
    target.symlink_to(real)
    commit(database, target)

    drain(database, target)

    assert target.is_symlink()
    assert real.read_bytes() == BATCH


def test_no_place_for_it(database, tmp_path):
    """A file that cannot be made is exit 73, and its lines wait."""
    (tmp_path / "file").write_bytes(b"")
    target = tmp_path / "file" / "output.txt"
    with database.transaction() as connection:
        outbox.enqueue(connection, str(target), None, job="j", lines=[(1, line) for line in LINES])

    with pytest.raises(CannotCreateError, match="will be appended later"):
        drain(database, target)

    assert outbox.waiting(database, str(target))


@pytest.mark.posix("named pipes are no files there")
def test_pipe(database, target):
    """A pipe to which nobody listens is refused at once, and its lines wait."""
    os.mkfifo(target)
    with database.transaction() as connection:
        outbox.enqueue(connection, str(target), None, job="j", lines=[(1, line) for line in LINES])

    with pytest.raises(StorageError, match="not a regular file"):
        drain(database, target)

    assert outbox.waiting(database, str(target))


def test_full_device(database):
    """A device without room is exit 74, and its lines wait."""
    with database.transaction() as connection:
        outbox.enqueue(connection, "/dev/full", None, job="j", lines=[(1, line) for line in LINES])

    with pytest.raises(StorageError):
        drain(database, "/dev/full")

    assert outbox.waiting(database, "/dev/full")


@pytest.mark.posix("modes")
def test_mode_follows_the_umask(database, target):
    """The output belongs to the user, unlike the journal, which is private."""
    before = os.umask(0o027)
    try:
        commit(database, target)
        drain(database, target)
    finally:
        os.umask(before)

    assert target.stat().st_mode & 0o777 == 0o640
    assert database.path.stat().st_mode & 0o777 == 0o600
    assert database.path.parent.stat().st_mode & 0o777 == 0o700
