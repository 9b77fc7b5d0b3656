"""Days that have no word here: business days, holidays, "the end of the month", "christmas", "odd days".

Each function looks at the whole text and offers whole phrases, or has nothing to say.
"""

from __future__ import annotations

import re

from ratectl.schedule.language.advice.advice import Advice
from ratectl.schedule.language.advice.left_out import DATES
from ratectl.schedule.language.lexicon import MONTH_NAMES, SPELLINGS, WEEKDAY_NAMES
from ratectl.schedule.language.numerals import nth

COUNTED_WEEKDAYS = re.compile(
    r"\b(?:every|each) (?P<count>[0-9]+)(?:st|nd|rd|th)? "
    r"(?:business|banking|trading|market|working|work)[ -]?days?\b(?! of)"
)


def counted_weekdays(text: str) -> Advice | None:
    """Offer days for "every 3 business days", and three of them for "every other working day"."""
    plain = re.sub(r"\b(other|second)\b", "2", text).replace("third", "3")
    match = COUNTED_WEEKDAYS.search(plain)
    if match is None:
        return None
    count = int(match["count"])
    said = f"every {count} days except on weekends" if count > 2 else "every weekday"
    if count % 5 == 0:
        said = f"every {count // 5} weeks on monday" if count > 5 else "every monday"
    said = "every monday, wednesday and friday" if count == 2 else said
    offer = f"{plain[: match.start()]}{said}{plain[match.end() :]}"
    return Advice("weekdays are not counted, days are", (offer,), (0, len(text)))


