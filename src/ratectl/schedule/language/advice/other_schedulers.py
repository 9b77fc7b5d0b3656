"""What other schedulers write -> the phrase that says it: OnCalendar of systemd, six fields, EventBridge, Jenkins.

Sources of the notations: systemd.time(7), "Calendar Events"; Quartz, "Cron Trigger Tutorial"; Amazon EventBridge,
"Schedule types"; Jenkins, "Pipeline Syntax", "cron". What has years, or signs that cron lacks, gets no phrase.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ratectl.errors import ScheduleError
from ratectl.schedule.language.advice.advice import Advice
from ratectl.schedule.language.advice.cron_text import on_both_days
from ratectl.schedule.language.cron import DAY_NAMES, FIELDS, parse_cron
from ratectl.schedule.language.explain import explain
from ratectl.schedule.language.parse import parse_one
from ratectl.schedule.values import Calendar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.schedule.values import Schedule

FIELD = r"[0-9*][0-9*/.,]*"
RATE = re.compile(r"rate\((?P<every>[0-9]+ [a-z]+)\)")
SETTING = re.compile(r"(?:cron_)?tz=\S+ (?P<rest>.+)")
NONE = Advice("", ())
DURATION = re.compile(r"(?:r/)?p(?P<days>(?:[0-9]+[dw])*)(?:t(?P<time>(?:[0-9]+[hms])+))?")
CALENDAR_EVENT = re.compile(
    rf"(?:(?P<weekdays>[a-z]{{3,9}}(?:(?:\.\.|,|-)[a-z]{{3,9}})*) )?(?:(?:\*-)?(?P<month>{FIELD})-(?P<day>{FIELD}))?"
    rf" ?(?:(?P<hour>{FIELD}):(?P<minute>{FIELD})(?::(?P<second>{FIELD}))?)?"
)
HASHED = re.compile(r"\bh(?:\((?P<range>[0-9]+-[0-9]+)\))?(?![a-z])(?P<step>/?)")


def other_schedulers(text: str) -> Advice | None:
    """Offer the phrase for ``rate(5 minutes)``, ``Mon..Fri *-*-* 09:00``, ``H 9 * * *`` and ``PT1H30M``."""
    if match := SETTING.fullmatch(text):
        rest = match["rest"].split()
        said = _phrase(["0", *rest]) if len(rest) == len(FIELDS) else match["rest"]
        return Advice("the zone is a key of the job, timezone", (said,), (0, len(text)))
    if match := re.fullmatch(r"oncalendar ?= ?(.+)", text):
        return _advice("systemd", [match[1], *(_of_systemd(match[1]) or NONE).offers])
    if match := RATE.fullmatch(text):
        return _advice("EventBridge", [f"every {match['every']}"])
    if text.startswith("cron(") and text.endswith(")"):
        return _advice("EventBridge", phrases_of(text[5:-1].split()))
    if match := DURATION.fullmatch(text):
        return _advice("ISO 8601", [f"every {match['days']}{match['time'] or ''}"])
    fields = text.split()
    if len(fields) == len(FIELDS) and HASHED.match(text) and "*" in text:
        said = _phrase(["0", *(HASHED.sub(_first_of_hash, field) for field in fields)])
        message = 'an H of Jenkins spreads jobs, which the key jitter does (jitter = "10m")'
        return Advice(message, (said,), (0, len(text)))
    return _of_systemd(text)


def phrases_of(fields: Sequence[str]) -> list[str]:
    """Return the phrases that six or seven *fields* may mean: with seconds before the five of cron, or with all years behind them."""
    sets = [fields[:6]] if len(fields) == 6 or fields[6:] == ["*"] else []
    if len(fields) == 6 and fields[5] == "*":
        sets.append(["0", *fields[:5]])
    sundays_first = "?" in fields  # Quartz and EventBridge, whose Sunday is 1
    marked = [each for each in sets if "?" in {each[3], each[5]}] if sundays_first else sets
    found = (_phrase(_in_cron(each, sundays_first=sundays_first)) for each in marked)
    return [phrase for phrase in dict.fromkeys(found) if phrase]


def _in_cron(fields: Sequence[str], *, sundays_first: bool) -> list[str]:
    """Return a second and five *fields* as cron writes them: a step with its range, and names of weekdays."""
    said = [_stepped(field.lower(), place).replace("?", "*") for place, field in enumerate(fields)]
    if sundays_first:
        said[5] = re.sub(r"(?<![/#])\b[1-7]\b", lambda day: DAY_NAMES[int(day[0]) - 1], said[5])
    return said


def _stepped(field: str, place: int) -> str:
    """Return *field* with the end of each range that a step has without one: "0/15" is "0-59/15"."""
    top = FIELDS[max(place - 1, 0)].top  # a minute has as many seconds as an hour has minutes
    return re.sub(r"(?<![-0-9])([0-9]+)/", rf"\1-{top}/", field)


def _first_of_hash(match: re.Match[str]) -> str:
    """Return the first value of the range that an H of Jenkins draws from; before a step the whole range."""
    if match["step"]:
        return f"{match['range'] or '*'}/"
    return (match["range"] or "0").split("-", maxsplit=1)[0]


def _of_systemd(text: str) -> Advice | None:
    match = CALENDAR_EVENT.fullmatch(text) if "*" in text or ".." in text else None
    if match is None or not (match["day"] or match["hour"]):
        return None
    times = (match["second"] or "0", match["minute"] or "0", match["hour"] or "0")
    said = (*times, match["day"] or "*", match["month"] or "*")
    numbers = [_stepped(field.replace("..", "-"), place) for place, field in enumerate(said)]
    names = re.sub(r"([a-z]{3})[a-z]*", r"\1", match["weekdays"] or "*").replace("..", "-")
    return _advice("systemd", [_phrase([*numbers, names])])


def _phrase(fields: Sequence[str]) -> str:
    """Return the phrase for a second and five cron *fields*, whose days must both match; empty where there is none."""
    second, *five = fields
    try:
        if not {five[2], five[4]} & {"*"}:
            value = parse_one(on_both_days(five) or "no day")
        else:
            value = parse_cron(" ".join(five))
        seconds = parse_cron(f"{second} * * * *")
        timed = _at_seconds(value, seconds)
        said = explain(timed)
        phrase = f"{said[0].lower()}{said[1:].removesuffix('.')}"
        return phrase if parse_one(phrase) == timed else ""
    except ScheduleError:
        return ""


def _at_seconds(value: Schedule, seconds: Schedule) -> Schedule:
    """Return *value* at those seconds of its minutes that are the minutes of *seconds*."""
    if not isinstance(value, Calendar) or not isinstance(seconds, Calendar):
        raise ScheduleError("no calendar")
    return replace(value, seconds=seconds.minutes)


def _advice(whose: str, phrases: Sequence[str]) -> Advice:
    return Advice(f"{whose} writes it like this", tuple(filter(None, phrases)))
