"""Numbers in words and halves of the day: "forty-five", "twenty-first", "9 in the morning".

Several words make one token of the grammar, or digits in a text that advice looks at. What
has two readings ("12 in the evening") is left as it stands.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ratectl.schedule.language.lexicon import LATE_ORDINALS, MORE_ORDINALS, NUMBERS, ORDINALS, TENS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

UNITS_OF_TEN = NUMBERS[:9]
DIGIT_ORDINALS = {
    word: place for word, place in (ORDINALS | MORE_ORDINALS).items() if 0 < place < 10
}
HALF_DAYS = {"am": 0, "pm": 12}
PARTS_OF_DAY = {
    "morning": ("am", range(1, 12)),
    "afternoon": ("pm", (12, *range(1, 7))),
    "evening": ("pm", range(4, 12)),
    "night": ("pm", range(8, 12)),
}
"""The half of the day that a part of it lies in, and the hours that are clearly meant."""
HALVES = frozenset({*HALF_DAYS, *PARTS_OF_DAY, "a", "p", "12:00", "00:00"})
"""The words without which no time is said in several; "noon" is 12:00 by then."""
IN_PARTS = (*TENS, "hundred")
"""The words without which no number is."""
WORDS = (
    rf"\b(?:(?P<tens>{'|'.join(TENS)})(?:(?P<join>-| )(?P<ones>{'|'.join((*UNITS_OF_TEN, *DIGIT_ORDINALS))}))?"
    rf"|(?P<number>{'|'.join(NUMBERS)})|(?P<late>{'|'.join(LATE_ORDINALS)}))\b"
)


class Token(NamedTuple):
    """One word as the grammar knows it, and where it stands in the text."""

    word: str
    start: int
    end: int


def nth(number: int) -> str:
    """Return "1st", "2nd", "11th"."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 < number % 100 < 14 else ending}"


def in_digits(text: str) -> str:
    """Return *text* with its numbers in digits: "forty-five minutes" is "45 minutes"."""
    return re.sub(WORDS, _digits, text)


def _digits(match: re.Match[str]) -> str:
    if match["number"]:
        return str(NUMBERS.index(match["number"]) + 1)
    if match["late"]:
        return LATE_ORDINALS[match["late"]]
    ones = match["ones"] or ""
    return _tens_and(match["tens"], match["join"] or "", ones) or f"{TENS[match['tens']]} {ones}"


def _tens_and(tens: str, sign: str, ones: str) -> str:
    """Return what *tens* and *ones* make: "45", "21st"; "thirty second" may be 30 seconds."""
    if not ones:
        return str(TENS[tens])
    if ones in UNITS_OF_TEN:
        return str(TENS[tens] + UNITS_OF_TEN.index(ones) + 1)
    if ones not in DIGIT_ORDINALS or (ones == "second" and sign != "-"):
        return ""
    return nth(TENS[tens] + DIGIT_ORDINALS[ones])


def joined_numbers(found: Sequence[Token], text: str) -> Iterator[Token]:
    """Yield *found* with words that make one number put together."""
    if not any(word in text for word in IN_PARTS):
        yield from found
        return
    place = 0
    while place < len(found):
        token = found[place]
        said = [text[each.start : each.end] for each in found[place : place + 3]]
        sign = "-" if said[1:2] == ["-"] else ""
        ones = said[2 if sign else 1 :][:1]
        number = _tens_and(said[0], sign, ones[0]) if said[0] in TENS and ones else ""
        more = (2 if sign else 1) if number else 0
        if said[2 if sign else 1 :][:1] == ["hundred"] and said[0] in {"a", *NUMBERS}:
            number, more = f"{token.word.replace('a', '1')}00", 2 if sign else 1
        yield Token(number or token.word, token.start, found[place + more].end)
        place += more + 1


def joined_clocks(found: Sequence[Token], text: str) -> Iterator[Token]:
    """Yield *found* with "9 pm", "12 noon" and "9 in the morning" as one time each."""
    if HALVES.isdisjoint(token.word for token in found):
        yield from found
        return
    place = 0
    while place < len(found):
        token = found[place]
        place += 1
        if _is_open(token, text):
            half, length = _half(found[place : place + 3], token.word)
            clock = _joined(token.word, _letter(token, found[place:]) or half)
            if clock:
                place += length
                token = Token(clock, token.start, found[place - 1].end)
        yield token


def _half(after: Sequence[Token], time: str) -> tuple[str, int]:
    """Return "am", "pm" or a word for 12 o'clock that the tokens *after* a time begin with, and how many they are."""
    words = [token.word for token in after]
    ahead = 1 if words[:2] == ["at", "night"] else 2 if words[:2] == ["in", "the"] else 0
    if ahead and len(words) > ahead:
        half, hours = PARTS_OF_DAY.get(words[ahead], ("", ()))
        hour = time.split(":", maxsplit=1)[0]
        return (half, ahead + 1) if hour.isdecimal() and int(hour[:3]) in hours else ("", 0)
    return ("".join(words[:1]), 1)


def _letter(time: Token, after: Sequence[Token]) -> str:
    """Return "am" or "pm" for the letter of "9a" and "9p"."""
    letter = after[0].word if after and after[0].start == time.end else ""
    return f"{letter}m" if letter in {"a", "p"} else ""


def _is_open(token: Token, text: str) -> bool:
    """Tell whether "am" may follow the time *token*: it is neither "noon" nor "9 am" already."""
    written = text[token.start : token.end]
    return ":" not in token.word or written.replace(":", "").isdigit()


def _joined(before: str, word: str) -> str:
    """Return the time that "9", "9:30" or "12" makes with "am", "pm", "noon" or "midnight" after it."""
    if word in {"12:00", "00:00"} and before in {"12", "12:00", word}:
        return word
    if word not in HALF_DAYS:
        return ""
    match = re.fullmatch(r"([0-9]{1,2})((?::[0-9]{2}){0,2})", before)
    if not match or not 1 <= int(match[1]) <= 12:
        return ""
    return f"{int(match[1]) % 12 + HALF_DAYS[word]:02}{match[2] or ':00'}"
