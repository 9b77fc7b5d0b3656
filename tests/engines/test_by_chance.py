"""Renames that are killed at any time, and accounts that install at the same time: each comes to its end, and nothing is lost."""

from __future__ import annotations

import random
import subprocess

import pytest

from tests.support.share import times, turn

pytestmark = pytest.mark.engine

KILLS = 30
ROUNDS = 4
ACCOUNTS = ("root", "tester", "keeper")


@pytest.fixture(params=["cron", "systemd"])
def engine(request):
    """A machine with one scheduler, whose ordinary accounts can use it without being logged in."""
    engine = request.getfixturevalue(request.param)
    root = engine.account("root")
    if engine.kind == "systemd":
        for user in ACCOUNTS[1:]:
            root.run("loginctl", "enable-linger", user)
            engine.account(user).sh(
                "until systemctl --user is-system-running >/dev/null 2>&1; do sleep 0.1; done"
            )
    yield engine
    for user in ACCOUNTS:
        account = engine.account(user)
        account.ratectl("remove", "--all", "--purge", "--yes")
        account.sh("rm -rf ~/.config/ratectl ~/*.txt")
        if engine.kind == "systemd" and user != "root":
            root.run("loginctl", "disable-linger", user)


def test_a_rename_that_is_killed_at_random(engine):
    """However often it is killed, the same command renames the job, with its record and its one entry, and the spec says so."""
    tester = engine.account("tester")
    tester.write_spec("usd-inr", engine.rates, schedule="every day at 10:30")
    tester.ratectl("install")
    tester.ratectl("run", "usd-inr", "--force")
    names = ["usd-inr", "dollar"]
    chance = random.Random(turn())  # noqa: S311 - moments of a test
    for _ in range(times(KILLS)):
        old, new = names
        for _ in range(3):
            delay = chance.uniform(0.3, 2.5)
            tester.sh(f"timeout -s KILL {delay:.2f} {tester.program} rename {old} {new}")
        again = tester.sh(f"{tester.program} rename {old} {new} 2>&1")
        names.reverse()

        [row] = tester.json("list")
        assert (row["job"], row["drift"]) == (new, []), again
        assert f"[jobs.{new}]" in tester.read(f"{tester.home}/.config/ratectl/jobs.toml").decode()
        assert len(tester.json("history", new)) == 1
        assert "nothing to do" in tester.ratectl("install")


def test_accounts_that_install_at_the_same_time(engine):
    """Each account gets its own job, whatever the others install and remove in the same moment."""
    accounts = [engine.account(user) for user in ACCOUNTS]
    for account in accounts:
        account.write_spec(f"of-{account.user}", engine.rates, schedule="every day at 10:30")
    for _ in range(times(ROUNDS)):
        assert together(accounts, "install") == [0, 0, 0]
        for account in accounts:
            [row] = account.json("list")
            assert (row["job"], row["drift"], row["enabled"]) == (f"of-{account.user}", [], True)
        assert together(accounts, "remove", "--all") == [0, 0, 0]
        assert [account.json("list") for account in accounts] == [[], [], []]


def together(accounts, *words):
    """Return the exit codes of ``ratectl`` *words*, begun by all *accounts* at once."""
    begun = [
        subprocess.Popen(
            account.entered(account.program, *words),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for account in accounts
    ]
    return [process.wait(timeout=300) for process in begun]
