"""Currencies that ended: each day is one, and fits the month in which ISO 4217's list three withdraws the code."""

from __future__ import annotations

import datetime as dt

import pytest

from ratectl.model.currencies import BESIDE, ENDED, NOW, ended

WITHDRAWN = """
AFA 2003-01 AON 2000-02 AOR 2000-02 ARA 1992-01 ARP 1985-07 BGL 2003-11 BRB 1986-03 BRC 1989-02 BRN 1990-03
BRR 1994-07 BYB 2001-01 BYR 2017-01 CSD 2006-10 CSK 1993-03 CYP 2008-01 ECS 2000-09 EEK 2011-01 GEK 1995-10 GHC 2008-01
HRD 1995-01 HRK 2023-01 LTL 2014-12 LTT 1993-07 LVL 2014-01 LVR 1994-12 MGF 2004-12 MTL 2008-01 MXP 1993-01
PEI 1991-07 PLZ 1997-01 SDD 2007-07 SDP 1998-06 SIT 2007-01 SKK 2009-01 SRG 2003-12 STD 2017-12
TJR 2001-04 TMM 2009-01 TRL 2005-12 UAK 1996-09 USS 2014-03 UYP 1993-03 VEF 2018-08 XEU 1999-01 XFU 2013-11 XRE 1999-11
YUM 2003-07 ZAL 1995-03 ZMK 2012-12 ZRN 1999-06 ZWD 2006-08 ZWR 2009-06
"""
"""List three, published 2023-01-01, where it names one month for the code."""
LATER = {"BGL"}
"""Withdrawn years after the notes were."""


def test_days():
    """Every end is a day of the past, and no code of today or beside the list is among them."""
    assert all(dt.date.fromisoformat(day) < dt.date(2026, 3, 1) for _, day in ENDED.values())
    assert not ENDED.keys() & (NOW | BESIDE.keys())
    assert list(ENDED) == sorted(ENDED)


@pytest.mark.parametrize(
    ("code", "month"), list(zip(WITHDRAWN.split()[::2], WITHDRAWN.split()[1::2], strict=True))
)
def test_month(code, month):
    """The last day lies in the month of the withdrawal or in the one before or after it."""
    day = dt.date.fromisoformat(ENDED[code][1])
    year, number = map(int, month.split("-"))
    apart = (year - day.year) * 12 + number - day.month

    assert code in LATER or abs(apart) <= 1, (code, day, month)


@pytest.mark.parametrize(
    ("code", "day"),
    [("MRO", "2018-06-30"), ("VEB", "2008-06-30"), ("DEM", "2001-12-31"), ("NLG", "2002-01-28")],
)
def test_notes(code, day):
    """Where notes went on after the change, their last day is the end."""
    assert ended(code).endswith(f"ended on {day}")
