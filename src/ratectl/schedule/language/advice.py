"""What people type that has two readings, or belongs into a key of the spec: why not, and what to say.

Each piece of advice looks at the whole text and offers whole phrases; whether they can be
read is seen by who shows them. The order counts: the first one that fits speaks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ratectl.schedule.language.lexicon import NUMBERS, UNITS

if TYPE_CHECKING:
    from collections.abc import Callable


class Advice(NamedTuple):
    """Why a text is refused, where, and what says one or the other."""

    message: str
    offers: tuple[str, ...]
    span: tuple[int, int] = (0, 0)

    @property
    def names_key(self) -> bool:
        """Tell whether the message names the key of the spec that says it."""
        return " = " in self.message or "closed_days" in self.message


DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[t ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?"
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
        r"\b(twice|thrice|(\w+) times|([0-9]+)x)\s*(?:(?:in an?|an?|per|each|every|/)?\b\s*(\w+))?",
        text,
    )
    if match is None:
        return None
    unit = match[4] or "day"
    unit = ADVERB_UNITS.get(unit, unit.removesuffix("s"))
    word = match[2] or match[3] or ""
    count = {"twice": 2, "thrice": 3}.get(match[1], 0)
    count = count or (int(word) if word.isdecimal() and len(word) < 6 else 0)
    count = count or (NUMBERS.index(word) + 1 if word in NUMBERS else 0)
    unit = unit if unit in UNITS else "day"
    offers = SHARES.get((unit, count), ())
    size = {"hour": 60, "day": 1440}.get(unit, 0)
    if not offers and count > 1 and size and size % count == 0:
        offers = (f"every {size // count} minutes",)
    return Advice("at which times?", (*offers, EXAMPLES[unit]), match.span())


def _two_rhythms(text: str) -> Advice | None:
    match = re.search(
        r"\b(bi|semi)-?\s?(weekly|monthly|annual|annually|annum|yearly|ennial|ennially|daily|hourly)\b",
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
    every = f"every 2 {unit}s"
    return Advice(f"every two {unit}s, or twice a {unit}?", (every, twice), match.span())


def _business_day(text: str) -> Advice | None:
    match = re.search(r"\b(business|banking|trading|market|working)[ -]?(days?|hours)\b", text)
    if match is None:
        return None
    if match[2] == "hours":
        offers = ("every hour between 09:00 and 17:00 on weekdays",)
        return Advice("name the hours", offers, match.span())
    day = (
        "weekday"
        if re.search(r"\b(every|each|first|last|st|nd|rd|th)\s*$", text[: match.start()])
        else "weekdays"
    )
    message = (
        "a schedule knows weekdays and no holidays; what a holiday's rate becomes is told by "
        "the key closed_days"
    )
    offers = (f"{text[: match.start()]}{day}{text[match.end() :]}",)
    return Advice(message, offers, match.span())


def _sun(text: str) -> Advice | None:
    match = re.search(
        r"\b(at |after |before |by )?(sunset|sunrise|sundown|sunup|dawn|dusk|night|morning|evening|nightfall"
        r"|lunch|lunchtime|afternoon|nightly)s?\b",
        text,
    )
    if match is None:
        return None
    time = "06:00" if match[2] in {"sunrise", "sunup", "dawn", "morning"} else "18:00"
    time = {"night": "22:00", "nightly": "22:00", "lunch": "12:00", "lunchtime": "12:00"}.get(
        match[2], time
    )
    time = "15:00" if match[2] == "afternoon" else time
    rest = re.sub(r"\b(in the|the|in)\s*$", "", text[: match.start()]).rstrip()
    whole = f"{rest} at {time}{text[match.end() :]}"
    after = text[match.end() :]
    timed = (f"{rest}{after}", f"{rest} day{after}") if re.search(r"[0-9]", after) else ()
    offers = (*timed, *((whole,) if rest else ()), f"every day at {time}")
    return Advice(f'"{match[2]}" is no time on the clock; choose one', offers, match.span())


def _boot(text: str) -> Advice | None:
    match = re.search(
        r"@?\b(re)?boot(s|ing|up)?\b|\bstart-?up\b|\blog[io]n\b|\bpower[- ]?on\b", text
    )
    if match is None:
        return None
    message = 'a schedule counts slots, not boots; what was missed is caught up at boot: catch_up = "latest"'
    return Advice(message, ("every day at 09:00",), match.span())


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
    ends = match["key"].split()[0] in {"until", "till", "through", "before", "ending", "up", "for"}
    date = match["what"] if re.match(DATE, match["what"]) else "2026-12-01"
    key = f'{"until" if ends else "from"} = "{date}"'
    if match["end"]:
        key += f' and until = "{match["end"]}"'
    rest = f"{text[: match.start()]} {text[match.end() :]}"
    offers = (rest, f"every day {rest}")
    return Advice(f"bounds are keys of the job: {key}", offers, match.span())


def _one_day(text: str) -> Advice | None:
    match = re.search(rf"\b({DATE})\b", text)
    if match and not re.match(r"once|.*counted from|.*start|.*end", text):
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
    if match is None:
        return None
    return Advice(
        "a single moment is a date such as 2026-12-01 and a time",
        ("once at 2026-12-01 10:30",),
        match.span(),
    )


def _no_every(text: str) -> Advice | None:
    match = re.match(r"(repeat(ed)? |run |fetch |please |do it )?(?P<rest>.+)", text)
    if match is None or re.match(r"(every|each|once)\b", match["rest"]):
        return None
    rest = match["rest"]
    if re.match(rf"([0-9]+ ?({'|'.join(UNITS)}|[smhdw]|sec|min|hr)|half )", rest) or re.match(
        rf"(other|{'|'.join(UNITS)})s?\b", rest
    ):
        return Advice('an interval begins with "every"', (f"every {rest}",))
    if re.match(r"(minutely|secondly|nightly)\b", rest):
        unit = {"m": "minute", "s": "second", "n": "day"}[rest[0]]
        return Advice("there is no such word here", (re.sub(r"^\w+", f"every {unit}", rest),))
    return None


def _fractions(text: str) -> Advice | None:
    match = re.search(r"\b([0-9]{1,3})[.,]([0-9]) ?(hours?|h|minutes?|min|m|days?|d)\b", text)
    if match is None:
        return None
    unit, smaller, size = {
        "h": ("hour", "minute", 60), "m": ("minute", "second", 60), "d": ("day", "hour", 24),
    }[match[3][0]]  # fmt: skip
    total = (int(match[1]) * 10 + int(match[2])) * size // 10
    offer = f"{text[: match.start()]}{total} {smaller}s{text[match.end() :]}"
    return Advice(f"a part of a {unit} is said in {smaller}s", (offer,), match.span())


def _two_schedules(text: str) -> Advice | None:
    match = re.fullmatch(
        r"(?P<one>.*\bat .*?\S) and (?P<on>on |every )?(?P<other>[a-z].* at .+)", text
    )
    match = match or re.fullmatch(r"(?P<one>\S+ .+) and (?P<on>every )(?P<other>.+)", text)
    if match is None:
        return None
    one, other = match["one"], f"{match['on'] or 'every '}{match['other']}"
    return Advice(
        f'two schedules make a list: schedule = ["{one}", "{other}"]', (one,), match.span()
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


def _ends_of(text: str) -> Advice | None:
    match = re.search(
        r"\b(?:on |at )?(?:the )?(end|start|beginning|close)( of| of the| of each| of every)? (month|quarter|year)s?\b"
        r"|\b(month|quarter|year)(?: at the |-| )(end|start|beginning|close)\b",
        text,
    )
    if match is None:
        return None
    unit, which = match[3] or match[4], match[1] or match[5]
    day = "last day" if which in {"end", "close"} else "1st"
    after = text[match.end() :]
    return Advice("which day is that?", (f"every {unit} on the {day}{after}",), match.span())


def _fortnights(text: str) -> Advice | None:
    match = re.search(rf"\b([0-9]{{1,3}}|{'|'.join(NUMBERS)}) fortnights?\b", text)
    if match is None:
        return None
    count = NUMBERS.index(match[1]) + 1 if match[1] in NUMBERS else int(match[1])
    offer = f"{text[: match.start()]}{2 * count} weeks{text[match.end() :]}"
    return Advice(f"expected a unit ({', '.join(UNITS)})", (offer,), match.span())


def _except_days(text: str) -> Advice | None:
    match = re.search(
        r"\b(except|but not|excluding)( for| on)?( the)? ([0-9]{1,2})(st|nd|rd|th)\b", text
    )
    if match is None or not 1 <= int(match[4]) <= 31:
        return None
    day = int(match[4])
    runs = [
        f"{_nth(a)} to {_nth(b)}" if b > a else _nth(a)
        for a, b in ((1, day - 1), (day + 1, 31))
        if b >= a
    ]
    rest = f"{text[: match.start()]}{text[match.end() :]}"
    rest = re.sub(r"\b(every day|daily|everyday)\b", "every month", rest)
    return Advice(
        "the days that are left are named", (f"{rest} on the {' and '.join(runs)}",), match.span()
    )


def _nth(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 < number < 14 else ending}"


ADVICE: tuple[Callable[[str], Advice | None], ...] = (
    _times_a_unit,
    _two_rhythms,
    _two_schedules,
    _boot,
    _zone,
    _bounds,
    _one_day,
    _sun,
    _business_day,
    _except_days,
    _holidays,
    _ends_of,
    _fractions,
    _fortnights,
)
LAST_ADVICE: tuple[Callable[[str], Advice | None], ...] = (_no_every,)
"""What is looked at after all other."""
