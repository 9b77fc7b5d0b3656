"""Small words that are other ones here: "at the 1st", "weekdays plus saturday", "only if", quotes around it all.

Each function looks at the whole text and offers whole phrases, or has nothing to say.
"""

from __future__ import annotations

import re

from ratectl.schedule.language.advice.advice import Advice
from ratectl.schedule.language.advice.clock import CLOCK_TIME

OTHER_WORDS = {
    r"\b(?:at|in) (?=(?:the )?(?:[0-9]{1,2}(?:st|nd|rd|th)\b|last day))": "on ",
    r"\bin (?=(?:the )?week(?:ends?|days?)\b)": "on ",
    r"(?<!once )\bin (?=(?:every|each) )": "",
    r"\bexcept from (?=(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))": "except in ",
    r",? (?:plus|including|as well as|and also) ": " and ",
    r"\bboth (?=[0-9])": "",
    r"\bonly (?=if\b)": "",
    r",? ?\bif it(?:'s| is) not(?: an?)?\b": " except on",
    r"\bif an? (?=(?:week|mon|tues|wednes|thurs|fri|satur|sun)(?:day|end)\b)": "if it is a ",
    r"\bduring the (?=week(?:ends?|days?)\b)": "on ",
    r"\bcalendar (?=days?\b)": "",
    r"^1x (?=daily|hourly|weekly|monthly)": "",
    r"\b(every|each) day once\b": r"every day",
    r"\b(daily|weekly|monthly),? once\b": r"\1",
    r"^once (?=on (?:weekdays|weekends)\b)": "",
}
"""What is said otherwise, and how."""
DAY_NAMED = re.compile(
    r"\b(?:every )?(?P<weekday>(?:mon|tues|wednes|thurs|fri|satur|sun)day|weekday) if it(?:'s| is) (?P<days>the [0-9]{1,2}(?:st|nd|rd|th))\b"
)


def quoted(text: str) -> Advice | None:
    """Offer what stands between quotes."""
    match = re.fullmatch(r"([\"'`\u201c\u2018])(?P<said>[^\"'`]+)[\"'`\u201d\u2019]", text)
    if match is None:
        return None
    return Advice("a schedule has no quotes of its own", (match["said"],), (0, len(text)))


def other_words(text: str) -> Advice | None:
    """Offer "on the 1st" for "at the 1st", "and" for "plus", "except on" for "if it is not"."""
    if match := DAY_NAMED.search(text):
        offer = f"{text[: match.start()]}on {match['days']} if it is a {match['weekday']}{text[match.end() :]}"
        return Advice("the day of the month comes first", (offer,), match.span())
    for pattern, said in OTHER_WORDS.items():
        match = re.search(pattern, text)
        if match:
            offer = f"{text[: match.start()]}{match.expand(said)}{text[match.end() :]}"
            return Advice(f'"{match[0].strip(", ")}" is said otherwise', (offer,), match.span())
    return None


def joined_by_and(text: str) -> Advice | None:
    """Offer a list for "1st of january and 1st of july", with the one time that stands at the end for both."""
    match = re.fullmatch(r"(?P<one>.+?),? and (?:on )?(?P<other>.+)", text)
    if match is None:
        return None
    one, other = match["one"], match["other"]
    if re.fullmatch(rf"{CLOCK_TIME}|[0-9]{{1,2}}", other):
        return None  # one of several times
    within_day = re.search(
        r"\b(?:every|each) (?:[0-9]+ )?(?:second|minute|hour)s?\b|\bhourly\b", one
    )
    if within_day and not re.match(r"(?:at|every|each) |[a-z]+ly\b", other):
        return None  # whose interval the other may have as well
    timed = [re.search(CLOCK_TIME, half) is not None for half in (one, other)]
    shared = re.search(rf" (?:at )?{CLOCK_TIME}$", other)
    if timed == [False, True] and shared:
        one += shared[0]
    elif timed[0] != timed[1]:
        return None
    return Advice("two schedules make a list", (), (0, len(text)), (one, other))
