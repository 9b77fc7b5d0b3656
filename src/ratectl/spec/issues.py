"""One pass over a spec's tables: issues are collected with their place, good values returned."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from ratectl.errors import Issue, ScheduleError
from ratectl.spec import readers
from ratectl.spec.key_lines import key_lines, member_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ratectl.spec.key_lines import KeyPath

MISSING: Any = object()
"""What :meth:`Reading.read` gives for a value that became an issue."""
Readers = dict[str, "Callable[[Any], Any]"]


class Reading:
    """A document being read: its tables, the lines of its keys, and the issues so far."""

    def __init__(self, document: dict[str, Any], text: str, path: Path, host_timezone: str) -> None:
        self.issues: list[Issue] = []
        self.path = path
        self.host_timezone = host_timezone
        self._document = document
        self._text = text
        self._good: dict[tuple[Callable[[Any], Any], Any], Any] = {}

    @cached_property
    def _lines(self) -> dict[KeyPath, int]:
        """Where the keys stand; only a spec with issues needs to know."""
        return key_lines(self._text) | member_lines(self._text)

    def issue(self, key: KeyPath, message: str, pointer: str = "") -> None:
        """Note what is wrong with *key*, at its line, that of the first key below it, or of its nearest parent."""
        lines = self._lines
        below = (line for path, line in lines.items() if path[: len(key)] == key)
        above = (lines[key[:n]] for n in range(len(key), 0, -1) if key[:n] in lines)
        line = lines.get(key) or min(below, default=None) or next(above, None)
        self.issues.append(Issue(line=line, key=".".join(key), message=message, pointer=pointer))

    def table(self, key: KeyPath) -> dict[str, Any]:
        """Return the table at *key*, empty where there is none."""
        value: Any = self._document
        for part in key:
            value = value.get(part, {})
        if isinstance(value, dict):
            return value
        self.issue(key, f"expected a table, found {readers.quoted(value)}")
        return {}

    def refuse_unknown(self, key: KeyPath, table: dict[str, Any], known: tuple[str, ...]) -> None:
        """Note every name in *table* that is none of *known*."""
        for name in table:
            if name not in known:
                self.issue((*key, name), f"unknown key{readers.did_you_mean(name, known)}")

    def read(self, key: KeyPath, value: Any, reader: Callable[[Any], Any]) -> Any:
        """Return what *reader* makes of *value*, or MISSING after noting the issue.

        Thousands of jobs say the same: what one reader accepted once is not read again.
        """
        if isinstance(value, str) and (reader, value) in self._good:
            return self._good[reader, value]
        found = MISSING
        try:
            found = reader(value)
        except ScheduleError as error:
            self.issue(key, error.message, error.pointer)
        except ValueError as error:
            self.issue(key, str(error))
        if isinstance(value, str) and found is not MISSING:
            self._good[reader, value] = found
        return found

    def read_each(
        self, key: KeyPath, table: dict[str, Any], readers: dict[str, Callable[[Any], Any]]
    ) -> dict[str, Any]:
        """Return the values of *table* that *readers* accept; unknown names are noted."""
        self.refuse_unknown(key, table, tuple(readers))
        found = {n: self.read((*key, n), table[n], readers[n]) for n in table if n in readers}
        return {name: value for name, value in found.items() if value is not MISSING}

    def list(
        self,
        key: KeyPath,
        value: Any,
        reader: Callable[[Any], Any],
        quote: Callable[[Any], str] = readers.quoted,
    ) -> tuple[Any, ...]:
        """Return the members of *value* (one value counts as a list of one) that *reader* accepts.

        *quote* spells a member for people.
        """
        if not isinstance(value, list):
            found = self.read(key, value, reader)
            return () if found is MISSING else (found,)
        members = value
        for number, member in enumerate(members):
            if members.index(member) == number and member in members[number + 1 :]:
                self.issue(key, f"{quote(member)} stands twice")
        good = [self.read(key, member, reader) for member in members]
        return tuple(member for member in good if member is not MISSING)
