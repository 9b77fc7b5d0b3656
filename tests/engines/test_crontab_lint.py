"""What is said of Debian's crontab is what it does: tabs it rejects, and tabs it takes all the same."""

from __future__ import annotations

import json

import pytest

from tests.engines.conftest import FIRING_LIMIT, RATECTL

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
    b"0 9, 17 * * * true\n",
    b"0 9 * * mon, wed true\n",
    b"*/ 5 * * * * true\n",
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
    b"0 9 30 2 1 true\n",
    b"0 9 * * 1 - 5 true\n",
    b"0 9 * * * root\n",
    b"SHELL=bash\n",
    b"HOME=~me\n",
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


HOMES_AND_SHELLS = b"""SHELL=bash
* * * * * touch /tmp/lint-shell
SHELL=""
* * * * * touch /tmp/lint-no-shell
SHELL=/bin/sh
HOME=relative
* * * * * pwd > /tmp/lint-home
HOME=~tester
* * * * * pwd > /tmp/lint-home-tilde
HOME=$HOME
* * * * * pwd > /tmp/lint-home-variable
HOME=/home/tester
* * * * * sleep 2; echo run > /tmp/lint-last
"""


@pytest.mark.parametrize("kind", ["cron", "cronie"])
def test_homes_and_shells(kind, request):
    """No line runs with a SHELL that is no path; without a real HOME Debian's cron runs lines in its own folder, cronie none."""
    tester = request.getfixturevalue(kind).account("tester")
    tester.run("crontab", "-", stdin=HOMES_AND_SHELLS)
    tester.wait_for_lines("/tmp/lint-last", limit=FIRING_LIMIT)

    ran = tester.sh("cd /tmp && grep -H . lint-home*")
    shells = tester.sh("cd /tmp && ls | grep shell")
    tester.sh("crontab -r; rm -f /tmp/lint-*")

    homes = ("lint-home", "lint-home-tilde", "lint-home-variable")
    in_own_folder = "".join(f"{home}:/var/spool/cron\n" for home in homes)
    assert ran == (in_own_folder if kind == "cron" else "")
    assert shells == ""
