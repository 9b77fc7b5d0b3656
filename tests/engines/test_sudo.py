"""Debian's real sudo: whose home and state each way of calling it takes, and whether what is said then is right when typed."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from ratectl.views.inventory import NOTHING
from tests.engines.conftest import RATECTL
from tests.engines.sudo import PACKAGE, install_sudo
from tests.support.share import share

pytestmark = pytest.mark.engine

HOMES = {"root": "/root", "tester": "/home/tester", "keeper": "/home/keeper"}
WAYS = {
    "sudo": ("root", "root"),
    "sudo -H": ("root", "root"),
    "sudo -i": ("root", "root"),
    "sudo -u keeper": ("keeper", "keeper"),
    "sudo -u keeper -H": ("keeper", "keeper"),
    "sudo -iu keeper": ("keeper", "keeper"),
    "sudo -E": ("root", "tester"),
    "sudo -E -u keeper": ("keeper", "tester"),
}
"""How it is called: who then works, and whose home ``HOME`` is."""
FILES = "find /root/.local /root/.config /home/tester /home/keeper -printf '%u %p\\n' 2>/dev/null"


@pytest.fixture(params=["cron", "systemd"])
def tester(request):
    """An account that may do everything by sudo, beside root and a keeper who also have homes."""
    engine = request.getfixturevalue(request.param)
    install_sudo(engine.account("root"))
    tester = engine.account("tester")
    tester.write_spec("usd-inr", engine.rates, schedule="every day at 10:30")
    tester.sh("cp ~/.config/ratectl/jobs.toml ~/jobs.toml")
    yield tester
    root = engine.account("root")
    for user in ("keeper", "tester"):
        root.sh(f"sudo -u {user} -H {RATECTL} remove --all --purge --yes")
    root.sh(
        f"{RATECTL} remove --all --purge --yes; rm -rf /root/.config/ratectl /root/.local/state/ratectl /root/usd-inr.txt; "
        "rm -rf /home/*/.config/ratectl /home/*/.local /home/*/jobs.toml; loginctl disable-linger tester keeper"
    )


def typed(account, line):
    """Return exit code and words of the command *line* as *account* types it."""
    said = account.sh(f"cd; {line} 2>&1; echo $?")
    words, _, code = said.rstrip("\n").rpartition("\n")
    return int(code), words


def misplaced(tester):
    """Return the files that lie in a home and belong to another account than that home does."""
    found = tester.engine.account("root").sh(FILES).splitlines()
    lines = (line.partition(" ")[::2] for line in found)
    return [(owner, path) for owner, path in lines if not path.startswith(f"{HOMES[owner]}")]


COMMANDS = (
    "list",
    "plan",
    "status",
    "install",
    "run usd-inr",
    "history usd-inr",
    "pause usd-inr",
    "doctor --offline",
    "init --yes",
    "remove --all",
)


@pytest.mark.parametrize("way", share(WAYS, shares=4))
def test_nothing_is_left_in_another_home(tester, way):
    """Whatever is typed, no file of one account lies in the home of another afterwards; a home of another is refused, and said."""
    who, home = WAYS[way]
    for command in COMMANDS:
        code, said = typed(tester, f"{way} ratectl {command}")
        assert "Traceback" not in said
        if who != home:
            assert code == 77, said
            assert f"HOME is {HOMES[home]}, which belongs to {home}, and you are {who}" in said
    assert misplaced(tester) == []


def advised(said):
    """Return the commands that *said* names to be typed."""
    return re.findall(r"`([^`]+)`", said)


def test_advice_against_a_home_of_another(tester):
    """Each command that the refusal names works when it is typed, and as whom it says."""
    _, said = typed(tester, "sudo -E ratectl list")
    own, theirs = (command.replace("...", "list") for command in advised(said))
    typed(tester, own.replace("list", "init --yes"))
    code, shown = typed(tester, theirs)

    assert own == "sudo -H ratectl list"
    assert typed(tester, own)[0] == 0
    assert code == 0
    assert shown.startswith(f"{NOTHING}; ")
    _, said = typed(tester, "sudo -E -u keeper ratectl list")
    [command] = advised(said)
    line = f"sudo -E -u keeper sh -c {shlex.quote(command.replace('...', 'list'))}"
    assert typed(tester, line)[1].startswith(f"{NOTHING}; ")
    assert misplaced(tester) == []


def test_a_spec_in_the_home_of_who_calls(tester):
    """Root does not take a spec that its caller may change; what is named instead installs that very file as its owner."""
    root = tester.engine.account("root")
    if tester.engine.kind == "systemd":
        root.run("loginctl", "enable-linger", "tester")
        root.sh("sleep 1")
    tester.sh("rm ~/.config/ratectl/jobs.toml")
    code, said = typed(tester, "sudo ratectl install jobs.toml")
    [command] = [line for line in advised(said) if line.startswith("sudo -u tester")]

    assert code == 77
    assert typed(tester, "sudo ratectl list")[1].startswith(f"{NOTHING}; ")
    code, said = typed(tester, command)
    assert code == 0, said
    [row] = tester.json("list")
    assert (row["job"], row["scope"]) == ("usd-inr", "user")
    assert misplaced(tester) == []


def test_a_spec_that_root_would_follow_at_once(tester):
    """What is named instead does what was asked for, as the owner of the spec, and installs nothing."""
    code, said = typed(tester, "sudo ratectl providers exchangerate-api-v4 --spec jobs.toml")
    [command] = advised(said)

    assert code == 77
    assert command == "sudo -u tester -H ratectl providers --spec /home/tester/jobs.toml"
    code, said = typed(tester, command.replace("providers", "providers exchangerate-api-v4"))
    assert (code, "Traceback" in said) == (0, False), said
    assert tester.json("list") == []
    assert misplaced(tester) == []


def test_jobs_of_root(tester):
    """A job that sudo installs is root's: root's home, root's state; its caller is told of it, and cannot touch it."""
    typed(tester, "sudo mkdir -p /root/.config/ratectl; sudo cp jobs.toml /root/.config/ratectl/")
    code, said = typed(tester, "sudo ratectl install")
    assert code == 0, said
    assert "usd-inr" in typed(tester, "sudo ratectl list")[1]
    assert "usd-inr" in typed(tester, "sudo -i ratectl list")[1]
    code, said = typed(tester, "sudo ratectl run usd-inr --force")
    assert (code, "recorded" in said) == (0, True), said
    assert typed(tester, "sudo stat -c %U /root/usd-inr.txt") == (0, "root")
    assert "no jobs are installed" in typed(tester, "ratectl list")[1]
    assert "usd-inr" not in typed(tester, "sudo -u keeper ratectl list")[1]
    assert typed(tester, "ratectl remove usd-inr")[0] == 78
    assert typed(tester, "sudo ratectl remove --all")[0] == 0
    assert misplaced(tester) == []


