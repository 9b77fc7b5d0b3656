"""The only door to psycopg: a bounded connection, and every error of it as ours, in one line and without a secret.

psycopg is an extra and takes 0.1 s to import, so nothing here imports it before a connection is asked for.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ratectl.errors import ConfigError, RatectlError, RefusedError, StorageError, TryLaterError
from ratectl.runtime.deadline import within

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    import psycopg

    Connection = psycopg.Connection[Any]

SECRETS = ("password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")
LATER = (
    "08",  # connection exceptions
    "25006",  # read only: a standby that is being made primary, or the other way round
    "25P03",  # idle in a transaction for too long: we were stopped, or suspended
    "40",  # rolled back: serialization, deadlock
    "53000",
    "53200",  # out of memory
    "53300",  # too many connections
    "55P03",  # lock not available
    "57",  # query cancelled (statement_timeout), shutting down, starting up
)
"""Beginnings of SQLSTATEs: https://www.postgresql.org/docs/current/errcodes-appendix.html."""
NO_RIGHT = "42501"
REFUSED = ("28", NO_RIGHT)
NO_DATABASE = ("3D",)
NOT_LET_IN = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry|pg_hba\.conf rejects|"
    r"permission denied|not permitted to log in|certificate verify failed|"
    r'role ".*" does not exist'
)
NOT_THERE = re.compile(r'database ".*" does not exist')
"""Of a refused connection libpq hands on no SQLSTATE, only what the server says."""
BOUNDS = {
    "application_name": "ratectl",
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
DURABLE = """
SELECT set_config('synchronous_commit', 'on', true)
WHERE current_setting('synchronous_commit') = 'off'"""
"""Makes the commit of a transaction mean that it is on disk, which what we forget after it relies on."""


class DriverAbsentError(ConfigError):
    """psycopg is not installed here."""


class NotLetInError(RefusedError):
    """The server is there, and does not take this account as it comes from here."""


def connect(url: str, *, seconds: float, by_name: bool = False) -> Connection:
    """Return a connection in autocommit mode on which nothing waits much longer than *seconds*.

    Its rows go *by_name* (dicts) or by place. Each address is tried for that
    long, all of them and the name lookup for twice as long, a statement is cancelled by the server
    after it, a network that went silent is noticed by the kernel, and a server
    that stopped in its tracks by ourselves. What the URL says about these wins. Raises psycopg's errors (use ``translated``
    around it), and ConfigError where psycopg is not installed.
    """
    driver = _psycopg()
    whole = max(2, int(seconds))  # libpq takes 1 for 2
    given = {**BOUNDS, "connect_timeout": whole, "tcp_user_timeout": whole * 1000}
    stated = driver.conninfo.conninfo_to_dict(url)
    wanted = {name: value for name, value in given.items() if name not in stated}
    kind, row = _bounded(driver, whole * 2), driver.rows.dict_row if by_name else None

    def open_it() -> Any:
        return kind.connect(url, autocommit=True, prepare_threshold=None, row_factory=row, **wanted)

    connection: Connection = within(whole * 2, open_it)
    try:
        connection.execute(f"SET statement_timeout = {whole * 1000}")
    except BaseException:
        connection.close()
        raise
    return connection


def _bounded(driver: Any, seconds: float) -> Any:
    """Return a class of connections on which no answer is waited for longer than *seconds*."""

    class Bounded(driver.Connection):  # type: ignore[misc]  # known only once it is imported
        def wait(self, generator: Generator[Any, Any, Any], *rest: Any, **named: Any) -> Any:
            def overdue() -> Exception:
                self.pgconn.finish()
                error: Exception = driver.OperationalError(f"no answer within {seconds:g} s")
                return error

            return super().wait(_watched(generator, seconds, overdue), *rest, **named)

    return Bounded


def _watched(
    generator: Generator[Any, Any, Any], seconds: float, overdue: Callable[[], Exception]
) -> Generator[Any, Any, Any]:
    """Pass *generator* on, which psycopg resumes with 0 each time it waited in vain for a moment."""
    end = time.monotonic() + seconds
    try:
        wanted = next(generator)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() > end:
                raise overdue()
            wanted = generator.send(ready)
    except StopIteration as done:
        return done.value


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn psycopg's errors of the block into ours, which name the database at *url*.

    Cannot connect, connection lost, shutting down, timeout, lock or
    serialization: TryLaterError. Not let in: RefusedError. No such database:
    ConfigError. Anything else: StorageError.
    """
    driver = _psycopg()
    try:
        yield
    except TimeoutError as error:
        raise TryLaterError(f"{redacted(url)}: {error}") from error
    except driver.Error as error:
        raise _meaning(url, error, driver) from error


def redacted(url: str) -> str:
    """Return *url* without passwords, for people."""
    scheme, slashes, rest = url.partition("://")
    authority, question, query = rest.partition("?")
    account, at, host = authority.rpartition("@")
    harmless = [o for o in query.split("&") if o and unquote(o.partition("=")[0]) not in SECRETS]
    options = question + "&".join(harmless) if harmless else ""
    return f"{scheme}{slashes}{account.partition(':')[0]}{at}{host}{options}"


def require_driver() -> None:
    """Raise ConfigError where psycopg is not installed."""
    _psycopg()


def _psycopg() -> Any:
    try:
        import psycopg  # noqa: PLC0415 - an extra, and slow
        import psycopg.conninfo  # noqa: PLC0415 - the same
        import psycopg.rows  # noqa: PLC0415 - the same
    except ImportError as error:
        raise DriverAbsentError(
            "postgresql: the driver is not installed; run pip install 'ratectl[postgres]' "
            f"in the environment of ratectl ({_line(error)})"
        ) from error
    return psycopg


def _meaning(url: str, error: psycopg.Error, driver: Any) -> RatectlError:
    text = f"{redacted(url)}: {_hidden(url, _line(error))}"
    code = error.sqlstate or ""
    if code.startswith(LATER):
        return TryLaterError(text)
    if code.startswith(REFUSED):
        return RefusedError(text) if code == NO_RIGHT else NotLetInError(text)
    if code.startswith(NO_DATABASE):
        return ConfigError(text)
    if code:
        return StorageError(text)
    if not isinstance(error, driver.OperationalError):
        return (
            ConfigError(text) if isinstance(error, driver.ProgrammingError) else StorageError(text)
        )
    if NOT_LET_IN.search(text):
        return NotLetInError(text)
    return ConfigError(text) if NOT_THERE.search(text) else TryLaterError(text)


def _line(error: BaseException) -> str:
    return "; ".join(line.strip() for line in str(error).splitlines() if line.strip())


def _hidden(url: str, text: str) -> str:
    """Return *text* without the passwords that we were given, in case a message repeats one."""
    authority, _, query = url.partition("://")[2].partition("?")
    options = (option.partition("=") for option in query.split("&"))
    given = [unquote(value) for name, _, value in options if unquote(name) in SECRETS]
    given += [
        unquote(authority.rpartition("@")[0].partition(":")[2]),
        os.environ.get("PGPASSWORD", ""),
    ]
    for secret in filter(None, given):
        text = text.replace(secret, "***")
    return text
