"""The words of a phrase: tokens in the grammar's own spelling, and how far they have been read.

A token keeps its place in the text as typed, so that an error can point at it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ratectl.errors import ScheduleError
from ratectl.schedule.language.lexicon import (
    ADVERBS,
    MONTH_NAMES,
    ORDINALS,
    SEPARATORS,
    SPELLINGS,
    UNITS,
    WEEKDAY_NAMES,
    WEEKEND,
    WORKING_DAYS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Member = tuple[frozenset[int], tuple[int, int]]
    """What one member of a list names, and where it stands."""

__all__ = [
    "MONTH_NAMES",
    "ORDINALS",
    "UNITS",
    "WEEKDAY_NAMES",
    "WEEKEND",
    "WORKING_DAYS",
    "PhraseError",
    "Token",
    "Words",
]

T = TypeVar("T")
TOKEN = re.compile(
    r"\s*([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?![0-9])|:[0-9]{2}(?![0-9])"
    r"|[0-9]+(?:st|nd|rd|th)\b|[0-9]+|[ap]\.m\b\.?|[a-z]+|\.\.|,|\S)"
)
CLOCK = re.compile(r"([0-9]{1,2})?:[0-9]{2}(:[0-9]{2})?")
NUMBER = re.compile(r"[0-9]+")
HALF_DAYS = {"am": 0, "pm": 12}


class PhraseError(ScheduleError):
    """What is wrong with a phrase, and whole phrases that may have been meant; none is tried yet."""

    def __init__(
        self,
        message: str,
        *,
        text: str = "",
        span: tuple[int, int] = (0, 0),
        offers: Iterable[str] = (),
        known: bool = False,
    ) -> None:
        self.text = text
        self.span = span
        self.offers = tuple(offers)
        self.known = known
        """The words are known and do not fit together: no other spelling is looked for."""
        super().__init__(message, text=text, span=span)


class Token(NamedTuple):
    """One word as the grammar knows it, and where it stands in the text."""

    word: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """Return the words of *text*; "9 pm" becomes 21:00, and "hourly" two words."""
    plain = [
        Token(word, *match.span(1))
        for match in TOKEN.finditer(text.lower())
        for word in ADVERBS.get(match[1], (SPELLINGS.get(match[1], match[1]),))
    ]
    found: list[Token] = []
    for token in plain:
        before = found[-1] if found else Token("", 0, 0)
        told = text[before.start : before.end]
        clock = _joined(before.word, token.word) if _is_open(before.word, told) else ""
        if clock:
            token = Token(clock, found.pop().start, token.end)  # noqa: PLW2901 - both are one
        found.append(token)
    return found


def _is_open(word: str, told: str) -> bool:
    """Tell whether "am" may follow the time *word*: *told* is not "noon", nor "9 am" already."""
    return ":" not in word or told.replace(":", "").isdigit()


def _joined(before: str, word: str) -> str:
    """Return the time that "9", "9:30" or "12" makes with "am", "pm", "noon" or "midnight" after it."""
    if before == "12" and word in {"12:00", "00:00"}:
        return word
    match = re.fullmatch(r"([0-9]{1,2})((?::[0-9]{2}){0,2})", before)
    if word not in HALF_DAYS or not match or not 1 <= int(match[1]) <= 12:
        return ""
    return f"{int(match[1]) % 12 + HALF_DAYS[word]:02}{match[2] or ':00'}"


class Words:
    """The tokens of a phrase and how far they have been read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = tokens(text)
        self.place = 0

    def peek(self, ahead: int = 0) -> str:
        """Return the word *ahead* of the next one, or an empty text behind the end."""
        position = self.place + ahead
        return self._tokens[position].word if position < len(self._tokens) else ""

    def take(self, *wanted: str) -> bool:
        """Read the next word if it is one of *wanted*."""
        if self.peek() in wanted:
            self.place += 1
            return True
        return False

    def take_all(self, *wanted: str) -> bool:
        """Read the words *wanted* if they come next, all of them."""
        if all(self.peek(position) == word for position, word in enumerate(wanted)):
            self.place += len(wanted)
            return True
        return False

    def names_month(self) -> bool:
        """Tell whether the phrase names months that count, before or behind this place."""
        known = [token.word for token in self._tokens]
        ends = known.index("except") if "except" in known else len(known)
        return any(word in MONTH_NAMES for word in known[:ends])

    def pop(self) -> str:
        """Read the next word, whatever it is."""
        self.place += 1
        return self._tokens[self.place - 1].word

    def span(self, first: int) -> tuple[int, int]:
        """Return where the words read since the *first* stand in the text."""
        last = max(self.place - 1, first)
        return self._tokens[first].start, self._tokens[last].end

    def more(self, *wanted: str | re.Pattern[str], skip: tuple[str, ...] = ()) -> bool:
        """Read ",", "and" or both, and words to *skip*, if one of *wanted* follows: a list goes on."""
        ahead = 1 if self.peek() == "," else 0
        ahead += self.peek(ahead) in SEPARATORS
        if not ahead:
            return False
        while self.peek(ahead) in skip:
            ahead += 1
        if not _fits(self.peek(ahead), wanted):
            return False
        self.place += ahead
        return True

    def error(self, expected: str, *, offers: Iterable[str] = ()) -> PhraseError:
        """Return the error for the next word, where *expected* should stand."""
        if not self.peek():
            end = len(self.text)
            message = f'"{self.text}": ends where {expected} is expected'
            return PhraseError(message, text=self.text, span=(end, end + 1), offers=offers)
        token = self._tokens[self.place]
        found = self.text[token.start : token.end]
        message = f'"{self.text}": found "{found}" where {expected} is expected'
        return PhraseError(message, text=self.text, span=token[1:], offers=offers)

    def wrong(self, message: str, first: int, says: Iterable[str] = ()) -> PhraseError:
        """Return an error about the words since *first*; *says* is what may stand in their place."""
        start, end = self.span(first)
        offers = [f"{self.text[:start]}{said}{self.text[end:]}" for said in says]
        message = f'"{self.text}": {message}'
        return PhraseError(message, text=self.text, span=(start, end), offers=offers, known=True)


