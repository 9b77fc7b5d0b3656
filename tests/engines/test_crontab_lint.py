"""What is said of Debian's crontab is what it does: tabs it rejects, and tabs it takes all the same."""

from __future__ import annotations

import itertools
import json
import time

import pytest

from ratectl.crontab_lint.debian import rejected
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
    b"0 0 12 1/1 * ? * true\n",
    b"0 0 9 ? * MON-FRI * true\n",
    b"0 0/5 14 * * ? true\n",
    b"X='a\n",
    b"X=\"a'\n",
    b"FOO='a' b\n",
    b"FOO='a' # b\n",
    b'FOO="a""b"\n',
    b"'X=a\n",
    b"A B=c\n",
    b"0, 15 * * * * true\n",
    b"0 9 1 ,15 * * true\n",
    b"1,,2 * * * * true\n",
    b"1-5x * * * * true\n",
    b"~30 5 * * * true\n",
    b"\xef\xbb\xbf0 5 * * * true\n",
    b"\xef\xbb\xbf# comment\n",
    b"0\xc2\xa05 * * * true\n",
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
    b"0 0 12 * * ? true\n",
    b"9:00 * * * * true\n",
    b"9;17 * * * * true\n",
    b"1.5,7 * * * * true\n",
    b"*-5 * * * * true\n",
    b"0 5 * * MON..FRI true\n",
    b"0 5 * * 5#6 true\n",
    b"0 5 * * * true \\\n",
    b"\xef\xbb\xbfA=b\n",
    b"0 5 * * *\xc2\xa0true\n",
]
ODD_NAMES = [b"=x\n", b"5=7\n", b"X'Y=a\n", b"'A B'=c\n", b"@daily=x\n"]
PIECES = ("0", "5", "07", "59", "60", "1-5", "5-1", "mon", "JAN", "*", "*/5", "1-9/2", "x", "/", "")
ENDS = ("", ":00", ";17", ".5,7", ",", ",5", "#2", "~9", "x", "-", "/0", "/2")


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


@pytest.mark.parametrize("tab", ODD_NAMES, ids=str)
def test_odd_names(tester, tab):
    """The real crontab takes a setting whatever its name is, and the lint has a warning."""
    tester.run("crontab", "-n", "-", stdin=tab)

    assert (
        "warning: odd-name" in tester.run(RATECTL, "lint-crontab", "-", stdin=tab).stdout.decode()
    )


EACH_FIELD = r"""
while IFS= read -r fields; do
    printf '%s true\n' "$fields" > /tmp/lint-field
    crontab -n /tmp/lint-field > /dev/null 2>&1 && echo "$fields"
done
rm -f /tmp/lint-field
"""


def test_read_part(tester):
    """The real crontab takes exactly those fields that have a part which is said to be read."""
    texts = [f"{piece}{end}" for piece in PIECES for end in ENDS if f"{piece}{end}"]
    lines = [
        " ".join(text if place == other else "*" for other in range(5))
        for place, text in itertools.product((0, 2, 3, 4), texts)
        if not text.startswith(("#", "-"))
    ]
    asked = "".join(f"{line}\n" for line in lines).encode()

    taken = tester.run("sh", "-c", EACH_FIELD, stdin=asked).stdout.decode().splitlines()

    assert taken == [line for line in lines if not rejected(line.split(" "))]
    assert 100 < len(taken) < len(lines) - 100


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


def test_the_rest_of_a_field_is_skipped(cron):
    """The real daemon runs a line by what it reads of a field; a file with an unknown account runs none of its lines."""
    tester, root = cron.account("tester"), cron.account("root")
    now = time.localtime().tm_min
    soon = ",".join(str((now + minutes) % 60) for minutes in range(6))
    tab = f"""0-59;{(now + 30) % 60} * * * * touch /tmp/lint-read
{(now + 30) % 60}.5,{soon} * * * * touch /tmp/lint-skipped
* * * * * sleep 2; echo run > /tmp/lint-last
"""
    good = "* * * * * root touch /tmp/lint-{}\n"
    for name, bad in (("known", ""), ("unknown", "0 5 * * * echo hi\n")):
        root.run("tee", f"/etc/cron.d/lint-{name}", stdin=(good.format(name) + bad).encode())
    tester.run("crontab", "-", stdin=tab.encode())
    tester.wait_for_lines("/tmp/lint-last", limit=FIRING_LIMIT)

    ran = root.sh("cd /tmp && ls | grep lint-")
    tester.run("crontab", "-r")
    root.sh("rm -f /tmp/lint-* /etc/cron.d/lint-*")

    assert ran.split() == ["lint-known", "lint-last", "lint-read"]
