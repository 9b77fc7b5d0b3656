"""A refused phrase -> the refusal that a person gets: what is wrong, and a whole phrase that works.

What is offered has been read before it is shown. Words with two readings, and what belongs
into a key of the spec, are told as such; a misspelt word is replaced by the nearest one.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from typing import TYPE_CHECKING

from ratectl.errors import ScheduleError
from ratectl.schedule.language.advice.order import ADVICE
from ratectl.schedule.language.advice.other_schedulers import other_schedulers
from ratectl.schedule.language.lexicon import (
    ADVERBS,
    LATE_ORDINALS,
    MONTH_NAMES,
    MORE_ORDINALS,
    NUMBERS,
    ORDINALS,
    SPELLINGS,
    TENS,
    UNITS,
    VOCABULARY,
    WEEKDAY_NAMES,
)
from ratectl.schedule.language.numerals import in_digits
from ratectl.schedule.language.tokens import PhraseError
from ratectl.schedule.occurrences.subsets import idle_members

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ratectl.schedule.language.advice.advice import Advice
    from ratectl.schedule.values import Schedule

    Reads = Callable[[str], Schedule]

HOW_OFTEN = "how often?"
MOST_OFFERS = 2
REPAIRS = 4
"""Misspelt words in one phrase."""
CUTOFF = 0.6
NUMBER_CUTOFF = 0.8
NUMBER_WORDS = {*NUMBERS, *TENS, *LATE_ORDINALS, *ORDINALS, *MORE_ORDINALS}
NAMES_OF_TIMES = {
    *(*WEEKDAY_NAMES, *MONTH_NAMES, *ORDINALS, *MORE_ORDINALS, *ADVERBS, "weekday", "weekend"),
    *("12:00", "00:00", "am", "pm", "half", "other", "once", "twice", "thrice", "times", "few"),
    *("morning", "afternoon", "evening", "night", "before", "after", "end", "start", "beginning"),
    *("couple", "several", "except", "not", "without", "never"),
}
FILLERS = re.compile(
    r"\b(please|run|fetch|do|it|exactly|precisely|sharp|approximately|about|around|roughly|just|only"
    r"|or so|at least|no more than|always|prompt(ly)?|on the dot|repeat(s|ed)?|this|the job|a job|ago|by|o'clock)\b",
    re.IGNORECASE,
)
"""Words that say nothing about when."""
ENDINGS = (
    "10:30", "day", "1st", "the 1st", "monday", "friday", "january", "2026-12-01", "minutes",
    "and 17:00",
)  # fmt: skip
AFTER_NUMBERS = ("minutes", "hours", "days")
SINGLE = re.compile(
    rf"\b(every|each|every other|it is a) (?:1 )?({'|'.join((*UNITS, *WEEKDAY_NAMES))})s\b",
    re.IGNORECASE,
)
UNIT_WORDS = re.compile(rf"\b({'|'.join(UNITS)})s?\b", re.IGNORECASE)
EXAMPLES = (
    (r"^once", "once at 2026-12-01 10:30"),
    (r"second", "every 30 seconds"),
    (r"hour", "every hour"),
    (r"minute|between", "every 15 minutes"),
    (r"month|day of|last|first|1st|quarter|year", "every month on the 1st at 09:00"),
    (r"week", "every weekday at 09:00"),
    (r"", "every day at 10:30"),
)


def refusal(text: str, error: ScheduleError, reads: Reads) -> ScheduleError:
    """Return *error* about the phrase *text* with what may have been meant; *reads* raises for what is no phrase."""
    if not isinstance(error, PhraseError):
        return error
    elsewhere = other_schedulers(" ".join(text.lower().split()))
    if elsewhere or not error.known:
        for offer in [elsewhere] if elsewhere else _advice(text):
            members = _all_readable(offer.members, reads)
            found = _readable(_followed(offer.offers, reads), reads)
            if members or found or offer.names_key:
                message = f'"{text}": {offer.message}{members}'
                fault = PhraseError(message, text=text, span=offer.span)
                return _with(fault, found, reads, "say")
    if members := _all_readable(error.members, reads):
        offers = _readable(_followed(error.offers, reads), reads)[:1]
        said = f"; {error.listed}" if error.listed else ""
        if offers:
            said = f'; say "{offers[0]}", or {error.listed}'
        return ScheduleError(f"{error.message}{said}{members}", text=text, span=error.span)
    whole = len(_readable(error.members, reads)) == len(error.members)
    alone = error.members if whole else ()  # else one of them would lose the others
    found = _readable(_followed((*error.offers, *alone), reads), reads)
    if found:
        return _with(error, found, reads, "say")
    meant = next(iter(_readable(_repaired(text, error, reads), reads)), "")
    if meant:
        return _with(error, [meant], reads, "did you mean")
    examples = [] if error.known else [*_completed(text, error), *_examples(text)]
    return _with(error, examples, reads, "say for example", most=1)


def _all_readable(members: Iterable[str], reads: Reads) -> str:
    """Return *members* as the key of the spec that takes them; nothing unless each can be read and adds slots."""
    found = [_readable(_followed([member], reads, invented=False), reads)[:1] for member in members]
    if not found or [] in found or idle_members([reads(member) for (member,) in found]):
        return ""
    said = ", ".join(f'"{member}"' for (member,) in found)
    return f": schedule = [{said}]"


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
    plain = in_digits(text.lower())
    for advice in ADVICE:
        offer = advice(plain)
        if offer is not None:
            yield offer if len(plain) == len(text) else offer._replace(span=(0, len(text)))


def _followed(offers: Iterable[str], reads: Reads, *, invented: bool = True) -> Iterator[str]:
    """Yield *offers*; for one that needs more advice itself, what that offers, with examples of how often only where *invented* ones serve."""
    for offer in offers:
        yield offer
        plain = " ".join(offer.split())
        try:
            reads(plain)
        except PhraseError as error:
            for other in _advice(plain):
                yield from other.offers
            if invented or HOW_OFTEN not in error.message:
                yield from error.offers
        except ScheduleError:
            continue


def _readable(offers: Iterable[str], reads: Reads) -> list[str]:
    """Return those of *offers* that are phrases, the first of each meaning."""
    found: dict[object, str] = {}
    for offer in offers:
        plain = SINGLE.sub(r"\1 \2", " ".join(offer.split()).replace(" ,", ","))
        try:
            found.setdefault(reads(plain), plain)
        except ScheduleError:
            continue
    return list(found.values())


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
                yield from _followed([now], reads)
            except ScheduleError:
                break
            else:
                yield now
                break


def _nearest(word: str) -> list[str]:
    if not word.isalpha() or word in VOCABULARY or word in SPELLINGS:
        return []
    near = difflib.get_close_matches(word, VOCABULARY, n=6, cutoff=CUTOFF)
    return [other for other in near if _may_be(word, other)][:3]


def _may_be(word: str, other: str) -> bool:
    """Tell whether *word* may be *other* misspelt: of a number almost all letters are right."""
    if word[0] != other[0] or len(other) < 3:
        return False
    if other not in NUMBER_WORDS:
        return True
    close = difflib.SequenceMatcher(None, word, other).ratio() >= NUMBER_CUTOFF
    return close and abs(len(word) - len(other)) < 2


def _completed(text: str, error: PhraseError) -> Iterator[str]:
    """Yield *text* finished where it ends too early, and without its end if that does not say when."""
    if text.endswith(","):
        yield text.rstrip(" ,")
    if error.span[0] >= len(text):
        endings = AFTER_NUMBERS if re.search(r"[0-9]$", text) else ()
        yield from (f"{text} {ending}" for ending in (*endings, *ENDINGS))
    yield from (_plain(text), FILLERS.sub("", _plain(text)))
    start = error.span[0]
    counted = re.search(r"[0-9]\s*$", text[:start])  # "500 milliseconds"
    loose = not (counted or _names_when(text[start:]) or UNIT_WORDS.search(text[start:]))
    if start and loose:
        yield text[:start]
        yield from (f"{text[:start]} {ending}" for ending in ENDINGS)
    yield re.sub(r"[]()[]", " ", text)


def _plain(text: str) -> str:
    """Return *text* in usual digits and signs, without what is invisible."""
    wide = unicodedata.normalize("NFKC", text)
    return "".join(each for each in wide if unicodedata.category(each) not in {"Cf", "So"})


def _names_when(text: str) -> bool:
    """Tell whether *text* holds a number, a time, a day or a month, which no offer may lose."""
    if re.search(r"\d", in_digits(text.lower())):
        return True
    words = re.findall(r"[a-z]+", text.lower())
    return any(SPELLINGS.get(word, word) in NAMES_OF_TIMES for word in words)


def _examples(text: str) -> Iterator[str]:
    """Yield phrases for a *text* that names a unit at most."""
    if _names_when(text):
        return
    for pattern, example in EXAMPLES:
        if re.search(pattern, text.lower()):
            yield example
