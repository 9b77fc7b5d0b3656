"""Currencies that people have: ended ones, those beside ISO 4217, and the spec's own."""

import datetime as dt

import iso4217
import pytest

from ratectl import spec
from ratectl.errors import SpecError
from ratectl.model.currencies import BESIDE, ENDED, NOW
from ratectl.spec import readers

ENDED_ONES = ("HRK", "BGN", "TRL", "DEM", "ZWL", "VEF", "ANG")
BESIDE_ONES = ("BTC", "ETH", "USDT", "CNH", "GGP", "IMP", "JEP")


def jobs_of(tmp_path, pair, more=""):
    """Read a spec with a job of one *pair*."""
    text = f'{more}\n[jobs.one]\npairs = ["{pair}"]\nschedule = "every day at 10:30"\noutput = "o.txt"\n'
    return spec.loads(text.encode(), path=tmp_path / "jobs.toml", host_timezone="UTC").jobs


@pytest.mark.parametrize("code", [*ENDED_ONES, *BESIDE_ONES])
def test_accepted(tmp_path, code):
    """Codes that ended, and codes in use beside ISO, are taken as base and as quote."""
    assert str(jobs_of(tmp_path, f"{code}/USD")[0].pairs[0]) == f"{code}/USD"
    assert str(jobs_of(tmp_path, f"EUR/{code}")[0].pairs[0]) == f"EUR/{code}"


def test_own(tmp_path):
    """Any other has a name in the spec; what stays unknown is refused, with a suggestion or the way to name it."""
    assert jobs_of(tmp_path, "POINTS/EUR", '[currencies]\nPOINTS = "Points of the club"')
    with pytest.raises(SpecError, match=r'did you mean "INR"'):
        jobs_of(tmp_path, "USD/INX")
    with pytest.raises(SpecError, match=r'write \[currencies\] WWQQ = "NAME"'):
        jobs_of(tmp_path, "USD/WWQQ")
    assert jobs_of(tmp_path, "USD/WWQQ", '[currencies]\nWWQQ = "NAME"')
    for table in (
        '[currencies]\nx = "lower"',
        '[currencies]\nA1 = "digit"',
        "[currencies]\nABC = 3",
    ):
        with pytest.raises(SpecError, match="expected a"):
            jobs_of(tmp_path, "USD/INR", table)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("RMB", "CNY"),
        ("YEN", "JPY"),
        ("NTD", "TWD"),
        ("UKP", "GBP"),
        ("STG", "GBP"),
        ("NIS", "ILS"),
        ("GOLD", "XAU"),
        ("BITCOIN", "BTC"),
        ("ether", "ETH"),
        ("EURO", "EUR"),
        ("eur", "EUR"),
        ("usdt", "USDT"),
        ("UDS", "USD"),
    ],
)
def test_words_for_codes(tmp_path, written, meant):
    """What people write in place of a code leads to that currency, and to no other that is spelt like it."""
    with pytest.raises(SpecError, match=f'did you mean "{meant}"'):
        jobs_of(tmp_path, f"{written}/CHF")


@pytest.mark.parametrize("code", ["POINTS", "MILES", "COINS", "WWQQ"])
def test_no_far_fetched_suggestion(tmp_path, code):
    """A word that is like no code is not taken for one of another length."""
    with pytest.raises(
        SpecError, match=rf'for one of your own write \[currencies\] {code} = "NAME"'
    ):
        jobs_of(tmp_path, f"{code}/CHF")


def test_a_code_dropped_later(tmp_path, monkeypatch):
    """A code that a newer list of codes drops does not make a spec unusable."""
    less = [currency for currency in iso4217.Currency if currency.name != "CUP"]
    monkeypatch.setattr(iso4217, "Currency", less)
    readers.currencies.cache_clear()
    try:
        assert jobs_of(tmp_path, "USD/CUP")
    finally:
        readers.currencies.cache_clear()


def test_the_tables():
    """No code is in two tables, and every end is a day of the past."""
    present = {currency.name for currency in iso4217.Currency}
    assert not ENDED.keys() & BESIDE.keys()
    assert not (ENDED.keys() | BESIDE.keys()) & NOW
    assert len(present - NOW - ENDED.keys()) == 1  # the code for no currency
    for name, day in ENDED.values():
        assert name
        assert dt.date(1980, 1, 1) < dt.date.fromisoformat(day) < dt.date(2026, 11, 1)
