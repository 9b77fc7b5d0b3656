"""How often, said in a way that has two readings or none: "twice a day", "biweekly", "every 1.5 hours".

Each function looks at the whole text and offers whole phrases, or has nothing to say.
"""

from __future__ import annotations

import re

from ratectl.schedule.language.advice.advice import ANY_TIME, Advice
from ratectl.schedule.language.lexicon import SPELLINGS, UNITS

SECONDS_IN = {"second": 1, "minute": 60, "hour": 3600}

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


def times_a_unit(text: str) -> Advice | None:
    """Offer times for "twice a day" and "3x a week"; times that are said are kept."""
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
    rest = " ".join(f"{text[: match.start()]} {text[end:]}".split()).lstrip(", ")
    rest = re.sub(r"^(run|every day|each day|every week)$", "", rest)
    if re.search(r"\b(between|from)\b|\b(noon|midnight)$", rest):
        return Advice("at which times?", _at_the_ends(unit, count, rest), match.span())
    if count and len(re.findall(r",|\band\b|&", rest)) == count - 1 > 0:
        whole = rest if re.search(r"\b(every|each)\b", rest) else f"every {unit} {rest}"
        return Advice("name the times alone", (whole,), match.span())
    offers: tuple[str, ...] = SHARES.get((unit, count), ())
    size = {"hour": 60, "day": 1440}.get(unit, 0)
    if not offers and count > 1 and size and size % count == 0:
        offers = (
            f"every {size // count // 60} hours"
            if size // count % 60 == 0
            else f"every {size // count} minutes",
        )
    offers = offers or ((EXAMPLES[unit],) if not count else ())
    time = re.search(rf"\b(?:at )?{ANY_TIME}$", rest)
    if time and unit in {"day", "hour"}:
        rest = rest[: time.start()]
    elif time:
        offers = tuple(offer.removesuffix(" at 09:00") for offer in offers)
    return Advice("at which times?", tuple(f"{offer} {rest}" for offer in offers), match.span())


def _at_the_ends(unit: str, count: int, rest: str) -> tuple[str, ...]:
    """Return the two times of "twice a day between 9am and 5pm"; no other number is shared out in a part of a day."""
    ends = re.search(
        rf"\b(?:between|from) (?P<first>{ANY_TIME}) (?:and|to) (?P<last>{ANY_TIME})", rest
    )
    if (unit, count) != ("day", 2) or ends is None:
        return ()
    others = f"{rest[: ends.start()]}{rest[ends.end() :]}"
    return (f"every day at {ends['first']} and {ends['last']} {others}",)


def all_of(text: str) -> Advice | None:
    """Offer "every" for "all days" and "one per hour"."""
    match = re.match(
        r"(?:all|any)(?: the)? (?P<what>days?|weekdays?|hours?|minutes?|[0-9]+ (?:second|minute|hour|day)s?)\b",
        text,
    )
    match = match or re.match(
        r"(?:1|a single)(?: time)? (?:per|an?|each|every) (?P<what>\w+)", text
    )
    if match is None:
        return None
    what = match["what"] if match["what"][0].isdecimal() else match["what"].removesuffix("s")
    offer = f"every {what}{text[match.end() :]}"
    return Advice("an interval begins with every", (offer,), match.span())


STEPS = re.compile(
    r"\b(?:(?:run |fetch )?(?:every|each|at|in|with|on) )?(?:an? )?(?P<of>intervals? of )?(?P<count>[0-9]+)[ -]?"
    r"(?P<unit>second|minute|hour|day|week|month|year|sec|min|hr)(?P<ly>ly)?s?(?P<steps>[ -](?:intervals?|steps?|gaps?))?\b"
)


def steps(text: str) -> Advice | None:
    """Offer the interval of "at 15 minute intervals", "15-minutely", "every interval of 5 minutes"."""
    match = STEPS.search(re.sub(r"^(half|quarter)\b", "0", text))
    if match is None or not (match["of"] or match["ly"] or match["steps"] or "-" in match[0]):
        return None
    before = re.sub(r"\b(every|each|at)\s*$", "", text[: match.start()])
    offer = f"{before}every {match['count']} {match['unit']}s{text[match.end() :]}"
    return Advice('an interval begins with "every"', (offer,), match.span())


