"""What the manual says of living with ratectl, done word by word on a real cron: a backup and its restore, the places of logs, the end."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from ratectl import manual
from tests.engines.conftest import FIRING_LIMIT, RATECTL
from tests.faults.conftest import need

pytestmark = pytest.mark.engine

PAGE = manual.page("living-with-it")


def section(heading):
    """Return the part of the page below *heading*."""
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def commands(heading):
    """Return the blocks of shell commands below *heading*."""
    return re.findall(r"```sh\n(.*?)```", section(heading), flags=re.DOTALL)


@pytest.fixture
def keeper(cron):
    """An account of its own with a minutely job that has recorded something, and with ratectl on its PATH."""
    account = cron.account("keeper")
    account.write_spec("usd-inr", cron.rates)
    account.ratectl("install")
    account.wait_for_lines(f"{account.home}/usd-inr.txt", limit=FIRING_LIMIT)
    yield account
    account.sh(
        "crontab -r; rm -rf ~/.local/state/ratectl ~/.config/ratectl ~/usd-inr.txt ~/backup*"
    )


def typed(account, script):
    """Type *script* as it stands in the manual: each command must succeed."""
    path = f"PATH=$PATH:{Path(RATECTL).parent}"
    return account.run("sh", "-ec", f"{path}\n{script}").stdout.decode()


def recorded(account, path="~/.local/state/ratectl/journal.sqlite3"):
    """Return the slots that a journal has, oldest first."""
    query = "SELECT slot FROM quotes ORDER BY slot"
    return account.sh(f"sqlite3 {path} '{query}'").split()


def until(account, script, word, limit=FIRING_LIMIT):
    """Return what a shell *script* says, as soon as that has *word* in it."""
    end = time.monotonic() + limit
    while word not in (said := account.sh(script)):
        assert time.monotonic() < end, said
        time.sleep(0.5)
    return said


def test_backup_and_restore(keeper):
    """A journal that was copied, lost and restored as the manual says fires again, and takes no slot a second time."""
    need("sqlite3")
    output = f"{keeper.home}/usd-inr.txt"
    backup, restore = commands("Back up and restore the journal")
    typed(keeper, backup)
    before = recorded(keeper, "~/backup.sqlite3")
    keeper.wait_for_lines(output, limit=FIRING_LIMIT, count=len(before) + 1)

    typed(keeper, restore)

    lost = keeper.read(output).count(b"\n") - len(before)
    assert recorded(keeper)[: len(before)] == before
    assert "usd-inr" in keeper.sh("crontab -l")
    keeper.wait_for_lines(output, limit=FIRING_LIMIT, count=len(before) + lost + 1)
    assert len(recorded(keeper)) == keeper.read(output).count(b"\n") - lost
    assert [
        f for f in json.loads(keeper.sh(f"{RATECTL} doctor --offline --json")) if f["job"]
    ] == []


def test_where_the_logs_of_cron_are(keeper):
    """A firing that fails says one line, which cron mails to the account; that it started something is in its own log."""
    [row] = [x for x in section("Where the logs are").splitlines() if x.startswith("| cron ")]

    keeper.sh("sed -i 's#/v4#/nowhere#' ~/.config/ratectl/jobs.toml")
    keeper.ratectl("install")

    assert "the account's mail" in row
    assert "usd-inr: " in until(keeper, "cat /var/log/cron.mail", "HTTP 404")
    assert "`journalctl -t CRON`, or `/var/log/syslog`" in row
    assert re.search(r"CRON\[\d+\]: \(keeper\) CMD .* usd-inr", keeper.sh("cat /var/log/cron.log"))


@pytest.mark.parametrize(("user", "row"), [("root", "root's jobs"), ("tester", "own jobs")])
def test_where_the_logs_of_systemd_are(systemd, user, row):
    """The command that the manual names shows the one line that a firing says which fails."""
    [cell] = re.findall(rf"\| systemd, {row} \| `(.*)` \|", section("Where the logs are"))
    account = systemd.account(user)
    systemd.account("root").run("loginctl", "enable-linger", "tester")
    waiting = "until systemctl --user is-system-running >/dev/null 2>&1; do sleep 0.1; done"
    systemd.account("tester").sh(f"timeout 60 sh -c '{waiting}'")
    account.write_spec("usd-inr", f"{systemd.rates}/nowhere")
    account.ratectl("install", "--backend", "systemd")
    try:
        assert "usd-inr: " in until(account, f"{cell} --no-pager", "HTTP 404")
    finally:
        account.ratectl("remove", "--all", "--purge", "--yes")


def test_the_end(keeper):
    """What the manual says of the end leaves nothing but the outputs."""
    first, second, _program = commands("Uninstall to the last byte")[0].splitlines()

    typed(keeper, f"{first}\n{second}")

    assert keeper.sh("ls ~/.config/ratectl ~/.local/state/ratectl 2>&1").count("No such file") == 2
    assert "ratectl" not in keeper.sh("crontab -l 2>&1")
    assert keeper.read(f"{keeper.home}/usd-inr.txt")
