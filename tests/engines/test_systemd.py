"""A real systemd: what install does to it, and how list tells when somebody undid it."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.engine

JOBS = ("eur-inr", "usd-inr", "gbp-inr")
TIMER = "ratectl-usd-inr.timer"
UNITS = "/etc/systemd/system"
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
