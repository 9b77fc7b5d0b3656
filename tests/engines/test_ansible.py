"""The Ansible role with the real ansible-core against a machine with a real cron, as root and as an ordinary user."""

from __future__ import annotations

import json
import re
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.engines.conftest import start

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates" / "ansible"
PLAYBOOK = str(Path(sys.executable).with_name("ansible-playbook"))
SECRET = "s3cret-of-the-office"
SPEC = """\
[jobs.usd-inr]
pairs = ["USD/INR"]
schedule = "{schedule}"
providers = ["exchangerate-api-v4"]
output = "{folder}/usd-inr.txt"
{user}
"""
DEPENDENCIES = """
mkdir -p "$1" && cd "$0" && for each in *; do
    case $each in ratectl*|pip*|__pycache__|*.pth) ;; *) ln -sfn "$0/$each" "$1/$each" ;; esac
done
"""
"""Links to all packages but ratectl and pip: no network leads out of the sandbox, so pip finds them there."""


@pytest.fixture(scope="module")
def machine():
    """A machine of its own: a new host, whatever other tests did to theirs."""
    yield from start("cron")


@pytest.fixture
def host(request, machine, wheel):
    """An account without ratectl, and how to run the role on it."""
    account = machine.account(request.param)
    account.write(f"{account.home}/controller/{wheel.name}", wheel.read_bytes())
    inventory = b"[recorders]\nlocalhost ansible_connection=local\n"
    account.write(f"{account.home}/controller/inventory.ini", inventory)
    site = sysconfig.get_path("purelib")
    account.write(f"{account.home}/controller/pins.txt", b"# they are there already\n")
    account.run("sh", "-c", DEPENDENCIES, site, f"{account.home}/controller/packages")
    return Host(account, f"{account.home}/controller", wheel.name)


class Host:
    """An account that is controller and host at once."""

    def __init__(self, account, folder, wheel):
        self.account = account
        self.folder = folder
        self.wheel = wheel
        root = account.user == "root"
        self.config = "/etc/ratectl" if root else f"{account.home}/.config/ratectl"
        self.home = "/opt/ratectl" if root else f"{account.home}/.local/share/ratectl"
        self.outputs = "/var/lib/rates" if root else f"{account.home}/rates"
        self.user = '[ratectl]\nuser = "rates"' if root else ""
        self.said = ""

    def play(self, *options, schedule="every day at 10:30", code=0, **values):
        """Run the role, which ends with *code*; return how many tasks changed something."""
        values = {
            "ratectl_wheel": f"{self.folder}/{self.wheel}",
            "ratectl_pip_arguments": ["--no-index"],
            "ratectl_requirements": f"{self.folder}/pins.txt",
            "ratectl_python": sys.executable,
            "ratectl_spec": SPEC.format(schedule=schedule, user=self.user, folder=self.outputs),
            "ratectl_keys": {"office.key": SECRET},
            "ansible_python_interpreter": sys.executable,
            "ansible_become": False,
        } | values
        self.account.write(f"{self.folder}/values.json", json.dumps(values).encode())
        environment = (
            f"PYTHONPATH={self.folder}/packages",
            "ANSIBLE_NOCOLOR=1",
            "ANSIBLE_PIPELINING=1",
        )
        target = (
            *("-i", f"{self.folder}/inventory.ini", "-e", f"@{self.folder}/values.json"),
            *("-v", str(TEMPLATES / "playbook.yml")),
        )
        done = self.account.run("env", *environment, PLAYBOOK, *target, *options, code=code)
        self.said = (done.stdout + done.stderr).decode()
        assert SECRET not in self.said
        assert "WARNING" not in self.said
        assert SECRET not in self.account.sh("cat /var/log/cron.log")  # where syslog goes there
        return int(re.search(r"changed=(\d+) ", self.said)[1])

    def files(self):
        """Return every file that a run may change, with its bytes' sum."""
        return self.account.sh(
            f"find {self.home} {self.config} -type f -not -name '*.pyc' | sort | xargs -r sha256sum; {self.tab}"
        )

    @property
    def tab(self):
        """The command that prints the schedule."""
        return "cat /etc/cron.d/ratectl" if self.account.user == "root" else "crontab -l"


@pytest.mark.parametrize("host", ["root"], indirect=True)
def test_life_of_a_host(host):
    """With an account of its own; installed once, unchanged, changed by a changed spec, removed: check mode tells of each before, and changes nothing."""
    nothing = host.files()
    assert host.play("--check") > 0
    assert host.files() == nothing

    assert host.play("--diff") > 0
    assert "+[jobs.usd-inr]" in host.said
    first = host.files()
    assert "30 10 * * *" in first
    assert " rates " in first
    assert host.account.sh("id -un rates").strip() == "rates"
    modes = host.account.sh(f"stat -c %a {host.config}/jobs.toml {host.config}/office.key")
    assert modes.split() == ["600", "600"]

    assert host.play() == 0
    assert host.play("--check", "--diff") == 0
    assert host.files() == first

    # a spec that is no good is refused before it replaces the old one
    host.play(ratectl_spec="[jobs.usd-inr]\n", code=2)
    assert "failed to validate" in host.said
    assert host.files() == first

    # an entry that somebody deleted is put back
    host.account.sh("rm /etc/cron.d/ratectl")
    assert host.play("--check") == 1
    assert "30 10 * * *" not in host.files()
    assert host.play() == 1
    assert host.files() == first

    later = {"schedule": "every day at 11:45"}
    assert host.play("--check", "--diff", **later) == 1
    assert "+schedule = " in host.said
    assert host.files() == first
    assert host.play(**later) == 2
    second = host.files()
    assert "45 11 * * *" in second

    assert host.play("--check", ratectl_state="absent") > 0
    assert host.files() == second
    assert host.play(ratectl_state="absent") > 0
    assert host.files() == nothing
    assert host.play("--check", ratectl_state="absent") == 0


@pytest.mark.parametrize("host", ["tester"], indirect=True)
def test_without_root(host):
    """An ordinary user gets an installation of its own, once, and loses it again."""
    nothing = host.files()

    assert host.play() > 0
    assert "30 10 * * *" in host.files()
    assert host.play() == 0
    assert host.play(ratectl_state="absent") > 0
    assert host.files() == nothing


@pytest.mark.parametrize("host", ["root"], indirect=True)
def test_another_wheel_than_was_pinned(host):
    """A wheel whose hash is not the one that was named is not installed, and nothing else is done."""
    host.play(ratectl_sha256="0" * 64, code=2)

    assert "DO NOT MATCH THE HASHES" in host.said
    assert "usd-inr" not in host.files()
    host.play(ratectl_state="absent")
