"""An account's side of what root wants of its journal: one JSON request a line in, one JSON answer a line out.

It has that account's rights and no others, so whatever lies in the journal, or has become of its folder,
does no more than the account could do by itself.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import sqlite3
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

from ratectl.errors import RatectlError, StorageError
from ratectl.journal.sqlite_database import SqliteDatabase

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

PAGE = 500
"""Rows in one answer."""


def serve(state_dir: Path, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer *requests* about the journal in *state_dir* until there are no more; what is not committed is undone then."""
    served = Served(SqliteDatabase(state_dir))
    for line in requests:
        answers.write(json.dumps(served.answer(json.loads(line))).encode() + b"\n")
        answers.flush()
    served.end()


class Served:
    """One journal with at most one transaction and one query under way."""

    def __init__(self, database: SqliteDatabase) -> None:
        self.database = database
        self._transaction: AbstractContextManager[sqlite3.Connection] | None = None
        self._connection: sqlite3.Connection | None = None
        self._found: Iterator[sqlite3.Row] = iter(())

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return what came of *request*; an error as its class and text."""
        try:
            work = getattr(self, f"do_{request.pop('do')}")
            found: dict[str, Any] = work(**request)
        except (RatectlError, OSError) as error:
            failure = (
                error if isinstance(error, RatectlError) else StorageError(str(error.strerror))
            )
            return {"error": type(failure).__name__, "code": failure.exit_code, "text": str(error)}
        return found

    def end(self) -> None:
        """Undo what was not committed, and let go of the file."""
        if self._transaction is not None:
            self.do_rollback()
        self.database.close()

    def do_rows(self, sql: str, values: list[Any]) -> dict[str, Any]:
        """Begin a query and return its first page."""
        self._found = self.database.each(sql, tuple(map(_decoded, values)))
        return self.do_more()

    def do_more(self) -> dict[str, Any]:
        """Return the next page of the query."""
        return _page(list(itertools.islice(self._found, PAGE)))

    def do_begin(self, durable: bool) -> dict[str, Any]:
        """Begin a transaction."""
        self._transaction = self.database.transaction(durable=durable)
        self._connection = self._transaction.__enter__()
        return {}

    def do_execute(self, sql: str, values: list[Any]) -> dict[str, Any]:
        """Run a statement in the transaction; return what it finds and how many rows it changed."""
        if self._connection is None:
            raise StorageError("no transaction was begun")
        try:
            cursor = self._connection.execute(sql, tuple(map(_decoded, values)))
            return _page(cursor.fetchall()) | {"rowcount": cursor.rowcount, "more": False}
        except sqlite3.Error:
            self._leave(*sys.exc_info())
            raise

    def do_many(self, sql: str, values: list[list[Any]]) -> dict[str, Any]:
        """Run a statement in the transaction, once with each of *values*."""
        for row in values:
            self.do_execute(sql, row)
        return {}

    def do_commit(self) -> dict[str, Any]:
        """End the transaction."""
        self._leave(None, None, None)
        return {}

    def do_rollback(self) -> dict[str, Any]:
        """Undo the transaction."""
        with contextlib.suppress(_UndoneError):
            self._leave(_UndoneError, _UndoneError(), None)
        return {}

    def _leave(self, *error: Any) -> None:
        transaction, self._transaction, self._connection = self._transaction, None, None
        if transaction is not None:
            transaction.__exit__(*error)


class _UndoneError(Exception):
    """What ends a transaction that the other side gave up."""


def _page(rows: list[sqlite3.Row]) -> dict[str, Any]:
    return {
        "columns": rows[0].keys() if rows else [],
        "rows": [[_encoded(value) for value in row] for row in rows],
        "more": len(rows) == PAGE,
    }


def _encoded(value: object) -> object:
    return [base64.b64encode(value).decode()] if isinstance(value, bytes) else value


def _decoded(value: Any) -> object:
    return base64.b64decode(value[0]) if isinstance(value, list) else value