def business_day(text: str) -> Advice | None:
    """Offer weekdays for business days, and hours for "during market hours"."""
    match = re.search(
        r"\b(?P<during>during )?(?P<kind>business|banking|bank|trading|market|working|office|school)[ -]?"
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


WORDS_FOR_DAYS = {
    r",? ?\bbut only(?: on| in)?\b": " on",
    r"\b(?:without|minus|w/o|excl\b\.?)": "except",
    r"\b(?:during|throughout) (?=(?:the )?(?:"
    + "|".join(name[:3] for name in MONTH_NAMES)
    + "))": "in ",
    r"\b(?:all|any) (?=(?:mon|tues|wednes|thurs|fri|satur|sun|week)(?:day|end)s?\b)": "every ",
    r"\bonce in every\b": "every",
    r"\bonce (?:in|every) an? (?=day|week|month|year|fortnight)": "every ",
    r"\b5 days (?:a|per|every) week\b": "every weekday",
    r"\b7 days (?:a|per|every) week\b": "every day",
    r"\beod\b": "the end of the day",
    rf"\b(?:the )?end of (?=(?:{'|'.join(MONTH_NAMES)})\b)": "the last day of ",
    r"\b(?:the )?first quarter\b(?! (?:of an )?hour)": "january to march",
    r"\b(?:the )?second quarter\b(?! (?:of an )?hour)": "april to june",
    r"\b(?:the )?third quarter\b(?! (?:of an )?hour)": "july to september",
    r"\b(?:the )?(?:fourth|last) quarter\b(?! (?:of an )?hour)": "october to december",
    r"\bhalf[ -]?yearly\b": "every 6 months",
    r"\beom\b": "the last day of the month",
    r"\beoq\b": "the last day of the quarter",
    r"\beoy\b": "the last day of the year",
    r"(?<=[0-9]) ?mos?\b(?! ?[0-9])": " months",
    r"(?<=[0-9]) ?y(?:rs?)?\b": " years",
    r"\bquarters? of (?:the |an? )?hour\b": "15 minutes",
    r"\bonce in (?=[0-9]+ ?(?:min|hour|day|week|month|year))": "every ",
    r"(?<=[0-9]) ?['\u2032](?![a-z0-9])": " minutes",
    r"(?<=[0-9]) ?[\"\u2033](?![a-z0-9])": " seconds",
    r",? ?\b24 ?/ ?7\b,? ?(?=every)": "",
    r"^(24 ?/ ?7|(a?round the clock))$": "every 15 minutes",
    r"\bhalf[ -]?hourly\b": "every 30 minutes",
    r"\b(on )?alternat(e|ing)\b": "every other",
    r"\bm ?(?:-|to) ?f\b": "monday to friday",
    r"\bmwf\b": "monday, wednesday and friday",
    r"\bt(?:ue?s?)?/?th(?:u|urs?)?\b": "tuesday and thursday",
    **DATES,
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
    r",? ?\b(?<!but )(?<!except )(not|unless)( on| it is| it's| if| a)*\b(?! the)": " except on",
    r"\bbetween (?:the )?([0-9]+(?:st|nd|rd|th)) and (?:the )?([0-9]+(?:st|nd|rd|th))": (
        r"from the \1 to the \2"
    ),
    r"^(?:at )?minutes? ([0-9]+) (?:of|past) (?:every|each|the) hour\b": r"every hour at minute \1",
    r"\bon (?=:[0-9]{2})": "at ",
    r",? ?\bno (?=(?:mon|tues|wednes|thurs|fri|satur|sun|week)(?:day|end)s?\b)": " except on ",
    r"\bquarter-(?=hours?\b)": "quarter ",
    r"\bduring (?=weekdays|weekends)": "on ",
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


def words_for_days(text: str) -> Advice | None:
    """Offer what "christmas", "mwf", "odd days" or "half-hourly" stand for."""
    for pattern, said in WORDS_FOR_DAYS.items():
        match = re.search(pattern, text)
        if match:
            whole = f"{text[: match.start()]}{match.expand(said)}{text[match.end() :]}"
            whole = re.sub(r"\b(at|on|in) (the )?(?=(2|month|hour) )", "", whole)
            offers = (whole, f"every {whole}")
            word = match[0].strip(", ")
            quoted = word if '"' in word else f'"{word}"'
            return Advice(f"ratectl has no word for {quoted}", offers, match.span())
    return None


def several_days(text: str) -> Advice | None:
    """Offer the days by number for "first 3 mondays of the month", "last 2 days" and "first week of the month"."""
    match = re.search(
        r"\b(?:the )?(?P<end>first|last) (?:(?P<count>[2-5]|1[0-5]|[6-9]) (?P<kind>[a-z]*day)s"
        r"|week(?= (?:of|in) (?:the|each|every|a|january|february|march|april|may|june|july|august|september|october"
        r"|november|december)\b))",
        text,
    )
    if match is None:
        return None
    kind, count = match["kind"] or "day", int(match["count"] or 7)
    if match["end"] == "first":
        said = f"1st to {nth(count)} {kind}"
    else:
        places = ["last", *(f"{nth(number)} to last" for number in range(2, count + 1))]
        said = f"{', '.join(places[:-1])} and {places[-1]} {kind}"
    offer = f"{text[: match.start()]}{said}{text[match.end() :]}"
    return Advice("days are named by their numbers", (offer, f"every {offer}"), match.span())


PLACE = r"(?:[0-9]{1,2}(?:st|nd|rd|th)|first|second|third|fourth|fifth|last)"
WEEKDAY = rf"(?:{'|'.join(word for word, name in SPELLINGS.items() if name in WEEKDAY_NAMES)}|{'|'.join(WEEKDAY_NAMES)})"
PLACED_WEEKDAYS = re.compile(
    rf"\b(?P<places>(?:the )?{PLACE}(?:(?:,? and (?:the )?|, ){PLACE})*) "
    rf"(?P<days>{WEEKDAY}(?:(?:,? and |, ){WEEKDAY})+)\b"
)


def placed_weekdays(text: str) -> Advice | None:
    """Offer a place for each weekday of "the first monday and tuesday"."""
    match = PLACED_WEEKDAYS.search(text)
    if match is None:
        return None
    names = re.split(r",? and |, ", match["days"])
    said = " and ".join(f"{match['places']} {name}" for name in names)
    offer = f"{text[: match.start()]}{said}{text[match.end() :]}"
    return Advice("each weekday has a place of its own", (offer, f"every {offer}"), match.span())


QUARTERS = {"q1": 1, "q2": 2, "q3": 3, "q4": 4, "first": 1, "second": 2, "third": 3, "fourth": 4}
DAY_OF_QUARTER = re.compile(
    rf"\b(?P<place>(?:the )?(?:{PLACE}|end|close|start|beginning))(?P<kind> (?:[a-z]+ )?(?:day|weekday|{WEEKDAY}))? (?:of|in) "
    r"(?:the )?(?P<quarter>q[1-4]|(?:first|second|third|fourth|last) quarter)\b"
)


def days_of_quarters(text: str) -> Advice | None:
    """Offer the month that is meant by "last day of q1" and "1st of q2"."""
    match = DAY_OF_QUARTER.search(text)
    if match is None:
        return None
    place = match["place"].removeprefix("the ")
    late = place in {"last", "end", "close"}
    number = QUARTERS.get(match["quarter"].removesuffix(" quarter"), 4)
    day = {"end": "last day", "close": "last day", "start": "1st", "beginning": "1st"}.get(place)
    said = f"the {day}" if day else f"{match['place']}{match['kind'] or ''}"
    month = MONTH_NAMES[3 * number - (1 if late else 3)]
    before = re.sub(r"\b(at|on|by)\s*$", "", text[: match.start()])
    offer = f"{before}{said} of {month}{text[match.end() :]}"
    return Advice("in which month is that?", (offer,), match.span())


def holidays(text: str) -> Advice | None:
    """Name the key closed_days for holidays."""
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


def day_of_week(text: str) -> Advice | None:
    """Offer the ends of a week for "the first day of the week"."""
    match = re.search(
        r"\b(?:on |at |every )?(?:the )?(?P<which>first|last) day of (?:the|each|every|a) week\b",
        text,
    )
    if match is None:
        return None
    before, after = text[: match.start()].strip(), text[match.end() :]
    before = re.sub(r"^(every week|weekly)\b", "", before)
    days = (
        ("every monday", "every sunday")
        if match["which"] == "first"
        else ("every friday", "every sunday")
    )
    return Advice(
        "which day is that?", tuple(f"{day} {before} {after}" for day in days), match.span()
    )


NUMBERS = r"[0-9]{1,2}(?:(?:,? and |, ?)[0-9]{1,2})*(?![:0-9])"


def numbered_day(text: str) -> Advice | None:
    """Offer a day of the month for "every month 15" and "12 of each month"."""
    match = re.match(r"(?P<every>every month|each month|monthly),? (?P<day>[0-9]{1,2})$", text)
    match = match or re.match(
        rf"(?:on |every )?(?:the )?(?P<day>{NUMBERS}) of (?:the|each|every|a) month\b", text
    )
    months = "" if match else _months_before(text)
    match = match or re.match(rf"{months} (?P<day>{NUMBERS})$", text) if months or match else None
    if match is None or any(not 1 <= int(day) <= 31 for day in re.findall("[0-9]+", match["day"])):
        return None
    days = re.sub("[0-9]+", lambda day: nth(int(day[0])), match["day"]).replace(",", ", ")
    said = f" in {months.removeprefix('in ')}" if months else ""
    return Advice(
        "days of the month, or times?",
        (f"every month on the {days}{said}{text[match.end() :]}",),
        match.span(),
    )


def _months_before(text: str) -> str:
    """Return the several months that *text* begins with: "january and july"; an empty text for fewer."""
    names = rf"(?:{'|'.join(word for word, name in SPELLINGS.items() if name in MONTH_NAMES)}|{'|'.join(MONTH_NAMES)})"
    match = re.match(rf"(?:in )?{names}(?:(?:,? and |, ){names})+(?= [0-9])", text)
    return match[0] if match else ""


def timed_day(text: str) -> Advice | None:
    """Offer a day for "every 9am", and a time for "day 8am" and "day 12 noon"."""
    time = r"(?:[0-9]{1,2}(?::[0-9]{2})? ?[ap]\.?m\b|[0-9]{1,2}:[0-9]{2})"
    match = re.search(rf"\b(?:every|each) (?={time})", text)
    if match is not None and re.match(r"[0-9: ]+[ap]", text[match.end() :]):
        return Advice(
            "a time of day goes with a day",
            (f"{text[: match.start()]}every day at {text[match.end() :]}",),
            match.span(),
        )
    match = re.search(r"\bday (?P<day>[0-9]{1,2}) (?=noon|midday|midnight)", text)
    if match is not None:
        offer = f"{text[: match.end()]}at {text[match.end() :]}"
        return Advice("a time is said with at", (offer,), match.span())
    match = re.search(rf"^(?P<before>.*?)\b(?:on )?(?:the )?days? (?={time})", text)
    if match is None:
        return None
    before = re.sub(r"\b(monthly|daily|(every|each) (month|day))\b", "", match["before"])
    return Advice(
        "a day has a number from 1 to 31",
        (f"{before} every day at {text[match.end() :]}",),
        match.span(),
    )


WHOLE_DAYS = {
    ("day", False): ("every day at 00:00",),
    ("day", True): ("every day at 23:59",),
    ("week", False): ("every monday",),
    ("week", True): ("every friday", "every sunday"),
}


def ends_of(text: str) -> Advice | None:
    """Offer the last or first day for "the end of the month", and the ends of a day, week or year."""
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
    before = re.sub(r"(^|\s)(at|on|by)( the)?$", "", before)
    after = text[match.end() :]
    if unit in {"day", "week"}:
        days = WHOLE_DAYS[unit, which in {"end", "close"}]
        return Advice(
            "when is that?", tuple(f"{each} {before} {after}" for each in days), match.span()
        )
    offers = [f"every {unit} on the {day} {before} {after}"]
    offers += [f"{before} on the {day} {after}"] if before else []
    return Advice("which day is that?", tuple(offers), match.span())


def before_the_end(text: str) -> Advice | None:
    """Offer the day that is meant by "3 days before the end of the month"."""
    match = re.search(
        r"\b(?:the )?(?P<count>[1-9]|[12][0-9]) days? before (?:the )?(?:end|last day) of (?:the|each|every|a) "
        r"(?P<unit>month|quarter|year)\b",
        text,
    )
    if match is None:
        return None
    day = f"{nth(int(match['count']) + 1)} to last day of the {match['unit']}"
    offer = f"{text[: match.start()]}{day}{text[match.end() :]}"
    return Advice("which day is that?", (offer, f"every {offer}"), match.span())
