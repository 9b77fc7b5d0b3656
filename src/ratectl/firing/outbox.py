"""Lines on their way from the journal to a file: each exactly once and whole, whatever kills us.

The order is the argument: (1) under the file's lock, see where the append will
start; (2) commit lines and that intent together, durably; (3) append, fsync;
(4) confirm. Whoever comes next compares the file's tail with an intent that was never confirmed.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ratectl.errors import CannotCreateError, StorageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.firing.book import Store
    from ratectl.firing.entries import Statements
    from ratectl.firing.rows import Row
    from ratectl.firing.sinks import Sink

ROUNDS = 20
"""How often an append starts over because someone else wrote in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """Where an append begins, in which file, and what goes before its lines."""

    target: str
    start: int
    inode: str
    head: bytes


def intend(target: str, sink: Sink) -> Intent:
    """Look at the file at *target* (its lock is held) and say where an append will begin.

    A file without a final newline gets one first, since its last line is not ours to extend.
    """
    try:
        with open(target, "rb", opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise StorageError(f"{target}: not a regular file, so appends cannot be made safe")
            size = status.st_size
            if size:
                file.seek(size - 1)
                return Intent(
                    target=target,
                    start=size,
                    inode=_inode(status),
                    head=b"" if file.read(1) == b"\n" else b"\n",
                )
            return Intent(target=target, start=0, inode=_inode(status), head=sink.HEADER)
    except FileNotFoundError:
        return Intent(target=target, start=0, inode="", head=sink.HEADER)
    except OSError as error:
        raise _refused(target, error) from error


def _without_waiting(target: str, flags: int) -> int:
    """Open for reading; opening a pipe to which nobody writes would otherwise never end."""
    return os.open(target, flags | getattr(os, "O_NONBLOCK", 0))


def enqueue(
    connection: Statements,
    target: str,
    intent: Intent | None,
    *,
    job: str,
    lines: Sequence[tuple[int, bytes]],
) -> None:
    """Write *lines* (each with its slot) and the *intent* to append them, inside the caller's transaction.

    Without an intent (the file cannot be looked at), or while an earlier one
    is still in flight, the lines wait for their turn.
    """
    connection.executemany(
        "INSERT INTO lines (target, job, slot, data) VALUES (?, ?, ?, ?)",
        [(target, job, slot, line) for slot, line in lines],
    )
    if intent is None:
        return
    busy = connection.execute(
        "SELECT 1 FROM sinks WHERE target = ? AND start IS NOT NULL", (target,)
    ).fetchone()
    if not busy:
        _note(connection, intent)


def drain(database: Store, target: str, sink: Sink) -> None:
    """Append what waits for *target* (its lock is held); nothing waits: do nothing.

    Raises CannotCreateError or StorageError; what waits then still does.
    """
    for _ in range(ROUNDS):
        if not waiting(database, target):
            return
        found = database.rows(
            "SELECT * FROM sinks WHERE target = ? AND start IS NOT NULL", (target,)
        )
        if found:
            _finish(database, target, found[0])
        else:
            with database.transaction(durable=True) as connection:
                _note(connection, intend(target, sink))
    raise StorageError(f"{target}: another program keeps writing to it; lines kept in the journal")


def waiting(database: Store, target: str) -> bool:
    """Tell whether lines wait for *target*."""
    return bool(database.rows("SELECT 1 FROM lines WHERE target = ? LIMIT 1", (target,)))


def _note(connection: Statements, intent: Intent) -> None:
    connection.execute(
        "INSERT INTO sinks (target, start, inode, head, last_line) VALUES (?, ?, ?, ?,"
        " (SELECT max(id) FROM lines WHERE target = ?)) ON CONFLICT (target) DO UPDATE SET"
        " start = excluded.start, inode = excluded.inode, head = excluded.head,"
        " last_line = excluded.last_line",
        (intent.target, intent.start, intent.inode, intent.head, intent.target),
    )


def _finish(database: Store, target: str, row: Row) -> None:
    """Carry out a noted intent as far as the file does not show it yet, then confirm or withdraw it."""
    lines = database.rows(
        "SELECT data FROM lines WHERE target = ? AND id <= ? ORDER BY id",
        (target, row["last_line"]),
    )
    batch = row["head"] + b"".join(line["data"] for line in lines)
    end = _append(target, batch, start=row["start"], inode=row["inode"])
    with database.transaction() as connection:
        connection.execute("UPDATE sinks SET start = NULL WHERE target = ?", (target,))
        if end is not None:
            connection.execute("UPDATE sinks SET position = ? WHERE target = ?", (end, target))
            connection.execute(
                "DELETE FROM lines WHERE target = ? AND id <= ?", (target, row["last_line"])
            )


def _append(target: str, batch: bytes, *, start: int, inode: str) -> int | None:
    """Make the file hold *batch* from *start* on and return its end there, durably.

    None: the file is another one, or was cut or written by others since, so a
    new intent is needed. What is there is never changed, only added to.
    """
    descriptor, created = _open(target)
    try:
        status = os.fstat(descriptor)
        if status.st_size < start or (inode and inode != _inode(status)):
            return None
        tail = _read(descriptor, start, len(batch))
        if not batch.startswith(tail):
            return None
        _write(descriptor, batch[len(tail) :])
        os.fsync(descriptor)
        if created:
            _sync_folder(target)
        return start + len(batch)
    except OSError as error:
        raise _refused(target, error) from error
    finally:
        os.close(descriptor)


def _open(target: str) -> tuple[int, bool]:
    flags = os.O_RDWR | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        with contextlib.suppress(FileNotFoundError):
            return os.open(target, flags), False
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        return os.open(target, flags | os.O_CREAT, 0o666), True  # the user's umask applies
    except OSError as error:
        raise _refused(target, error) from error


def _refused(target: str, error: OSError) -> CannotCreateError | StorageError:
    kept = "the rate is kept in the journal and will be appended later"
    if os.path.exists(target):  # noqa: PTH110 - Path.exists raises where a folder may not be searched
        return StorageError(f"{target}: cannot be appended to: {error.strerror}; {kept}")
    return CannotCreateError(f"{target}: cannot be created: {error.strerror}; {kept}")


def _read(descriptor: int, start: int, length: int) -> bytes:
    os.lseek(descriptor, start, os.SEEK_SET)
    parts = []
    while length > 0:
        part = os.read(descriptor, length)
        if not part:
            break
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _sync_folder(target: str) -> None:
    if sys.platform == "win32":
        return  # Windows has no such handle; NTFS journals the entry itself
    descriptor = os.open(Path(target).parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _inode(status: os.stat_result) -> str:
    return f"{status.st_dev}:{status.st_ino}"
