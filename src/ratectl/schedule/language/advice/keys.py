"""What is said by a key of the spec and not by the schedule: zones, bounds, boots, a list of schedules.

Each function looks at the whole text and names the key, or has nothing to say.
"""

from __future__ import annotations

import re

from ratectl.schedule.language.advice.advice import DATE, Advice
from ratectl.schedule.language.lexicon import MONTH_NAMES, SPELLINGS
from ratectl.schedule.language.numerals import PARTS_OF_DAY, nth
from ratectl.schedule.language.tokens import tokens

DAY = re.compile(r"[0-9]{1,2}(st|nd|rd|th)?")


def never(text: str) -> Advice | None:
    """Name the key enabled for "never" and "off"."""
    if said := re.fullmatch(r"never (on .+)", text):
        return Advice(
            "the days that are left are named", (f"every day except {said[1]}",), said.span()
        )
    if re.search(r"\b(never|disabled?|paused?|off)\b", text) is None:
        return None
    return Advice("a job that shall not run has the key: enabled = false", (), (0, len(text)))


def boot(text: str) -> Advice | None:
    """Name the key catch_up for boots and log-ins."""
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


REGIONS = frozenset(
    [
        "africa",
        "america",
        "antarctica",
        "arctic",
        "asia",
        "atlantic",
        "australia",
        "brazil",
        "canada",
        "chile",
        "etc",
        "europe",
        "indian",
        "mexico",
        "pacific",
        "us",
    ]
)
"""With which names of zones begin."""


def zone(text: str) -> Advice | None:
    """Name the key timezone for "UTC", "in Europe/Berlin", "new york time"; no zone is guessed for an offset."""
    match = re.search(
        rf"\s*,?\s*\(?\b(?:in |at )?(?P<name>[a-z]+/[a-z_]+(?:/[a-z_]+)?"
        rf"|(?:{ZONES})(?:\s*[+-]\s*[0-9]{{1,2}}(?::?[0-9]{{2}})?)?|local(?: time)?|(?!at |every |one |this |that |the |same |some |any |all |elapsed |each |random |real |tea |lunch |closing |opening |market |free |certain |fixed |set |different )[a-z]{{3,}}(?: [a-z]{{3,}})? time)\b(?: time)?\)?"
        r"|(?<=[0-9])\s*(?P<offset>z|(?:\+|-(?=0))(?:0[0-9]|1[0-4]):?[0-9]{2})\b",
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
            'the zone is a key of the job, such as timezone = "America/New_York"',
            (rest,),
            match.span(),
        )
    if "/" in name and name.split("/")[0] not in REGIONS:
        return None  # "tue/thu"
    if "/" in name:
        parts = re.split(r"([/_])", name)
        key = "".join(part.capitalize() for part in parts)
    else:
        key = ZONE_KEYS.get(re.split(r"[ +-]", name)[0], "UTC")
    return Advice(f'the zone is a key of the job: timezone = "{key}"', (rest,), match.span())


def two_zones(text: str) -> Advice | None:
    """Tell that each zone takes a job of its own, for "9am CET and 3pm ET"."""
    found = re.findall(rf"(?<=[0-9apmon]) (?P<name>{ZONES})\b", text)
    zones = list(dict.fromkeys(ZONE_KEYS.get(name, "UTC") for name in found))
    if len(zones) < 2:
        return None
    keys = " and ".join(f'timezone = "{zone}"' for zone in zones)
    return Advice(f"a job has one zone, so these are two jobs: {keys}", (), (0, len(text)))


def city(text: str) -> Advice | None:
    """Name the key timezone for "in Berlin" and "new york time", by the names of all zones."""
    match = re.search(
        r",?\s*\b(?:(?:in|at) (?P<place>[a-z]+(?: [a-z]+){0,2}?)(?: time)?|(?<![a-z/])(?P<whose>[a-z]+(?: [a-z]+)?) time)$",
        text,
    )
    if match is None:
        return None
    key = _zone_of(match["place"] or match["whose"])
    if not key:
        return None
    rest = text[: match.start()]
    return Advice(f'the zone is a key of the job: timezone = "{key}"', (rest,), match.span())


