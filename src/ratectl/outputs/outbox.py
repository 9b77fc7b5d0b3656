"""Lines on their way from the journal to a file: each exactly once and whole, whatever kills us or rotates it.

The order is the argument: (1) under the file's lock, see where the append will start; (2) commit lines and
that intent together, durably; (3) append, fsync; (4) confirm. Whoever comes next compares file and rotated
copies with an intent that was never confirmed, and with the last append, which a rotation may have dropped.
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, NamedTuple

from ratectl.errors import StorageError
from ratectl.outputs import append, foreign, rotation
from ratectl.outputs.rotation import BEFORE, Trace
from ratectl.runtime import trust

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.journal.rate_store import Database
    from ratectl.journal.rows import Row
    from ratectl.journal.statements import Statements
    from ratectl.outputs.append import Opened
    from ratectl.outputs.formats import FileSink

FEWEST_ROUNDS = 20
"""Of these an append takes two, and two more each time that someone else wrote or rotated in between."""
PATIENCE = 3.0
"""Seconds, after which it starts over no more: others wait for the file's lock, and a slow disk needs long for each round."""
RUN = 60 * 1_000_000_000
"""Nanoseconds in which appends that follow each other are remembered as one: a rotation may drop several."""
MOST_REMEMBERED = 1 << 20


class Intent(NamedTuple):
    """Where an append begins, in which file, and what goes before its lines."""

    queue: str
    """Under which name the lines wait."""
    start: int
    inode: str
    changed: int
    """When the file last changed, in nanoseconds."""
    before: bytes
    head: bytes


def queue(database: Database, name: str) -> str:
    """Return the name in *database* of what waits for the output *name* of this machine."""
    return f"{database.queue_prefix}{name}"


def plan_append(database: Database, target: str, sink: FileSink) -> Intent:
    """Look at the file at *target* (its lock is held), make it if it is absent, and say where an append will begin.

    Then put what a rotation dropped of the last append back into the queue: in this order, so that a
    rotation which the first look saw cannot escape the second. Raises CannotCreateError or StorageError.
    """
    _finish_other_names(database, target)
    intent = _observe(queue(database, target), target, sink)
    _recover(database, target, sink)
    return intent


def _finish_other_names(database: Database, target: str) -> None:
    """Carry out what is in flight to the same file under another name of it: it begins where ours would."""
    begun = database.rows("SELECT * FROM sinks WHERE start IS NOT NULL")
    path = trust.real(target)
    for row in begun:
        other = row["target"].removeprefix(database.queue_prefix)
        mine = row["target"] == queue(database, other) and other != target
        if mine and trust.real(other) == path:
            _finish(database, target, row)  # by the name that the job has for it


def _observe(name: str, target: str, sink: FileSink) -> Intent:
    """Return where an append begins.

    A file without a final newline gets one first, since its last line is not ours to extend.
    It is made before the intent is committed, because only a file that exists can be known again.
    """
    with append.created(target) as file:
        if file.read(0, len(append.DATABASE)) == append.DATABASE:
            raise StorageError(
                f"{target}: a SQLite database, not a file of lines; write sqlite:{target}"
            )
        wrong = foreign.problem(file.read(0, foreign.length(sink.HEADER)), sink.HEADER)
        if wrong:
            kept = append.KEPT_NOTE
            raise StorageError(f"{foreign.refusal(target, wrong)}; {kept}")
        before = file.read(max(0, file.size - BEFORE), min(BEFORE, file.size))
        ragged = b"" if before.endswith(b"\n") else b"\n"
        return Intent(
            queue=name,
            start=file.size,
            inode=file.inode,
            changed=file.changed,
            before=before,
            head=ragged if file.size else sink.HEADER,
        )


