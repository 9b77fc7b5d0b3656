"""The record of a job from one store to another: batch by batch, each row once, each read back and compared.

What the target holds already is never changed, so a copy that was cut short is simply run again. Claims of
firings at work are not part of the record and stay where they are. Of a damaged file all rows before and after
the damage are copied, and the copy says that there were more.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ratectl import paths
from ratectl.errors import ConfigError, DataError, RefusedError, StorageError
from ratectl.journal.sqlite_database import FILE, DamagedError, SqliteDatabase
from ratectl.runtime import trust
from ratectl.wording import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ratectl.journal.rate_store import Database
    from ratectl.journal.rows import Row

AT_ONCE = 1_000
"""Slots in one transaction."""
MAGIC = b"SQLite format 3\0"
"""How each SQLite database begins."""
LONGEST = 1 << 36
"""Bytes up to which a file that was cut off is filled up."""
LAST = "\U0010ffff"
"""A name behind all others."""
FAR = 1 << 60
"""A slot beyond all others."""
SHOWN = 3
"""Rows that differ which an error names."""

Key = tuple[Any, ...]


class _Table(NamedTuple):
    """What is copied of a table."""

    name: str
    key: tuple[str, ...]
    """Columns by which a row of one job is the same in both stores."""
    columns: tuple[str, ...]
    """All that is copied, the key included."""
    only: str = "TRUE"
    """A condition of the rows that are copied."""


QUOTES = _Table(
    "quotes",
    ("slot", "base", "quote"),
    (
        *("slot", "base", "quote", "rate", "rate_date", "provider", "provider_time"),
        *("observed_at", "kind", "legs", "supersedes"),
    ),
)
FIRINGS = _Table(
    "firings",
    ("slot",),
    (
        "slot",
        "state",
        "owner",
        "lease_until",
        "outcome",
        "detail",
        "at",
        "attempts",
        "closed_pairs",
    ),
    "state <> 'claimed'",
)
QUARANTINE = _Table(
    "quarantine",
    ("slot", "provider", "base", "quote", "rate", "rate_date", "reason", "at"),
    (
        *("slot", "provider", "base", "quote", "rate", "rate_date", "reason", "at"),
        *("digest", "state", "decided_at", "seen", "facts"),
    ),
)
REVISIONS = _Table(
    "revisions",
    (*("slot", "base", "quote", "rate", "rate_date", "provider", "observed_at"), "state", "at"),
    (*QUOTES.columns, "state", "reason", "at"),
)
NAMES = {
    "quotes": "quotes",
    "revisions": "earlier numbers",
    "firings": "slots",
    "quarantine": "held answers",
}
"""What people call the rows of each table."""
TABLES = (QUOTES, REVISIONS, FIRINGS, QUARANTINE)
"""In this order: a settled slot must not come before its quotes."""


@dataclass(slots=True, kw_only=True)
class Copied:
    """What a copy of one job did, by table."""

    job: str
    written: dict[str, int] = field(default_factory=dict)
    """Rows that the target did not have."""
    verified: dict[str, int] = field(default_factory=dict)
    """Rows that are the same in both, those of before included."""
    differing: list[str] = field(default_factory=list)
    """Rows that the target has otherwise; they were left as they are there."""
    unread: list[str] = field(default_factory=list)
    """Tables of which some rows could not be read, since the source is damaged."""

    @property
    def empty(self) -> bool:
        """Nothing was there to be copied."""
        return not (any(self.verified.values()) or self.differing or self.unread)

    def miss(self, table: _Table) -> None:
        """Note that not all rows of *table* can be read."""
        if table.name not in self.unread:
            self.unread.append(table.name)

    def faults(self) -> Iterator[str]:
        """Yield what stands against calling it a copy, in a line each."""
        if self.unread:
            tables = " and ".join(NAMES[table] for table in self.unread)
            some = any(self.verified.values()) or self.differing
            yield (
                f"{self.job}: not all of its {tables} could be read from the damaged journal; the rest was copied"
                if some
                else f"{self.job}: its {tables} could not be read from the damaged journal, and nothing of it was copied"
            )
        if self.differing:
            more = len(self.differing) - SHOWN
            named = "; ".join(self.differing[:SHOWN]) + (f"; and {more} more" if more > 0 else "")
            yield (
                f"{self.job}: {count(len(self.differing), 'row')} {'differs and was' if more == 1 - SHOWN else 'differ and were'}"
                f" left as {'it is' if more == 1 - SHOWN else 'they are'} in the target: {named}"
            )


def size(database: Database, job: str) -> int:
    """Return how many rows of *job* there are to copy."""
    sql = "SELECT count(*) AS number FROM {0.name} WHERE job = ? AND {0.only}"
    try:
        return sum(database.rows(sql.format(table), (job,))[0]["number"] for table in TABLES)
    except DamagedError:
        return 0


class Jobs(NamedTuple):
    """The jobs that a file tells of."""

    names: tuple[str, ...]
    whole: bool
    """These are all: no damage hides the names of others."""


PLACES = {
    "quotes": ("job", "quotes NOT INDEXED"),
    "quotes by index": ("job", "quotes INDEXED BY quotes_by_job"),
    "firings": ("job", "firings NOT INDEXED"),
    "revisions": ("job", "revisions INDEXED BY revisions_by_slot"),
    "quarantine": ("job", "quarantine INDEXED BY quarantine_by_job"),
    "jobs": ("name", "jobs"),
}
"""Where names of jobs stand in a file, in trees of pages of their own: what is damaged in one may be whole in another."""


def jobs_in(database: SqliteDatabase) -> Jobs:
    """Return the jobs that the file tells of, by name, as far as it can be read."""
    found: set[str] = set()
    whole = {place: _collect(database, place, found) for place in PLACES}
    recorded = whole["quotes"] or whole["quotes by index"]
    return Jobs(tuple(sorted(found)), whole["jobs"] or (recorded and whole["firings"]))


def _collect(database: SqliteDatabase, place: str, found: set[str]) -> bool:
    """Add the names in one of PLACES to *found*, from both ends to where it is damaged; tell whether it is whole."""
    for beyond, order, start in ((">", "ASC", ""), ("<", "DESC", LAST)):
        name = start
        column, table = PLACES[place]
        sql = f"SELECT {column} AS name FROM {table} WHERE {column} {beyond} ? ORDER BY {column} {order} LIMIT 1"  # noqa: S608 - our names
        try:
            while rows := database.rows(sql, (name,)):  # from job to job, not through all rows
                name = rows[0]["name"]
                if "\0" not in name:
                    found.add(name)
        except StorageError:
            continue
        return order == "ASC"
    return False


def has(database: Database, job: str) -> bool:
    """Tell whether there is anything of *job*; what cannot be read may be."""
    try:
        return any(
            database.rows(f"SELECT 1 AS one FROM {table.name} WHERE job = ? LIMIT 1", (job,))  # noqa: S608 - our names
            for table in TABLES
        )
    except DamagedError:
        return True


class JournalFile(SqliteDatabase):
    """A journal that is only read, as far as that goes."""

    foreign = "holds another program's tables, not a journal of ratectl; name a journal.sqlite3"

    def __init__(self, folder: Path, shown: Path, *, is_cut_off: bool) -> None:
        super().__init__(folder, shown)
        self._is_cut_off = is_cut_off

    @property
    def is_damaged(self) -> bool:
        """Something of the file is lost. Raises ConfigError where it is another program's."""
        try:
            self.check()
        except DamagedError:
            return True
        return self._is_cut_off

    def _make_current(self, connection: sqlite3.Connection) -> None:
        """Bring an older version up; a damage that keeps from that need not keep from reading."""
        try:
            super()._make_current(connection)
        except sqlite3.DatabaseError as error:
            if "malformed" not in str(error):
                raise
            if connection.in_transaction:
                connection.execute("ROLLBACK")


