"""What is said of Debian's crontab is what it does: tabs it rejects, and tabs it takes all the same."""

from __future__ import annotations

import json

import pytest

from tests.engines.conftest import RATECTL

pytestmark = pytest.mark.engine

REJECTED = [
    b"*/10 * * * * * true\n",
    b"0 5 L * * true\n",
    b"0 5 15W * * true\n",
    b"0 5 ? * * true\n",
    b"H * * * * true\n",
    b"5/15 * * * * true\n",
    b"*/0 * * * * true\n",
    b"60 * * * * true\n",
    b"0 5 * * monday true\n",
    b"0 5 * *\n",
    b"-0 5 * * * true\n",
    b"@every 90m true\n",
    b"@Daily true\n",
    b"A=\n",
    b"export A=b\n",
    b"0 5 * * * true",
    b"\r\n0 5 * * * true\r\n",
    b"0 5 * * * " + b"x" * 999 + b"\n",
    b"x" * 997 + b"=1\n",
    b"#\n" * 10_001,
]
TAKEN = [
    b"30 2 30 2 * true\n",
    b"0 22-2 * * * true\n",
    b"0 5 * * sat-sun true\n",
    b"0 5 * * 1#2 true\n",
    b"0~30 5 * * * true\n",
    b"*/90 * * * * true\n",
    b"0 0 9 * * 1-5 true\n",
    b"0 5 * * * date +%F\n",
    b"CRON_TZ=UTC\n",
    b"0 5 * * * true\r\n",
]


@pytest.fixture
def tester(cron):
    return cron.account("tester")


@pytest.mark.parametrize("tab", REJECTED, ids=lambda tab: str(tab[:30]))
def test_rejected(tester, tab):
    """The real crontab refuses the tab, and the lint has an error in it."""
    tester.run("crontab", "-n", "-", stdin=tab, code=1)

    tester.run(RATECTL, "lint-crontab", "-", stdin=tab, code=65)


@pytest.mark.parametrize("tab", TAKEN, ids=lambda tab: str(tab[:30]))
def test_taken(tester, tab):
    """The real crontab takes the tab without a word, and only the lint has an error in it."""
    tester.run("crontab", "-n", "-", stdin=tab)

    tester.run(RATECTL, "lint-crontab", "-", stdin=tab, code=65)


def test_own_tab(tester):
    """Without a file the account's own tab is read, carriage returns included, and left as it is."""
    tab = b"0 5 * * * true\r\n*/90 * * * * true\n"
    tester.run("crontab", "-", stdin=tab)

    told = json.loads(tester.run(RATECTL, "lint-crontab", "--json", code=65).stdout)
    listed = tester.run("crontab", "-l").stdout
    tester.run("crontab", "-r")

    codes = [(each["line"], each["code"]) for each in told]
    assert codes == [(1, "carriage-return"), (2, "step-beyond-range")]
    assert {each["file"] for each in told} == {"tester's crontab"}
    assert listed == tab.replace(b"\r", b"\\r")
    assert tester.ratectl("lint-crontab") == "0 errors, 0 warnings\n"
