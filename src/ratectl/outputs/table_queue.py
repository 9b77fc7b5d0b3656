"""Rows on their way from the journal to a database: each exactly once, whatever kills us.

The journal drops a row only after the database confirmed it, and the table's unique key makes a row that was
handed over twice the same row. So a kill between the two repeats a hand-over and doubles nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.outputs.formats.quotes_table import values

if TYPE_CHECKING:
    from ratectl.journal.rate_store import Database
    from ratectl.outputs.formats import TableSink

AT_ONCE = 1000
"""Rows in one transaction of the store."""


def drain(database: Database, queue: str, sink: TableSink, target: str, *, seconds: float) -> None:
    """Hand over what waits in *queue* for *target* (its lock is held); nothing waits: do nothing.

    *seconds* bound each wait for the store. Raises what the sink raises; what waits then still does.
    """
    while True:
        waiting = database.rows(
            "SELECT id, data FROM lines WHERE target = ? ORDER BY id LIMIT ?", (queue, AT_ONCE)
        )
        if not waiting:
            return
        sink.insert(target, [values(line["data"]) for line in waiting], seconds=seconds)
        with database.transaction() as connection:
            connection.executemany(
                "DELETE FROM lines WHERE id = ?", [(line["id"],) for line in waiting]
            )