def _zone_of(place: str) -> str:
    """Return the zone that is named after *place*; an empty text where none is."""
    import zoneinfo  # noqa: PLC0415 - reads a folder of names, which only a refusal needs

    named = (
        name
        for name in sorted(zoneinfo.available_timezones(), key=lambda name: (name.count("/"), name))
        if "/" in name and not name.startswith(("Etc/", "US/", "SystemV/"))
    )
    wanted = place.replace(" ", "_")
    return next((name for name in named if name.rpartition("/")[2].lower() == wanted), "")


WEEKDAY_WORD = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*"
WRITTEN_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
WRITTEN_DAY = (
    r"(?:(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?"
    rf"(?:{WRITTEN_MONTH}(?: [0-9]{{1,2}}(?:st|nd|rd|th)?(?![0-9:]| ?[ap]m))?"
    rf"|[0-9]{{1,2}}(?:st|nd|rd|th)? (?:of )?{WRITTEN_MONTH})(?:,? [0-9]{{4}})?\b)"
)
"""A day or a month as people write it: "december 1", "monday 7 december 2026", "june"."""


def bounds(text: str) -> Advice | None:
    """Name the keys from and until for "until 2026-12-31", "starting tomorrow", "for 2 weeks"."""
    match = re.search(
        r"[,;]?\s*\b(?P<key>until|till|through|from|starting(?: on| from| at)?|beginning(?: on)?|since|after"
        r"|as of|effective(?: from)?|between|before|ending(?: on| before)?|up to|for)\s+"
        rf"(?P<what>{DATE}|tomorrow|today|now|next \w+|the end of.*|{WRITTEN_DAY}"
        r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
        r"|[0-9]+ (?:days?|weeks?|months?|years?|hours?)|[0-9]{4})"
        rf"(?:\s*(?:to|until|till|-|and)\s*(?P<end>{DATE}|{WRITTEN_DAY}))?",
        text,
    )
    if match is None:
        return None
    names = r"(monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tues?|weds?|thur?s?|fri|sat|sun)"
    if match["key"] in {"before", "after"} and text[: match.start("key")].rstrip().endswith("day"):
        return None  # "the last day before christmas"
    if match["what"] == "now" and re.search(r"[0-9] [a-z]+ ?$", text[: match.start("key")]):
        return None  # "5 minutes from now"
    if re.match(rf" ?(?:to|until|till|through|-) ?{WEEKDAY_WORD}\b", text[match.end() :]):
        return None  # "from monday to friday"
    if match["end"] and all(re.fullmatch(WRITTEN_MONTH, match[side]) for side in ("what", "end")):
        return None  # "from january to march"
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
        end = match["end"] if re.match(DATE, match["end"]) else "2026-12-24"
        key += f' and until = "{end}"'
    rest = f"{text[: match.start()]} {text[match.end() :]}"
    if not ends and not match["end"]:
        rest += _day_of_start(match["what"], rest)
    repeats = re.search(r"\b(every|each|once|daily|hourly|weekly|monthly|yearly)\b", rest)
    offers = (rest,) if repeats else (rest, f"every day {rest}")
    such = ": " if date == match["what"] else ", such as "
    return Advice(f"bounds are keys of the job{such}{key}", offers, match.span())


def _day_of_start(start: str, rest: str) -> str:
    """Return the day that "weekly" and "monthly" in *rest* have by a *start* on friday or on 2026-12-15."""
    if re.fullmatch(r"(mon|tues|wednes|thurs|fri|satur|sun)day", start):
        weekly = re.search(r"\bweek(ly|s)?\b", rest)
        return f" on {start}" if weekly and not re.search(r"\bon\b", rest) else ""
    date = re.fullmatch(r"[0-9]{4}-([0-9]{2})-([0-9]{2})", start)
    if date is None or date[2] == "01" or re.search(r"\bon\b", rest):
        return ""
    if re.search(r"\bmonth(ly|s)?\b", rest):
        return f" on the {nth(int(date[2]))}"
    yearly = re.search(r"\b(every year|yearly|annually)\b", rest)
    return f" on {int(date[2])} {MONTH_NAMES[min(int(date[1]), 12) - 1]}" if yearly else ""


YEAR = re.compile(
    r"(?:,? ?\b(?:in|of|during|for|throughout)(?: the year)? |(?<=[a-z]) |, ?)(?P<year>(?:19|20|21)[0-9]{2})\b(?![-:.])"
)


