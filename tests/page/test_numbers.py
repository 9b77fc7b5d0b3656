"""Rates and changes as the page writes them."""

from decimal import Decimal

import pytest

from ratectl.page import numbers


@pytest.mark.parametrize(
    ("rate", "whole", "fraction"),
    [
        ("1.1206", "1", ".1206"),
        ("95.120", "95", ".120"),  # the provider's own digits
        ("1343.98", "1343", ".98"),
        ("20069.89", "20\u202f069", ".89"),
        ("1234567890", "1\u202f234\u202f567\u202f890", ""),
        ("0.000049826", "0", ".000049826"),
        ("1E-9", "0", ".000000001"),
        ("1.123456789012", "1", ".1234568"),
        (
            "12345678901234.5",
            "12\u202f345\u202f678\u202f901\u202f234",
            "",
        ),  # no digit before the point is lost
    ],
)
def test_shown(rate, whole, fraction):
    """Whole part and fraction stand apart, in groups from five digits on, and eight digits at most; the exact rate is kept."""
    found = numbers.shown(Decimal(rate))

    assert (found.whole, found.fraction) == (whole, fraction)
    assert Decimal(found.exact) == Decimal(rate)


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [
        ("1.01", "1", "+1.00"),
        ("0.9732", "1", f"{numbers.MINUS}2.68"),
        ("1", "1", "±0.00"),
        ("1.00001", "1", "±0.00"),
        ("0.99999", "1", "±0.00"),
        ("2000000", "1", "+199999900.00"),
    ],
)
def test_percent(now, before, text):
    """A change has its sign, a real minus, and neither where it is none."""
    assert numbers.percent(Decimal(now), Decimal(before)) == text


def test_like():
    """A mean has as many decimals as the rate beside it."""
    assert numbers.like(1.15604999, Decimal("1.1206")) == "1.1560"
    assert numbers.like(20449.4191, Decimal("20069.89")) == "20\u202f449.42"
