"""The main job on every engine: install, fire, list, pause, resume, miss a slot, catch up, remove.

Each engine lives through it at the same time as the others, with root (system scope) and an ordinary
user (user scope) aboard, so that four minutes serve all; the tests then read what was seen.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.engines.conftest import FIRING_LIMIT
from tests.support.lines import OF_ANOTHER_DAY

pytestmark = pytest.mark.engine

JOB, PAUSED, MISSED = "usd-inr", "paused", "missed"
LINE = re.compile(rf"(\d\d/\d\d/\d{{4}}) - \d+(\.\d+)?{OF_ANOTHER_DAY}\n")
USERS = ("root", "tester")
SCOPES = {"root": "system", "tester": "user"}
KINDS = ("cron", "cronie", "busybox", "systemd")
BACKENDS = dict.fromkeys(KINDS, "cron") | {"systemd": "systemd"}
MINUTE = dt.timedelta(minutes=1)

TAB = b'MAILTO=""\n# mine\n\n0 5 * * 1 date +\\%F >> /tmp/x\n'
SPEC = """
[defaults]
pairs = ["USD/INR"]
timezone = "UTC"
providers = ["exchangerate-api-v4"]
[providers.exchangerate-api-v4]
base_url = "{url}/v4"
"""
ENTRY = """
[jobs.{job}]
schedule = "{schedule}"
output = "~/{job}.txt"
"""
CRON_IS_THERE = """
    crontab -l 2>&1
    find /etc/cron.d /var/spool/cron -type f ! -name cron.update 2>&1 | sort
"""  # busybox's crontab leaves cron.update for its daemon, which deletes it at the next minute
WHAT_IS_THERE = dict.fromkeys(KINDS, CRON_IS_THERE) | {
    "systemd": """
        find /etc/systemd ~/.config/systemd ~/.local/share/systemd /var/lib/systemd/timers \
            '(' -type f -o -type l ')' 2>&1 | grep -v 'No such file' | sort
        [ "$USER" = root ] || user=--user
        systemctl $user list-units --all --plain --no-legend 'ratectl*'
        systemctl $user list-unit-files --no-legend 'ratectl*'
    """,
}


@dataclass(slots=True, kw_only=True)
class Seen:
    """What one account saw on the way."""

    kind: str
    user: str
    there_before: str = ""
    there_after: str = ""
    began_at: dt.datetime
    """Before the first ``install``."""
    installed_at: dt.datetime
    """After it: four schedulers share the machine, so an install may take a good part of a minute."""
    first: str
    """What the first ``install`` said."""
    second: str
    line: str = ""
    listed: list[dict[str, Any]] = ()
    """``list --json`` after the first firing."""
    while_paused: list[dict[str, Any]] = ()
    """``list --json`` a minute after the pause began."""
    paused_at: dt.datetime | None = None
    resumed_at: dt.datetime | None = None
    missed: dt.datetime | None = None
    """The slot at which the machine was off."""
    booted_at: dt.datetime | None = None
    in_the_end: list[dict[str, Any]] = ()
    slots: dict[str, list[dict[str, Any]]] = ()
    """``history --json`` of each job before the removal."""
    texts: dict[str, str] = ()
    """Each job's output before the removal."""
    said_by_cron: str = ""


def now():
    return dt.datetime.now(dt.UTC)


def write_spec(account, **schedules):
    """Write the account's spec with one job for each of *schedules*."""
    jobs = (ENTRY.format(job=job, schedule=text) for job, text in schedules.items())
    spec = SPEC.format(url=account.engine.rates) + "".join(jobs)
    account.write(f"{account.home}/.config/ratectl/jobs.toml", spec.encode())


def prepare(engine, kind, user):
    """Give *user* a spec, and what an engine asks of an account that runs jobs while logged out."""
    account = engine.account(user)
    write_spec(account, **{JOB: "every minute", PAUSED: "every minute"})
    if user != "root" and kind != "systemd":
        account.run("crontab", "-", stdin=TAB)
        time.sleep(1.1)  # cron compares the times of tabs by whole seconds
    if user != "root" and kind == "systemd":
        engine.account("root").run("loginctl", "enable-linger", user)
        account.sh("until systemctl --user is-system-running >/dev/null 2>&1; do sleep 0.1; done")
    return account


