"""The journal's tables, and the way from each older version of them to this one.

The store (firings, quotes, quarantine, lines) has one text for SQLite and PostgreSQL, so that both can
only mean the same; the jobs stand in SQLite alone, since each machine has its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

VERSION = 9
"""Of the SQLite journal."""
BOOK_VERSION = 6
"""Of the store in a shared database, which has no jobs."""

SQLITE: Mapping[str, str] = {
    "integer": "INTEGER",
    "blob": "BLOB",
    "empty": "x''",
    "id": "INTEGER PRIMARY KEY",
    "plain": "STRICT",
    "keyed": "STRICT, WITHOUT ROWID",
}
POSTGRESQL: Mapping[str, str] = {
    "integer": "bigint",
    "blob": "bytea",
    "empty": "''",
    "id": "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    "plain": "",
    "keyed": "",
}

JOBS = """
CREATE TABLE jobs (
    name TEXT PRIMARY KEY,
    snapshot TEXT NOT NULL,            -- Job.to_plain() as JSON
    spec TEXT NOT NULL,                -- path of the spec file
    digest TEXT NOT NULL,              -- of the spec file when it was installed
    backend TEXT NOT NULL,
    scope TEXT NOT NULL,
    host_timezone TEXT NOT NULL,
    installed_at {integer} NOT NULL,   -- instants are Unix seconds
    settled_until {integer} NOT NULL,  -- watermark: no slot up to here is due any more
    enabled {integer} NOT NULL,
    removed {integer} NOT NULL DEFAULT 0,
    missed {integer} NOT NULL DEFAULT 0,
    failures {integer} NOT NULL DEFAULT 0,  -- in a row
    failed_at {integer} NOT NULL DEFAULT 0,  -- when the last of those ended
    retry_at {integer} NOT NULL DEFAULT 0,  -- before then a wakeup does not try again what failed
    paused {integer} NOT NULL DEFAULT 0,
    next_due {integer},                -- NULL: look; set only when nothing is due or undelivered
    checked_at {integer},              -- when next_due was computed
    zone_file TEXT,                    -- what next_due was computed with
    zone_stamp TEXT,
    place TEXT NOT NULL DEFAULT '',    -- where in the world, beyond backend and scope, as JSON
    names_pairs {integer} NOT NULL DEFAULT 0,  -- it had several pairs when it was first installed
    revisited_at {integer} NOT NULL DEFAULT 0  -- when days marked with an older rate were last looked for
) {plain};
"""
META = """
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) {keyed};
"""
BODIES = """
CREATE TABLE bodies (
    digest TEXT PRIMARY KEY,           -- SHA-256 of the body
    body {blob} NOT NULL
) {plain};
"""
LOOKS = """
CREATE INDEX quarantine_by_job ON quarantine (job, id);
CREATE INDEX firings_in_trouble ON firings (job, slot) WHERE outcome IN ('failed', 'missed');
"""
"""Indexes for what a person looks at: what is quarantined for a job, and what failed."""
QUOTES_BY_PAIR = """
CREATE INDEX quotes_by_pair ON quotes (base, quote, rate_date, provider, observed_at);
"""
QUOTES_BY_JOB = """
CREATE INDEX quotes_by_job ON quotes (job, base, quote, rate_date, slot);
"""
"""For what a new rate is measured against: the job's own number of the day before, however many others have recorded the pair."""
WRITTEN = """
CREATE TABLE IF NOT EXISTS written (   -- of files whose lines carry the rate's day: the last number of each
    target TEXT NOT NULL,              -- as in lines
    base TEXT NOT NULL,
    quote TEXT NOT NULL,
    rate_date TEXT NOT NULL,
    rate TEXT NOT NULL,
    PRIMARY KEY (target, base, quote, rate_date)
) {keyed};
"""
REVISIONS = """
CREATE TABLE IF NOT EXISTS revisions ( -- numbers that stood in quotes and count no more
    id {id},
    job TEXT NOT NULL,
    slot {integer} NOT NULL,
    base TEXT NOT NULL,
    quote TEXT NOT NULL,
    rate TEXT NOT NULL,
    rate_date TEXT NOT NULL,
    provider TEXT NOT NULL,
    provider_time {integer},
    observed_at {integer} NOT NULL,
    kind TEXT NOT NULL,
    legs TEXT NOT NULL,
    supersedes TEXT NOT NULL,
    state TEXT NOT NULL,               -- revised: another number took its place; voided: taken back by hand
    reason TEXT NOT NULL,
    at {integer} NOT NULL              -- when that was
) {plain};
CREATE INDEX IF NOT EXISTS revisions_by_slot ON revisions (job, slot);
CREATE INDEX IF NOT EXISTS revisions_by_pair ON revisions (base, quote, rate_date);
"""
BOOK = (
    """
CREATE TABLE firings (
    job TEXT NOT NULL,
    slot {integer} NOT NULL,
    state TEXT NOT NULL,               -- claimed, open or settled
    owner TEXT NOT NULL,               -- host/installation
    lease_until {integer} NOT NULL,
    outcome TEXT NOT NULL DEFAULT '',  -- recorded, closed, missed, failed
    detail TEXT NOT NULL DEFAULT '',
    at {integer} NOT NULL,
    attempts {integer} NOT NULL DEFAULT 0,  -- that ended in an answer which failed a check
    closed_pairs TEXT NOT NULL DEFAULT '',  -- those that will have no rate, with blanks between
    PRIMARY KEY (job, slot)
) {keyed};
CREATE TABLE quotes (
    job TEXT NOT NULL,
    slot {integer} NOT NULL,
    base TEXT NOT NULL,
    quote TEXT NOT NULL,
    rate TEXT NOT NULL,
    rate_date TEXT NOT NULL,
    provider TEXT NOT NULL,
    provider_time {integer},
    observed_at {integer} NOT NULL,
    kind TEXT NOT NULL,
    legs TEXT NOT NULL DEFAULT '[]',   -- [[base, quote, rate], ...]
    supersedes TEXT NOT NULL DEFAULT '',  -- what this provider said before for the same rate date
    PRIMARY KEY (job, slot, base, quote)
) {keyed};
"""
    + QUOTES_BY_PAIR
    + QUOTES_BY_JOB
    + """
CREATE TABLE quarantine (
    id {id},
    job TEXT NOT NULL,
    slot {integer} NOT NULL,           -- the last that it was held for
    provider TEXT NOT NULL,
    base TEXT NOT NULL DEFAULT '',
    quote TEXT NOT NULL DEFAULT '',
    rate TEXT NOT NULL DEFAULT '',     -- empty where the body gave none
    rate_date TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL,
    at {integer} NOT NULL,
    digest TEXT NOT NULL DEFAULT '',   -- of the body
    state TEXT NOT NULL DEFAULT 'held',  -- held, accepted or rejected
    decided_at {integer},
    seen {integer} NOT NULL DEFAULT 1,  -- how often the same was held
    facts TEXT NOT NULL DEFAULT '{{}}'   -- what else the quote was made of, as JSON
) {plain};
CREATE INDEX quarantine_by_pair ON quarantine (base, quote, provider, id);
CREATE INDEX quarantine_by_body ON quarantine (digest);
"""
    + BODIES
    + """
CREATE TABLE lines (
    id {id},
    target TEXT NOT NULL,              -- path of a file, "sqlite:PATH" or a database's URL
    job TEXT NOT NULL,                 -- empty for what a rotation dropped and is written again
    slot {integer} NOT NULL,
    data {blob} NOT NULL               -- a line of the file, or a row as JSON
) {plain};
CREATE INDEX lines_by_target ON lines (target, id);
CREATE TABLE sinks (                   -- one row for each file that we append to
    target TEXT PRIMARY KEY,
    start {integer},                   -- in flight: the append begins here; NULL: none
    inode TEXT NOT NULL DEFAULT '',    -- in flight: of the file then
    changed {integer} NOT NULL DEFAULT 0,  -- in flight: when it had last changed, in nanoseconds
    before_it {blob} NOT NULL DEFAULT {empty},  -- in flight: the bytes before the append
    head {blob} NOT NULL DEFAULT {empty},  -- in flight: what goes before the lines
    last_line {integer},               -- in flight: the last line's id
    position {integer} NOT NULL DEFAULT 0,  -- end of our last confirmed append
    sent {blob} NOT NULL DEFAULT {empty},  -- that append, in case a rotation drops it; empty: none
    sent_inode TEXT NOT NULL DEFAULT '',
    sent_changed {integer} NOT NULL DEFAULT 0,
    sent_before {blob} NOT NULL DEFAULT {empty},
    sent_since {integer} NOT NULL DEFAULT 0  -- when it was written, or the first of those joined in it
) {plain};
"""
)
WHOLE_BOOK = META + BOOK + REVISIONS + WRITTEN + LOOKS
"""The tables and indexes of a store, as they are made new."""


