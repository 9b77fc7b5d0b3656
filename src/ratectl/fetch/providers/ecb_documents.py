"""The ECB's reference rate documents -> what one euro was worth on each day in them.

XML (one day, or 90) is ``Envelope/Cube/Cube[@time]/Cube[@currency,@rate]``; a document type is refused, the ECB's have
none. The whole history is a zip of one CSV, ``Date,USD,JPY,...,`` with ``N/A`` for "no rate" and an empty last
column; it is unpacked in memory up to a limit. A document that is cut off is not believed up to there.
"""

from __future__ import annotations

import csv
import io
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

from ratectl.fetch.failures import FailureKind, FetchError
from ratectl.fetch.providers._shared import cross_rates, xml_body
from ratectl.fetch.providers._shared import json_body as bodies
from ratectl.fetch.providers._shared.cross_rates import BadCell
from ratectl.model.job import Pair

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection
    from decimal import Decimal

    from ratectl.fetch.providers._shared.cross_rates import Rates

HUB = "EUR"
MOST_UNPACKED = 16 * 1024 * 1024
"""Ten times what 27 years of 42 currencies take."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,
    ValueError,
)
"""What zipfile raises for an archive that is damaged, or made to hurt."""


def days(body: bytes, wanted: Collection[str]) -> dict[dt.date, Rates]:
    """Return the rates of the currencies *wanted* by day, as EUR/currency. Raises FetchError."""
    if body.startswith(b"PK"):
        return _of_csv(_unpacked(body), wanted)
    return _of_xml(body, wanted)


def _of_xml(body: bytes, wanted: Collection[str]) -> dict[dt.date, Rates]:
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    page = start.startswith(b"<") and b"Envelope" not in body
    if page and (b"<!doctype" not in start or b"<!doctype html" in start):
        raise FetchError(FailureKind.PORTAL, "a web page instead of data")
    found: dict[dt.date, Rates] = {}

    def element(name: str, attributes: dict[str, str]) -> None:
        if name != "Cube":
            return
        if "time" in attributes:
            found[_new_day(found, attributes["time"])] = {}
        elif attributes.get("currency") in wanted and found:
            day = next(reversed(found))
            pair, rate = _priced(attributes["currency"], attributes.get("rate", ""), day)
            if found[day].setdefault(pair, rate) != rate:
                found[day][pair] = BadCell(f"{pair} of {day} stands twice, with two numbers")

    xml_body.read(body, element)
    return found


def _of_csv(text: str, wanted: Collection[str]) -> dict[dt.date, Rates]:
    rows = csv.reader(io.StringIO(text))
    found: dict[dt.date, Rates] = {}
    try:
        header = next(rows, [])
        columns = [(at, code) for at, code in enumerate(header) if code in wanted]
        if header[:1] != ["Date"] or len({code for _, code in columns}) != len(columns):
            raise bodies.bad("not the ECB's table: no Date column, or a currency twice")
        for row in rows:
            if len(row) != len(header):
                raise bodies.bad(f"a row of {len(row)} columns among {len(header)}")
            day = _new_day(found, row[0])
            cells = ((code, row[at]) for at, code in columns if row[at] != "N/A")
            found[day] = dict(_priced(code, text, day) for code, text in cells)
    except csv.Error as error:
        raise bodies.bad("not a table, or cut off") from error
    return found


def _unpacked(body: bytes) -> str:
    """Return the one CSV in the archive *body*. Raises FetchError, also for more than the limit."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            members = [
                zip_info for zip_info in archive.infolist() if zip_info.filename.endswith(".csv")
            ]
            if len(members) != 1:
                raise bodies.bad(f"an archive of {len(members)} tables, expected one")
            if members[0].compress_type not in METHODS or members[0].flag_bits & ENCRYPTED:
                raise bodies.bad("an archive that is encrypted or packed in an unknown way")
            with archive.open(members[0]) as member:
                content = member.read(MOST_UNPACKED + 1)
    except UNREADABLE as error:
        raise bodies.bad("not a zip archive, or cut off") from error
    if len(content) > MOST_UNPACKED:
        raise bodies.bad(f"an archive that unpacks to more than {MOST_UNPACKED} bytes")
    return bodies.text_of(content)


def _new_day(found: dict[dt.date, Rates], text: str) -> dt.date:
    day = bodies.day(text, "date")
    if day in found:
        raise bodies.bad(f"{day} stands twice in the document")
    return day


def _priced(code: str, text: str, day: dt.date) -> tuple[Pair, Decimal | BadCell]:
    pair = Pair(base=HUB, quote=code)
    return pair, cross_rates.cell(pair, text, day, bodies.number_text)