def depart(account):
    """Install twice, between a plan that has changes and one that has none."""
    account.ratectl("plan", "--detailed-exitcode", code=2)
    began_at = now()
    first = account.ratectl("install")
    installed_at = now()
    second = account.ratectl("install")
    account.ratectl("plan", "--detailed-exitcode", code=0)
    return Seen(
        kind=account.engine.kind,
        user=account.user,
        began_at=began_at,
        installed_at=installed_at,
        first=first,
        second=second,
    )


def output(account, job):
    return f"{account.home}/{job}.txt"


def fire_and_pause(account, seen):
    """See the lines of the engine's own firing and the list, and pause one of the jobs."""
    for job in (JOB, PAUSED):
        text = account.wait_for_lines(output(account, job), limit=FIRING_LIMIT)
        seen.line = text.decode() if job == JOB else seen.line
    seen.listed = account.json("list")
    account.ratectl("pause", PAUSED)
    seen.paused_at = now()


def resume(account, seen):
    """After a minute in which the other job fired, resume the paused one."""
    account.wait_for_lines(output(account, JOB), count=2, limit=FIRING_LIMIT)
    seen.while_paused = account.json("list")
    account.ratectl("resume", PAUSED)
    seen.resumed_at = now()


def miss_a_slot(engine, accounts, travellers):
    """Cut the power before the slot of a job and boot after it."""
    slot = (now() + dt.timedelta(seconds=30)).replace(second=0, microsecond=0) + MINUTE
    once = f"every day at {slot:%H:%M}"
    for account, seen in zip(accounts, travellers, strict=True):
        write_spec(account, **{JOB: "every minute", PAUSED: "every minute", MISSED: once})
        account.ratectl("install")
        seen.missed = slot
    if engine.kind == "busybox":
        hasten_the_sweep(engine, slot + MINUTE)
    pause_until(slot - dt.timedelta(seconds=3))
    engine.power_off()
    pause_until(slot + dt.timedelta(seconds=2))
    engine.boot()
    engine.account("root").run("rm", "-f", "/etc/default/cron-daemon")
    for seen in travellers:
        seen.booted_at = now()


def hasten_the_sweep(engine, when):
    """Let the daemon believe, from its next start on, that *when* is of the minutes 2, 7, 12, ...

    It knows no ``@reboot``, so what was missed is found by the line that runs
    every five minutes; this spares the test to wait for it that long.
    """
    ahead = (2 - when.minute) % 5
    engine.account("root").write("/etc/default/cron-daemon", f"TZ=AAA-0:0{ahead}\n".encode())


def pause_until(moment):
    time.sleep(max(0.0, (moment - now()).total_seconds()))


def arrive(account, seen):
    """See the missed slot caught up, ask for the facts, and remove."""
    account.wait_for_lines(output(account, MISSED), limit=FIRING_LIMIT)
    account.wait_for_lines(output(account, PAUSED), count=2, limit=FIRING_LIMIT)
    pause_until(seen.missed + MINUTE + dt.timedelta(seconds=2))  # would it be done twice?
    account.wait_for_lines(output(account, JOB), count=4, limit=FIRING_LIMIT)
    seen.in_the_end = account.json("list")
    account.ratectl("remove", "--all")
    pause_until(now() + dt.timedelta(seconds=5))  # for a firing that is at work
    seen.slots = {job: account.json("history", job) for job in (JOB, PAUSED, MISSED)}
    seen.texts = {job: account.read(output(account, job)).decode() for job in seen.slots}
    seen.said_by_cron = account.sh("cat /var/log/cron.mail /var/log/cron.out 2>/dev/null")


def what_is_there(accounts):
    return [account.sh(WHAT_IS_THERE[account.engine.kind]) for account in accounts]


def journey(engine):
    """Return what both accounts saw on *engine*."""
    accounts = [prepare(engine, engine.kind, user) for user in USERS]
    there = what_is_there(accounts)
    travellers = [depart(account) for account in accounts]
    for stage in (fire_and_pause, resume):
        for account, seen in zip(accounts, travellers, strict=True):
            stage(account, seen)
    miss_a_slot(engine, accounts, travellers)
    for account, seen in zip(accounts, travellers, strict=True):
        arrive(account, seen)
    for seen, before, after in zip(travellers, there, what_is_there(accounts), strict=True):
        seen.there_before, seen.there_after = before, after
    return travellers