def year(text: str) -> Advice | None:
    """Name the keys from and until for "in 2027"."""
    match = YEAR.search(text)
    if match is None or re.search(r"\b(at|@)$", text[: match.start()]) or text.startswith("once"):
        return None
    rest = f"{text[: match.start()]} {text[match.end() :]}"
    keys = f'from = "{match["year"]}-01-01" and until = "{match["year"]}-12-31"'
    return Advice(f"bounds are keys of the job: {keys}", (rest,), match.span())


def written_dates(text: str) -> Advice | None:
    """Offer "once at" for "once on december 25 2026", "25.12.2026", and a list for several dates."""
    if not re.match(r"(once|on |at )?.*[0-9]{4}", text) or re.search(r"\b(every|each)\b", text):
        return None
    if match := SLASHED_DATE.search(text):
        one, other, year = match.groups()
        dates = [(one, other)] if one == other else [(one, other), (other, one)]
        clock = next(iter(_clocks(f"{text[: match.start()]} {text[match.end() :]}")), "")
        both = tuple(
            f"once at {year}-{int(m):02}-{int(d):02} {clock}".rstrip()
            for d, m in dates
            if int(m) <= 12
        )
        return Advice(AS_DATE, both, match.span())
    plain = " ".join(MONTHS_BY_WORD.get(word.strip(","), word.strip(",")) for word in text.split())
    clocks = _clocks(WRITTEN_DATE.sub(" ", plain))
    found = [_as_date(match, clocks) for match in WRITTEN_DATE.finditer(plain)]
    if not found or None in found:
        return None
    offers = tuple(f"once at {date}" for date in found if date)
    if len(offers) == 1 and clocks and WRITTEN_DATE.search(plain)["time"]:  # type: ignore[index]
        offers += tuple(f"{offers[0][:18]} {clock}" for clock in clocks)
    if len(offers) == 1:
        message = "a single moment begins with once" if ISO.search(text) else AS_DATE
        return Advice(message, offers, (0, len(text)))
    return Advice("several moments make a list", (), (0, len(text)), offers)


AS_DATE = "a date is written 2026-12-01"
ISO = re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b")
MONTHS_BY_WORD = {word: name for word, name in SPELLINGS.items() if name in MONTH_NAMES}
SLASHED_DATE = re.compile(r"(?<![0-9/])([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})(?![0-9/])")
WRITTEN_DATE = re.compile(
    rf"(?:(?<![0-9])(?P<iso>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})|(?P<day>[0-9]{{1,2}})\.(?P<number>[0-9]{{1,2}})\.(?P<year>[0-9]{{4}})"
    rf"|(?P<month>{'|'.join(MONTH_NAMES)}) (?P<day2>[0-9]{{1,2}})(?:st|nd|rd|th)? (?P<year2>[0-9]{{4}})"
    rf"|(?P<day3>[0-9]{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<month3>{'|'.join(MONTH_NAMES)}) (?P<year3>[0-9]{{4}}))"
    r"(?:[ t](?:at )?(?P<time>[0-9]{1,2}:[0-9]{2}(?: ?[ap]m)?|[0-9]{1,2} ?[ap]m|noon|midnight))?"
)


def _clocks(text: str) -> list[str]:
    """Return the full times of day in *text*."""
    said = re.findall(
        r"(?<![0-9:])(?:[0-9]{1,2}:[0-9]{2}(?: ?[ap]m\b)?|[0-9]{1,2} ?[ap]m\b|noon\b|midnight\b)",
        text,
    )
    bare = re.findall(r"\bat ([01]?[0-9]|2[0-3])$", text)
    return [tokens(each)[0].word for each in said] + [f"{int(hour):02}:00" for hour in bare]


def _as_date(match: re.Match[str], clocks: list[str]) -> str | None:
    """Return the date and time of *match*; a time that does not stand behind the date is the first of *clocks*."""
    parts = {name.rstrip("23"): said for name, said in match.groupdict().items() if said}
    clock = tokens(parts["time"])[0].word if "time" in parts else next(iter(clocks), "")
    if "iso" in parts:
        return f"{parts['iso']} {clock}".rstrip()
    month = MONTH_NAMES.index(parts["month"]) + 1 if "month" in parts else int(parts["number"])
    date = f"{parts['year']}-{month:02}-{int(parts['day']):02} {clock}".rstrip()
    return date if month <= 12 else None


