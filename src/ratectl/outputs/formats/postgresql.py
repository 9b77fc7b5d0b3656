"""The table ``quotes`` in a PostgreSQL database, in the first schema of the search path that we may write to.

Rates are texts; slots and times are timestamptz, rate dates are dates.
INSERT and SELECT on the table are enough where it exists already; without UPDATE a row keeps the number that came first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ratectl.errors import StorageError
from ratectl.outputs.formats import quotes_table
from ratectl.outputs.formats.quotes_table import COLUMNS, KEY, lines
from ratectl.runtime import postgres

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["insert", "lines"]

TYPES = dict.fromkeys(COLUMNS, "text") | {
    "slot": "timestamp with time zone",
    "observed_at": "timestamp with time zone",
    "rate_date": "date",
}
CREATE = f"""
CREATE TABLE IF NOT EXISTS quotes (
    {", ".join(f"{column} {kind} NOT NULL" for column, kind in TYPES.items())},
    PRIMARY KEY ({", ".join(KEY)})
)"""
CREATING = 0x72617465
"""An advisory lock: two sessions that create one table at once would meet inside PostgreSQL's catalogue."""
INSERT = (
    f"INSERT INTO quotes ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"  # noqa: S608 - our names
    f" ON CONFLICT ({', '.join(KEY)}) DO NOTHING"
)
SHAPE = """
SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
WHERE attrelid = 'quotes'::regclass AND attnum > 0 AND NOT attisdropped"""
UNIQUE = """
SELECT array_agg(attname::text ORDER BY attname::text)
FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey[0 : indnkeyatts - 1])
WHERE indrelid = 'quotes'::regclass AND indisunique AND indimmediate AND indisvalid AND indpred IS NULL
GROUP BY indexrelid"""
TEXTS = frozenset({"text", "character varying"})


def insert(target: str, rows: Sequence[tuple[str, ...]], *, seconds: float) -> None:
    """Make the database at the URL *target* hold *rows*, all at once; those that it has stay, but for numbers that were revised since.

    Gives up after *seconds* without an answer. Raises what ``postgres.translated`` says.
    """
    with (
        postgres.translated(target),
        postgres.connect(target, seconds=seconds) as connection,
        connection.transaction(),
        connection.cursor() as cursor,
    ):
        cursor.execute(postgres.DURABLE)
        cursor.execute("SELECT to_regclass('quotes') IS NULL")
        if cursor.fetchone() == (True,):
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (CREATING,))
            cursor.execute(CREATE)
        found = dict(cursor.execute(SHAPE).fetchall())
        keys = [tuple(key) for (key,) in cursor.execute(UNIQUE).fetchall()]
        _check(target, found, keys)
        cursor.executemany(INSERT, rows)
        if cursor.rowcount < len(rows) and _may_revise(cursor):
            cursor.executemany(
                quotes_table.REVISE.replace("?", "%s"), map(quotes_table.revising, rows)
            )


def _may_revise(cursor: Any) -> bool:
    row = cursor.execute("SELECT has_table_privilege('quotes', 'UPDATE')").fetchone()
    return bool(row == (True,))


def _check(target: str, found: dict[str, str], keys: Sequence[tuple[str, ...]]) -> None:
    """See that the table is ours in shape; more columns may be the user's."""
    wrong = [column for column, kind in TYPES.items() if not _fits(found.get(column, ""), kind)]
    if wrong:
        wanted = ", ".join(f"{column} {TYPES[column]}" for column in wrong)
        raise _misshapen(target, f"expected {wanted}")
    if tuple(sorted(KEY)) not in keys:
        raise _misshapen(target, f"it is not unique on ({', '.join(KEY)})")


def _fits(found: str, kind: str) -> bool:
    return found == kind or (kind == "text" and found in TEXTS)


def _misshapen(target: str, why: str) -> StorageError:
    return StorageError(
        f"{postgres.redacted(target)}: its table 'quotes' has an incompatible schema: {why}; name another "
        "database or schema, or rename that table; the rate is kept in the journal"
    )