def enqueue(
    connection: Statements,
    name: str,
    intent: Intent | None,
    *,
    job: str,
    lines: Sequence[tuple[int, bytes]],
) -> None:
    """Write *lines*, each with its slot, into the queue *name*, and the *intent* to append them.

    All inside the caller's transaction.

    Without an intent (the file cannot be looked at, or is none), or while an
    earlier one is still in flight, the lines wait for their turn.
    """
    connection.executemany(
        "INSERT INTO lines (target, job, slot, data) VALUES (?, ?, ?, ?)",
        [(name, job, slot, line) for slot, line in lines],
    )
    if intent is None or not lines:
        return
    busy = connection.execute(
        "SELECT 1 FROM sinks WHERE target = ? AND start IS NOT NULL", (name,)
    ).fetchone()
    if not busy:
        _store_intent(connection, intent)


def drain(database: Database, target: str, sink: FileSink) -> None:
    """Append what waits for *target* (its lock is held); nothing waits: do nothing.

    Raises CannotCreateError or StorageError; what waits then still does.
    """
    name = queue(database, target)
    end = time.monotonic() + PATIENCE
    for number in itertools.count(1):
        if not waiting(database, name):
            return
        if number > FEWEST_ROUNDS and time.monotonic() > end:
            break
        found = database.rows("SELECT * FROM sinks WHERE target = ? AND start IS NOT NULL", (name,))
        if found:
            _finish(database, target, found[0])
        else:
            intent = plan_append(database, target, sink)
            with database.transaction(durable=True) as connection:
                _store_intent(connection, intent)
    raise StorageError(f"{target}: another program keeps writing to it; lines kept in the journal")


def waiting(database: Database, name: str) -> bool:
    """Tell whether lines wait in the queue *name*."""
    return bool(database.rows("SELECT 1 FROM lines WHERE target = ? LIMIT 1", (name,)))


def _recover(database: Database, target: str, sink: FileSink) -> None:
    """Put back into the queue what a rotation dropped of the last append to *target* (its lock is held).

    logrotate's copytruncate loses what is written between its copy and its
    truncation, a compressor what is written after it read. Only a rotated
    copy that ends before or inside the append proves that; a file that a person emptied does not.
    """
    name = queue(database, target)
    found = database.rows("SELECT * FROM sinks WHERE target = ?", (name,))
    if not found or not found[0]["sent"]:
        return
    trace = _sent(found[0])
    with append.opened(target) as file:
        if file is not None and _holds(file, trace):
            return
        latest = b"" if file is None else file.read(max(0, file.size - MOST_REMEMBERED), file.size)
    lost = _dropped(target, trace)
    lost = lost.removeprefix(sink.HEADER).removeprefix(b"\n")
    with database.transaction(durable=True) as connection:
        if lost and lost not in latest:
            connection.execute(
                "INSERT INTO lines (target, job, slot, data) VALUES (?, '', 0, ?)", (name, lost)
            )
        connection.execute("UPDATE sinks SET sent = ? WHERE target = ?", (b"", name))


def _sent(row: Row) -> Trace:
    return Trace(
        start=row["position"] - len(row["sent"]),
        inode=row["sent_inode"],
        changed=row["sent_changed"],
        before=bytes(row["sent_before"]),
        data=bytes(row["sent"]),
    )


def _holds(file: Opened, trace: Trace) -> bool:
    return rotation.match_length(file, trace) in {(len(trace.data), True), (len(trace.data), False)}


def _dropped(target: str, trace: Trace) -> bytes:
    """Return the whole lines of a confirmed append that its rotated copy lacks."""
    copy = rotation.find(target, trace)
    if copy is None or not copy.ends:
        return b""
    return trace.data[_whole(copy, trace) :]


def _whole(copy: rotation.Copy, trace: Trace) -> int:
    """Return how many bytes of the append *copy* holds in whole lines, after finishing a torn one where that can be."""
    begun = trace.data.rfind(b"\n", 0, copy.match_length) + 1
    if begun == copy.match_length or not copy.ends:
        return begun
    end = trace.data.index(b"\n", copy.match_length) + 1
    return end if copy.plain and rotation.finish(copy, trace, end) else begun


