"""The words of a phrase: tokens in the grammar's own spelling, and how far they have been read.

A token keeps its place in the text as typed, so that an error can point at it.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

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
from ratectl.schedule.language.numerals import Token, joined_clocks, joined_numbers

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
    r"|[0-9]+(?:st|nd|rd|th)\b|[0-9]+|[ap]\.? ?m\b\.?|[a-z]+|\.\.|,|\S)"
)
SHORTENED = (
    r"\b(mon|tues?|weds?|thur?s?|fri|sat|sun|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.(?!\.)"
)
"""Names with the full stop of what is cut short."""
CLOCK = re.compile(r"([0-9]{1,2})?:[0-9]{2}(:[0-9]{2})?")
NUMBER = re.compile(r"[0-9]+")
TO = ("to", "until", "till")


class PhraseError(ScheduleError):
    """What is wrong with a phrase, and whole phrases that may have been meant; none is tried yet."""

    def __init__(
        self,
        message: str,
        *,
        text: str = "",
        span: tuple[int, int] = (0, 0),
        offers: Iterable[str] = (),
        members: Iterable[str] = (),
        listed: str = "",
        known: bool = False,
    ) -> None:
        self.text = text
        self.span = span
        self.offers = tuple(offers)
        self.members = tuple(members)
        """What says it as a list of schedules."""
        self.listed = listed
        """What to do with them: "write two schedules"."""
        self.known = known
        """The words are known and do not fit together: no other spelling is looked for."""
        super().__init__(message, text=text, span=span)


def tokens(text: str) -> list[Token]:
    """Return the words of *text*; "9 pm" becomes 21:00, "forty-five" 45, and "hourly" two words."""
    lower = text.lower()
    if len(lower) != len(text):  # of the few letters that would become two, so that places stay
        lower = "".join(each if len(each.lower()) != 1 else each.lower() for each in text)
    if "." in lower:
        lower = re.sub(SHORTENED, lambda match: f"{match[1]} ", lower)
    plain = [
        Token(word, *match.span(1))
        for match in TOKEN.finditer(lower)
        for word in ADVERBS.get(match[1], (SPELLINGS.get(match[1], match[1]),))
    ]
    return list(joined_clocks(list(joined_numbers(plain, lower)), lower))


class Words:
    """The tokens of a phrase and how far they have been read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = tokens(text)
        self._words = [token.word for token in self._tokens]
        self.place = 0

    def peek(self, ahead: int = 0) -> str:
        """Return the word *ahead* of the next one, or an empty text behind the end."""
        position = self.place + ahead
        return self._words[position] if position < len(self._words) else ""

    def typed(self, ahead: int = 0) -> str:
        """Return the word *ahead* of the next one as it was typed, in small letters; an empty text outside of the phrase."""
        position = self.place + ahead
        if not 0 <= position < len(self._tokens):
            return ""
        token = self._tokens[position]
        return self.text[token.start : token.end].lower()

    def doubled(self) -> tuple[int, int] | None:
        """Return where a word stands that was just said: "the the"; "second second" is two words."""
        for one, again in pairwise(self._tokens):
            same = one.word == again.word and one.start != again.start
            if same and one.word.strip(",.-") and one.word not in {"second", "to"}:
                return again.start, again.end
        return None

    def take(self, *wanted: str) -> bool:
        """Read the next word if it is one of *wanted*."""
        if self.peek() in wanted:
            self.place += 1
            return True
        return False

    def take_all(self, *wanted: str) -> bool:
        """Read the words *wanted* if they come next, all of them."""
        end = self.place + len(wanted)
        if self._words[self.place : end] == [*wanted]:
            self.place = end
            return True
        return False

    def names_month(self) -> bool:
        """Tell whether the phrase names months that count, before or behind this place."""
        ends = self._words.index("except") if "except" in self._words else len(self._words)
        return any(word in MONTH_NAMES for word in self._words[:ends])

    def pop(self) -> str:
        """Read the next word, whatever it is."""
        self.place += 1
        return self._words[self.place - 1]

    def attached_number(self) -> int | None:
        """Read the last number of "1h30", which has no blank before it and no unit behind it."""
        before, token = self._tokens[self.place - 1], self._tokens[self.place :][:1]
        unit = self.text[before.start : before.end].lower()
        if unit not in {"h", "m"} or not token or token[0].start != before.end:
            return None
        number = token[0].word
        if not re.fullmatch(r"[0-5][0-9]", number) or self.peek(1) in UNITS:
            return None
        self.place += 1
        return int(number)

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

    def wrong(
        self, message: str, first: int, says: Iterable[str] = (), members: Iterable[str] = ()
    ) -> PhraseError:
        """Return an error about the words since *first*; *says* or all *members* may stand in their place."""
        start, end = span = self.span(first)
        text = self.text
        offers, parts = (
            [f"{text[:start]}{said}{text[end:]}" for said in words] for words in (says, members)
        )
        message = f'"{text}": {message}'
        return PhraseError(message, text=text, span=span, offers=offers, members=parts, known=True)


def _fits(word: str, wanted: Iterable[str | re.Pattern[str]]) -> bool:
    return any(
        word == one if isinstance(one, str) else one.fullmatch(word) is not None for one in wanted
    )


# Names


def is_weekday(words: Words, ahead: int = 0) -> bool:
    """Tell whether a weekday, "weekday", "work day" or "weekend" comes next."""
    word = words.peek(ahead)
    if word in {"work", "working", "business", "week"}:
        return words.peek(ahead + 1) == "day"
    return word in WEEKDAY_NAMES or word in {"weekday", "weekend"}


WEEKDAY_STARTS = (*WEEKDAY_NAMES, "weekday", "weekend")


def read_weekdays(words: Words) -> frozenset[int]:
    """Read names of weekdays, "monday to friday", "weekday" or "weekend day". Raises ScheduleError."""
    members: list[Member] = []
    while True:
        first = words.place
        group = _run(words) if words.peek(1) in TO else read_weekday_group(words)
        members.append((group, words.span(first)))
        listed = words.peek() in WEEKDAY_NAMES and len(group) == 1  # "mon wed fri"
        if not listed and not words.more(*WEEKDAY_STARTS, skip=("on", "every")):
            return joined(words, members)


def read_weekday_group(words: Words) -> frozenset[int]:
    """Read one name. Raises ScheduleError."""
    spelt = ("work", "working", "week")
    if words.take("weekday") or any(words.take_all(word, "day") for word in spelt):
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
    if words.take(*TO):
        if words.peek() not in names:
            raise words.error(expected)
        last = names.index(words.pop()) + 1
        if last <= first:
            days = [*range(first, len(names) + 1), *range(1, last + 1)] if last < first else [first]
            says = _and(names[day - 1] for day in days)
            if words.typed(start - 1 - words.place) == "from":
                start, says = start - 1, f"{'in' if names is MONTH_NAMES else 'on'} {says}"
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
