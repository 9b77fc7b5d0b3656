"""Times that people type and that are none, or two: "at 5", "0900", "half past nine", "13pm".

Offers are whole phrases; whether they can be read is seen by who shows them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ratectl.schedule.language.advice.advice import Advice
from ratectl.schedule.language.tokens import tokens

if TYPE_CHECKING:
    from collections.abc import Callable

HOURS = re.compile(
    r"(?<![:\w.])(?P<hour>[0-9]{1,2})(?:(?P<sign>[.h]|\s?h\s?)(?P<minute>[0-5][0-9])(?:\s?(?P<half>am|pm))?|\s?o'?\s?clock"
    r"|\s?h)?(?![\w:.])|(?<![:\w.])(?P<four>[0-2]?[0-9][0-5][0-9])(?:\s?h(?:rs|ours)?)?(?![\w:-])"
)
CLOCK_TIME = r"(?:\b[0-9]{1,2}(?::[0-9]{2}(?: ?[ap]m)?| ?[ap]m)\b|\bnoon\b|\bmidnight\b)"
HOUR_PLACES = {"top": 0, "start": 0, "beginning": 0, "bottom": 30, "end": 59}
DASHES = {"-", "\u2013", "\u2014"}
PAST = re.compile(
    r"\b(?P<minutes>half|(?:a )?quarter|(?<=at )(?:5|10|20|25)|[0-9]{1,2} minutes?|[0-9]{1,2}(?: minutes?)?(?= past)) "
    r"(?P<side>past|after|to|before|till|of) (?P<hour>[0-9]{1,2}|noon|midnight)\b(?!:)(?:\s?(?P<half>am|pm))?"
)


def _late_hours(text: str) -> Advice | None:
    match = re.search(r"\b(1[3-9]|2[0-3])(:[0-5][0-9])?\s?(am|pm)\b", text)
    if match is None:
        return None
    offer = f"{text[: match.start()]}{match[1]}{match[2] or ':00'}{text[match.end() :]}"
    return Advice("am and pm go with hours up to 12", (offer,), match.span())


def _past_the_hour(text: str) -> Advice | None:
    match = re.search(
        r"\b(?:at |on )?(?:the )?(?:a )?:?(?P<minute>[0-5]?[0-9](?:(?:, ?| and )[0-5]?[0-9])*|quarter|half)( minutes?)?( past| after)"
        r"( (the|each|every) hour)?\b(?! [0-9])|\b(?<=hour |urly )at (?P<bare>[0-5]?[0-9](?:(?:, ?| and )[0-5]?[0-9])*)$"
        r"|\b(?:at )?(?:the )?(?P<place>top|start|beginning|bottom|end) of (?:the|each|every) hour\b",
        text,
    )
    if match is None:
        return None
    word = match["minute"] or match["bare"] or match["place"]
    minute = {"quarter": 15, "half": 30, **HOUR_PLACES}.get(word)
    at = re.sub(r"[0-9]+", lambda hit: f":{int(hit[0]):02}", f"at {word}")
    at = at if minute is None else f"at :{minute:02}"
    before, after = text[: match.start()].rstrip(), text[match.end() :]
    offers = (
        f"{before} {at}{after}",
        f"{before} hour {at}{after}",
        f"every hour {at} {before}{after}",
    )
    return Advice("minutes of each hour begin with a colon", offers, match.span())


def _past(text: str) -> Advice | None:
    match = PAST.search(text)
    if match is None:
        return None
    hour = {"noon": 12, "midnight": 0}.get(match["hour"])
    number = int(match["hour"]) if hour is None else hour
    if number > 23:
        return None
    said = match["minutes"].split()
    minute = {"half": 30, "quarter": 15}.get(said[-1] if said[0] == "a" else said[0])
    minute = int(said[0]) if minute is None else minute
    total = number * 60 + (minute if match["side"] in {"past", "after"} else -minute)
    halves = {"am": (0,), "pm": (12,)}.get(match["half"] or "", (0, 12))
    if hour is not None or number > 12:
        halves = (total // 60 % 24 // 12 * 12,)
    times = [f"{(total // 60 % 12 + half):02}:{total % 60:02}" for half in halves]
    at = "" if re.search(r"\b(at|from|between|and|to)\s*$|^$", text[: match.start()]) else "at "
    offers = [f"{text[: match.start()]}{at}{time}{text[match.end() :]}" for time in times]
    return Advice("times are written 09:30 or 9:30pm", tuple(offers), match.span())


BEFORE = re.compile(
    rf"\b(?:at )?(?P<count>[0-9]{{1,2}}) (?P<unit>minute|hour)s? (?P<side>before|after) (?P<time>{CLOCK_TIME})"
)


def _before(text: str) -> Advice | None:
    """Offer 08:50 for "10 minutes before 9am"."""
    match = BEFORE.search(text)
    if match is None:
        return None
    hour, minute = map(int, tokens(match["time"])[0].word.split(":")[:2])
    away = int(match["count"]) * (60 if match["unit"] == "hour" else 1)
    total = (hour * 60 + minute + (away if match["side"] == "after" else -away)) % 1440
    offer = f"{text[: match.start()]}at {total // 60:02}:{total % 60:02}{text[match.end() :]}"
    return Advice("times are written 09:30 or 9:30pm", (offer,), match.span())


def _written_oddly(text: str) -> Advice | None:
    """Offer the times of "nine thirty", "930pm", "9pm30" and "9:5"."""
    match = re.search(
        r"(?:(?<=at )|^|(?<=@)|(?<=day )|(?<=daily ))(?P<hour>[0-9]{1,2})(?: (?P<minute>[0-5][0-9])|-(?P<minute7>30|45))(?![0-9:])(?: ?(?P<half>am|pm))?"
        r"(?! ?(?:st|nd|rd|th|[a-z]*(?:sec|min|hour|day|week|month|year)))"
        r"|\b(?P<hour2>1[0-2]|0?[1-9])(?P<minute2>[0-5][0-9]) ?(?P<half2>am|pm)\b"
        r"|\b(?P<hour3>[0-9]{1,2})(?P<half3>am|pm)(?P<minute3>[0-5][0-9])\b"
        r"|(?<![:0-9])(?P<hour4>[0-9]{1,2}):(?P<minute4>[0-9])(?![0-9])(?: ?(?P<half4>am|pm))?"
        r"|(?<![:0-9])(?P<hour5>[0-9]{1,2})[.,;](?P<minute5>[0-5][0-9]) ?(?P<half5>am|pm)\b"
        r"|(?<![:0-9])(?P<hour6>[0-9]{1,2})(?::(?P<minute6>[0-5][0-9]))? (?P<half6>[ap])\b",
        text,
    )
    if match is None:
        return None
    parts = {name.rstrip("234567"): said for name, said in match.groupdict().items() if said}
    hour, half = int(parts["hour"]), parts.get("half", "")[:1]
    if hour > (12 if half else 23):
        return None
    hours = [hour, hour + 12] if 0 < hour < 12 and not half else [hour]
    hours = [hour % 12 + (12 if half == "p" else 0)] if half else hours
    offers = [
        f"{text[: match.start()]}{each:02}:{int(parts.get('minute', 0)):02}{text[match.end() :]}"
        for each in hours
    ]
    return Advice("times are written 09:30 or 9:30pm", tuple(offers), match.span())


def _hours(text: str) -> Advice | None:
    """Offer times for bare hours: all of the phrase in the morning, or all in the afternoon."""
    where = re.search(r"\b(at|between|from|by|around|@)\b|@", text)
    begins = where.end() if where else 0
    hits = list(HOURS.finditer(text, begins))
    hits = [hit for hit in hits if _is_hour(text, hit)]
    if not hits:
        return None
    hits.sort(key=lambda match: match.start())
    if (after := _half_behind(text, hits)) is not None:
        return after
    halves: tuple[tuple[bool, bool], ...] = (
        (False, False),
        (True, True),
        (False, True),
    )  # "9 to 5" ends in the afternoon
    if any(hit["hour"] and int(hit["hour"]) > 12 for hit in hits):
        halves = ((False, False),)
    elif " from " in f" {text}" or "between" in text:
        halves = ((False, False), (False, True))
    elif len(hits) == 2 and int(hits[1]["hour"] or 0) < int(hits[0]["hour"] or 0):
        halves = ((False, True), (False, False), (True, True))  # "at 9 and 5"
    offers = []
    for first, later in halves:
        out, place = "", 0
        for number, hit in enumerate(hits):
            between = text[place : hit.start()]
            out += (" to " if number and between.strip() in DASHES else between) + _as_time(
                hit, later=later if number else first
            )
            place = hit.end()
        offers.append(out + text[place:])
    return Advice(
        "a time is written with its minutes, 09:00, or as 9am", tuple(offers), hits[0].span()
    )


def _half_behind(text: str, hits: list[re.Match[str]]) -> Advice | None:
    """Return both readings of "between 8 and 10 pm", whose pm may be that of both."""
    last = hits[-1]
    said = re.match(
        r" ?(?:and|to|-|\u2013|,) ?([0-9]{1,2})(?::[0-9]{2})? ?([ap]m)\b", text[last.end() :]
    )
    if said is None or any(hit["four"] or hit["minute"] for hit in hits):
        return None
    hours = [int(hit["hour"]) for hit in hits]
    in_half = [hour % 12 for hour in (*hours, int(said[1]))]
    in_order = sorted(set(in_half)) == in_half
    readings = [dict.fromkeys(hours, said[2])] if in_order else []
    readings.append({hour: "pm" if hour == 12 else "am" for hour in hours})
    offers = []
    for half_of in readings:
        out = text
        for hit, hour in zip(reversed(hits), reversed(hours), strict=True):
            out = f"{out[: hit.start()]}{hour}{half_of[hour]}{out[hit.end() :]}"
        offers.append(out)
    return Advice(f'is "{said[2]}" said of all these times?', tuple(offers), hits[0].span())


def _is_hour(text: str, hit: re.Match[str]) -> bool:
    after = text[hit.end() :].lstrip()
    before = text[: hit.start()].rstrip()
    if re.match(r"(?:of )?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", after):
        return False
    if re.match(
        r"(st|nd|rd|th|am|pm|a\.m|p\.m|seconds?|minutes?|hours?|days?|weeks?|months?|years?|:)\b",
        after,
    ):
        return False
    return not re.search(r"\b(every|each|day|on the|the|on|of)$", before)


def _as_time(hit: re.Match[str], *, later: bool) -> str:
    groups = hit.groupdict()
    if groups.get("four"):
        return f"{groups['four'][:-2]:0>2}:{groups['four'][-2:]}"
    if groups.get("minute"):
        half = groups.get("half")
        hour = int(groups["hour"])
        hour = hour % 12 + (12 if half == "pm" else 0) if half else hour
        return f"{hour:02}:{groups['minute']}"
    hour = int(groups["hour"])
    if hour <= 12 and later:
        hour = hour % 12 + 12
    return f"{hour:02}:00"


CLOCK_ADVICE: tuple[Callable[[str], Advice | None], ...] = (
    _late_hours,
    _written_oddly,
    _past,
    _before,
    _past_the_hour,
    _hours,
)