def statements(text: str, dialect: Mapping[str, str]) -> list[str]:
    """Return the single statements of a schema *text* in a *dialect*."""
    parts = text.format_map(dialect).split(";\n")
    return [part.strip() for part in parts if part.strip()]


def create(connection: sqlite3.Connection) -> None:
    """Make the tables of a new SQLite journal, inside the caller's transaction."""
    for statement in statements(JOBS + WHOLE_BOOK, SQLITE):
        connection.execute(statement)


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring the tables of an older *version* here, inside the caller's transaction."""
    for older in range(version, VERSION):
        MIGRATIONS[older](connection)


ADDED_IN_2: Mapping[str, tuple[str, ...]] = {
    "quotes": ("supersedes TEXT NOT NULL DEFAULT ''",),
    "quarantine": (
        "digest TEXT NOT NULL DEFAULT ''",
        "state TEXT NOT NULL DEFAULT 'held'",
        "decided_at INTEGER",
        "seen INTEGER NOT NULL DEFAULT 1",
        "facts TEXT NOT NULL DEFAULT '{}'",
    ),
    "sinks": (
        "changed INTEGER NOT NULL DEFAULT 0",
        "before_it BLOB NOT NULL DEFAULT x''",
        "sent BLOB NOT NULL DEFAULT x''",
        "sent_inode TEXT NOT NULL DEFAULT ''",
        "sent_changed INTEGER NOT NULL DEFAULT 0",
        "sent_before BLOB NOT NULL DEFAULT x''",
        "sent_since INTEGER NOT NULL DEFAULT 0",
    ),
}


