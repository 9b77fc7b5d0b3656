"""Parts of the day: "every morning", "at sunset", "from 9am" without an end, two windows.

Each function looks at the whole text and offers whole phrases, or has nothing to say.
"""

from __future__ import annotations

import re

from ratectl.schedule.language.advice.advice import ANY_TIME, Advice
from ratectl.schedule.language.advice.clock import CLOCK_TIME
from ratectl.schedule.language.advice.rhythms import SECONDS_IN
from ratectl.schedule.language.lexicon import WEEKDAY_NAMES
from ratectl.schedule.language.numerals import PARTS_OF_DAY
from ratectl.schedule.language.tokens import CLOCK, tokens

SUN = re.compile(
    r"\b(?:(?:at|after|before|by|in the|during the|in|every|each) )?(?P<part>sunset|sunrise|sundown|sunup|dawn"
    r"|dusk|night|morning|evening|nightfall|lunch|lunchtime|afternoon|nightly|noontime|bedtime)s?\b"
)

TIMES_OF_DAY = {
    **dict.fromkeys(("sunrise", "sunup", "dawn", "morning"), "06:00"),
    **dict.fromkeys(("lunch", "lunchtime", "noontime"), "12:00"),
    **dict.fromkeys(("night", "bedtime"), "22:00"),
    "afternoon": "15:00",
}


PART = rf"(?:{'|'.join((*TIMES_OF_DAY, 'evening', 'sunset', 'dusk', 'noon', 'midnight'))})"
SEVERAL_PARTS = re.compile(
    rf"\b(?:every|each) (?P<parts>{PART}(?:(?:,? and |, ){PART})+)(?! at|,? [0-9])\b"
)


def several_parts(text: str) -> Advice | None:
    """Offer a time for each part of "every morning, noon and evening"."""
    match = SEVERAL_PARTS.search(text)
    if match is None:
        return None
    parts = re.split(r",? and |, ", match["parts"])
    named = {"noon": "12:00", "midnight": "00:00"}
    *times, last = (named.get(part) or TIMES_OF_DAY.get(part, "18:00") for part in parts)
    offer = (
        f"{text[: match.start()]}every day at {', '.join(times)} and {last}{text[match.end() :]}"
    )
    return Advice("parts of the day are told by their times", (offer,), match.span())


PARTS_AT = re.compile(
    rf"\b(?:every|each) (?P<parts>{'|'.join(PARTS_OF_DAY)}) and (?P<other>{'|'.join(PARTS_OF_DAY)}) at (?P<hour>[1-9]|1[01])$"
)
WINDOWS = {
    "morning": ("06:00", "12:00"),
    "afternoon": ("12:00", "18:00"),
    "evening": ("18:00", "22:00"),
}


def parts_at(text: str) -> Advice | None:
    """Offer both times of "every morning and evening at 8"."""
    match = PARTS_AT.search(text)
    if match is None:
        return None
    hours = [
        int(match["hour"]) + (12 if PARTS_OF_DAY[match[side]][0] == "pm" else 0)
        for side in ("parts", "other")
    ]
    offer = f"{text[: match.start()]}every day at {hours[0]:02}:00 and {hours[1]:02}:00"
    return Advice("parts of the day are told by their times", (offer,), match.span())


def part_as_window(text: str) -> Advice | None:
    """Offer the hours of "every 15 minutes in the morning"."""
    match = re.search(
        r",? ?\b(?:in|during|throughout) the (?P<part>morning|afternoon|evening)s?\b(?! at)", text
    )
    often = match and re.search(r"\b(?:second|minute|hour)s?\b|\bhourly\b", text[: match.start()])
    if match is None or not often:
        return None
    first, last = WINDOWS[match["part"]]
    offer = f"{text[: match.start()]} between {first} and {last}{text[match.end() :]}"
    return Advice(f'"{match["part"]}" is told by its hours', (offer,), match.span())


NIGHT = re.compile(
    rf"\b(?:every |each |on )?(?P<day>{'|'.join(WEEKDAY_NAMES)})s? nights? (?:at |@ ?)?"
    r"(?P<time>midnight|(?P<hour>12|[1-5])(?P<minute>:[0-5][0-9])?(?: ?am)?)$"
)


def nights(text: str) -> Advice | None:
    """Offer both days for "friday night at 2am", which most say of the hours after friday."""
    match = NIGHT.search(text)
    if match is None:
        return None
    hour = int(match["hour"] or 12) % 12
    clock = f"{hour:02}{match['minute'] or ':00'}"
    place = WEEKDAY_NAMES.index(match["day"])
    days = WEEKDAY_NAMES[(place + 1) % 7], match["day"]
    offers = tuple(f"{text[: match.start()]}every {day} at {clock}" for day in days)
    return Advice(f"after midnight it is {days[0]}", offers, match.span())


