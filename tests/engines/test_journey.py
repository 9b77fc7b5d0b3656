"""The main job on every engine: install, be fired by the system, see the line, list, remove.

Root (system scope) and an ordinary user (user scope) travel together on all engines, so
that one wait of at most a minute serves all; the tests then read what was seen.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from dataclasses import dataclass
from typing import Any

import pytest

pytestmark = pytest.mark.engine

JOB = "usd-inr"
LINE = re.compile(r"(\d\d/\d\d/\d{4}) - \d+(\.\d+)?\n")
USERS = ("root", "tester")
SCOPES = {"root": "system", "tester": "user"}
WITHIN = dt.timedelta(seconds=61)

TAB = b'MAILTO=""\n# mine\n\n0 5 * * 1 date +\\%F >> /tmp/x\n'
WHAT_IS_THERE = {
    "cron": "crontab -l 2>&1; ls -A /etc/cron.d; ls /var/spool/cron/crontabs 2>&1",
    "systemd": """
        find /etc/systemd ~/.config/systemd ~/.local/share/systemd /var/lib/systemd/timers \
            '(' -type f -o -type l ')' 2>&1 | grep -v 'No such file' | sort
        [ "$USER" = root ] || user=--user
        systemctl $user list-units --all --plain --no-legend 'ratectl*'
        systemctl $user list-unit-files --no-legend 'ratectl*'
    """,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one account saw on the way."""

    engine: str
    scope: str
    there_before: str
    there_after: str
    installed_at: dt.datetime
    first: str
    """What the first ``install`` said."""
    second: str
    listed: list[dict[str, Any]]
    """``list --json`` after the firing."""
    line: str
    history: list[dict[str, Any]]
    removed: str


def prepare(engine, kind, user):
    """Give *user* a spec, and what an engine asks of an account that runs jobs while logged out."""
    account = engine.account(user)
    account.write_spec(JOB, engine.rates)
    if user != "root" and kind == "cron":
        account.run("crontab", "-", stdin=TAB)
        time.sleep(1.1)  # cron compares the times of tabs by whole seconds
    if user != "root" and kind == "systemd":
        engine.account("root").run("loginctl", "enable-linger", user)
        account.sh("until systemctl --user is-system-running >/dev/null 2>&1; do sleep 0.1; done")
    return account


def depart(account):
    """Install twice, between a plan that has changes and one that has none."""
    account.ratectl("plan", "--detailed-exitcode", code=2)
    installed_at = dt.datetime.now(dt.UTC)
    first = account.ratectl("install")
    second = account.ratectl("install")
    account.ratectl("plan", "--detailed-exitcode", code=0)
    return {"installed_at": installed_at, "first": first, "second": second}


def arrive(account):
    """See the line that the scheduler's firing left, ask for the facts, and remove."""
    return {
        "line": account.wait_for_line(f"{account.home}/{JOB}.txt", limit=75).decode(),
        "listed": account.json("list"),
        "history": account.json("history", JOB),
        "removed": account.ratectl("remove", "--all"),
    }


@pytest.fixture(scope="module")
def journeys(cron, systemd):
    engines = {"cron": cron, "systemd": systemd}
    travellers = {
        (kind, user): prepare(engine, kind, user)
        for kind, engine in engines.items()
        for user in USERS
    }
    there = look(travellers)
    departed = {who: depart(account) for who, account in travellers.items()}
    arrived = {who: arrive(account) for who, account in travellers.items()}
    there_after = look(travellers)
    return {
        who: Seen(
            engine=who[0],
            scope=SCOPES[who[1]],
            there_before=there[who],
            there_after=there_after[who],
            **departed[who],
            **arrived[who],
        )
        for who in travellers
    }


def look(travellers):
    """Return what each account's scheduler holds now."""
    return {who: account.sh(WHAT_IS_THERE[who[0]]) for who, account in travellers.items()}


@pytest.fixture(params=[(kind, user) for kind in WHAT_IS_THERE for user in USERS], ids="-".join)
def seen(request, journeys):
    return journeys[request.param]


def test_the_line(seen):
    """The scheduler's own firing appends the slot's date and the rate, in the form dd/mm/YYYY - rate."""
    found = LINE.fullmatch(seen.line)

    assert found, seen.line
    assert found[1] == dt.datetime.fromisoformat(seen.history[0]["slot"]).strftime("%d/%m/%Y")


def test_within_a_minute(seen):
    """The scheduler fires within 61 seconds of the installation, at a whole minute."""
    slot = dt.datetime.fromisoformat(seen.history[0]["slot"])
    observed = dt.datetime.fromisoformat(seen.history[0]["observed_at"])

    assert slot.second == 0
    assert seen.installed_at < observed <= seen.installed_at + WITHIN + dt.timedelta(seconds=5)


def test_list(seen):
    """The list comes from the scheduler: one enabled entry, no drift, its last outcome."""
    [entry] = seen.listed

    assert (entry["job"], entry["backend"], entry["scope"]) == (JOB, seen.engine, seen.scope)
    assert entry["enabled"]
    assert entry["drift"] == []
    assert entry["last"]["slot"] == seen.history[0]["slot"]


def test_second_install(seen):
    """A second install says that there is nothing to do, and the first did not."""
    assert "nothing to do" in seen.second.lower()
    assert "nothing to do" not in seen.first.lower()


def test_remove(seen):
    """After remove the scheduler holds what it held before: tab, units, links and stamps."""
    assert seen.there_after == seen.there_before