def one_day(text: str) -> Advice | None:
    """Offer "once at" for "2026-12-01 10:30", and tell how "tomorrow at 9am" is written: what day it is nobody here knows."""
    match = re.search(rf"\b({DATE})\b", text)
    if match and not re.match(
        r"once.*[0-9]:|once.*-[0-9][0-9]$|.*counted from|.*start|.*end", text
    ):
        clocks = _clocks(f"{text[: match.start()]} {text[match.end() :]}")
        at = match[1] if ":" in match[1] else f"{match[1]} {next(iter(clocks), '')}".rstrip()
        return Advice(
            "a single moment begins with once", (f"once at {at.replace('t', ' ')}",), match.span()
        )
    match = re.search(
        r"\b(tomorrow|today|tonight|now|next (?:second|minute|hour|day|week|month|year|[a-z]{3,6}day)\b|this \w+|in [0-9]+ (second|minute|hour|day|week)s?"
        r"|in an? (minute|hour|day|week))\b",
        text,
    )
    if re.search(r"[0-9]/[0-9]|[0-9]{5}", text):
        return None
    plain = " ".join(MONTHS_BY_WORD.get(word, word) for word in text.split())
    match = match or re.fullmatch(
        rf"once(,? (at|on))? ([0-9].*|noon|midnight|({'|'.join(MONTH_NAMES)})\b.*)", plain
    )
    if match is None or re.search(r"\b(every|each|daily|hourly|weekly)\b", text):
        return None
    time = re.search(r"\b([0-9]{1,2}:[0-9]{2}( ?[ap]m)?|[0-9]{1,2} ?[ap]m|noon|midnight)", text)
    bare = re.search(r"\bat ([01]?[0-9]|2[0-3])$", text)
    clock = tokens(time[0])[0].word if time else f"{int(bare[1]):02}:00" if bare else "HH:MM"
    part = re.search(r"\b(?:to)?(morning|afternoon|evening|night)\b", text)
    half, hours = PARTS_OF_DAY[part[1]] if part else ("", ())
    if half == "pm" and clock[:2].isdecimal() and int(clock[:2]) in hours and int(clock[:2]) < 12:
        clock = f"{int(clock[:2]) + 12}{clock[2:]}"
    words = [token.word for token in tokens(text)]
    month = next((MONTH_NAMES.index(word) + 1 for word in words if word in MONTH_NAMES), 0)
    day = next((int(word[:2].rstrip("strndh")) for word in words if DAY.fullmatch(word)), 1)
    date = f"YYYY-{month:02}-{day:02}" if month else "YYYY-MM-DD"
    message = f'a single moment is written with its date: schedule = "once at {date} {clock}"'
    return Advice(message, (), (0, len(text)) if month else match.span())


WHOLE_TIME = r"\b[0-9]{1,2}(?::[0-9]{2})?(?: ?[ap]m|(?<=:[0-9]{2}))"
"""A time that is none of a day or an interval: 9am, 9:30 pm, 10:30."""


TIMED_DAYS = rf"(?:at )?{WHOLE_TIME} (?:on )?(?!and)[a-z][a-z ,]+"
"""Days behind their time: "9am on weekdays"."""


def two_schedules(text: str) -> Advice | None:
    """Offer a list for "every monday at 9am and friday at 5pm"."""
    match = re.fullmatch(
        rf"(?P<one>.*(?:\bat .*?\S|{WHOLE_TIME})) and (?P<on>on |every )?(?P<other>[a-z].*(?: at .+|{WHOLE_TIME}))",
        text,
    )
    match = match or re.fullmatch(r"(?P<one>\S+ .+) and (?P<on>every )(?P<other>.+)", text)
    if (
        match
        and not match["on"]
        and re.match(r"(morning|afternoon|evening|night)\b", match["other"])
    ):
        return None  # of the same days
    if both := re.fullmatch(rf"({TIMED_DAYS}) and ({TIMED_DAYS})", text):
        return Advice("two schedules make a list", (), both.span(), both.groups())
    if match is None:
        return None
    one, other = match["one"], f"{match['on'] or 'every '}{match['other']}"
    return Advice("two schedules make a list", (), match.span(), (one, other))
