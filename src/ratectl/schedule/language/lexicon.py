"""The words that people use for when, and the one word that the grammar knows for each.

Only spellings: a word here always means the same. What depends on its neighbours
("second", "quarter") is decided by the readers of a phrase.
"""

from __future__ import annotations

UNITS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
WEEKDAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTH_NAMES = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}
MORE_ORDINALS = {"sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10}
"""Which nobody needs for weekdays; days are written with them, seldom."""
WORKING_DAYS = frozenset(range(1, 6))
WEEKEND = frozenset({6, 7})
SEPARATORS = ("and", "or")
NUMBERS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
LATE_ORDINALS = {
    "eleventh": "11th", "twelfth": "12th", "thirteenth": "13th", "fourteenth": "14th",
    "fifteenth": "15th", "sixteenth": "16th", "seventeenth": "17th", "eighteenth": "18th",
    "nineteenth": "19th", "twentieth": "20th", "thirtieth": "30th",
}  # fmt: skip
"""Days of the month that have a word; "twenty-first" is made of two."""
ADVERBS = {
    "hourly": ("every", "hour"),
    "daily": ("every", "day"),
    "everyday": ("every", "day"),
    "weekly": ("every", "week"),
    "fortnightly": ("every", "2", "week"),
    "monthly": ("every", "month"),
    "quarterly": ("every", "quarter"),
    "yearly": ("every", "year"),
    "annually": ("every", "year"),
}
"""One word for a whole subject."""

_GROUPS = {
    "every": "each",
    "at": "@",
    "and": "& /",
    "to": "- .. \u2010 \u2011 \u2013 \u2014 \u2212 through thru thro",
    "second": "s sec secs seconds",
    "minute": "m min mins minutes",
    "hour": "h hr hrs hours",
    "day": "d days",
    "week": "w wk wks weeks",
    "month": "months",
    "quarter": "quarters",
    "year": "years",
    "monday": "mon mondays",
    "tuesday": "tue tues tuesdays",
    "wednesday": "wed weds wednesdays",
    "thursday": "thu thur thurs thursdays",
    "friday": "fri fridays",
    "saturday": "sat saturdays",
    "sunday": "sun sundays",
    "weekday": "weekdays workday workdays",
    "weekend": "weekends",
    "january": "jan",
    "february": "feb",
    "march": "mar",
    "april": "apr",
    "june": "jun",
    "july": "jul",
    "august": "aug",
    "september": "sep sept",
    "october": "oct",
    "november": "nov",
    "december": "dec",
    "12:00": "noon midday",
    "00:00": "midnight",
    "am": "a.m. a.m",
    "pm": "p.m. p.m",
    "except": "excluding besides",
    "other": "alternate alternating",
}
SPELLINGS = {word: known for known, words in _GROUPS.items() for word in words.split()}
SPELLINGS |= {word: str(number) for number, word in enumerate(NUMBERS, start=1)}
SPELLINGS |= {word: str(number) for word, number in TENS.items()} | LATE_ORDINALS
SPELLINGS |= {"hundred": "100", "a m": "am", "p m": "pm", "a. m.": "am", "p. m.": "pm"}

VOCABULARY = (
    "every", "once", "at", "on", "the", "in", "between", "from", "and", "except", "other", "half",
    "noon", "midnight", "weekday", "weekdays", "weekend", "weekends", *UNITS,
    *(unit + "s" for unit in UNITS), *WEEKDAY_NAMES, *(name + "s" for name in WEEKDAY_NAMES),
    *MONTH_NAMES, *ORDINALS, *ADVERBS, *NUMBERS, *TENS, *LATE_ORDINALS,
)  # fmt: skip
"""What a misspelt word may have been."""