def test_another_account_by_sudo(tester):
    """``sudo -u NAME`` works as that account; where its manager is not there, the command that is named starts it."""
    root = tester.engine.account("root")
    root.sh("install -o keeper -g keeper -m 644 /home/tester/jobs.toml /home/keeper/jobs.toml")
    line = "sudo -u keeper -H sh -c 'cd; ratectl install jobs.toml'"
    code, said = typed(tester, line)
    if tester.engine.kind == "systemd":
        assert (code, "No medium found" in said) == (69, True), said
        [command] = [one for one in advised(said) if one.startswith("loginctl")]
        assert typed(tester, f"sudo {command}")[0] == 0
        root.sh("sleep 1")
        code, said = typed(tester, line)
    assert code == 0, said
    assert "usd-inr" in typed(tester, "sudo -u keeper -H ratectl list")[1]
    code, said = typed(tester, "sudo -u keeper -H ratectl run usd-inr --force")
    assert (code, "recorded" in said) == (0, True), said
    assert typed(tester, "sudo -u keeper -H ratectl remove --all")[0] == 0
    assert misplaced(tester) == []


def test_root_becomes_an_account_and_keeps_its_home(tester):
    """``sudo -E -u NAME`` of root keeps root's home: refused, and nothing is named that would hand root's state to that account."""
    root = tester.engine.account("root")
    root.write_spec("usd-inr", root.engine.rates, schedule="every day at 10:30")
    typed(root, "ratectl install")
    for command in COMMANDS[:-1]:
        code, said = typed(root, f"sudo -E -u tester ratectl {command}")
        assert code == 77, said
        assert "chown" not in said
        assert "HOME is /root, which belongs to root, and you are tester" in said
    assert misplaced(tester) == []


@pytest.fixture
def cron_is_stopped(both):
    """An ordinary account with sudo, on a machine with systemd whose cron is installed, and does not run."""
    root, tester = both.account("root"), both.account("tester")
    install_sudo(root)
    cron = f"{PACKAGE.with_name('cron')}"
    root.run(
        "sh",
        "-ec",
        f"cp {cron}/usr/sbin/cron /usr/sbin/cron; cp {cron}/lib/systemd/system/cron.service /etc/systemd/system/; "
        f"cp {cron}/etc/pam.d/cron /etc/pam.d/cron; systemctl daemon-reload",
    )
    tester.write_spec("usd-inr", both.rates, schedule="every day at 10:30")
    yield tester
    tester.ratectl("remove", "--all", "--purge", "--yes")
    root.sh(
        "systemctl disable --now cron; rm /etc/systemd/system/cron.service /usr/sbin/cron /etc/pam.d/cron; "
        "systemctl daemon-reload; rm -rf /home/tester/.config/ratectl"
    )


def test_the_daemon_that_does_not_run(cron_is_stopped):
    """Cron that was stopped is started by what the doctor says, typed as it stands: now, and at each boot."""
    tester = cron_is_stopped
    tester.ratectl("install", "--backend", "cron")
    before = findings(tester)
    mend = before["daemon-not-running"]["mend"]

    code, said = typed(tester, mend)

    assert mend.startswith("sudo systemctl")
    assert code == 0, said
    assert "daemon-not-running" not in findings(tester)
    assert tester.sh("systemctl is-active cron; systemctl is-enabled cron").split() == [
        "active",
        "enabled",
    ]
    assert [row["job"] for row in tester.json("list")] == ["usd-inr"]


def findings(account):
    """Return what the doctor finds, by its word."""
    told = json.loads(account.sh(f"{RATECTL} doctor --offline --json"))
    return {one["check"]: one for one in told}