@contextmanager
def from_file(path: Path) -> Iterator[JournalFile]:
    """Give the journal in the file *path* to read from; the file and what SQLite laid beside it stay as they are.

    Raises ConfigError where there is no such file, RefusedError where nobody may look, DataError for what is no database, StorageError where it cannot be read.
    """
    if why := paths.absence(path):
        error = RefusedError if why == paths.SHUT else ConfigError
        raise error(f"{path}: {why}; name the file of a journal, or sqlite for this machine's own")
    if not paths.is_file(path):
        raise ConfigError(f"{path}: is no file, so it is no journal; name the file of one")
    try:
        with tempfile.TemporaryDirectory(prefix=".ratectl-copy-", dir=_private(path)) as folder:
            for suffix in ("", "-wal"):
                beside = path.with_name(path.name + suffix)
                if paths.exists(beside):
                    shutil.copyfile(beside, Path(folder, FILE + suffix))
            _refuse_no_database(path, Path(folder, FILE))
            log = Path(folder, f"{FILE}-wal")
            has_log = paths.exists(log) and log.stat().st_size > 0  # which may have the rest
            is_cut_off = _fill_up(Path(folder, FILE)) and not has_log
            _refuse_what_runs(path, Path(folder, FILE))
            database = JournalFile(Path(folder), path, is_cut_off=is_cut_off)
            try:
                yield database
            finally:
                database.close()
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error.strerror}") from error


