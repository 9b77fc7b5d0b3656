"""How far Debian's cron reads a time field: it takes what it understands and skips the rest up to the next blank.

Source: Vixie cron's ``entry.c`` (``get_list``, ``get_range``, ``get_number``) with Debian's changes, and its ``crontab -n``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ratectl.schedule.language.cron import FIELDS

if TYPE_CHECKING:
    from collections.abc import Sequence

RANGE = re.compile(r"(?:(\*)|([a-z0-9]+)(-[a-z0-9]*)?)(/[a-z0-9]*)?", re.IGNORECASE)
"""What is looked at of one item; letters and digits always belong together."""


def read_part(text: str, place: int) -> str:
    """Return the beginning of *text*, the field at *place*, that Debian's cron goes by; nothing where it rejects the tab."""
    end = 0
    while match := RANGE.match(text, end):
        if not _is_good(match, place):
            return ""
        end = match.end()
        if text[end : end + 1] != ",":
            return text[:end]
        end += 1
    return ""


def rejected(fields: Sequence[str]) -> str:
    """Return "month `1/1`" for the first of the five *fields* for which Debian's cron rejects the tab, or nothing."""
    for place, text in enumerate(fields):
        if not read_part(text, place):
            return f"{FIELDS[place].name} `{text}`"
    return ""


def _is_good(match: re.Match[str], place: int) -> bool:
    star, first, last, step = match.groups()
    if step and (not step[1:].isdecimal() or not step[1:].strip("0")):
        return False
    if star:
        return True
    if step and not last:
        return False
    values = (first, last[1:]) if last else (first,)
    numbers = [FIELDS[place].number(value.lower()) for value in values]
    field = FIELDS[place]
    return all(field.low <= number <= field.high for number in numbers)