def _store_intent(connection: Statements, intent: Intent) -> None:
    last = connection.execute(
        "SELECT max(id) AS last FROM lines WHERE target = ?", (intent.queue,)
    ).fetchone()["last"]
    connection.execute(
        "INSERT INTO sinks (target, start, inode, changed, before_it, head, last_line)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (target) DO UPDATE SET"
        " start = excluded.start, inode = excluded.inode, changed = excluded.changed,"
        " before_it = excluded.before_it, head = excluded.head, last_line = excluded.last_line",
        (
            intent.queue,
            intent.start,
            intent.inode,
            intent.changed,
            intent.before,
            intent.head,
            last,
        ),
    )


def _finish(database: Database, target: str, row: Row) -> None:
    """Carry out a noted intent as far as no file shows it yet, then confirm what is there and withdraw the rest."""
    lines = database.rows(
        "SELECT id, data FROM lines WHERE target = ? AND id <= ? ORDER BY id",
        (row["target"], row["last_line"]),
    )
    trace = Trace(
        start=row["start"],
        inode=row["inode"],
        changed=row["changed"],
        before=bytes(row["before_it"]),
        data=bytes(row["head"]) + b"".join(line["data"] for line in lines),
    )
    placed = _complete(target, trace)
    done, end = [], len(row["head"])
    for line in lines:
        end += len(line["data"])
        if end <= placed.whole:
            done.append((line["id"],))
    with database.transaction() as connection:
        connection.execute("UPDATE sinks SET start = NULL WHERE target = ?", (row["target"],))
        connection.executemany("DELETE FROM lines WHERE id = ?", done)
        if placed.end:
            _remember(connection, row, trace, placed)


class _Placed(NamedTuple):
    """What became of an append: *whole* bytes of it are safe in whole lines, in the target if it has an *end* there."""

    whole: int
    end: int = 0
    at: int = 0
    """When the target was written to, in nanoseconds; 0: it was not."""


def _complete(target: str, trace: Trace) -> _Placed:
    """Make the append be whole in one place, as far as that place is still the one that was meant."""
    with append.opened(target) as file:
        seen = None if file is None else _match(file, trace)
        untouched = file is not None and file.changed == trace.changed
        if seen is None or not (seen[0] or untouched):
            copy = rotation.find(target, trace)
            if copy is not None and copy.match_length:
                return _Placed(whole=_whole(copy, trace))
        if file is None or seen is None:
            return _Placed(whole=0)
        count, ends = seen
        if count == len(trace.data):
            return _Placed(whole=count, end=trace.start + count, at=file.changed)
        if not ends:
            return _Placed(whole=trace.data.rfind(b"\n", 0, count) + 1)
        end, at = file.append(trace.data[count:])
        return _Placed(whole=len(trace.data), end=end, at=at)


def _match(file: Opened, trace: Trace) -> tuple[int, bool] | None:
    """Return what the target shows of an append; None where it is another file than was meant.

    An editor or a restored backup may give one text another inode.
    """
    seen = rotation.match_length(file, trace)
    known = file.inode == trace.inode or (trace.before and seen is not None and seen[0])
    return seen if known else None


def _remember(connection: Statements, row: Row, trace: Trace, placed: _Placed) -> None:
    """Keep the append in case a rotation drops it, together with those right before it."""
    if placed.end != trace.start + len(trace.data):
        return  # it was cut under our hands, and what stood there before may yet prove dropped
    earlier = _sent(row)
    joined = earlier.data + trace.data
    follows = row["position"] == trace.start and earlier.inode == trace.inode and earlier.data
    if follows and placed.at - row["sent_since"] < RUN and len(joined) <= MOST_REMEMBERED:
        connection.execute(
            "UPDATE sinks SET position = ?, sent = ? WHERE target = ?",
            (placed.end, joined, row["target"]),
        )
        return
    connection.execute(
        "UPDATE sinks SET position = ?, sent = ?, sent_before = ?, sent_inode = ?,"
        " sent_changed = ?, sent_since = ? WHERE target = ?",
        (
            placed.end,
            trace.data if len(trace.data) <= MOST_REMEMBERED else b"",
            trace.before,
            trace.inode,
            trace.changed,
            placed.at,
            row["target"],
        ),
    )
