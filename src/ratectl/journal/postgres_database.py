"""The PostgreSQL database under a store that several hosts share: one schema of its own, made at its first use.

Created once, however many hosts begin together, and refused where it is newer than we know or not ours.
Every psycopg error leaves here as a RatectlError that names the database.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ratectl.errors import ConfigError, RefusedError
from ratectl.journal import schema
from ratectl.runtime import postgres

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ratectl.journal.statements import Statements
    from ratectl.runtime.postgres import Connection

SCHEMA = "ratectl_journal"
"""Not the name of the program, which may be an account's, whose search path would then show our tables to its outputs."""
NO_RIGHT = "42501"
"""SQLSTATE insufficient_privilege."""
SECONDS = 10
"""Each wait for the server ends about then; it comes on top of a firing's deadline."""
CREATING = 0x72617466
"""An advisory lock: of hosts that begin together one creates the tables."""
SETTINGS = {
    "search_path": SCHEMA,
    "idle_in_transaction_session_timeout": "15s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
"""A host that is cut off in the middle of a transaction must not keep its row locks for hours."""
SET = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in SETTINGS.items())


class PostgresDatabase:
    """One connection to the database at *url*, opened at its first use.

    *installation* tells which machine this is: what waits for its outputs is for no other.
    """

    def __init__(self, url: str, installation: Callable[[], str]) -> None:
        self.url = url
        self._installation = installation
        self._connection: Connection | None = None

    @cached_property
    def queue_prefix(self) -> str:
        """What goes before the names of this machine's outputs."""
        return f"{self._installation()}:"

    def clock(self, now: dt.datetime) -> int:
        """Return the server's Unix time: the clocks of the hosts, *now* among them, need not agree."""
        del now
        rows = self.rows("SELECT extract(epoch FROM clock_timestamp())::bigint AS now")
        return int(rows[0]["now"])

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def rows(self, sql: str, values: tuple[object, ...] = ()) -> Sequence[Mapping[str, Any]]:
        """Return what a query finds."""
        with postgres.translated(self.url):
            return self._ready().execute(_placed(sql), values).fetchall()

    def each(self, sql: str, values: tuple[object, ...] = ()) -> Iterator[Mapping[str, Any]]:
        """Yield what a query finds, in constant memory, over a connection of its own, however slowly it is read."""
        with postgres.translated(self.url), self._open() as connection:
            connection.execute("SET statement_timeout = 0")
            yield from connection.cursor().stream(_placed(sql), values)

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[Statements]:
        """Give a connection whose writes happen together or not at all.

        A *durable* one survives a crash of the server once the block has ended; any other may not.
        """
        with postgres.translated(self.url):
            connection = self._ready()
            with connection.transaction():
                if durable:
                    connection.execute(postgres.DURABLE)
                yield _Transaction(connection)

    def _ready(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = self._open()
        return self._connection

    def _open(self) -> Connection:
        connection = postgres.connect(self.url, seconds=SECONDS, by_name=True)
        try:
            connection.execute(f"SELECT {SET}")
            self._bring_up(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _bring_up(self, connection: Connection) -> None:
        """See that the tables are there and of our version; raise ConfigError when they are not to be ours."""
        version = _version(connection)
        if version is None or version in schema.BOOK_MIGRATIONS:
            connection.execute("SELECT pg_advisory_lock(%s)", (CREATING,))
            with self._asking_the_owner(version), connection.transaction():
                self._make_ours(connection)  # begun after the lock, so that it sees what others did
            connection.execute("SELECT pg_advisory_unlock(%s)", (CREATING,))
        elif version != schema.BOOK_VERSION:
            raise ConfigError(
                f"{postgres.redacted(self.url)}: its schema {SCHEMA} was written by "
                f"{'a newer' if version > schema.BOOK_VERSION else 'another'} ratectl (journal version "
                f"{version}, this one knows {schema.BOOK_VERSION}); upgrade ratectl on this host"
            )

    @contextmanager
    def _asking_the_owner(self, version: int | None) -> Iterator[None]:
        """Say who can do it where this account may not make the tables, or bring them here from *version*."""
        try:
            yield
        except Exception as error:
            if getattr(error, "sqlstate", None) != NO_RIGHT:
                raise
            done = (
                "made"
                if version is None
                else f"brought from version {version} to {schema.BOOK_VERSION}"
            )
            raise RefusedError(
                f"{postgres.redacted(self.url)}: {str(error).splitlines()[0]}; the journal is to be {done} by "
                "its owner: `ratectl journal create URL` with that account in the URL"
            ) from error

    def _make_ours(self, connection: Connection) -> None:
        """Create the tables, or bring those of an older version here, unless another host was first."""
        version = _version(connection)
        if version is None:
            self._create(connection)
            return
        for older in range(version, schema.BOOK_VERSION):
            for statement in schema.statements(schema.BOOK_MIGRATIONS[older], schema.POSTGRESQL):
                connection.execute(statement)
        connection.execute(
            "UPDATE meta SET value = %s WHERE key = 'version'", (str(schema.BOOK_VERSION),)
        )

    def _create(self, connection: Connection) -> None:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise ConfigError(
                f"{postgres.redacted(self.url)}: its encoding is {encoding}, and what providers say needs UTF8; "
                "name another database"
            )
        there = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = to_regnamespace(%s)",
            (SCHEMA,),
        )
        if there.fetchall():
            raise ConfigError(
                f"{postgres.redacted(self.url)}: its schema {SCHEMA} holds another program's tables; "
                "name another database"
            )
        if not _exists(connection, "to_regnamespace", SCHEMA):
            connection.execute(f"CREATE SCHEMA {SCHEMA}")
        for statement in schema.statements(schema.WHOLE_BOOK, schema.POSTGRESQL):
            connection.execute(statement)
        connection.execute("INSERT INTO meta VALUES ('version', %s)", (str(schema.BOOK_VERSION),))


class _Transaction:
    """A connection as the store writes to it: parameters stand as ``?``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Any:
        return self._connection.execute(_placed(sql), values)

    def executemany(self, sql: str, values: Iterable[Sequence[Any]], /) -> Any:
        cursor = self._connection.cursor()
        cursor.executemany(_placed(sql), values)
        return cursor


def _placed(sql: str) -> Any:
    """Return *sql* with psycopg's marks for parameters; our texts have neither ``?`` nor ``%`` otherwise."""
    return sql.replace("?", "%s")


def _version(connection: Connection) -> int | None:
    """Return the version of the journal's tables; None where there are none."""
    if not _exists(connection, "to_regclass", f"{SCHEMA}.meta"):
        return None
    row = connection.execute("SELECT value FROM meta WHERE key = 'version'").fetchone()
    return None if row is None else int(row["value"])


def _exists(connection: Connection, lookup: str, name: str) -> bool:
    row = connection.execute(f"SELECT {lookup}(%s) IS NOT NULL AS found", (name,)).fetchone()
    return bool(row and row["found"])
