"""What a line of each format says: a row, or why it is none. Pure.

The formats are those of our outputs, of which ``text`` is what the loop of old wrote, and pricehist's csv, which ours equals.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from ratectl.errors import DataError
from ratectl.fetch.failures import FetchError
from ratectl.fetch.providers._shared import written_numbers
from ratectl.model.job import Pair
from ratectl.outputs.formats import FILES
from ratectl.schedule.values import YEARS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOURCE = "imported"
"""The provider of a line that names none."""
CODE = r"([A-Z][A-Z0-9]{1,9})"
DAY = r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2})"
TEXT = re.compile(
    rf"(\d\d/\d\d/\d{{4}}) - (?:{CODE}/{CODE} )?(\S+)(?: \(of (\d\d/\d\d/\d{{4}})\))?"
)
LEDGER = re.compile(rf'P\s+{DAY}(?:\s+\d\d:\d\d(?::\d\d)?)?\s+"?{CODE}"?\s+(\S+)\s+"?{CODE}"?')
BEANCOUNT = re.compile(rf"{DAY}\s+price\s+{CODE}\s+(\S+)\s+{CODE}")
COMMENT = re.compile(r"(?:^|\s)[;#].*$")
NAME = re.compile(r"[\w.+-]{1,64}")
MONTH_FIRST = "is no day as dd/mm/YYYY"
"""What is wrong with a day that is one as mm/dd/YYYY: the days of the lines beside it may be others than they seem."""
SAID = {
    "text": "dd/mm/YYYY - RATE",
    "ledger": "P YYYY-MM-DD BASE RATE QUOTE",
    "beancount": "YYYY-MM-DD price BASE RATE QUOTE",
}
"""How a message says what a line should have been."""


class Row(NamedTuple):
    """What one line says."""

    line: int
    pair: Pair | None
    """None where the line names none."""
    rate: Decimal
    rate_date: dt.date
    day: dt.date | None
    """The civil day of its slot, where the line does not say the slot."""
    slot: dt.datetime | None = None
    provider: str = SOURCE
    observed_at: dt.datetime | None = None
    """When it was received; None where the line does not say."""


class Wrong(NamedTuple):
    """A line that cannot be a row."""

    line: int
    reason: str


def sniff(text: str, path: str) -> str:
    """Return the format of *text*, by its first line that says something. Raises DataError."""
    first = next(filter(None, (COMMENT.sub("", line).strip() for line in text.splitlines())), "")
    for form in ("csv", "csv-quotes"):
        if _columns(first) == FILES[form].HEADER.decode().strip().split(","):
            return form
    patterns = {"text": TEXT, "ledger": LEDGER, "beancount": BEANCOUNT}
    for form, pattern in patterns.items():
        if pattern.fullmatch(first):
            return form
    if first.startswith("{"):
        return "jsonl"
    if not first:
        raise DataError(f"{path}: is empty, and nothing was imported")
    raise DataError(
        f"{path}: its first line is of no known form ({first[:60]!r}); --format names one of {', '.join(FILES)}"
    )


def read(text: str, form: str, decimal: str = ".") -> Iterator[Row | Wrong]:
    """Yield what each line of *text* in the format *form* says, with the *decimal* sign of its rates; blank lines and comments say nothing."""
    if form.startswith("csv"):
        yield from _csv(text, form, decimal)
        return
    reader = READERS[form]
    for number, line in enumerate(text.splitlines(), 1):
        said = line.strip() if form == "jsonl" else COMMENT.sub("", line).strip()
        if said:
            yield _attempt(reader, number, said, decimal)


def _attempt(
    reader: Callable[[int, Any, str], Row], number: int, said: Any, decimal: str
) -> Row | Wrong:
    try:
        return reader(number, said, decimal)
    except KeyError as error:
        return Wrong(number, f"it lacks {error.args[0]}")
    except (FetchError, ValueError) as error:
        return Wrong(number, str(error))


def _columns(line: str) -> list[str]:
    delimiter = ";" if ";" in line else "\t" if "\t" in line else ","
    return [name.strip().strip('"') for name in line.split(delimiter)]


def _csv(text: str, form: str, decimal: str) -> Iterator[Row | Wrong]:
    lines = text.splitlines()
    head = next((line for line in lines if line.strip()), "")
    delimiter = ";" if ";" in head else "\t" if "\t" in head else ","
    table = csv.DictReader(lines, delimiter=delimiter, restval="")
    try:
        yield from _records(table, form, decimal)
    except csv.Error:
        most = csv.field_size_limit()
        reason = f"holds a cell of more than {most:,} characters, and nothing from there on is read"
        yield Wrong(table.line_num + 1, reason)


def _records(table: csv.DictReader[str], form: str, decimal: str) -> Iterator[Row | Wrong]:
    wanted = FILES[form].HEADER.decode().strip().split(",")
    lacking = [name for name in wanted[:4] if name not in (table.fieldnames or ())]
    if lacking:
        yield Wrong(1, f"its header lacks {', '.join(lacking)}; expected {','.join(wanted)}")
        return
    reader = _quotes_record if form == "csv-quotes" else _record
    for record in table:
        yield _attempt(reader, table.line_num, record, decimal)


def _text(number: int, line: str, decimal: str) -> Row:
    found = _matched("text", TEXT, line)
    day, base, quote, rate, own = found.groups()
    civil = _reversed_day(day)
    return Row(
        line=number,
        pair=Pair(base=base, quote=quote) if base else None,
        rate=_rate(rate, decimal),
        rate_date=_reversed_day(own) if own else civil,
        day=civil,
    )


def _ledger(number: int, line: str, decimal: str) -> Row:
    return _price(number, _matched("ledger", LEDGER, line), decimal)


def _beancount(number: int, line: str, decimal: str) -> Row:
    return _price(number, _matched("beancount", BEANCOUNT, line), decimal)


def _price(number: int, found: re.Match[str], decimal: str) -> Row:
    day, base, text, quote = found.groups()
    return _dated(number, _day(day), Pair(base=base, quote=quote), _rate(text, decimal))


def _record(number: int, record: dict[str, str], decimal: str) -> Row:
    day, pair = _day(record["date"]), _pair(record)
    row = _dated(number, day, pair, _rate(record["amount"], decimal))
    return row._replace(provider=_name(record.get("source") or SOURCE))


def _dated(number: int, day: dt.date, pair: Pair, rate: Decimal) -> Row:
    return Row(line=number, pair=pair, rate=rate, rate_date=day, day=day)


def _quotes_record(number: int, record: dict[str, Any], decimal: str) -> Row:
    """Return what a record with the columns of the quotes table says, or an object of ``jsonl``."""
    rate = record["rate"]
    texts = record | {"rate": f"{rate:f}" if isinstance(rate, Decimal) else rate}
    for name in ("slot", "base", "quote", "rate", "rate_date", "provider", "observed_at"):
        if not isinstance(texts[name], str):
            raise ValueError(f"{name} is {_kind(record[name])}, where a text belongs")
    return Row(
        line=number,
        pair=_pair(texts),
        rate=_rate(texts["rate"], decimal),
        rate_date=_day(texts["rate_date"]),
        day=None,
        slot=_moment(texts["slot"]),
        provider=_name(texts["provider"]),
        observed_at=_moment(texts["observed_at"]),
    )


def _kind(value: object) -> str:
    """Return what a value of JSON other than a text is called there."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return {None: "null", True: "true", False: "false"}.get(value, "a number")  # type: ignore[call-overload, no-any-return]


