"""A date as some provider writes it -> the day that it says.

Unix times in seconds or milliseconds (numbers or texts, with a fraction or without) are days of UTC; ISO 8601
with or without dashes and RFC 2822 are the day as written. Anything else needs its ``date_format``.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import re
from decimal import Decimal

from ratectl.fetch.failures import FetchError
from ratectl.fetch.providers._shared import json_body as bodies

UNIX = re.compile(r"[0-9]{9,14}(\.[0-9]+)?")
COMPACT = re.compile(r"((?:19|20)[0-9]{2})(0[1-9]|1[0-2])([0-3][0-9])(T[0-9]{4,6}.*)?")
RFC_2822 = re.compile(r"([A-Z][a-z]{2}, )?[0-9]{1,2} [A-Z][a-z]{2} [0-9]{4}.*")
DAY = dt.timedelta(days=1)
MILLISECONDS_FROM = 10**11
"""Seconds up to here reach the year 5138, milliseconds from here on begin in 1973."""
JUST_AFTER_MIDNIGHT = dt.timedelta(minutes=10)
"""How late an archive may stamp the end of a day: seconds after midnight still mean the day before."""


def read(
    value: object,
    what: str,
    *,
    date_format: str = "",
    asked: dt.date | None = None,
    late: dt.timedelta = JUST_AFTER_MIDNIGHT,
) -> dt.date:
    """Return the day that *value* says. Raises FetchError, which names *what* it is.

    A time at most *late* after the end of the day that was *asked* for is of that day.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise bodies.bad(f"{what} is {bodies.excerpt(value)}, not a date")
    text = str(value).strip()
    if date_format:
        return _formatted(text, date_format, what)
    if UNIX.fullmatch(text):
        return stamped_day(_moment(Decimal(text)), asked, late)
    found = _written(text)
    found = _iso(text, what) if found is None else found
    just_after = asked is not None and found == asked + DAY and _hour(text) <= late
    return asked if just_after and asked else found


def _iso(text: str, what: str) -> dt.date:
    try:
        return bodies.day(text, what)
    except FetchError as error:
        raise bodies.bad(f"{error}; date_format says its form") from error


def _hour(text: str) -> dt.timedelta:
    """Return the time of day that an ISO 8601 *text* says, a whole day where it says none."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return DAY
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return moment - midnight if ":" in text or "T" in text else DAY


def stamped_day(
    stamp: dt.datetime, asked: dt.date | None, late: dt.timedelta = JUST_AFTER_MIDNIGHT
) -> dt.date:
    """Return the UTC day of *stamp*, or *asked* where it is at most *late* after the end of that day."""
    if asked is None or asked >= stamp.date():
        return stamp.date()
    end = dt.datetime.combine(asked, dt.time(), dt.UTC) + dt.timedelta(days=1)
    return asked if stamp - end <= late else stamp.date()


def _moment(seconds: Decimal) -> dt.datetime:
    if seconds >= MILLISECONDS_FROM:
        seconds /= 1000
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC)


def _formatted(text: str, date_format: str, what: str) -> dt.date:
    try:
        return dt.datetime.strptime(text, date_format).date()  # noqa: DTZ007 - only its day counts
    except ValueError as error:
        raise bodies.bad(
            f"{what} is {bodies.excerpt(text)}, which is not in the date_format {date_format!r}"
        ) from error


def _written(text: str) -> dt.date | None:
    """Return the day of a date without dashes or in RFC 2822; None where it is in neither form."""
    compact = COMPACT.fullmatch(text)
    try:
        if compact:
            return dt.date(int(compact[1]), int(compact[2]), int(compact[3]))
        if RFC_2822.fullmatch(text):
            return email.utils.parsedate_to_datetime(
                f"{text} 00:00" if ":" not in text else text
            ).date()
    except ValueError:
        pass
    return None
