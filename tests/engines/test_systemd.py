"""A real systemd: what install does to it, and how list tells when somebody undid it."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.engine

JOBS = ("eur-inr", "usd-inr", "gbp-inr")
TIMER = "ratectl-usd-inr.timer"
UNITS = "/etc/systemd/system"
PLACES = {"root": UNITS, "keeper": "/home/keeper/.config/systemd/user"}
MANY = 60
RELOADS = "journalctl --output=cat | grep -c '^Reloading'"


@pytest.fixture
def root(systemd):
    """Root with a spec of three jobs, none of which is due, and nothing left afterwards."""
    account = systemd.account("root")
    jobs = "".join(
        f'[jobs.{job}]\npairs = ["USD/INR"]\nschedule = "every day at 10:30"\noutput = "~/{job}.txt"\n'
        for job in JOBS
    )
    account.write("/root/.config/ratectl/jobs.toml", jobs.encode())
    yield account
    account.sh(f"systemctl unmask {TIMER}")
    account.ratectl("remove", "--all")
    assert account.sh(f"ls {UNITS} /var/lib/systemd/timers | grep ratectl") == ""


def reloads(account):
    account.run("journalctl", "--sync")
    return int(account.sh(RELOADS))


def test_one_reload(root):
    """However many jobs are installed or removed, systemd is asked to reload exactly once."""
    before = reloads(root)

    root.ratectl("install")
    installed = reloads(root)
    root.ratectl("install")
    again = reloads(root)
    root.ratectl("remove", "--all")

    assert (installed - before, again - installed, reloads(root) - again) == (1, 0, 1)


def test_next_run_agrees(root):
    """The next run that systemd announces is the next slot that we compute."""
    root.ratectl("install")

    announced = {entry["job"]: entry["next"] for entry in root.json("list")}
    computed = {job: root.json("next", job, "--count", "1")[0] for job in JOBS}

    assert announced == computed


UNDOING = {
    "stopped": f"systemctl stop {TIMER}",
    "disabled": f"systemctl disable {TIMER}",
    "masked": f"systemctl stop {TIMER}; rm {UNITS}/{TIMER}; systemctl mask {TIMER}",
    "timer deleted": f"rm {UNITS}/{TIMER}; systemctl daemon-reload",
    "service deleted": f"rm {UNITS}/ratectl-usd-inr.service; systemctl daemon-reload",
    "schedule edited": f"sed -i 's/10:30/11:30/' {UNITS}/{TIMER}; systemctl daemon-reload",
}


@pytest.mark.parametrize("undoing", UNDOING.values(), ids=UNDOING)
def test_drift(root, undoing):
    """What somebody undid behind our back is listed as drift of that job, and install mends it."""
    root.ratectl("install")
    root.sh(undoing)

    drift = {entry["job"]: bool(entry["drift"]) for entry in root.json("list")}
    root.ratectl("plan", "--detailed-exitcode", code=2)
    root.run("systemctl", "unmask", TIMER)
    root.ratectl("install")

    assert drift == {job: job == "usd-inr" for job in JOBS}
    assert all(entry["drift"] == [] for entry in root.json("list"))


def spec_of_many():
    return "".join(
        f'[jobs.many-{n}]\npairs = ["USD/INR"]\nschedule = "every day at 10:30"\noutput = "~/many/{n}.txt"\n'
        for n in range(MANY)
    )


@pytest.fixture(params=PLACES)
def many(request, systemd):
    """An account with a spec of many jobs, none of which is due, as system or as user units; nothing is left afterwards."""
    root, account = systemd.account("root"), systemd.account(request.param)
    if account.user != "root":
        root.run("loginctl", "enable-linger", account.user)
        ready = "systemctl --user is-system-running | grep -qE 'running|degraded'"
        account.sh(f"until {ready}; do sleep 0.1; done 2>/dev/null")
    account.sh("mkdir -p ~/.config/ratectl")
    account.write(f"{account.home}/.config/ratectl/jobs.toml", spec_of_many().encode())
    yield account
    account.ratectl("remove", "--all")
    account.sh("rm -rf ~/.config/ratectl")
    assert account.sh(f"ls {PLACES[account.user]} | grep ratectl") == ""
    if account.user != "root":
        root.run("loginctl", "disable-linger", account.user)


def units(account, pattern):
    """Return what the manager of *account* has loaded of *pattern*."""
    whose = "" if account.user == "root" else "--user"
    return account.sh(f"systemctl {whose} list-units --all --no-legend --plain --full '{pattern}'")


def passing_units(account):
    """Return how often any manager of the machine ran a unit that starts many timers."""
    root = account.engine.account("root")
    root.run("journalctl", "--sync")
    return int(
        root.sh("journalctl --output=cat | grep -c '^Started .*Start timers of ratectl' || true")
    )


def test_many_jobs(many):
    """Timers of many jobs are started by a unit of which nothing stays; a stopped timer of somebody else stays stopped."""
    whose = "" if many.user == "root" else "--user"
    place = PLACES[many.user]
    started = f"systemctl {whose} is-active idle.timer"
    many.sh(f"mkdir -p {place}/timers.target.wants")
    many.write(f"{place}/idle.service", b"[Service]\nExecStart=true\n")
    many.write(f"{place}/idle.timer", b"[Timer]\nOnCalendar=*-*-* 10:30:00\n")
    many.sh(f"ln -s {place}/idle.timer {place}/timers.target.wants/")

    before = passing_units(many)

    many.ratectl("install")

    rows = many.json("list")
    idle = many.sh(f"{started} || true").strip()
    many.sh(f"rm {place}/idle.* {place}/timers.target.wants/idle.timer")
    assert [(row["enabled"], row["drift"]) for row in rows] == [(True, [])] * MANY
    assert all(row["next"] for row in rows)
    assert idle == "inactive"
    assert passing_units(many) == before + 1
    assert units(many, "run-*.service") == ""


@pytest.mark.parametrize("many", ["keeper"], indirect=True)
def test_many_jobs_where_little_runs(many):
    """No more is started than the timers, also where a user's manager has stopped what services want by themselves."""
    all_stopped = "basic.target timers.target"
    many.sh(f"systemctl --user stop {all_stopped}")

    many.ratectl("install")

    states = many.sh(f"systemctl --user is-active {all_stopped} || true").split()
    many.sh("systemctl --user start basic.target timers.target")
    assert states == ["inactive"] * 2
    assert [row["drift"] for row in many.json("list")] == [[]] * MANY


