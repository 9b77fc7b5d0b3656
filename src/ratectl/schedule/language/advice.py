"""What people type that has two readings, or belongs into a key of the spec: why not, and what to say.

Each piece of advice looks at the whole text and offers whole phrases; whether they can be
read is seen by who shows them. The order counts: the first one that fits speaks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ratectl.schedule.language.lexicon import MONTH_NAMES, SPELLINGS, UNITS
from ratectl.schedule.language.numerals import PARTS_OF_DAY, nth
from ratectl.schedule.language.tokens import CLOCK, tokens

if TYPE_CHECKING:
    from collections.abc import Callable


class Advice(NamedTuple):
    """Why a text is refused, where, and what says one or the other."""

    message: str
    offers: tuple[str, ...]
    span: tuple[int, int] = (0, 0)
    members: tuple[str, ...] = ()
    """What says it as a list of schedules, where one cannot."""

    @property
    def names_key(self) -> bool:
        """Tell whether the message names the key of the spec that says it."""
        return " = " in self.message or "closed_days" in self.message


SECONDS_IN = {"second": 1, "minute": 60, "hour": 3600}
DAY = re.compile(r"[0-9]{1,2}(st|nd|rd|th)?")
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[t ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?"
ANY_TIME = r"[0-9]{1,2}(?::[0-9]{2})?(?: ?[ap]m)?"
SHARES = {  # so many times in a unit
    ("hour", 2): ("every 30 minutes", "every hour at :00 and :30"),
    ("day", 2): ("every day at 09:00 and 21:00", "every 12 hours"),
    ("day", 3): ("every day at 08:00, 14:00 and 20:00", "every 8 hours"),
    ("day", 4): ("every day at 00:00, 06:00, 12:00 and 18:00", "every 6 hours"),
    ("week", 2): ("every monday and thursday at 09:00",),
    ("week", 3): ("every monday, wednesday and friday at 09:00",),
    ("month", 2): ("every month on the 1st and 15th at 09:00",),
    ("month", 3): ("every month on the 1st, 11th and 21st at 09:00",),
    ("year", 2): ("every 6 months", "every year on the 1st in january and july"),
    ("year", 3): ("every 4 months",),
    ("year", 4): ("every quarter",),
}
EXAMPLES = {
    "second": "every 30 seconds",
    "minute": "every minute at :00, :15, :30 and :45",
    "hour": "every hour at :00 and :30",
    "day": "every day at 09:00 and 17:00",
    "week": "every monday and thursday at 09:00",
    "month": "every month on the 1st and 15th at 09:00",
    "quarter": "every month on the 1st and 15th at 09:00",
    "year": "every year in january and july on the 1st",
}
ADVERB_UNITS = {
    "hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "yearly": "year",
    "annually": "year",
}  # fmt: skip


def _times_a_unit(text: str) -> Advice | None:
    match = re.search(
        r"\b(once or twice|twice|thrice|(\w+) times|([0-9]+)x)"
        r"\s*(?:(?:in an?|an?|per|each|every|/)?\b\s*(\w+))?",
        text,
    )
    if match is None:
        return None
    unit = match[4] or "day"
    unit = ADVERB_UNITS.get(unit, unit.removesuffix("s"))
    end = match.end() if unit in UNITS else match.end() if match[4] is None else match.start(4)
    unit = unit if unit in UNITS else "day"
    word = match[2] or match[3] or ""
    count = {"twice": 2, "thrice": 3}.get(match[1], 0)
    count = count or (int(word) if word.isdecimal() and len(word) < 6 else 0)
    rest = " ".join(f"{text[: match.start()]} {text[end:]}".split())
    rest = re.sub(r"^(run|every day|each day|every week)$", "", rest)
    if count and len(re.findall(r",|\band\b|&", rest)) == count - 1 > 0:
        whole = rest if re.search(r"\b(every|each)\b", rest) else f"every {unit} {rest}"
        return Advice("name the times alone", (whole,), match.span())
    offers: tuple[str, ...] = SHARES.get((unit, count), ())
    size = {"hour": 60, "day": 1440}.get(unit, 0)
    if not offers and count > 1 and size and size % count == 0:
        offers = (f"every {size // count} minutes",)
    offers = offers or ((EXAMPLES[unit],) if not count else ())
    time = re.search(rf"\b(?:at )?{ANY_TIME}$", rest)
    if time and unit in {"day", "hour"}:
        rest = rest[: time.start()]
    elif time:
        offers = tuple(offer.removesuffix(" at 09:00") for offer in offers)
    return Advice("at which times?", tuple(f"{offer} {rest}" for offer in offers), match.span())


def _all_of(text: str) -> Advice | None:
    match = re.match(r"(?:all|any)(?: the)? (?P<what>days?|weekdays?|hours?|minutes?)\b", text)
    match = match or re.match(
        r"(?:1|a single)(?: time)? (?:per|an?|each|every) (?P<what>\w+)", text
    )
    if match is None:
        return None
    offer = f"every {match['what'].removesuffix('s')}{text[match.end() :]}"
    return Advice('say "every"', (offer,), match.span())


STEPS = re.compile(
    r"\b(?:(?:run |fetch )?(?:every|each|at|in|with|on) )?(?:an? )?(?P<of>intervals? of )?(?P<count>[0-9]+)[ -]?"
    r"(?P<unit>second|minute|hour|day|week|month|year|sec|min|hr)(?P<ly>ly)?s?(?P<steps>[ -](?:intervals?|steps?|gaps?))?\b"
)


def _steps(text: str) -> Advice | None:
    """Offer the interval of "at 15 minute intervals", "15-minutely", "every interval of 5 minutes"."""
    match = STEPS.search(re.sub(r"^(half|quarter)\b", "0", text))
    if match is None or not (match["of"] or match["ly"] or match["steps"] or "-" in match[0]):
        return None
    before = re.sub(r"\b(every|each|at)\s*$", "", text[: match.start()])
    offer = f"{before}every {match['count']} {match['unit']}s{text[match.end() :]}"
    return Advice('an interval begins with "every"', (offer,), match.span())


def _some(text: str) -> Advice | None:
    match = re.search(
        r"\b(?:a )?(?P<some>couple|few|several|so many|some|x|n)(?: of)? "
        r"(?P<unit>(?:second|minute|hour|day|week|month|year|sec|min|hr)s?)\b",
        text,
    )
    if match is None:
        return None
    unit = SPELLINGS.get(match["unit"], match["unit"].removesuffix("s"))
    couple = match["some"] == "couple"
    count = 2 if couple else {"second": 30, "minute": 5}.get(unit, 3)
    every = "" if re.search(r"\b(every|each)\b", text[: match.start()]) else "every "
    offer = f"{text[: match.start()]}{every}{count} {unit}s{text[match.end() :]}"
    return Advice("how many?", (offer,), match.span())


def _never(text: str) -> Advice | None:
    if re.search(r"\b(never|disabled?|paused?|off)\b", text) is None:
        return None
    return Advice("a job that shall not run has the key: enabled = false", (), (0, len(text)))


def _two_rhythms(text: str) -> Advice | None:
    match = re.search(
        r"\b(bi|semi|tri)-?\s?(weekly|monthly|annual|annually|annum|yearly|ennial|ennially|daily|hourly)\b",
        text,
    )
    if match is None:
        return None
    unit = {"weekly": "week", "monthly": "month", "daily": "day", "hourly": "hour"}.get(
        match[2], "year"
    )
    twice = SHARES[unit, 2][0]
    if match[1] == "semi":
        return Advice("say when", (twice,), match.span())
    if match[1] == "tri":
        offers = (f"every 3 {unit}s", *SHARES.get((unit, 3), ())[:1])
        return Advice(f"every three {unit}s, or three times?", offers, match.span())
    every = f"every 2 {unit}s"
    return Advice(f"every two {unit}s, or two times?", (every, twice), match.span())


COUNTED_WEEKDAYS = re.compile(
    r"\b(?:every|each) (?P<count>[0-9]+)(?:st|nd|rd|th)? "
    r"(?:business|banking|trading|market|working|work)[ -]?days?\b(?! of)"
)


def _counted_weekdays(text: str) -> Advice | None:
    plain = re.sub(r"\b(other|second)\b", "2", text).replace("third", "3")
    match = COUNTED_WEEKDAYS.search(plain)
    if match is None:
        return None
    count = int(match["count"])
    said = f"every {count} days except on weekends" if count > 2 else "every weekday"
    said = "every monday, wednesday and friday" if count == 2 else said
    offer = f"{plain[: match.start()]}{said}{plain[match.end() :]}"
    return Advice("weekdays are not counted, days are", (offer,), (0, len(text)))


def _business_day(text: str) -> Advice | None:
    match = re.search(
        r"\b(?P<during>during )?(?P<kind>business|banking|trading|market|working|office|school)[ -]?"
        r"(?P<what>days?|hours)\b",
        text,
    )
    if match is None:
        return None
    before, after = text[: match.start()], text[match.end() :]
    if match["what"] == "hours":
        hours = f"between 09:00 and 17:00{'' if 'week' in text else ' on weekdays'}"
        before = re.sub(r"\b(in|on|at)\s*$", "", before)
        offers = (f"{before} {hours}{after}", f"every hour {before} {hours}{after}")
        return Advice("name the hours", offers, match.span())
    single = re.search(r"\b(every|each|first|last|[0-9]+(st|nd|rd|th)|second|third|a)\s*$", before)
    message = (
        "a schedule knows weekdays and no holidays; what a holiday's rate becomes is told by "
        "the key closed_days"
    )
    offer = f"{before}{'weekday' if single else 'weekdays'}{after}"
    return Advice(message, (offer,), match.span())


SUN = re.compile(
    r"\b(?:(?:at|after|before|by|in the|during the|in|every|each) )?(?P<part>sunset|sunrise|sundown|sunup|dawn"
    r"|dusk|night|morning|evening|nightfall|lunch|lunchtime|afternoon|nightly|noontime|bedtime)s?\b"
)
TIMES_OF_DAY = {
    **dict.fromkeys(("sunrise", "sunup", "dawn", "morning"), "06:00"),
    **dict.fromkeys(("lunch", "lunchtime", "noontime"), "12:00"),
    **dict.fromkeys(("night", "nightly", "bedtime"), "22:00"),
    "afternoon": "15:00",
}


def _sun(text: str) -> Advice | None:
    match = SUN.search(text)
    if match is None:
        return None
    part, before, after = match["part"], text[: match.start()].rstrip(), text[match.end() :]
    day = "every day" if re.match(r"(every|each|nightly)", match[0]) else ""
    message = f'"{part}" is no time on the clock; choose one'
    if re.search(rf"\b{ANY_TIME}$", before):
        if part in PARTS_OF_DAY and (clocked := as_clock(text)) != text:
            return Advice("times are written 09:30 or 9:30pm", (clocked,), match.span())
        offer = f"{before}{after}"
        bare = re.search(r"(?<![0-9:])[0-9]{1,2}$", before)
        half, hours = PARTS_OF_DAY.get(part, ("", ()))
        if bare and int(bare[0]) in hours:
            return Advice("times are written 09:30 or 9:30pm", (f"{before} {half}{after}",))
        same = re.search(r"(\bat|\b[0-9]+) ([0-9]+)$", before) is None and _half_fits(before, part)
        return Advice(f'"{part}" is told by the time', (offer,) if same else (), match.span())
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
    if not re.search(r"[ap]m", time) and part in PARTS_OF_DAY:
        time += f" {f'at {part}' if part == 'night' else f'in the {part}'}"
    offer = f"{before} {day} at {time}{after[timed.end() :]}"
    return Advice(f'"{part}" is told by the time', (as_clock(offer),), match.span())


def _half_fits(before: str, part: str) -> bool:
    """Tell whether the time at the end of *before* lies in the half of the day of *part*."""
    half = PARTS_OF_DAY.get(part, ("",))[0]
    if re.search(r"[ap]m$", before):
        return before.endswith(half)
    hour = re.search(r"([0-9]{1,2}):[0-9]{2}$", before)
    return hour is not None and (int(hour[1]) > 12) == (half == "pm")


def as_clock(text: str) -> str:
    """Return *text* with "9 in the morning" and "8:30 in the evening" as 09:00 and 20:30."""

    def clock(match: re.Match[str]) -> str:
        half, hours = PARTS_OF_DAY[match["part"]]
        hour = int(match["hour"])
        if match["part"] == "night" and hour in {12, *range(1, 6)}:
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


def _boot(text: str) -> Advice | None:
    match = re.search(
        r"@?\b(re)?boot(s|ing|up)?\b|\bstart-?up\b|\blog[io]n\b|\bpower[- ]?on\b", text
    )
    if match is None:
        return None
    message = 'a schedule counts slots, not boots; what was missed is caught up at boot: catch_up = "latest"'
    return Advice(message, (), match.span())


ZONES = (
    r"utc|gmt|zulu|cet|cest|eet|eest|wet|west|bst|ist|est|edt|cst|cdt|mst|mdt|pst|pdt|et|ct|mt|pt|jst"
    r"|hkt|sgt|aest|aedt|msk"
)
ZONE_KEYS = {
    "utc": "UTC", "gmt": "UTC", "zulu": "UTC", "cet": "Europe/Berlin", "cest": "Europe/Berlin",
    "bst": "Europe/London", "ist": "Asia/Kolkata", "est": "America/New_York",
    "edt": "America/New_York", "et": "America/New_York", "cst": "America/Chicago",
    "cdt": "America/Chicago", "ct": "America/Chicago", "mst": "America/Denver",
    "mdt": "America/Denver", "mt": "America/Denver", "pst": "America/Los_Angeles",
    "pdt": "America/Los_Angeles", "pt": "America/Los_Angeles", "jst": "Asia/Tokyo",
    "hkt": "Asia/Hong_Kong", "sgt": "Asia/Singapore", "aest": "Australia/Sydney",
    "aedt": "Australia/Sydney", "msk": "Europe/Moscow", "eet": "Europe/Athens",
    "eest": "Europe/Athens", "wet": "Europe/Lisbon", "west": "Europe/Lisbon",
}  # fmt: skip


def _zone(text: str) -> Advice | None:
    match = re.search(
        rf"\s*,?\s*\(?\b(?:in |at )?(?P<name>[a-z]+/[a-z_]+(?:/[a-z_]+)?"
        rf"|(?:{ZONES})(?:\s*[+-]\s*[0-9]{{1,2}}(?::?[0-9]{{2}})?)?|local(?: time)?|(?!at |every |one |this |that |the |same |some |any |all |elapsed |each )[a-z]{{3,}}(?: [a-z]{{3,}})? time)\b(?: time)?\)?"
        r"|(?<=[0-9])\s*(?P<offset>z|[+-](?:0[0-9]|1[0-4]):?[0-9]{2})\b",
        text,
    )
    if match is None:
        return None
    name = match["name"] or ""
    if re.search(r"[+-]", match["offset"] or name):
        # a zone is a place here: no offset is one, and a guess would be another clock
        rest = f"{text[: match.start()]} {text[match.end() :]}"
        message = "an offset is no zone; name the place with the key: timezone = REGION/CITY"
        return Advice(message, (rest,), match.span())
    rest = f"{text[: match.start()]} {text[match.end() :]}"
    if name.startswith("local"):
        return Advice('the zone is the job\'s key: timezone = "local"', (rest,), match.span())
    if name.endswith(" time"):
        return Advice(
            'the zone is a key of the job: timezone = "America/New_York"', (rest,), match.span()
        )
    if "/" in name:
        parts = re.split(r"([/_])", name)
        key = "".join(part.capitalize() for part in parts)
    else:
        key = ZONE_KEYS.get(re.split(r"[ +-]", name)[0], "UTC")
    return Advice(f'the zone is a key of the job: timezone = "{key}"', (rest,), match.span())


def _bounds(text: str) -> Advice | None:
    match = re.search(
        r"[,;]?\s*\b(?P<key>until|till|through|from|starting(?: on| from| at)?|beginning(?: on)?|since|after"
        rf"|before|ending(?: on| before)?|up to|for)\s+(?P<what>{DATE}|tomorrow|today|now|next \w+|the end of.*"
        r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
        r"|(?:january|february|march|april|may|june|july|august|september|october|november|december)\b.*"
        r"|[0-9]+ (?:days?|weeks?|months?|years?|hours?)|[0-9]{4})"
        rf"(?:\s*(?:to|until|till|-)\s*(?P<end>{DATE}))?",
        text,
    )
    if match is None:
        return None
    names = r"(monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tues?|weds?|thur?s?|fri|sat|sun)"
    runs = match["key"] in {"until", "till", "through"}
    if (
        runs
        and re.search(rf"{names} $", text[: match.start("key")])
        and re.match(names, match["what"])
    ):
        return None  # "monday till friday"
    ends = match["key"].split()[0] in {"until", "till", "through", "before", "ending", "up", "for"}
    date = match["what"] if re.match(DATE, match["what"]) else "2026-12-01"
    key = f'{"until" if ends else "from"} = "{date}"'
    if match["end"]:
        key += f' and until = "{match["end"]}"'
    rest = f"{text[: match.start()]} {text[match.end() :]}"
    repeats = re.search(r"\b(every|each|once|daily|hourly|weekly|monthly|yearly)\b", rest)
    offers = (rest,) if repeats else (rest, f"every day {rest}")
    such = ": " if date == match["what"] else ", such as "
    return Advice(f"bounds are keys of the job{such}{key}", offers, match.span())


WINDOW = re.compile(
    r",?\s*\b(?P<key>from|after|since|starting(?: at| from)?|beginning(?: at| from)?|between|before|until|till"
    r"|up to|ending at)\s+(?P<time>[0-9]{1,2}:[0-9]{2}(?: ?[ap]\.?m\.?)?|[0-9]{1,2} ?[ap]\.?m\b\.?|noon|midnight)"
    r"(?: on\b(?! )| onwards?)?(?!\s*(?:to|and|until|till|through|thru|[-\u2013\u2014]))"
)


def _open_window(text: str) -> Advice | None:
    """Offer what "from 9am" may mean: to the end of each day, or the same steps around the clock."""
    match = WINDOW.search(text)
    clock = tokens(match["time"])[0].word if match else ""
    if match is None or not CLOCK.fullmatch(clock):
        return None
    before, after = text[: match.start()], text[match.end() :]
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


def _hours_and_minutes(text: str) -> Advice | None:
    """Offer an interval, and a time, for "every 1:30"."""
    match = re.search(
        r"\b(every|each) (?P<hour>[0-9]{1,2}):(?P<minute>[0-5][0-9])(?::00)?(?P<unit> ?(hours?|hrs?|h)\b)?",
        text,
    )
    if match is None:
        return None
    total = int(match["hour"]) * 60 + int(match["minute"])
    offers = [f"every {total} minutes{text[match.end() :]}"]
    if not match["unit"] and match["hour"] not in {"0", "00"}:
        offers.append(
            f"every day at {int(match['hour']):02}:{match['minute']}{text[match.end() :]}"
        )
    return Advice("an interval is said in minutes", tuple(offers), match.span())


def _one_day(text: str) -> Advice | None:
    match = re.search(rf"\b({DATE})\b", text)
    if match and not re.match(
        r"once.*[0-9]:|once.*-[0-9][0-9]$|.*counted from|.*start|.*end", text
    ):
        time = re.search(r"\b[0-9]{1,2}:[0-9]{2}\b", text[match.end() :])
        at = match[1] if ":" in match[1] else f"{match[1]} {time[0] if time else '10:30'}"
        return Advice(
            "a single moment begins with once", (f"once at {at.replace('t', ' ')}",), match.span()
        )
    match = re.search(
        r"\b(tomorrow|today|tonight|now|next (?!to )\w+|this \w+|in [0-9]+ (second|minute|hour|day|week)s?"
        r"|in an? (minute|hour|day|week))\b",
        text,
    )
    match = match or re.fullmatch(r"once(,? (at|on))? ([0-9].*|noon|midnight)", text)
    if match is None or re.search(r"\b(every|each|daily|hourly|weekly)\b", text):
        return None
    time = re.search(r"\b([0-9]{1,2}:[0-9]{2}|[0-9]{1,2} ?[ap]m|noon|midnight)", text)
    clock = tokens(time[0])[0].word if time else "10:30"
    words = [token.word for token in tokens(text)]
    month = next((MONTH_NAMES.index(word) + 1 for word in words if word in MONTH_NAMES), 0)
    day = next((int(word[:2].rstrip("strndh")) for word in words if DAY.fullmatch(word)), 1)
    date = f"2027-{month:02}-{day:02}" if month else "2026-12-01"
    return Advice(
        "a single moment is a date such as 2026-12-01 and a time",
        (f"once at {date} {clock}",),
        match.span(),
    )


def _no_every(text: str) -> Advice | None:
    match = re.match(r"(repeat(ed)? |run |fetch |please |do it )?(?P<rest>.+)", text)
    if match is None or re.match(r"(every|each|once)\b", match["rest"]):
        return None
    rest = match["rest"]
    rest = re.sub(r"^alternat(e|ing)\b", "other", rest)
    if re.match(rf"([0-9]+ ?({'|'.join(UNITS)}|[smhdw]|sec|min|hr)|half )", rest) or re.match(
        rf"(other|{'|'.join(UNITS)})s?\b", rest
    ):
        return Advice('an interval begins with "every"', (f"every {rest}",))
    if re.match(r"(minutely|secondly|nightly)\b", rest):
        unit = {"m": "minute", "s": "second", "n": "day"}[rest[0]]
        return Advice("there is no such word here", (re.sub(r"^\w+", f"every {unit}", rest),))
    return None


def _in_hours(match: re.Match[str]) -> str:
    return f"{int(match[1]) * 24 + int(match[2])} hours"


def _in_minutes(match: re.Match[str]) -> str:
    return f"{int(match[1]) * 60 + int(match[2])} minutes"


FRACTIONS = {
    "third of an hour": "20 minutes",
    "third of a day": "8 hours",
    "third of a minute": "20 seconds",
} | {"\u00bd": ".5", "\u00bc": ".25", "\u00be": ".75", "1/2": ".5", "1/4": ".25", "3/4": ".75"}


def _fractions(text: str) -> Advice | None:
    plain = re.sub(r"\b([0-9]+) and (?:a half|1/2|\u00bd)(?= )", r"\1.5", text)
    plain = re.sub(r"\b([0-9]+) and a quarter\b", r"\1.25", plain)
    plain = re.sub(r"\b(?:an? )?(minute|hour|day) and a quarter\b", r"1.25 \1", plain)
    plain = re.sub(r"\b([0-9]+) ?d(?:ays?)? (?:and )?([0-9]+) ?h(?:ours?)?\b", _in_hours, plain)
    plain = re.sub(r"\b([0-9]+) ?h(?:ours?|rs?)? ([0-5][0-9])$", _in_minutes, plain)
    for sign, part in FRACTIONS.items():
        alone = r"(?<![0-9/])" if "/" in sign else ""
        plain = re.sub(
            rf"(?:([0-9]+) ?)?{alone}{re.escape(sign)}(?![0-9/])(?: of)?(?: an?\b)?",
            rf"\g<1>{part}",
            plain,
        )
    if plain != text and not re.search(r"[0-9]*\.[0-9]", plain):
        return Advice("a part is said in smaller units", (plain,), (0, len(text)))
    match = re.search(
        r"(?<![0-9.,])([0-9]{0,3})[.,]([0-9]{1,2}) ?(hours?|h|hrs?|minutes?|mins?|m|days?|d)\b",
        plain,
    )
    if match is None:
        return None
    unit, smaller, size = {
        "h": ("hour", "minute", 60), "m": ("minute", "second", 60), "d": ("day", "hour", 24),
    }[match[3][0]]  # fmt: skip
    total, rest = divmod(int(f"{match[1]}{match[2]}") * size, 10 ** len(match[2]))
    offer = f"{plain[: match.start()]}{total} {smaller}s{plain[match.end() :]}"
    article = "an" if unit == "hour" else "a"
    return Advice(
        f"a part of {article} {unit} is said in {smaller}s", () if rest else (offer,), match.span()
    )


def _two_schedules(text: str) -> Advice | None:
    match = re.fullmatch(
        r"(?P<one>.*\bat .*?\S) and (?P<on>on |every )?(?P<other>[a-z].* at .+)", text
    )
    match = match or re.fullmatch(r"(?P<one>\S+ .+) and (?P<on>every )(?P<other>.+)", text)
    if match is None:
        return None
    one, other = match["one"], f"{match['on'] or 'every '}{match['other']}"
    return Advice("two schedules make a list", (), match.span(), (one, other))


WORDS_FOR_DAYS = {
    r"\bhalf[ -]?hourly\b": "every 30 minutes",
    r"\b(on )?alternat(e|ing)\b": "every other",
    r"\bm ?(?:-|to) ?f\b": "monday to friday",
    r"\bmwf\b": "monday, wednesday and friday",
    r"\bt/?th\b": "tuesday and thursday",
    r"\b(christmas|xmas) eve\b": "24 december",
    r"\b(christmas|xmas)( day)?\b": "25 december",
    r"\bboxing day\b": "26 december",
    r"\bnew year'?s eve\b": "31 december",
    r"\b(the )?new year('?s( day)?)?\b": "1 january",
    r"\b(the )?day before the last day\b": "second to last day",
    r"\b(the )?day before the last( day)? of\b": "second to last day of",
    r"\b(every|each) (noon|midday)\b": "every day at noon",
    r"\b(every|each) midnight\b": "every day at midnight",
    r"\bdecade\b": "10 years",
    r"\bcentury\b": "100 years",
    r"\bq1\b": "january to march",
    r"\bq2\b": "april to june",
    r"\bq3\b": "july to september",
    r"\bq4\b": "october to december",
    r"\b(apart from|aside from|other than|save for|with the exception of)\b": "except",
    r"\bweek end\b(?! of)": "weekend",
    r"\b(and )?then\b": "and",
    r"\bquarter[ -]?hourly\b": "every 15 minutes",
    r"(?<=[a-z]) ?\+ ?(?=[a-z])": " and ",
    r"^(?:q|pt)(?=[0-9]+ ?[smh]\b)": "every ",
    r"^p(?=[0-9]+ ?[dw]\b)": "every ",
    r"\beven hours?\b": "2 hours",
    r"\bodd hours?\b": "2 hours between 01:00 and 23:00",
    r"\beven minutes?\b": "2 minutes",
    r"\bodd minutes?\b": "hour at minutes " + ", ".join(map(str, range(1, 59, 2))) + " and 59",
    r"\beven (days?|dates?)\b": "month on the "
    + ", ".join(map(nth, range(2, 30, 2)))
    + " and 30th",
    r"\bodd (days?|dates?)\b": "month on the " + ", ".join(map(nth, range(1, 31, 2))) + " and 31st",
}
"""What stands for days and for every other one of them."""


def _words_for_days(text: str) -> Advice | None:
    for pattern, said in WORDS_FOR_DAYS.items():
        match = re.search(pattern, text)
        if match:
            whole = f"{text[: match.start()]}{said}{text[match.end() :]}"
            whole = re.sub(r"\b(at|on|in) (the )?(?=(2|month|hour) )", "", whole)
            offers = (whole, f"every {whole}")
            return Advice(f'"{match[0]}" has no word here', offers, match.span())
    return None


def _two_windows(text: str) -> Advice | None:
    window = r"(?:between|from) \S+(?: [ap]m)? ?(?:and|to|until|till|-|\u2013) ?\S+(?: [ap]m)?"
    match = re.search(rf"(?P<one>{window}),? (?:and )?(?:again )?(?P<other>{window})", text)
    if match is None:
        return None
    before, after = text[: match.start()], text[match.end() :]
    members = tuple(f"{before}{match[side]}{after}" for side in ("one", "other"))
    return Advice("two windows make a list", (), match.span(), members)


def _two_gaps(text: str) -> Advice | None:
    match = re.search(
        r"\b(?:every |each )?(?:between )?(?:every |each )?(?P<low>[0-9]+) (?P<join>or|and|to) (?:every )?(?P<high>[0-9]+)"
        rf" (?P<unit>(?:{'|'.join(UNITS)}|sec|min|hr)s?)\b",
        text,
    )
    if match is None:
        return None
    said = f"every {match['low']} to {match['high']} {match['unit']}"
    return Advice(
        "a gap that varies has a shortest and a longest",
        (f"{text[: match.start()]}{said}{text[match.end() :]}",),
        match.span(),
    )


def _holidays(text: str) -> Advice | None:
    match = re.search(
        r"\s*,?\s*\b((except|excluding|but not|not|but|without)( for| on)? )?((bank|public) )?holidays?\b",
        text,
    )
    if match is None:
        return None
    offer = f"{text[: match.start()]} {text[match.end() :]}"
    return Advice(
        "a schedule knows no holidays; what becomes of their rates is told by the key closed_days",
        (offer,),
        match.span(),
    )


WHOLE_DAYS = {
    ("day", False): ("every day at 00:00",),
    ("day", True): ("every day at 23:59",),
    ("week", False): ("every monday",),
    ("week", True): ("every friday", "every sunday"),
}


def _ends_of(text: str) -> Advice | None:
    match = re.search(
        r"\b(?:on |at )?(?:the )?(end|start|beginning|close)( of| of the| of each| of every)? (month|quarter|year|week|day)s?\b"
        r"|\b(month|quarter|year)(?: at the |-| )(end|start|beginning|close)\b(?! of)",
        text,
    )
    if match is None:
        return None
    unit, which = match[3] or match[4], match[1] or match[5]
    day = "last day" if which in {"end", "close"} else "1st"
    before = re.sub(rf"\b((every|each)( {unit})?|{unit}ly)\b", "", text[: match.start()]).strip()
    after = text[match.end() :]
    if unit in {"day", "week"}:
        days = WHOLE_DAYS[unit, which in {"end", "close"}]
        return Advice(
            "when is that?", tuple(f"{each} {before} {after}" for each in days), match.span()
        )
    offers = [f"every {unit} on the {day} {before} {after}"]
    offers += [f"{before} on the {day} {after}"] if before else []
    return Advice("which day is that?", tuple(offers), match.span())


def _fortnights(text: str) -> Advice | None:
    match = re.search(r"\b([0-9]{1,3}) fortnights?\b", text)
    if match is None:
        return None
    offer = f"{text[: match.start()]}{2 * int(match[1])} weeks{text[match.end() :]}"
    return Advice(f"expected a unit ({', '.join(UNITS)})", (offer,), match.span())


MONTH_SPELLINGS = {word: name for word, name in SPELLINGS.items() if name in MONTH_NAMES}
EXCEPT_DAY = re.compile(
    r",?\s*\b(?:except|but not|excluding)(?: for| on)?(?: the)? (?P<day>[0-9]{1,2})(?P<nth>st|nd|rd|th)?"
    rf"(?: of)? ?(?P<month>{'|'.join(MONTH_NAMES)})?(?=$| )"
)


def _except_days(text: str) -> Advice | None:
    plain = " ".join(MONTH_SPELLINGS.get(word, word) for word in text.split())
    plain = re.sub(
        rf"\b({'|'.join(MONTH_NAMES)}) ([0-9]{{1,2}})(?:st|nd|rd|th)?\b", r"\2 \1", plain
    )
    match = EXCEPT_DAY.search(plain)
    if match is None or not (match["nth"] or match["month"]) or not 1 <= int(match["day"]) <= 31:
        return None
    day = int(match["day"])
    runs = [
        f"{nth(a)} to {nth(b)}" if b > a else nth(a)
        for a, b in ((1, day - 1), (day + 1, 31))
        if b >= a
    ]
    daily = f"{plain[: match.start()]}{plain[match.end() :]}"
    rest = re.sub(r"\b(every day|daily|everyday)\b", "every month", daily)
    others = f"{rest} on the {' and '.join(runs)}"
    span = (0, len(text))
    if not match["month"]:
        return Advice("the days that are left are named", (others,), span)
    members = (f"{daily} except in {match['month']}", f"{others} in {match['month']}")
    return Advice("the days that are left make a list", (), span, members)


ADVICE: tuple[Callable[[str], Advice | None], ...] = (
    _never,
    _times_a_unit,
    _all_of,
    _steps,
    _some,
    _two_rhythms,
    _hours_and_minutes,
    _two_windows,
    _two_gaps,
    _words_for_days,
    _two_schedules,
    _boot,
    _zone,
    _bounds,
    _one_day,
    _open_window,
    _sun,
    _counted_weekdays,
    _business_day,
    _except_days,
    _holidays,
    _ends_of,
    _fractions,
    _fortnights,
)
LAST_ADVICE: tuple[Callable[[str], Advice | None], ...] = (_no_every,)
"""What is looked at after all other."""
