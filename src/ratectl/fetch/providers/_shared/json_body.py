"""Bodies -> numbers: strict JSON, Decimal from the first byte, and a class for everything that is not that."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import Any

from ratectl.fetch.failures import FailureKind, FetchError

MOST_DIGITS = 28
LONGEST_WORD = 100
SMALLEST, LARGEST = Decimal("1e-12"), Decimal("1e12")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?")
NUMBER = r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?"


def load(body: bytes) -> dict[str, Any]:
    """Return *body* as a JSON object whose fractions are Decimal. Raises FetchError.

    Markup is a portal's or a firewall's page, whatever its status said.
    """
    value = _load(text_of(body))
    if not isinstance(value, dict):
        raise bad(f"expected a JSON object, got {excerpt(value)}")
    return value


def load_any(body: bytes) -> object:
    """Return *body* as the JSON value that it is, with fractions as Decimal. Raises FetchError."""
    value = _load(text_of(body))
    if not isinstance(value, dict | list | str):
        raise bad(f"expected a JSON object or list, got {excerpt(value)}")
    return value


def text_of(body: bytes) -> str:
    """Return *body* as text without a byte order mark. Raises FetchError for markup, nothing or no UTF-8."""
    if body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):  # in whatever encoding
        raise FetchError(FailureKind.PORTAL, "a web page instead of data")
    try:
        text = body.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise bad("the answer is not UTF-8") from error
    if not text:
        raise bad("the answer is empty")
    if text.startswith("<"):
        raise FetchError(FailureKind.PORTAL, "a web page instead of data")
    return text


def error_word(body: bytes, *keys: str) -> str:
    """Return the first text under one of *keys* in an error body, an empty one if it has none."""
    try:
        value = load(body)
    except FetchError:
        return ""
    words = (value[key] for key in keys if isinstance(value.get(key), str))
    return next((printable(word) for word in words), "")


def printable(text: str) -> str:
    """Return what a stranger wrote as one short line that any terminal and file can take."""
    line = "".join(char if char.isprintable() else " " for char in text[:LONGEST_WORD])
    return " ".join(line.split())


def table(value: dict[str, Any], key: str) -> dict[str, Any]:
    """Return the object at *key*. Raises FetchError."""
    found = value.get(key)
    if not isinstance(found, dict):
        raise bad(f"no {key!r} in the answer")
    return found


def echo(value: dict[str, Any], key: str, base: str) -> None:
    """Raise FetchError unless the answer names the base that was asked for."""
    if value.get(key) != base:
        raise bad(f"asked for base {base}, the answer is of {excerpt(value.get(key))}")


def echo_day(found: dt.date, asked: dt.date | None) -> dt.date:
    """Return *found* unless another day was *asked* for. Raises FetchError."""
    if asked is not None and found != asked:
        raise bad(f"asked for {asked}, the answer is of {found}")
    return found


def number(value: object, what: str) -> Decimal:
    """Return a JSON number that can be a rate. Raises FetchError."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise bad(f"{what} is {excerpt(value)}, not a number")
    return rate(Decimal(value), what)


def number_text(value: str, what: str) -> Decimal:
    """Return a rate from a format in which numbers are texts. Raises FetchError."""
    if not re.fullmatch(NUMBER, value):
        raise bad(f"{what} is {excerpt(value)}, not a number")
    return rate(Decimal(value), what)


def rate(value: Decimal, what: str) -> Decimal:
    """Return *value* if it can be a rate: positive, finite, of sane size and length. Raises FetchError."""
    if not value.is_finite() or value <= 0:
        raise bad(f"{what} is {excerpt(value)}, not a positive number")
    if not SMALLEST <= value <= LARGEST:
        raise bad(f"{what} is {excerpt(value)}, outside 1e-12 to 1e12")
    if len(value.as_tuple().digits) > MOST_DIGITS:
        raise bad(f"{what} has {len(value.as_tuple().digits)} digits, no rate has")
    return value


def day(value: object, what: str) -> dt.date:
    """Return the date of an ISO 8601 date, or date with time. Raises FetchError."""
    if isinstance(value, str) and DAY.fullmatch(value):
        try:
            return dt.date.fromisoformat(value[:10])
        except ValueError:
            pass
    raise bad(f"{what} is {excerpt(value)}, not a date")


def moment(value: object) -> dt.datetime | None:
    """Return a Unix time as an aware one; None for anything else, since nothing hangs on it."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1 << 33:
        return None
    return dt.datetime.fromtimestamp(value, dt.UTC)


def bad(message: str) -> FetchError:
    """Return the failure of an answer that cannot be believed."""
    return FetchError(FailureKind.DATA, message)


def excerpt(value: object) -> str:
    """Return *value* as an error text may hold it: printable, and shortened."""
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


def _load(text: str) -> object:
    try:
        return json.loads(
            text,
            parse_float=_number,
            parse_int=_whole_number,
            parse_constant=_Unreadable,
            object_pairs_hook=_without_duplicates,
        )
    except (ValueError, RecursionError) as error:
        raise bad("not JSON, or cut off") from error


class _Unreadable:
    """What no JSON value can be made of: it fails where it is used, and spoils nothing else."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _number(text: str) -> Decimal | _Unreadable:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent that no Decimal can have
        return _Unreadable(text)


def _whole_number(text: str) -> int | _Unreadable:
    return int(text) if len(text) <= MOST_DIGITS + 1 else _Unreadable(text)


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object in which a key that stands there twice has no value that could be used."""
    value = dict(pairs)
    if len(value) != len(pairs):
        twice = (key for key, number in Counter(key for key, _ in pairs).items() if number > 1)
        value |= dict.fromkeys(twice, _Unreadable("a value that stands there twice"))
    return value