def sun(text: str) -> Advice | None:
    """Offer a time for "at sunset", and the right half of the day for "every evening at 8"."""
    match = SUN.search(text)
    if match is None:
        return None
    part = match["part"].removesuffix("ly")
    before, after = text[: match.start()].rstrip(), text[match.end() :]
    day = "every day" if re.match(r"(every|each|nightly)", match[0]) else ""
    message = f'"{match["part"]}" is no time on the clock; choose one'
    if re.search(rf"\b({ANY_TIME}|noon|midnight)$", before):
        if part in PARTS_OF_DAY and (clocked := as_clock(text)) != text:
            return Advice("times are written 09:30 or 9:30pm", (clocked,), match.span())
        offer = f"{before}{after}"
        bare = re.search(r"(?<![0-9:])[0-9]{1,2}$", before)
        half, hours = PARTS_OF_DAY.get(part, ("", ()))
        if bare and int(bare[0]) in hours:
            return Advice("times are written 09:30 or 9:30pm", (f"{before} {half}{after}",))
        same = re.search(r"(\bat|\b[0-9]+) ([0-9]+)$", before) is None and _half_fits(before, part)
        return Advice(
            f'"{match["part"]}" is told by the time', (offer,) if same else (), match.span()
        )
    timed = re.match(rf"\s*,?\s*(?:at |@ ?)?(?P<time>{ANY_TIME})\b", after)
    if timed is None:
        if re.search(r"[0-9]|noon|midnight", after):
            half = (
                "" if re.search(r"noon|midnight|[ap]m", after) else PARTS_OF_DAY.get(part, ("",))[0]
            )
            whole = f"{before} {day}{after} {half}"
        else:
            whole = f"{before} {day} at {TIMES_OF_DAY.get(part, '18:00')}{after}"
        return Advice(message, (whole,), match.span())
    time = timed["time"]
    if re.search(r"[ap]m", time) and not _half_fits(time, part):
        return Advice(f'"{match["part"]}" and {time} do not go together', (), match.span())
    if not re.search(r"[ap]m", time) and part in PARTS_OF_DAY:
        time += f" {f'at {part}' if part == 'night' else f'in the {part}'}"
    offer = f"{before} {day} at {time}{after[timed.end() :]}"
    return Advice(f'"{match["part"]}" is told by the time', (as_clock(offer),), match.span())


def _half_fits(before: str, part: str) -> bool:
    """Tell whether the time at the end of *before* lies in the half of the day of *part*."""
    half = PARTS_OF_DAY.get(part, ("",))[0]
    if re.search(r"(noon|midnight)$", before):
        return (before.endswith("noon"), part) in {(True, "afternoon"), (False, "night")}
    if said := re.search(r"([0-9]{1,2})(?::[0-9]{2})? ?[ap]m$", before):
        late = part == "night" and before.endswith("am") and int(said[1]) % 12 < 6
        return late or before.endswith(half)
    clock = re.search(r"([0-9]{1,2}):[0-9]{2}$", before)
    hour = int(clock[1]) if clock else -1
    if part == "night":
        return hour >= 18 or 0 <= hour < 6
    return hour >= 0 and (hour > 12) == (half == "pm")


def as_clock(text: str) -> str:
    """Return *text* with "9 in the morning" and "8:30 in the evening" as 09:00 and 20:30."""

    def clock(match: re.Match[str]) -> str:
        half, hours = PARTS_OF_DAY[match["part"]]
        hour = int(match["hour"])
        if (match["part"] == "night" and hour in {12, *range(1, 6)}) or (half, hour) == ("am", 12):
            half = "am"
        elif hour not in hours:
            return match[0]
        return f"{hour % 12 + (12 if half == 'pm' else 0):02}{match['minute'] or ':00'}"

    return re.sub(
        r"(?<!past )(?<!to )\b(?P<hour>[0-9]{1,2})(?P<minute>:[0-9]{2})? (?:in the|at) "
        rf"(?P<part>{'|'.join(PARTS_OF_DAY)})\b",
        clock,
        text,
    )


WINDOW = re.compile(
    r",?\s*\b(?P<key>from|after|since|starting(?: at| from)?|beginning(?: at| from)?|between|before|until|till"
    r"|up to|ending at)\s+(?P<time>[0-9]{1,2}:[0-9]{2}(?: ?[ap]\.?m\.?)?|[0-9]{1,2} ?[ap]\.?m\b\.?|noon|midnight)"
    r"(?: on\b(?! )| onwards?)?(?!\s*(?:to|and|until|till|through|thru|[-\u2013\u2014]))"
)