def some(text: str) -> Advice | None:
    """Offer a number for "every few minutes"."""
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


def two_rhythms(text: str) -> Advice | None:
    """Offer both readings of "biweekly", and days for "semi-monthly"."""
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
        return Advice("how often, and when?", (twice,), match.span())
    if match[1] == "tri":
        offers = (f"every 3 {unit}s", *SHARES.get((unit, 3), ())[:1])
        return Advice(f"every three {unit}s, or three times?", offers, match.span())
    before, after = text[: match.start()], text[match.end() :]
    alone = not (before.strip() or after.strip())
    both = (f"{before}every 2 {unit}s{after}", *((twice,) if alone else ()))
    return Advice(f"every two {unit}s, or two times?", both, match.span())


def hours_and_minutes(text: str) -> Advice | None:
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


def hours_alone(text: str) -> Advice | None:
    """Offer an interval and a time for "2h"."""
    match = re.fullmatch(r"([1-9]|1[0-9]|2[0-3]) ?h", text)
    if match is None:
        return None
    hours = int(match[1])
    offers = (f"every {hours} hours", f"every day at {hours:02}:00")
    return Advice("an interval, or a time?", offers, match.span())


def no_every(text: str) -> Advice | None:
    """Offer "every" before "15 minutes" and "other day"."""
    match = re.match(r"(repeat(ed)? |run |fetch |please |do it )?(?P<rest>.+)", text)
    if match is None or re.match(r"(every|each|once)\b", match["rest"]):
        return None
    rest = match["rest"]
    if re.search(r" of the month\b| (before|after|from now)\b", rest):
        return None
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


def fractions(text: str) -> Advice | None:
    """Offer whole smaller units for "every 1.5 hours", "every ½ hour" and "every 2 and a half hours"."""
    plain = re.sub(r"\b([0-9]+) and (?:a half|1/2|\u00bd)(?= )", r"\1.5", text)
    plain = re.sub(r"\b([0-9]+) and a quarter\b", r"\1.25", plain)
    plain = re.sub(r"\b(?:an? )?(minute|hour|day) and a quarter\b", r"1.25 \1", plain)
    plain = re.sub(r"\b([0-9]+) ?d(?:ays?)? ?(?:and )?([0-9]+) ?h(?:ours?)?\b", _in_hours, plain)
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


def two_gaps(text: str) -> Advice | None:
    """Offer a range for "every 5 or 10 minutes"."""
    match = re.search(
        r"\b(?:every |each )?(?:between )?(?:every |each )?(?P<low>[0-9]+) (?P<join>or|and|to) (?:every )?(?P<high>[0-9]+)"
        rf" (?P<unit>(?:{'|'.join(UNITS)}|sec|min|hr)s?)\b",
        text,
    )
    if match is None or int(match["low"][:9]) >= int(match["high"][:9]):
        return None
    said = f"every {match['low']} to {match['high']} {match['unit']}"
    return Advice(
        "a gap that varies has a shortest and a longest",
        (f"{text[: match.start()]}{said}{text[match.end() :]}",),
        match.span(),
    )


def fortnights(text: str) -> Advice | None:
    """Offer weeks for "every 3 fortnights"."""
    match = re.search(r"\b([0-9]{1,3}) fortnights?\b", text)
    if match is None:
        return None
    offer = f"{text[: match.start()]}{2 * int(match[1])} weeks{text[match.end() :]}"
    return Advice(f"expected a unit ({', '.join(UNITS)})", (offer,), match.span())


def signs(text: str) -> Advice | None:
    """Offer the interval without its sign for "every -5 minutes"."""
    match = re.search(r"\b(?:every|each) (?P<sign>(?:-|\+|minus |plus ) ?)(?=[0-9])", text)
    if match is None:
        return None
    offer = f"{text[: match.start('sign')]}{text[match.end('sign') :]}"
    return Advice("an interval has no sign", (offer,), match.span("sign"))