@pytest.fixture(scope="module")
def journeys(cron, cronie, busybox, systemd):
    engines = (cron, cronie, busybox, systemd)
    with ThreadPoolExecutor(len(engines)) as together:
        seen = [one for both in together.map(journey, engines) for one in both]
    return {(one.kind, one.user): one for one in seen}


@pytest.fixture(params=[(kind, user) for kind in KINDS for user in USERS], ids="-".join)
def seen(request, journeys):
    return journeys[request.param]


def slot_of(entry):
    return dt.datetime.fromisoformat(entry["slot"])


def test_the_line(seen):
    """The engine's own firing appends the slot's date and the rate, in the form dd/mm/YYYY - rate."""
    found = LINE.fullmatch(seen.line)

    assert found, seen.line
    assert found[1] == f"{slot_of(seen.slots[JOB][0]):%d/%m/%Y}"


def test_within_a_minute(seen):
    """The first slot is the first whole minute of the job's life on the engine, and is recorded in that minute."""
    slot = slot_of(seen.slots[JOB][0])
    observed = dt.datetime.fromisoformat(seen.slots[JOB][0]["observed_at"])

    assert slot.second == 0
    assert seen.began_at < slot <= seen.installed_at + MINUTE
    assert slot <= observed < slot + MINUTE


def test_list(seen):
    """The list comes from the engine: an enabled entry for each job, no drift, its last outcome."""
    by_job = {entry["job"]: entry for entry in seen.listed}
    entry = by_job[JOB]

    assert sorted(by_job) == sorted((JOB, PAUSED))
    assert (entry["backend"], entry["scope"]) == (BACKENDS[seen.kind], SCOPES[seen.user])
    assert entry["enabled"]
    assert "paused" not in entry
    assert entry["drift"] == []
    assert entry["last"]["slot"] == seen.slots[JOB][0]["slot"]


def test_second_install(seen):
    """A second install says that there is nothing to do, and the first did not."""
    assert "nothing to do" in seen.second.lower()
    assert "nothing to do" not in seen.first.lower()


def test_pause(seen):
    """While a job is paused it is listed so, and a minute in which the other job fires passes without it."""
    by_job = {entry["job"]: entry for entry in seen.while_paused}
    pause = (seen.paused_at, seen.resumed_at)

    assert (by_job[PAUSED]["enabled"], by_job[PAUSED].get("paused")) == (False, True)
    assert (by_job[JOB]["enabled"], by_job[JOB].get("paused")) == (True, None)
    assert [e for e in seen.slots[JOB] if pause[0] < slot_of(e) < pause[1]]
    assert not [e for e in seen.slots[PAUSED] if pause[0] < slot_of(e) < pause[1]]


def test_resume(seen):
    """A resumed job fires again, and owes no slot of its pause."""
    later = [e for e in seen.slots[PAUSED] if slot_of(e) > seen.resumed_at]

    assert later
    assert len(seen.slots[PAUSED]) == 1 + len(later)
    assert all(entry["drift"] == [] for entry in seen.in_the_end)


def test_missed_slot(seen):
    """A slot that passed while the machine had no power is caught up after the boot, exactly once."""
    [slot] = map(slot_of, seen.slots[MISSED])
    [last] = [entry["last"] for entry in seen.in_the_end if entry["job"] == MISSED]
    limit = dt.timedelta(seconds=120 if seen.kind == "busybox" else 50)

    assert slot == seen.missed
    assert dt.datetime.fromisoformat(last["slot"]) == seen.missed
    assert seen.missed < dt.datetime.fromisoformat(last["at"]) <= seen.booted_at + limit
    assert LINE.fullmatch(seen.texts[MISSED])


def test_each_slot_once(seen):
    """No slot is recorded or written twice, whatever woke the job."""
    for job, entries in seen.slots.items():
        slots = [entry["slot"] for entry in entries]
        assert len(slots) == len(set(slots)), job
        assert seen.texts[job].count("\n") == len(slots), job


def test_no_mail(seen):
    """Nothing of it makes cron send a mail."""
    assert "ratectl" not in seen.said_by_cron


def test_remove(seen):
    """After remove the engine holds what it held before: tab, spool, units, links and stamps."""
    assert seen.there_after == seen.there_before
