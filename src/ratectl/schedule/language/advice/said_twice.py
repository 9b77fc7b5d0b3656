"""A clause that a phrase says twice: which words would be lost, and the phrase or the list that keeps them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ratectl.schedule.language.lexicon import UNITS, WEEKDAY_NAMES
from ratectl.schedule.language.tokens import PhraseError, tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ratectl.schedule.language.tokens import Words

    Span = tuple[int, int]

DAY_NAMES = (*WEEKDAY_NAMES, "weekday", "weekend")
CLOCK_SAID = re.compile(
    r"\bat\b|[0-9]:[0-9]|[0-9] ?[ap]\.?m\b|\b(noon|midnight|midday)\b", re.IGNORECASE
)
"""A time of day, as people write it."""
JOINTS = re.compile(r"^(and|or|,|&|\s)+|(\band\b|\bor\b|,|&|\s)+$")
"""What joins the parts of a phrase."""


def error(words: Words, clause: str, spans: Mapping[str, Span], first: int) -> PhraseError:
    """Return the error for the words since the *first*, a second *clause*; *spans* tells where each one said before stands."""
    if "at" in spans and clause in {"weekdays", "ordinals", "months"}:
        return _two_times(words, first)
    before = spans[clause]
    if clause == "at" and "except" in words.text[before[1] : words.span(first)[0]]:
        return _exceptional_time(words, before, first)
    return _twice(words, clause, before, first)


def _two_times(words: Words, first: int) -> PhraseError:
    """Return the error for days after a time, which may have one of their own: "monday at 9am, friday at noon"."""
    text, place = words.text, words.span(first)[0]
    one, other = (JOINTS.sub("", said) for said in (text[:place], text[place:]))
    message = f'"{other}" stands behind the time of other days'
    others = _timed_days(other)
    timed = len(others) > 1 and all(CLOCK_SAID.search(each) for each in others)
    return PhraseError(
        f'"{text}": {message}',
        text=text,
        span=(place, len(text)),
        members=(one, *(others if timed else (other,))) if CLOCK_SAID.search(other) else (),
        offers=() if CLOCK_SAID.search(other) else (_moved_before(one, other),),
        known=True,
    )


def _timed_days(text: str) -> list[str]:
    """Return the parts of *text*, each with its own days: "tue 10am wed 11am" has two, "friday at 12:00 and 15:00" one."""
    names = "|".join(name[:3] for name in WEEKDAY_NAMES)
    parts = re.split(
        rf"\s*,\s*(?:and\s+)?|\s+and\s+|(?<=[0-9m])\s+(?=(?:{names}|week)[a-z]*\b)", text
    )
    joined: list[str] = []
    for part in parts:
        if joined and not re.search(
            r"[a-z]{3,}", re.sub(r"noon|midnight|midday", "", part.lower())
        ):
            joined[-1] += f" and {part}"
        else:
            joined.append(part)
    return joined


def _moved_before(one: str, other: str) -> str:
    """Return *one*, which ends with a time, with the days *other* before it."""
    match = re.search(r"\s+(at\s+)?[0-9]{1,2}(:[0-9]{2}|\s?[ap]m)[^a-z]*$", one, re.IGNORECASE)
    return f"{one[: match.start()]} and {other}{match[0]}" if match else ""


def _twice(words: Words, clause: str, before: tuple[int, int], first: int) -> PhraseError:
    """Return the error for a second clause of a kind; both in one, or either, may have been meant."""
    text, (start, end) = words.text, words.span(first)
    again = text[start:end].lstrip(", ")
    one, other = (
        JOINTS.sub("", said)
        for said in (text[: before[0]] + text[before[1] :], text[:start] + text[end:])
    )
    bare = re.sub(r"^(at|on|in|except|every|each)\s+", "", again, flags=re.IGNORECASE)
    joined = f"{text[: before[1]]} and {bare}{text[before[1] : start]}{text[end:]}"
    halves = text[:start], text[start:].lstrip(", ")
    between = text[before[1] : start].strip()
    if clause == "at" and between.startswith(",") and between.strip(", "):
        halves = text[: before[1]], text[before[1] :].lstrip(", ")
    if halves[0] != text[:start] or (text[start:].lstrip().startswith(",") and text[end:].strip()):
        return PhraseError(
            f'"{text}": "{halves[1]}" stands beside another schedule',
            text=text,
            span=(start, len(text)),
            members=halves,
            known=True,
        )
    several = clause in {"every", "between"}
    of_month = re.search(r"\s+of (every|each) month\b", text, re.IGNORECASE)
    if clause == "every" and of_month and before[0] < of_month.start() < end:
        several, joined = False, f"{text[: of_month.start()]}{text[of_month.end() :]}"
    elif clause == "every" and (narrowed := _narrowed(text, before, (start, end))):
        several, joined = False, narrowed
    message = f'"{again}" is said beside "{text[slice(*before)]}", and one would be lost'
    if clause == "at" and (":" in again) and re.search(r"(?<![0-9]):", again + joined):
        message = f'"{again}": a full time of day and a part of each hour do not go together'
    return PhraseError(
        f'"{text}": {message}',
        text=text,
        span=(start, end),
        offers=() if several else [" ".join(joined.split())],
        members=[" ".join(member.split()) for member in (other, one)] if several else (),
        known=True,
    )


def _narrowed(text: str, before: tuple[int, int], again: tuple[int, int]) -> str:
    """Return *text* with one "every" where one of its two names days alone: "every weekday every 30 minutes"; else an empty text."""
    spans = (before, again)
    known = [[token.word for token in tokens(text[slice(*span)])] for span in spans]
    named = [
        words[:1] == ["every"]
        and len(words) > 1
        and (words[1:] == ["day"] or words[1] in DAY_NAMES)
        for words in known
    ]
    within_weeks = {*UNITS[:3], "week", "day"}
    if sum(named) != 1 or not within_weeks.intersection(known[named.index(False)]):
        return ""
    days, other = (spans[named.index(True)], spans[named.index(False)])
    bare = re.sub(r"^\W*(every|each)\s+", "", text[slice(*days)], flags=re.IGNORECASE)
    bare = f"{bare}s" if bare.lower() in {"weekday", "weekend"} else bare
    whole = "" if known[named.index(True)][1:] == ["day"] else f" on {bare}"
    rest = sorted((days, other))
    between, after = text[rest[0][1] : rest[1][0]], text[rest[1][1] :]
    said = text[slice(*other)].strip(", ")
    return f"{text[: rest[0][0]]}{said}{whole} {between.strip(', ')} {after}"


def _exceptional_time(words: Words, before: tuple[int, int], first: int) -> PhraseError:
    """Return the error for "every day at 9am except on sundays at 10am", which is a list."""
    text, (start, end) = words.text, words.span(first)
    left_out = re.sub(r"^.*\bexcept\w*( for)?( on)?\s+", "", text[before[1] : start]).strip(", ")
    message = f'"{text[start:end]}" is said beside "{text[slice(*before)]}", and one would be lost'
    members = (text[:start], f"every {left_out} {text[start:]}")
    return PhraseError(
        f'"{text}": {message}', text=text, span=(start, end), members=members, known=True
    )
