"""The journal of another account as root reaches it: through a process with that account's rights alone.

What that says is judged like an answer from the network: of bounded length, in time, and of the right kind.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import re
import select
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from ratectl import errors
from ratectl.errors import RatectlError, StorageError, TryLaterError
from ratectl.runtime import accounts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ratectl.runtime.accounts import Process

ANSWER_SECONDS = 60
"""How long one answer may take; SQLite itself waits half of it for a lock."""
LONGEST_ERROR = 2_000
LONGEST_ANSWER = 64 * 1024 * 1024
KINDS: dict[str, type[RatectlError]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, RatectlError) and "Spec" not in name
}
_NUMBER = re.compile(r"[0-9]{1,30}(?:\.[0-9]{1,30})?(?:E[+-]?[0-9]{1,2})?")
_LAST = 253_402_214_400
"""9999-12-31 in Unix time: the last day that a date can be."""


class Found(NamedTuple):
    """What a statement in a transaction did."""

    rows: list[dict[str, Any]]
    rowcount: int

    def fetchone(self) -> dict[str, Any] | None:
        """Return the first row, None where there is none."""
        return self.rows[0] if self.rows else None

    def fetchall(self) -> list[dict[str, Any]]:
        """Return all rows."""
        return self.rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows)


class AccountDatabase:
    """The database of the account *name*; its process is started at the first use."""

    queue_prefix = ""

    def __init__(self, name: str) -> None:
        self.name = name
        self._process: Process | None = None
        self._broken: RatectlError | None = None

    @staticmethod
    def clock(now: dt.datetime) -> int:
        """Return the Unix time by which leases are measured: the caller's *now*, as on one machine."""
        return int(now.timestamp())

    def close(self) -> None:
        """End the process; the next use starts another."""
        process, self._process = self._process, None
        if process is not None:
            accounts.end(process)

    def rows(self, sql: str, values: tuple[object, ...] = ()) -> list[dict[str, Any]]:
        """Return what a query finds."""
        return list(self.each(sql, values))

    def each(self, sql: str, values: tuple[object, ...] = ()) -> Iterator[dict[str, Any]]:
        """Yield what a query finds, a page at a time."""
        answer = self._ask(do="rows", sql=sql, values=[*map(_encoded, values)])
        yield from self._rows(answer)
        while answer.get("more"):
            answer = self._ask(do="more")
            yield from self._rows(answer)

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[AccountDatabase]:
        """Give what executes statements that happen together or not at all."""
        self._ask(do="begin", durable=durable)
        try:
            yield self
        except BaseException:
            self.close()  # which undoes it, whatever has become of the process
            raise
        self._ask(do="commit")

    def execute(self, sql: str, values: Sequence[object] = ()) -> Found:
        """Run a statement in the transaction."""
        answer = self._ask(do="execute", sql=sql, values=[*map(_encoded, values)])
        return Found(self._rows(answer), int(answer.get("rowcount", -1)))

    def executemany(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run a statement in the transaction, once with each of *rows*."""
        self._ask(do="many", sql=sql, values=[[*map(_encoded, row)] for row in rows])

    def _ask(self, **request: object) -> dict[str, Any]:
        """Return the answer to *request*. Raises the error that it tells, and StorageError for what is no answer."""
        if self._broken is not None:
            raise self._broken
        try:
            answer = self._exchange(json.dumps(request).encode() + b"\n")
        except RatectlError as error:
            self._broken = error  # it is asked no second time: that may have taken a minute
            self.close()
            raise
        if "error" in answer:
            kind = KINDS.get(str(answer["error"]), StorageError)
            raise kind(f"as {self.name}: {str(answer.get('text'))[:LONGEST_ERROR]}")
        return answer

    def _exchange(self, line: bytes) -> dict[str, Any]:
        process = self._started()
        try:
            process.stdin.write(line)  # type: ignore[union-attr]  # it has pipes
            process.stdin.flush()  # type: ignore[union-attr]
        except OSError as error:
            raise self._died(process) from error
        text = self._line(process)
        try:
            answer = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self._nonsense() from error
        if not isinstance(answer, dict):
            raise self._nonsense()
        return answer

    def _line(self, process: Process) -> bytes:
        """Return the next line that *process* says, within time and length."""
        source = process.stdout.fileno()  # type: ignore[union-attr]
        end, parts, size = time.monotonic() + ANSWER_SECONDS, [], 0
        while size < LONGEST_ANSWER:
            ready, _, _ = select.select([source], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise TryLaterError(f"the journal of {self.name}: no answer in {ANSWER_SECONDS} s")
            part = os.read(source, 1 << 20)
            if not part:
                raise self._died(process)
            parts.append(part)
            size += len(part)
            if part.endswith(b"\n"):
                return b"".join(parts)
        raise self._nonsense()

    def _started(self) -> Process:
        if self._process is None:
            account = accounts.known(self.name)
            state = accounts.state_dir(self.name)
            self._process = accounts.fetching(account, "--serve-journal", "--state", state)
        return self._process

    def _died(self, process: Process) -> RatectlError:
        last = accounts.end(process)
        self._process = None
        return StorageError(
            f"the journal of {self.name} cannot be asked: {last or 'its process ended'}; "
            f"does {self.name} reach {accounts.PACKAGE}? `pipx install --global ratectl` makes it so"
        )

    def _nonsense(self) -> StorageError:
        state = accounts.state_dir(self.name)
        return StorageError(
            f"{state}: holds what ratectl never writes; {self.name} may have changed it. Move it away "
            "and install the spec again"
        )

    def _rows(self, answer: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            columns = [str(column) for column in answer["columns"]]
            return [
                {
                    name: _checked(name, value)
                    for name, value in zip(columns, map(_decoded, row), strict=True)
                }
                for row in answer["rows"]
            ]
        except (KeyError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
            raise self._nonsense() from error


def _encoded(value: object) -> object:
    return [base64.b64encode(value).decode()] if isinstance(value, bytes) else value


def _decoded(value: Any) -> object:
    return base64.b64decode(value[0]) if isinstance(value, list) else value


def _checked(column: str, value: object) -> object:
    """Return the *value* of *column* if it is of the kind that we write there. Raises ValueError and its like."""
    check = _CHECKS.get(column)
    if value is not None and check is not None:
        check(value)
    elif value is not None and not isinstance(value, int | str | bytes):
        raise ValueError(column)
    return value


def _moment(value: Any) -> None:
    if not isinstance(value, int) or abs(value) >= _LAST:
        raise ValueError(value)


def _count(value: Any) -> None:
    if not isinstance(value, int):
        raise TypeError(value)


def _decimal(value: Any) -> None:
    if value != "" and not _NUMBER.fullmatch(value):
        raise ValueError(value)


def _day(value: Any) -> None:
    if value != "":
        dt.date.fromisoformat(value)


def _legs(value: Any) -> None:
    for base, quote, rate in json.loads(value):
        if not (isinstance(base, str) and isinstance(quote, str) and isinstance(rate, str)):
            raise TypeError(value)
        _decimal(rate)


def _facts(value: Any) -> None:
    more = dict(json.loads(value))
    for name in ("provider_time", "observed_at"):
        if more.get(name) is not None:
            _moment(more[name])
    _text(more.get("kind", ""))
    _legs(json.dumps(more.get("legs", [])))
    for slot in more.get("slots", ()):
        _moment(slot)
    if set(more) - {"provider_time", "observed_at", "kind", "legs", "slots"}:
        raise ValueError(value)


def _text(value: Any) -> None:
    if not isinstance(value, str):
        raise TypeError(value)


_CHECKS: dict[str, Callable[[Any], None]] = {
    **dict.fromkeys(("slot", "at", "installed_at", "settled_until", "observed_at"), _moment),
    **dict.fromkeys(("provider_time", "checked_at", "failed_at"), _moment),
    **dict.fromkeys(("missed", "failures", "enabled", "paused", "removed", "next_due"), _count),
    **dict.fromkeys(("number", "id", "seen", "names_pairs"), _count),
    **dict.fromkeys(("rate", "supersedes"), _decimal),
    **dict.fromkeys(("job", "outcome", "detail", "state", "base", "quote", "provider"), _text),
    **dict.fromkeys(("kind", "reason", "closed_pairs", "snapshot", "name"), _text),
    "rate_date": _day,
    "legs": _legs,
    "facts": _facts,
}
"""What each column that is read holds; a column of another name only has to be a plain value."""