def test_what_another_account_calls_true(systemd):
    """Root runs nothing out of a folder of another account, which comes first in its PATH."""
    root, keeper = systemd.account("root"), systemd.account("keeper")
    keeper.sh(
        "mkdir -p ~/bin; printf '#!/bin/sh\\nid > /var/tmp/led\\n' > ~/bin/true; chmod 755 ~/bin/true"
    )
    for name in ("systemctl", "systemd-run"):
        keeper.sh(f"cp ~/bin/true ~/bin/{name}")
    root.sh("mkdir -p ~/.config/ratectl")
    root.write("/root/.config/ratectl/jobs.toml", spec_of_many().encode())

    root.sh(f"PATH=/home/keeper/bin:$PATH {root.program} install")

    led = root.sh("ls /var/tmp/led 2>/dev/null || true")
    root.ratectl("remove", "--all")
    root.sh("rm -rf ~/.config/ratectl /home/keeper/bin /var/tmp/led")
    assert led == ""


TOO_BAD = {
    "timer": ("[Timer]\nOnCalendar=\n", "many-7.timer has a bad unit file setting"),
    "service": ("[Service]\nExecStart=\n", "Job failed"),
}
"""Drop-ins of a user with which a timer cannot be started, for it has no time or nothing to start; and what systemd says."""


@pytest.mark.parametrize("kind", TOO_BAD)
def test_one_of_many_that_does_not_start(many, kind):
    """Where systemd cannot start one of many timers, that is told with its reason, and no timer of them stays."""
    text, reason = TOO_BAD[kind]
    folder = f"{PLACES[many.user]}/ratectl-many-7.{kind}.d"
    many.sh(f"mkdir -p {folder}")
    many.write(f"{folder}/bad.conf", text.encode())

    told = many.sh(f"{many.program} install 2>&1 || true")

    many.sh(f"rm -r {folder}")
    assert reason in told
    assert "Everything is as it was before." in told
    assert many.json("list") == []
    assert units(many, "ratectl-*") == ""
    many.ratectl("install")
    assert [row["drift"] for row in many.json("list")] == [[]] * MANY