def _from_1(connection: sqlite3.Connection) -> None:
    """Review of what is quarantined, revisions, bodies that are kept once, and proof against rotations."""
    for statement in statements(META + BODIES, SQLITE):
        connection.execute(statement)
    for table, columns in ADDED_IN_2.items():
        for column in columns:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    connection.execute("UPDATE sinks SET inode = substr(inode, instr(inode, ':') + 1)")
    for row in connection.execute("SELECT id, body FROM quarantine").fetchall():
        digest = hashlib.sha256(row["body"]).hexdigest()
        connection.execute("INSERT OR IGNORE INTO bodies VALUES (?, ?)", (digest, row["body"]))
        connection.execute("UPDATE quarantine SET digest = ? WHERE id = ?", (digest, row["id"]))
    connection.execute("ALTER TABLE quarantine DROP COLUMN body")
    connection.execute("DROP INDEX quotes_by_pair")
    for statement in statements(BOOK, SQLITE):
        if statement.startswith(("CREATE INDEX quarantine", "CREATE INDEX quotes_by_pair")):
            connection.execute(statement)


def _from_2(connection: sqlite3.Connection) -> None:
    """Jobs that are paused, and when the last firing of each failed."""
    for column in ("failed_at", "paused"):
        connection.execute(f"ALTER TABLE jobs ADD COLUMN {column} INTEGER NOT NULL DEFAULT 0")


def _from_3(connection: sqlite3.Connection) -> None:
    """Indexes for what a person looks at."""
    for statement in statements(LOOKS, SQLITE):
        connection.execute(statement)


def _from_4(connection: sqlite3.Connection) -> None:
    """Where jobs stand in a cluster; until the next install it is what their snapshots say."""
    connection.execute("ALTER TABLE jobs ADD COLUMN place TEXT NOT NULL DEFAULT ''")


def _from_5(connection: sqlite3.Connection) -> None:
    """What each dated file got last, which pairs of a slot are closed, and which jobs name their pairs in a line of text."""
    for statement in statements(WRITTEN, SQLITE):
        connection.execute(statement)
    connection.execute("ALTER TABLE firings ADD COLUMN closed_pairs TEXT NOT NULL DEFAULT ''")
    connection.execute("ALTER TABLE jobs ADD COLUMN names_pairs INTEGER NOT NULL DEFAULT 0")
    for name, snapshot in connection.execute("SELECT name, snapshot FROM jobs").fetchall():
        with contextlib.suppress(ValueError, TypeError, KeyError):  # damaged: told by who reads it
            several = len(json.loads(snapshot)["pairs"]) > 1
            connection.execute(
                "UPDATE jobs SET names_pairs = ? WHERE name = ?", (int(several), name)
            )


def _from_6(connection: sqlite3.Connection) -> None:
    """What was recorded and counts no more."""
    for statement in statements(REVISIONS, SQLITE):
        connection.execute(statement)
    connection.execute("ALTER TABLE jobs ADD COLUMN revisited_at INTEGER NOT NULL DEFAULT 0")


def _from_7(connection: sqlite3.Connection) -> None:
    """When to try again what failed; until the next failure that is at once."""
    connection.execute("ALTER TABLE jobs ADD COLUMN retry_at INTEGER NOT NULL DEFAULT 0")


def _from_8(connection: sqlite3.Connection) -> None:
    """An index of each job's quotes by the day that they are of."""
    for statement in statements(QUOTES_BY_JOB, SQLITE):
        connection.execute(statement)


MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {
    1: _from_1,
    2: _from_2,
    3: _from_3,
    4: _from_4,
    5: _from_5,
    6: _from_6,
    7: _from_7,
    8: _from_8,
}
"""By the version that it starts from."""
CLOSED_PAIRS = """
ALTER TABLE firings ADD COLUMN IF NOT EXISTS closed_pairs TEXT NOT NULL DEFAULT '';
"""
BOOK_MIGRATIONS: dict[int, str] = {
    2: LOOKS,
    3: WRITTEN + CLOSED_PAIRS,
    4: REVISIONS,
    5: QUOTES_BY_JOB,
}
"""Of the store in a shared database, by the version that it starts from: what is executed there."""