def _refuse_no_database(path: Path, copied: Path) -> None:
    """Raise DataError where the file does not begin as each SQLite database does."""
    with copied.open("rb") as file:
        begin = file.read(len(MAGIC))
    if begin != MAGIC:
        what = "is no SQLite database" if begin else "is empty"
        raise DataError(
            f"{path}: {what}, so there is nothing that could be copied; name another file, such as a backup of the journal"
        )


def _fill_up(copied: Path) -> bool:
    """Make a file that was cut off as long as its header says, with zeros; tell whether it was.

    SQLite reads nothing at all of a shorter one.

    Header: https://www.sqlite.org/fileformat.html#the_database_header.
    """
    with copied.open("r+b") as file:
        header = file.read(100)
        size, pages = int.from_bytes(header[16:18], "big"), int.from_bytes(header[28:32], "big")
        length = (65_536 if size == 1 else size) * pages
        if (found := file.seek(0, os.SEEK_END)) < length <= LONGEST:
            file.truncate(found - found % (length // pages))  # half a page would give half a row
            file.truncate(length)
            return True
    return False


def _refuse_what_runs(path: Path, copied: Path) -> None:
    """Raise StorageError where the file holds what a journal does not, and what runs when it is read: views, triggers."""
    sql = "SELECT 1 FROM sqlite_master WHERE type IN ('view', 'trigger') OR sql LIKE 'CREATE VIRTUAL%'"
    try:
        with closing(sqlite3.connect(copied)) as connection:
            found = connection.execute(sql).fetchone()
    except sqlite3.Error:
        return  # whoever opens it says what is wrong
    if found:
        raise StorageError(f"{path}: holds views or triggers, which no journal of ratectl has")


def _private(path: Path) -> Path:
    """Return where nobody else can change what is laid: the folder of *path*, or else the system's. Raises RefusedError."""
    if trust.fault(str(path), strict=True, alone=True) is None:
        return path.parent
    others = Path(tempfile.gettempdir())
    if found := trust.fault(str(others / FILE), strict=True):
        raise found
    return others


def copy(
    source: Database, target: Database, job: str, on_progress: Callable[[int], None]
) -> Copied:
    """Bring the record of *job* from *source* to *target*; *on_progress* is called with the number of rows in each batch.

    What does not read back as it is in *source* is among the differing rows. Raises what a store raises.
    """
    copied = Copied(job=job)
    for table in TABLES:
        copied.written[table.name] = copied.verified[table.name] = 0
        for first, last in _spans(source, job, table, copied):
            rows = _legible(source, copied, table, first, last)
            _bring(source, target, table, rows, copied, span=(first, last))
            if table is REVISIONS:
                _find_voided(source, target, copied, span=(first, last))
            on_progress(len(rows))
    return copied


def _spans(
    database: Database, job: str, table: _Table, copied: Copied
) -> Iterator[tuple[int, int]]:
    """Yield the first and last slot of stretches of about AT_ONCE rows: from the oldest on, and behind a damage from the newest back."""
    reached = -FAR
    try:
        for first, last in _stretches(database, job, table, (">", "ASC"), -FAR):
            reached = last
            yield first, last
    except DamagedError:
        copied.miss(table)
        with suppress(DamagedError):
            for last, first in _stretches(database, job, table, ("<", "DESC"), FAR):
                if last <= reached:
                    return
                yield max(first, reached + 1), last


def _stretches(
    database: Database, job: str, table: _Table, way: tuple[str, str], slot: int
) -> Iterator[tuple[int, int]]:
    """Yield where stretches of rows begin and end, one *way* from *slot* on, up to the very row that is damaged."""
    beyond, order = way
    sql = (
        f"SELECT slot FROM {table.name} WHERE job = ? AND {table.only}"  # noqa: S608 - our names
        f" AND slot {beyond} ? ORDER BY slot {order} LIMIT ?"
    )
    at_once = AT_ONCE
    while True:
        try:
            some = database.rows(sql, (job, slot, at_once))
        except DamagedError:
            if at_once == 1:
                raise
            at_once = max(1, at_once // 10)
            continue
        if not some:
            return
        begin, slot = some[0]["slot"], some[-1]["slot"]
        yield begin, slot


def _rows(database: Database, job: str, table: _Table, first: int, last: int) -> dict[Key, Row]:
    found = database.rows(_selection(table), (job, first, last))
    return {_key(row, table): row for row in found}


def _legible(
    source: Database, copied: Copied, table: _Table, first: int, last: int
) -> dict[Key, Row]:
    """Return the rows of a stretch; where the damage begins right behind or in it, those that come before."""
    found: dict[Key, Row] = {}
    try:
        for row in source.each(_selection(table), (copied.job, first, last)):
            if _is_torn(row):
                copied.miss(table)
            else:
                found[_key(row, table)] = row
    except DamagedError:
        copied.miss(table)
    return found


def _is_torn(row: Row) -> bool:
    """Tell whether zeros stand in the place of a text, as where a long row goes on in a page that was lost."""
    return any(isinstance(value, str) and "\0" in value for value in tuple(row))


def _selection(table: _Table) -> str:
    return (
        f"SELECT {', '.join(table.columns)} FROM {table.name}"  # noqa: S608 - our names
        f" WHERE job = ? AND slot >= ? AND slot <= ? AND {table.only} ORDER BY slot"
    )


def _key(row: Row, table: _Table) -> Key:
    return tuple(row[column] for column in table.key)


def _bring(
    source: Database,
    target: Database,
    table: _Table,
    rows: dict[Key, Row],
    copied: Copied,
    *,
    span: tuple[int, int],
) -> None:
    there = _rows(target, copied.job, table, *span)
    missing = [row for key, row in rows.items() if key not in there]
    if missing:
        if table is QUARANTINE:
            _bring_bodies(source, target, [row["digest"] for row in missing], copied)
        _insert(target, copied.job, table, missing)
        copied.written[table.name] += len(missing)
        there = _rows(target, copied.job, table, *span)
    for key, row in rows.items():
        if key in there and _values(there[key], table) == _values(row, table):
            copied.verified[table.name] += 1
        else:
            copied.differing.append(f"{table.name} {' '.join(map(str, key))}")


def _find_voided(
    source: Database, target: Database, copied: Copied, *, span: tuple[int, int]
) -> None:
    """Note numbers of slots that the target has from an earlier copy, and that were voided in the source since."""
    retired = {key[:3] for key in _legible(source, copied, REVISIONS, *span)}
    counting = _legible(source, copied, QUOTES, *span)
    there = _rows(target, copied.job, QUOTES, *span)
    copied.differing += [
        f"quotes {' '.join(map(str, key))}"
        for key in retired
        if key in there and key not in counting
    ]


def _insert(target: Database, job: str, table: _Table, rows: Sequence[Row]) -> None:
    names = ("job", *table.columns)
    marks = ", ".join("?" for _ in names)
    with target.transaction(durable=True) as connection:
        connection.executemany(
            f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks}) ON CONFLICT DO NOTHING",  # noqa: S608 - our names
            [(job, *_values(row, table)) for row in rows],
        )


def _bring_bodies(
    source: Database, target: Database, digests: Sequence[str], copied: Copied
) -> None:
    """Copy the bodies that quarantined answers came in, before the rows that name them."""
    for digest in dict.fromkeys(filter(None, digests)):
        try:
            found = source.rows("SELECT body FROM bodies WHERE digest = ?", (digest,))
        except DamagedError:
            found = [{"body": b""}]
        if found and hashlib.sha256(bytes(found[0]["body"])).hexdigest() != digest:
            copied.miss(QUARANTINE)
        elif found:
            with target.transaction(durable=True) as connection:
                connection.execute(
                    "INSERT INTO bodies (digest, body) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    (digest, bytes(found[0]["body"])),
                )


def _values(row: Row, table: _Table) -> tuple[Any, ...]:
    return tuple(row[column] for column in table.columns)