def open_window(text: str) -> Advice | None:
    """Offer what "from 9am" may mean: to the end of each day, or the same steps around the clock."""
    match = WINDOW.search(text)
    clock = tokens(match["time"])[0].word if match else ""
    if match is None or not CLOCK.fullmatch(clock):
        return None
    before, after = text[: match.start()], text[match.end() :]
    if match["key"] in {"before", "after"} and not re.search(r"\b(every|each)\b|ly\b", before):
        return None  # "10 minutes before 9am"
    ends = match["key"] in {"before", "until", "till", "up to", "ending at"}
    if match["key"] == "before":
        hour, minute = divmod((int(clock[:-3]) * 60 + int(clock[-2:]) - 1) % 1440, 60)
        clock = f"{hour:02}:{minute:02}"
    window = f"between 00:00 and {clock}" if ends else f"between {clock} and 23:59"
    offers = [f"{before} {window}{after}"]
    if not ends and _on_grid(before, clock):
        offers.append(f"{before}{after}")
    return Advice("a part of the day has two ends", tuple(offers), match.span())


def _on_grid(said: str, clock: str) -> bool:
    """Tell whether the interval that *said* names comes by at *clock* anyway, each day."""
    words = [token.word for token in tokens(said)]
    unit = next((word for word in words if word in SECONDS_IN), "")
    number = next((int(word) for word in words if word.isdecimal()), 1)
    step = SECONDS_IN.get(unit, 0) * number
    hour, minute = clock.split(":")[:2]
    return step > 0 and 86400 % step == 0 and (int(hour) * 3600 + int(minute) * 60) % step == 0


EXCEPT_WINDOW = re.compile(
    r",? (?:except|but not|not|excluding)(?: from)?(?P<between> between)? (?P<first>[0-9]{1,2}:[0-9]{2}) ?(?:(?(between)and|to)|to|until|till|-|\u2013) ?"
    r"(?P<last>[0-9]{1,2}:[0-9]{2})(?![:0-9])"
)


def except_window(text: str) -> Advice | None:
    """Offer a list of what is left for "every 15 minutes except between 12:00 and 13:00"."""
    text = re.sub(rf"{CLOCK_TIME}(?! ?[ap]m)", lambda time: tokens(time[0])[0].word, text)
    hourly = re.search(r"\bhour(?:ly)?\b", text)
    if hourly:  # "every hour except at noon"
        text = EXCEPT_HOUR.sub(lambda hit: f" except {hit[1]}:00 to {int(hit[1]) + 1:02}:00", text)
    match = EXCEPT_WINDOW.search(text)
    if match is None:
        return None
    first, last = (_minutes(match[side]) for side in ("first", "last"))
    before, after = text[: match.start()], text[match.end() :]
    begins, ends = 0, 24 * 60 - 1
    if said := SAID_WINDOW.search(before):
        begins, ends = (_minutes(said[side]) for side in ("first", "last"))
        before = f"{before[: said.start()]}{before[said.end() :]}"
    parts = [(begins, first - 1), (last, ends)] if first < last else [(last, first - 1)]
    members = tuple(
        f"{before} between {low // 60:02}:{low % 60:02} and {high // 60:02}:{high % 60:02}{after}"
        for low, high in parts
        if begins <= low < high <= ends
    )
    span = (0, len(text))
    if len(members) == 1:
        return Advice("the part of the day that is left is named", members, span)
    return Advice("the parts of the day that are left make a list", (), span, members)


EXCEPT_HOUR = re.compile(
    r",? (?:except|but not|excluding)(?: at)? ([0-9]{2}):00(?! ?(?:to|and|,|-|until|[0-9]))"
)
SAID_WINDOW = re.compile(
    r" (?:from|between) (?P<first>[0-9]{1,2}:[0-9]{2}) (?:to|and|until) (?P<last>[0-9]{1,2}:[0-9]{2})(?![:0-9])"
)


def _minutes(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def two_windows(text: str) -> Advice | None:
    """Offer a list for "from 9:00 to 11:00 and from 14:00 to 16:00"."""
    bare = rf"{CLOCK_TIME} ?(?:to|until|till|-|\u2013) ?{CLOCK_TIME}"
    ends = rf"{CLOCK_TIME} ?(?:and|to|until|till|-|\u2013) ?{CLOCK_TIME}"
    hours = r"[0-9]{1,2} ?(?:to|until|till|-|\u2013) ?[0-9]{1,2}(?![:0-9])"
    match = re.search(
        rf"(?P<one>(?:between|from) (?:{ends}|{hours})|{bare}),? (?:and )?(?:again )?(?P<from>(?:between|from) )?(?P<other>{ends}|(?<=from ){hours})",
        text,
    )
    if match is None:
        return None
    before, after = text[: match.start()], text[match.end() :]
    lead = "from " if match["one"].startswith(("from", "between")) else ""
    members = (
        f"{before}{match['one']}{after}",
        f"{before}{match['from'] or lead}{match['other']}{after}",
    )
    return Advice("two windows make a list", (), match.span(), members)
