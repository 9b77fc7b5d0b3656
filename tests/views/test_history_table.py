"""The table of history: columns that line up, and where each quote is from."""

import datetime as dt
from decimal import Decimal

from ratectl.model.job import Pair
from ratectl.model.quote import Leg
from ratectl.views.history_table import ROOM, table
from tests.views.conftest import KOLKATA, SLOT, entry

WIDE = 1000


def test_columns():
    """Slot on the job's clocks, pair, rate, its day, provider, kind, and when it was received."""
    later = entry(
        "100.5", SLOT + dt.timedelta(days=1, seconds=15), provider="ecb", kind="backfilled"
    )

    assert list(table([entry(), later], KOLKATA, WIDE)) == [
        "SLOT                         PAIR      RATE  OF          PROVIDER     KIND        RECEIVED",
        "Mon 2026-11-23 10:30 IST     USD/INR  95.12  2026-11-23  frankfurter  published   2026-11-23 10:30:03",
        "Tue 2026-11-24 10:30:15 IST  USD/INR  100.5  2026-11-24  ecb          backfilled  2026-11-24 10:30:18",
    ]


def test_origin():
    """What was revised, and what a derived rate was computed from, stands behind it."""
    eur = Pair(base="EUR", quote="INR")
    derived = entry(kind="derived", legs=(Leg(eur, Decimal("103.2")),))._replace(
        supersedes=Decimal("95.00")
    )

    [_, line] = table([derived], KOLKATA, WIDE)

    assert line.endswith("  revised, was 95.00; from EUR/INR 103.2")


def test_narrow():
    """On a narrow screen the moment of receipt is left out."""
    head = {width: next(table([entry()], KOLKATA, width)) for width in (80, ROOM)}

    assert "RECEIVED" not in head[80]
    assert "RECEIVED" in head[ROOM]


def test_nothing():
    """Without quotes there is no head either."""
    assert list(table([], KOLKATA, WIDE)) == []


def test_long():
    """Far more lines than are measured keep their columns, and are made one by one."""
    head, *lines = table((entry(str(90 + number % 9)) for number in range(2000)), KOLKATA, WIDE)

    assert len(lines) == 2000
    assert {line.index("frankfurter") for line in lines} == {head.index("PROVIDER")}


def test_what_is_too_wide_goes_on_below():
    """A line that is wider than the screen goes on below, set in; in a pipe it is one line."""
    derived = entry(kind="derived", legs=(Leg(Pair(base="EUR", quote="INR"), Decimal("103.2")),))

    lines = "\n".join(table([derived], KOLKATA, 80)).splitlines()

    assert max(map(len, lines)) <= 80
    assert lines[-1] == "    from EUR/INR 103.2"
    assert len("\n".join(table([derived], KOLKATA, WIDE)).splitlines()) == 2
