"""A pause of jobs of two specs ends for all of them or for none, on a real crontab and a real systemd."""

from __future__ import annotations

import pytest

from tests.engines.conftest import RATECTL

pytestmark = pytest.mark.engine

PROGRAMS = {"cron": "crontab", "systemd": "systemctl"}
BETWEEN = """#!/bin/sh
# what puts the jobs of the second spec in place does this instead
case " $* " in *" start "* | *" - "*)
    number=$(cat ~/number); echo $((number + 1)) > ~/number
    [ "$number" = 1 ] && {{ {what}; exit 1; }}
esac
exec /usr/bin/{program} "$@"
"""


@pytest.fixture(params=PROGRAMS)
def paused(both, request):
    """An account with two paused jobs of two specs, and the program that puts entries in place."""
    account = both.account("tester")
    for name in ("a", "b"):
        account.write_spec(name, both.rates, schedule="every day at 10:30")
        account.sh(f"cp ~/.config/ratectl/jobs.toml ~/{name}.toml")
        account.ratectl("install", f"{account.home}/{name}.toml", "--backend", request.param)
    account.ratectl("pause", "--all")
    yield account, PROGRAMS[request.param]
    account.sh(f"{RATECTL} remove --all --purge --yes; rm -rf ~/bin ~/a.toml ~/b.toml")


def resume(account, program, what):
    """Resume both jobs while *program* does *what* in place of its second write; return what was said and the exit code."""
    script = BETWEEN.format(what=what, program=program)
    account.sh("mkdir -p ~/bin; echo 0 > ~/number")
    account.write(f"{account.home}/bin/{program}", script.encode())
    account.sh(f"chmod +x ~/bin/{program}")
    return account.sh(f"PATH=$HOME/bin:$PATH {RATECTL} resume a b 2>&1; echo $?")


def awake(account):
    return [row["job"] for row in account.json("list") if row["enabled"]]


def test_refused(paused):
    """Where the second spec's jobs are refused, the first one's sleep on, too, and nothing is half done."""
    account, program = paused

    said = resume(account, program, "echo no room >&2")

    assert "Everything is as it was before." in said
    assert said.endswith("69\n")
    assert awake(account) == []
    assert [row["paused"] for row in account.json("status")] == [True, True]
    checks = account.sh(f"{RATECTL} doctor --json --offline")
    assert "install-interrupted" not in checks
    account.ratectl("resume", "--all")
    assert awake(account) == ["a", "b"]


def test_killed_in_between(paused):
    """Killed between the two, doctor knows that something was cut short, and the same command finishes it."""
    account, program = paused

    resume(account, program, "kill -9 $PPID")

    assert "install-interrupted" in account.sh(f"{RATECTL} doctor --json --offline")
    account.ratectl("resume", "a", "b")
    assert awake(account) == ["a", "b"]
    assert "install-interrupted" not in account.sh(f"{RATECTL} doctor --json --offline")
