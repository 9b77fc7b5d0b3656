"""The words of a phrase: tokens, how far they have been read, and the names of days and months.

An unknown word is answered with what was expected and the nearest phrase that would have been read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ratectl.errors import ScheduleError

if TYPE_CHECKING:
    from collections.abc import Callable

UNITS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
WEEKDAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTH_NAMES = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}
WORKING_DAYS = frozenset(range(1, 6))
WEEKEND = frozenset({6, 7})
VOCABULARY = (
    "every", "once", "at", "on", "the", "in", "between", "and", "weekday", "weekdays", "weekend",
    *UNITS, *(unit + "s" for unit in UNITS), *WEEKDAY_NAMES, *MONTH_NAMES, *ORDINALS,
)  # fmt: skip
TOKEN = re.compile(
    r"\s*(\d{4}-\d\d-\d\d|\d{1,2}:\d\d(?::\d\d)?|:\d\d|\d+(?:st|nd|rd|th)|\d+|[a-z]+|,|\S)"
)
SEPARATORS = ("and", "or")


class Words:
    """The tokens of a phrase and how far they have been read; *reads* tells whether a text is a phrase."""

    def __init__(self, text: str, reads: Callable[[str], object]) -> None:
        self.text = text
        self._reads = reads
        self._tokens = list(TOKEN.finditer(text.lower()))
        self._next = 0

    def peek(self, ahead: int = 0) -> str:
        """Return the word *ahead* of the next one, or an empty text behind the end."""
        place = self._next + ahead
        return self._tokens[place][1] if place < len(self._tokens) else ""

    def take(self, *wanted: str) -> bool:
        """Read the next word if it is one of *wanted*."""
        if self.peek() in wanted:
            self._next += 1
            return True
        return False

    def take_all(self, *wanted: str) -> bool:
        """Read the words *wanted* if they come next, all of them."""
        if all(self.peek(place) == word for place, word in enumerate(wanted)):
            self._next += len(wanted)
            return True
        return False

    def pop(self) -> str:
        """Read the next word, whatever it is."""
        self._next += 1
        return self._tokens[self._next - 1][1]

    def more(self, pattern: str) -> bool:
        """Read ",", "and" or both if another member of a list, one that matches *pattern*, follows."""
        ahead = 1 if self.peek() == "," else 0
        ahead += self.peek(ahead) in SEPARATORS
        if not ahead or not re.fullmatch(pattern, self.peek(ahead)):
            return False
        self._next += ahead
        return True

    def weekdays(self) -> frozenset[int]:
        """Read names of weekdays, "weekday" or "weekend day". Raises ScheduleError."""
        found = self.weekday_group()
        while self.more("|".join(f"{name[:3]}.*" for name in (*WEEKDAY_NAMES, "weekday"))):
            found |= self.weekday_group()
        return found

    def weekday_group(self) -> frozenset[int]:
        """Read one name. Raises ScheduleError."""
        name = self.peek().removesuffix("s")
        if name == "weekday":
            self.pop()
            return WORKING_DAYS
        if name == "weekend":
            self.pop()
            self.take("day", "days")
            return WEEKEND
        place = place_of(self.peek(), WEEKDAY_NAMES)
        if place is None:
            raise self.error("a unit or weekday")
        self.pop()
        return frozenset({place})

    def months(self) -> frozenset[int]:
        """Read names of months. Raises ScheduleError."""
        found = set()
        while True:
            place = place_of(self.peek(), MONTH_NAMES)
            if place is None:
                raise self.error("the name of a month")
            self.pop()
            found.add(place)
            if not self.more("|".join(f"{name[:3]}.*" for name in MONTH_NAMES)):
                return frozenset(found)

    def numbers(self, high: int) -> frozenset[int]:
        """Read numbers from 0 to *high* and runs such as "9 to 17". Raises ScheduleError."""
        found: set[int] = set()
        while True:
            first = self._number(high)
            last = self._number(high) if self.take("to") else first
            found |= set(range(first, last + 1))
            if not self.more(r"\d+"):
                return frozenset(found)

    def _number(self, high: int) -> int:
        if not self.peek().isdecimal() or int(self.peek()[:9]) > high:
            raise self.error(f"a number from 0 to {high}")
        return int(self.pop())

    def error(self, expected: str) -> ScheduleError:
        """Return the error for the next word, where *expected* should stand."""
        found = self.peek()
        if not found:
            end = len(self.text)
            message = f'"{self.text}": ends where {expected} is expected'
            return ScheduleError(message, text=self.text, span=(end, end + 1))
        span = self._tokens[self._next].span(1)
        hint = self._hint(found, span)
        message = f'"{self.text}": found "{found}"{hint} where {expected} is expected'
        return ScheduleError(message, text=self.text, span=span)

    def _hint(self, found: str, span: tuple[int, int]) -> str:
        """Return the nearest valid phrase, or only the nearest word where that makes none."""
        import difflib  # noqa: PLC0415 - only what is wrong needs it

        near = difflib.get_close_matches(found, VOCABULARY, n=1, cutoff=0.6)
        if not near or near[0] == found:
            return ""
        whole = f"{self.text[: span[0]]}{near[0]}{self.text[span[1] :]}"
        try:
            self._reads(whole)
        except ScheduleError:
            return f' (did you mean "{near[0]}"?)'
        return f' (did you mean "{whole}"?)'


def place_of(word: str, names: tuple[str, ...]) -> int | None:
    """Return the 1-based place of *word* among *names*, which may be cut to three letters or plural."""
    for place, name in enumerate(names, start=1):
        if word in {name, name + "s", name[:3]}:
            return place
    return None
