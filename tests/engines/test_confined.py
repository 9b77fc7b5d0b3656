"""Confined units under a real systemd: what a job is to write it writes, and nothing else."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.engine

SPEC = """
[providers.exchangerate-api-v4]
base_url = "{url}/v4"
[jobs.usd-inr]
pairs = ["USD/INR"]
schedule = "every day at 10:30"
providers = ["exchangerate-api-v4"]
output = ["{output}"]
{more}
"""
WHERE = {
    "a folder that is there": "/srv/rates/output.txt",
    "folders that are not": "/srv/new/and/deeper/output.txt",
    "a folder of the home": "{home}/rates/output.csv",
    "the home itself": "{home}/output.txt",
    "a database": "sqlite:{home}/rates/quotes.sqlite",
    "the real /tmp": "/tmp/rates-{user}/output.txt",
    "through a link": "{home}/link/output.txt",
    "what belongs to another account": "/home/keeper/rates/output.txt",
    "an awkward name": "{home}/a b/100% $HOME é;/output.txt",
}


@pytest.fixture(params=["root", "tester"])
def account(request, systemd):
    """An account whose user manager runs, with nothing of ours before or after."""
    root, account = systemd.account("root"), systemd.account(request.param)
    root.sh(
        "install -d -m 1777 /srv; install -d -o keeper -m 755 /home/keeper/rates; chmod 755 /home/keeper"
    )
    root.sh(f"install -d -o {request.param} /srv/rates /mnt/real-{request.param}")
    if request.param != "root":
        root.run("loginctl", "enable-linger", request.param)
        account.sh("until systemctl --user is-system-running >/dev/null 2>&1; do sleep 0.1; done")
        root.sh(f"chgrp {request.param} /home/keeper/rates; chmod 775 /home/keeper/rates")
    account.sh(f"ln -sfn /mnt/real-{request.param} ~/link")
    account.ratectl("remove", "--all", "--purge", "--yes")  # what other tests recorded here
    yield account
    account.ratectl("remove", "--all", "--purge", "--yes")
    root.sh(
        f"rm -rf /srv/* /home/keeper/rates /tmp/rates-* /mnt/real-{request.param} {account.home}/link "
        f"{account.home}/output.txt"
    )


def manager(account):
    return "" if account.user == "root" else "--user"


def fire(account):
    """Start the unit as its timer does, for a slot that is due."""
    journal = f"{account.home}/.local/state/ratectl/journal.sqlite3"
    due = "UPDATE jobs SET settled_until = settled_until - 172800, installed_at = installed_at - 172800, next_due = NULL"
    code = f"import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as j: j.execute('{due}')"
    account.run("python3", "-c", code, journal)
    account.sh(f"systemctl {manager(account)} start ratectl-usd-inr.service")


def said(account):
    """Return what systemd has to say, for the message of a failure."""
    return account.sh(
        f"systemctl {manager(account)} status ratectl-usd-inr.service; ls -la ~ /srv /tmp; "
        f"systemctl {manager(account)} cat ratectl-usd-inr.service"
    )


@pytest.mark.parametrize("where", WHERE.values(), ids=WHERE)
def test_writes_its_output(account, systemd, where):
    """Wherever an output lies, the confined unit appends to it, as the account itself would."""
    output = where.format(home=account.home, user=account.user)
    if account.user == "root" and "/keeper/" in output:
        pytest.skip("root records nothing where another account could lead it elsewhere")
    text = SPEC.format(url=systemd.rates, output=output, more="")
    account.write(f"{account.home}/.config/ratectl/jobs.toml", text.encode())
    account.ratectl("install")

    fire(account)

    assert len(account.json("history", "usd-inr")) == 1, said(account)
    assert account.read(output.removeprefix("sqlite:")), said(account)
    assert account.json("list")[0]["drift"] == []


def test_nothing_else(account, systemd):
    """What is not the job's own cannot be written to, and no other process be seen, from inside the unit."""
    text = SPEC.format(url=systemd.rates, output="/srv/rates/output.txt", more="")
    account.write(f"{account.home}/.config/ratectl/jobs.toml", text.encode())
    account.ratectl("install")
    folder = "/etc/systemd/system" if account.user == "root" else "~/.config/systemd/user"
    probe = "touch ~/stray /usr/stray /etc/stray /srv/stray; touch /srv/rates/mine; ls /proc | grep -c [0-9] > /srv/rates/seen"
    account.write("/srv/rates/probe.sh", probe.encode())
    account.sh(
        f"mkdir -p {folder}/ratectl-usd-inr.service.d; printf '[Service]\\nExecStart=\\n"
        f"ExecStart=-/bin/sh /srv/rates/probe.sh\\n' > {folder}/ratectl-usd-inr.service.d/probe.conf; "
        f"systemctl {manager(account)} daemon-reload; systemctl {manager(account)} start ratectl-usd-inr.service"
    )

    written = account.sh("ls ~/stray /usr/stray /etc/stray /srv/stray /srv/rates/mine 2>/dev/null")
    account.sh(f"rm -r {folder}/ratectl-usd-inr.service.d")

    assert written.split() == ["/srv/rates/mine"], said(account)


def test_a_credential(systemd):
    """A secret that only systemd can read reaches the job, and stands in no unit and no log."""
    root = systemd.account("root")
    root.sh("install -d -m 700 /etc/credstore; install -d /srv/rates")
    root.write("/etc/credstore/ratectl-key", b"demo-key\n")
    more = (
        '[providers.openexchangerates]\nbase_url = "{url}/api"\napi_key = "credential:ratectl-key"'
    )
    text = SPEC.format(
        url=systemd.rates, output="/srv/rates/output.txt", more=more.format(url=systemd.rates)
    )
    text = text.replace('["exchangerate-api-v4"]', '["openexchangerates"]')
    root.write("/root/.config/ratectl/jobs.toml", text.encode())
    root.ratectl("install")

    fire(root)
    kept = root.sh(
        "cat /etc/systemd/system/ratectl-*; journalctl --no-pager --output=cat; "
        "grep -rlF demo-key /root/.local/state/ratectl"
    )
    status = root.sh(
        "systemctl show ratectl-usd-inr.service --property=ExecMainStatus --value"
    ).strip()
    history = root.json("history", "usd-inr")
    root.ratectl("remove", "--all", "--purge", "--yes")
    root.sh("rm -rf /etc/credstore/ratectl-key /srv/rates")

    assert (status, len(history)) == ("0", 1)
    assert "demo-key" not in kept
    assert "journal.sqlite3" not in kept
