"""Root's jobs as an account without rights, on real schedulers: from the refusal over the firing to the removal."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.engines.conftest import FIRING_LIMIT, RATECTL

pytestmark = pytest.mark.engine

STATE = "/var/lib/ratectl/rates"
SPEC = """
[ratectl]
user = "rates"
[providers.exchangerate-api-v4]
base_url = "{url}/v4"
[jobs.usd-inr]
pairs = ["USD/INR"]
schedule = "{schedule}"
providers = ["exchangerate-api-v4"]
output = "/var/lib/rates/usd-inr.txt"
"""


@pytest.fixture(params=["systemd", "cron"])
def root(request):
    """Root on a machine with one scheduler, with nothing of ours before or after."""
    engine = request.getfixturevalue(request.param)
    root = engine.account("root")
    clean(root)
    yield root
    clean(root)


def clean(root):
    root.ratectl("remove", "--all", "--purge", "--yes")
    root.sh("userdel rates 2>/dev/null; rm -rf /var/lib/ratectl /var/lib/rates")


def write(root, schedule="every day at 10:30", more=""):
    text = SPEC.format(url=root.engine.rates, schedule=schedule) + more
    root.write("/root/.config/ratectl/jobs.toml", text.encode())


def findings(root):
    """Return what the doctor finds and how it is mended."""
    told = json.loads(root.sh(f"{RATECTL} doctor --offline --json"))
    return {one["check"]: one["mend"] for one in told}


def make_account(root):
    """Make the account by the command that the refusal names."""
    said = root.ratectl("install", code=78)
    command = re.search(r"`([^`]*)` makes it", said)[1]
    root.run("sh", "-c", command)


def test_from_refusal_to_removal(root):
    """The refusal names the command; the scheduler fires as the account; root sees, runs, pauses and removes."""
    write(root)
    make_account(root)
    assert not root.sh("ls -d /var/lib/ratectl 2>/dev/null")
    root.ratectl("install")

    owners = root.sh(f"stat -c '%U %a' {STATE} /var/lib/rates").split("\n")
    assert owners[:2] == ["rates 700", "rates 755"]
    assert root.json("list")[0]["drift"] == []

    said = root.ratectl("run", "usd-inr", "--force")
    assert "recorded" in said
    assert root.sh("stat -c %U /var/lib/rates/usd-inr.txt").strip() == "rates"
    assert root.sh(f"find {STATE} ! -user rates") == ""
    [entry] = root.json("history", "usd-inr")
    assert entry["job"] == "usd-inr"
    [status] = root.json("status")
    assert status["job"] == "usd-inr"
    assert "usd-inr" in root.ratectl("status")
    assert not [check for check in findings(root) if "root" in check or "account" in check]

    root.ratectl("pause", "usd-inr")
    assert root.json("list")[0]["enabled"] is False
    root.ratectl("resume", "usd-inr")
    assert root.json("list")[0]["drift"] == []
    assert "nothing to do" in root.ratectl("install")
    root.ratectl("remove", "usd-inr")
    assert root.json("list") == []
    assert len(root.json("history", "usd-inr")) == 1


def test_fires_by_itself(root):
    """The scheduler's own wakeup records as the account."""
    write(root, "every minute")
    make_account(root)
    root.ratectl("install")

    root.wait_for_lines("/var/lib/rates/usd-inr.txt", limit=FIRING_LIMIT)

    assert root.sh("stat -c %U /var/lib/rates/usd-inr.txt").strip() == "rates"
    [status] = root.json("status")
    assert status["consecutive_failures"] == 0


def test_the_account_loses_what_root_gave_it(root):
    """A state directory that is gone is found by the doctor, and its remedy is right."""
    write(root)
    make_account(root)
    root.ratectl("install")
    root.sh(f"rm -rf {STATE}")

    mend = findings(root)["account-without-job"]
    root.run("sh", "-c", f"PATH={Path(RATECTL).parent}:$PATH; {mend}")

    assert "account-without-job" not in findings(root)
    assert "recorded" in root.ratectl("run", "usd-inr", "--force")


def test_an_account_that_is_gone(root):
    """Removing an account from the machine keeps root neither from looking nor from removing its jobs."""
    write(root)
    make_account(root)
    root.ratectl("install")
    root.sh("userdel rates")

    assert findings(root)["account-missing"].startswith("useradd")
    assert root.json("list")[0]["job"] == "usd-inr"
    root.ratectl("remove", "usd-inr")
    assert root.json("list") == []


def test_two_accounts(root):
    """Two specs of two accounts stand beside each other, each with its own record and look for missed slots."""
    write(root)
    make_account(root)
    root.sh("useradd --system --no-create-home --shell /usr/sbin/nologin other || true")
    second = (
        SPEC.replace('user = "rates"', 'user = "other"')
        .replace("/var/lib/rates", "/var/lib/other")
        .replace("jobs.usd-inr", "jobs.second")
        .format(url=root.engine.rates, schedule="every day at 11:30")
    )
    root.write("/root/second.toml", second.encode())
    root.ratectl("install")
    root.ratectl("install", "/root/second.toml")

    said = root.ratectl("run", "--all", "--force")

    assert said.count("recorded") >= 2, said
    owners = root.sh("stat -c %U /var/lib/rates/usd-inr.txt /var/lib/other/usd-inr.txt").split()
    assert owners == ["rates", "other"]
    assert {one["job"] for one in root.json("status")} == {"usd-inr", "second"}
    assert [one["drift"] for one in root.json("list")] == [[], []]
    root.ratectl("remove", "--all")
    root.sh("userdel other; rm -rf /var/lib/other /root/second.toml")


def test_what_the_unit_may_do(systemd):
    """Its own judgement of what a job of such an account could do."""
    root = systemd.account("root")
    clean(root)
    write(root)
    make_account(root)
    root.ratectl("install")

    said = root.sh("systemd-analyze security --no-pager ratectl-usd-inr.service")
    exposure = float(re.search(r"exposure level for \S+: ([0-9.]+)", said)[1])
    clean(root)

    assert exposure <= 1.2, said
