"""A refused phrase -> the refusal that a person gets: what is wrong, and a whole phrase that works.

What is offered has been read before it is shown. Words with two readings, and what belongs
into a key of the spec, are told as such; a misspelt word is replaced by the nearest one.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from ratectl.errors import ScheduleError
from ratectl.schedule.language.advice import ADVICE, LAST_ADVICE
from ratectl.schedule.language.clock_advice import CLOCK_ADVICE
from ratectl.schedule.language.lexicon import SPELLINGS, UNITS, VOCABULARY
from ratectl.schedule.language.tokens import PhraseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ratectl.schedule.language.advice import Advice

    Reads = Callable[[str], object]

MOST_OFFERS = 2
REPAIRS = 4
"""Misspelt words in one phrase."""
CUTOFF = 0.6
FILLERS = re.compile(
    r"\b(please|run|fetch|do|it|exactly|precisely|sharp|approximately|about|around|roughly|just|only"
    r"|or so|always|prompt(ly)?|on the dot|repeat(ed)?|the job|a job|ago|by|o'clock)\b",
    re.IGNORECASE,
)
"""Words that say nothing about when."""
ENDINGS = (
    "10:30",
    "1st",
    "the 1st",
    "day",
    "minutes",
    "monday",
    "friday",
    "january",
    "and 17:00",
    "2026-12-01",
)
SINGLE = re.compile(rf"\b(every|each) (?:1 )?({'|'.join(UNITS)})s\b", re.IGNORECASE)
EXAMPLES = (
    (r"^once", "once at 2026-12-01 10:30"),
    (r"second", "every 30 seconds"),
    (r"minute|hour|between", "every 15 minutes"),
    (r"month|day of|last|first|1st|quarter|year", "every month on the 1st at 09:00"),
    (r"week|day\b", "every weekday at 09:00"),
    (r"", "every day at 10:30"),
)


def refusal(text: str, error: ScheduleError, reads: Reads) -> ScheduleError:
    """Return *error* about the phrase *text* with what may have been meant; *reads* raises for what is no phrase."""
    if not isinstance(error, PhraseError):
        return error
    if not error.known:
        for told in _advice(text):
            found = _readable(_followed(told.offers, reads), reads)
            if found or told.names_key:
                message = f'"{text}": {told.message}'
                fault = PhraseError(message, text=text, span=told.span)
                return _with(fault, found, reads, "say")
    found = [*_readable(error.offers, reads)]
    if found:
        return _with(error, found, reads, "say")
    meant = next(iter(_readable(_repaired(text, error, reads), reads)), "")
    if meant:
        return _with(error, [meant], reads, "did you mean")
    return _with(
        error, [*_completed(text, error), *_examples(text)], reads, "say for example", most=1
    )


def _with(
    error: PhraseError, offers: Iterable[str], reads: Reads, word: str, *, most: int = MOST_OFFERS
) -> ScheduleError:
    """Return *error* with those of *offers* that can be read behind its message."""
    found = _readable(offers, reads)[:most]
    said = " or ".join(f'"{offer}"' for offer in found)
    message = error.message
    if found and not all(f'say "{offer}"' in message for offer in found):
        if word == "did you mean":
            message = message.replace('" where ', f'" ({word} {said}?) where ', 1)
        else:
            message += f"; {word} {said}"
    return ScheduleError(message, text=error.text, span=error.span)


def _advice(text: str) -> Iterator[Advice]:
    """Yield all advice that fits *text*, what should be told first at the beginning."""
    for advice in (*ADVICE, *CLOCK_ADVICE, *LAST_ADVICE):
        told = advice(text.lower())
        if told is not None:
            yield told


def _followed(offers: Iterable[str], reads: Reads) -> Iterator[str]:
    """Yield *offers*; for one that needs more advice itself, what that offers."""
    for offer in offers:
        yield offer
        if not _readable([offer], reads):
            for told in _advice(" ".join(offer.split())):
                yield from told.offers


def _readable(offers: Iterable[str], reads: Reads) -> list[str]:
    found: list[str] = []
    for offer in offers:
        plain = SINGLE.sub(r"\1 \2", " ".join(offer.split()))
        try:
            reads(plain)
        except ScheduleError:
            continue
        if plain not in found:
            found.append(plain)
    return found


def _repaired(text: str, error: PhraseError, reads: Reads) -> Iterator[str]:
    """Yield *text* with its unknown words replaced by the nearest ones, as far as that gets."""
    for choice in range(3):
        now, fault = text, error
        for _ in range(REPAIRS):
            start, end = fault.span
            near = _nearest(now[start:end].lower())
            if fault.known or len(near) <= choice:
                break
            now = f"{now[:start]}{near[choice]}{now[end:]}"
            try:
                reads(now)
            except PhraseError as next_fault:
                fault = next_fault
            except ScheduleError:
                break
            else:
                yield now
                break


def _nearest(word: str) -> list[str]:
    if not word.isalpha() or word in VOCABULARY or word in SPELLINGS:
        return []
    near = difflib.get_close_matches(word, VOCABULARY, n=6, cutoff=CUTOFF)
    return [other for other in near if other[0] == word[0] and len(other) > 2][:3]


def _completed(text: str, error: PhraseError) -> Iterator[str]:
    """Yield *text* finished where it ends too early, and without words that say nothing."""
    if error.span[0] >= len(text):
        yield from (f"{text} {ending}" for ending in ENDINGS)
    yield FILLERS.sub("", text)


def _examples(text: str) -> Iterator[str]:
    for pattern, example in EXAMPLES:
        if re.search(pattern, text.lower()):
            yield example