def _jsonl(number: int, line: str, decimal: str) -> Row:
    try:
        record = json.loads(line, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise ValueError(f"is no JSON object: {line[:60]!r}")
    return _quotes_record(
        number, record, "." if isinstance(record.get("rate"), Decimal) else decimal
    )


READERS: dict[str, Callable[[int, str, str], Row]] = {
    "text": _text,
    "ledger": _ledger,
    "beancount": _beancount,
    "jsonl": _jsonl,
}


def _matched(form: str, pattern: re.Pattern[str], line: str) -> re.Match[str]:
    found = pattern.fullmatch(line)
    if found is None:
        raise ValueError(f"expected {SAID[form]}, found {line[:60]!r}")
    return found


def _rate(text: str, decimal: str) -> Decimal:
    return written_numbers.read(text, "the rate", decimal)


def _pair(record: dict[str, str]) -> Pair:
    codes = record["base"], record["quote"]
    for code in codes:
        if not re.fullmatch(CODE, code):
            raise ValueError(f"{code[:60]!r} is no currency code")
    return Pair(base=codes[0], quote=codes[1])


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is no name of a source")
    return text


def _day(text: str) -> dt.date:
    """Return the day of a text such as 2026-11-20, or 2026/11/20 as ledger takes it, too."""
    if not re.fullmatch(DAY, text):
        raise ValueError(f"{text[:60]!r} is no day such as 2026-11-20")
    return _date(text, *re.split(r"[-/.]", text))


def _reversed_day(text: str) -> dt.date:
    day, month, year = text.split("/")
    try:
        return _date(text, year, month, day)
    except ValueError as error:
        if int(month) > 12 >= int(day):
            raise ValueError(f"{text!r} {MONTH_FIRST}") from error
        raise


def _date(text: str, year: str, month: str, day: str) -> dt.date:
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError as error:
        raise ValueError(f"{text!r} is no day") from error


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text[:60]!r} is no time such as 2026-11-20T10:30:00+01:00") from error
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC, such as +01:00")
    if moment.year not in YEARS:
        raise ValueError(f"{text!r} lies beyond the calendar")
    return moment.replace(microsecond=0)