def _fits(word: str, wanted: Iterable[str | re.Pattern[str]]) -> bool:
    return any(
        word == one if isinstance(one, str) else one.fullmatch(word) is not None for one in wanted
    )


# Names


def is_weekday(words: Words, ahead: int = 0) -> bool:
    """Tell whether a weekday, "weekday", "work day" or "weekend" comes next."""
    word = words.peek(ahead)
    if word in {"work", "working", "business"}:
        return words.peek(ahead + 1) == "day"
    return word in WEEKDAY_NAMES or word in {"weekday", "weekend"}


WEEKDAY_STARTS = (*WEEKDAY_NAMES, "weekday", "weekend")


def read_weekdays(words: Words) -> frozenset[int]:
    """Read names of weekdays, "monday to friday", "weekday" or "weekend day". Raises ScheduleError."""
    members: list[Member] = []
    while True:
        first = words.place
        group = _run(words) if words.peek(1) == "to" else read_weekday_group(words)
        members.append((group, words.span(first)))
        listed = words.peek() in WEEKDAY_NAMES and len(group) == 1  # "mon wed fri"
        if not listed and not words.more(*WEEKDAY_STARTS, skip=("on", "every")):
            return joined(words, members)


def read_weekday_group(words: Words) -> frozenset[int]:
    """Read one name. Raises ScheduleError."""
    if words.take("weekday") or words.take_all("work", "day") or words.take_all("working", "day"):
        return WORKING_DAYS
    if words.take("weekend"):
        words.take("day")
        return WEEKEND
    if words.peek() not in WEEKDAY_NAMES:
        raise words.error("a unit or weekday")
    return frozenset({WEEKDAY_NAMES.index(words.pop()) + 1})


def _run(words: Words) -> frozenset[int]:
    return frozenset(_ends(words, WEEKDAY_NAMES, "the name of a weekday"))


def _ends(words: Words, names: tuple[str, ...], expected: str) -> Iterator[int]:
    """Read a name or "FIRST to LAST" of *names*; yield their 1-based places."""
    start = words.place
    if words.peek() not in names:
        raise words.error(expected)
    first = last = names.index(words.pop()) + 1
    if words.take("to"):
        if words.peek() not in names:
            raise words.error(expected)
        last = names.index(words.pop()) + 1
        if last <= first:
            days = [*range(first, len(names) + 1), *range(1, last + 1)] if last < first else [first]
            says = _and(names[day - 1] for day in days)
            raise words.wrong("the run goes backwards", start, [says])
    yield from range(first, last + 1)


def read_months(words: Words) -> frozenset[int]:
    """Read names of months and runs such as "june to august". Raises ScheduleError."""
    members: list[Member] = []
    while True:
        first = words.place
        group = frozenset(_ends(words, MONTH_NAMES, "the name of a month"))
        members.append((group, words.span(first)))
        if not words.more(*MONTH_NAMES, skip=("in",)):
            return joined(words, members)


def read_numbers(words: Words, high: int) -> frozenset[int]:
    """Read numbers from 0 to *high* and runs such as "9 to 17". Raises ScheduleError."""
    members: list[Member] = []
    while True:
        start = words.place
        first = last = _number(words, high)
        if words.take("to"):
            last = _number(words, high)
            if last <= first:
                whole = [f"{first} to {high} and {low} to {last}" for low in (0, 1)]
                raise words.wrong(
                    "the run goes backwards", start, whole if last < first else [str(first)]
                )
        members.append((frozenset(range(first, last + 1)), words.span(start)))
        if not words.more(NUMBER):
            return joined(words, members)


def _number(words: Words, high: int) -> int:
    if not NUMBER.fullmatch(words.peek()) or int(words.peek()[:9]) > high:
        raise words.error(f"a number from 0 to {high}")
    return int(words.pop())


def joined(words: Words, members: Sequence[tuple[frozenset[T], tuple[int, int]]]) -> frozenset[T]:
    """Return all that *members* of a list name. Raises PhraseError where one of them adds nothing."""
    for number in reversed(range(len(members))):
        group, span = members[number]
        others = [other for position, (other, _) in enumerate(members) if position != number]
        if group <= frozenset[T]().union(*others):
            raise _repeated(words.text, span, first=number == 0)
    return frozenset[T]().union(*(group for group, _ in members))


def _repeated(text: str, span: tuple[int, int], *, first: bool) -> PhraseError:
    start, end = span
    before, after = text[:start], text[end:]
    if first:
        after = re.sub(r"^\s*(,|\band\b|\bor\b|&|/|\s)*", "", after)
    else:
        before = re.sub(r"\s*(,|\band\b|\bor\b|&|/)*\s*$", "", before)
    message = f'"{text}": "{text[start:end]}" is said by the other words of the list already'
    return PhraseError(message, text=text, span=span, offers=[before + after], known=True)


def _and(names: Iterable[str]) -> str:
    *rest, last = names
    return f"{', '.join(rest)} and {last}" if rest else last
