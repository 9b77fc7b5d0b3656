"""The doctor on real engines: each fault is planted in the running system and found, and mended it is silent again.

Each test ends where it began, with a healthy account, so that one installation serves all. The clock of
a sandbox is the host's, which nobody in it keeps right: that one warning may always be there.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.engine

JOB = "usd-inr"
TIMER, SERVICE = f"ratectl-{JOB}.timer", f"ratectl-{JOB}.service"
OF_THE_HOST = "clock-unsynchronised"
DEAD = "http://127.0.0.1:9"
FAULT = 78
PREFIX = Path(sys.prefix)
RATECTL = str(PREFIX / "bin" / "ratectl")
UNPACKED_CRON = PREFIX / "engines" / "cron"


DAMAGED = 65
"""How the copy of a damaged journal ends, also where all of it could be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """An account with one job installed, and root beside it."""

    account: Any
    root: Any
    rates: str

    def install(self, url: str = "") -> None:
        self.account.write_spec(JOB, url or self.rates, schedule="every day at 10:30")
        self.account.ratectl("install")

    def doctor(self, *words: str, **variables: str) -> dict[str, Any]:
        """Return the last finding of each check, asked with *variables* in the environment; its exit code fits."""
        extra = (f"{name}={value}" for name, value in variables.items())
        asked = f"env {' '.join(extra)} {RATECTL} doctor --json {' '.join(words)}; echo $?"
        text, _, code = self.account.sh(asked).rstrip().rpartition("\n")
        findings = {load["check"]: load for load in json.loads(text)}
        findings.pop(OF_THE_HOST, None)
        if self.account.user == "root":  # which is as it was told: user = "..." is another test's
            findings.pop("runs-as-root", None)
        faults = any(finding["severity"] == "fault" for finding in findings.values())
        assert code == (str(FAULT) if faults else "0"), text
        return findings

    def mend(
        self, finding: dict[str, Any], stdin: bytes = b"", code: int = 0, **variables: str
    ) -> None:
        """Type what mends *finding*, as root where it says so; it ends with *code*."""
        command = finding["mend"]
        who = self.root if command.startswith("sudo ") else self.account
        path = f"export PATH={PREFIX / 'bin'}:$PATH"
        words = [f"{name}={value}" for name, value in variables.items()]
        typed = f"{path}; {command.removeprefix('sudo ')}"
        who.run("env", *words, "sh", "-c", typed, stdin=stdin, code=code)

    def findings(self) -> dict[str, dict[str, Any]]:
        """Return what is found without the network, that the job is root's included."""
        told = json.loads(self.account.sh(f"{RATECTL} doctor --json --offline"))
        return {load["check"]: load for load in told}


def patient_of(engine: Any, user: str) -> Patient:
    return Patient(account=engine.account(user), root=engine.account("root"), rates=engine.rates)


@pytest.fixture(scope="module")
def keeper(cron):
    """An ordinary user of cron, whom each test leaves as well as it found them."""
    patient = patient_of(cron, "keeper")
    patient.install()
    yield patient
    patient.account.sh(
        f"{RATECTL} remove --all; crontab -r; chmod -R u+w ~; rm -rf ~/.local/state/ratectl ~/*"
    )


@pytest.fixture(scope="module")
def root(cron):
    """Root, whose jobs are in /etc/cron.d."""
    patient = patient_of(cron, "root")
    patient.install()
    yield patient
    patient.account.ratectl("remove", "--all")


@pytest.fixture(scope="module")
def lingering(systemd):
    """An ordinary user whose manager outlives the session."""
    linger(systemd)
    yield systemd
    systemd.account("root").run("loginctl", "disable-linger", "keeper")


def linger(engine):
    engine.account("root").run("loginctl", "enable-linger", "keeper")
    ready = "systemctl --user is-system-running | grep -qE 'running|degraded'"
    engine.account("keeper").sh(f"until {ready}; do sleep 0.1; done 2>/dev/null")


@pytest.fixture(scope="module")
def tended(lingering):
    """An ordinary user of systemd, whom each test leaves as well as it found them."""
    patient = patient_of(lingering, "keeper")
    patient.install()
    yield patient
    linger(lingering)
    patient.account.sh(f"{RATECTL} remove --all; rm -rf ~/.local/state/ratectl")


def test_healthy(keeper, root, tended):
    """On either engine, as a user and as root, a healthy install is well."""
    for patient in (keeper, root, tended):
        assert patient.doctor() == {}


def test_no_daemon(keeper):
    """A cron daemon that died is missed, and not any more once it is back."""
    keeper.root.run("cron-daemon", "stop")
    try:
        found = keeper.doctor("--offline")
    finally:
        keeper.root.run("cron-daemon", "start")
        time.sleep(1.1)  # a tab written in the second in which the daemon starts goes unnoticed

    assert found.keys() == {"daemon-not-running"}
    assert keeper.doctor("--offline") == {}


PLANTED = {
    "expired account": ("root", "chage -E 1 keeper", "account-expired"),
    "expired password": ("root", "chage -d 0 keeper", "account-expired"),
    "cron.deny": ("root", "echo keeper > /etc/cron.deny", "crontab-refused"),
    "no crontab": ("keeper", "crontab -r", "entry-missing"),
    "line above": ("keeper", "(echo SHELL=/bin/false; crontab -l) | crontab -", "entry-drifted"),
    "output read-only": (
        "keeper",
        f"touch ~/{JOB}.txt; chmod a-w ~/{JOB}.txt",
        "output-unwritable",
    ),
    "output of root": (
        "root",
        f"f=/home/keeper/{JOB}.txt; touch $f; chown root $f",
        "output-unwritable",
    ),
    "spec changed": ("keeper", "sed -i s/10:30/11:30/ ~/.config/ratectl/jobs.toml", "spec-changed"),
    "cut short": ("keeper", "echo x > ~/.local/state/ratectl/install.lock", "install-interrupted"),
}


@pytest.mark.parametrize("case", PLANTED)
def test_planted_in_cron(keeper, case):
    """It is found alone, and what is said to mend it does."""
    user, plant, check = PLANTED[case]
    who = keeper.root if user == "root" else keeper.account
    if case == "expired password":
        keeper.root.sh("echo keeper:rates | chpasswd")
    who.run("sh", "-c", plant)

    found = keeper.doctor("--offline")
    assert found.keys() == {check}, found
    if case == "expired password":
        keeper.root.run("sh", "-c", "chage -d -1 keeper")  # passwd asks a person
    else:
        keeper.mend(found[check])

    assert keeper.doctor("--offline") == {}


STATE = "/home/keeper/.local/state/ratectl"
JOURNAL = f"{STATE}/journal.sqlite3"
DAMAGE = """
import sqlite3, sys
journal = sqlite3.connect(sys.argv[1])
journal.execute("PRAGMA wal_checkpoint(TRUNCATE)")
(page,) = journal.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", ("quotes_by_pair",)).fetchone()
journal.close()
with open(sys.argv[1], "r+b") as file:
    file.seek((page - 1) * 4096)
    file.write(bytes(4096))
"""
SHUT = {
    "folder of root": ("root", f"chown -R root {STATE}", "state-untrusted"),
    "journal of root": ("root", f"chown root {JOURNAL}; chmod 600 {JOURNAL}", "state-of-another"),
    "journal of a colleague": ("root", f"chown games {JOURNAL}", "state-untrusted"),
    "journal unreadable": ("keeper", f"chmod 0 {JOURNAL}", "state-unwritable"),
    "journal read-only": ("keeper", f"chmod 400 {JOURNAL}", "state-unwritable"),
    "folder read-only": ("keeper", f"chmod 500 {STATE}", "state-unwritable"),
    "folder shut": ("keeper", f"chmod 0 {STATE}", "state-unwritable"),
    "read-only file system": (
        "root",
        f"mount --bind {STATE} {STATE}; mount -o remount,ro,bind {STATE}",
        "state-read-only",
    ),
    "a page damaged": (
        "keeper",
        f"{PREFIX}/bin/python -c '{DAMAGE}' {JOURNAL}",
        "journal-damaged",
    ),
}


@pytest.mark.parametrize("case", SHUT)
def test_no_mend_loses_a_record(keeper, case):
    """A state folder or journal that cannot be used is mended, and all that was recorded is still told."""
    user, plant, check = SHUT[case]
    who = keeper.root if user == "root" else keeper.account
    keeper.account.ratectl("run", JOB, "--force")
    keeper.account.sh(f"sqlite3 {JOURNAL} 'PRAGMA wal_checkpoint(TRUNCATE)' 2>/dev/null")
    before = keeper.account.json("history", JOB)
    assert before
    who.run("sh", "-c", plant)
    try:
        found = keeper.doctor("--offline")
        assert found.keys() - {"entry-drifted", "not-woken"} == {check}, found
        keeper.mend(found[check], code=DAMAGED if check == "journal-damaged" else 0)
        assert keeper.doctor("--offline") == {}
    finally:
        keeper.root.sh(f"umount {STATE} 2>/dev/null")

    assert keeper.account.json("history", JOB) == before


def test_a_damaged_journal_whose_spec_lies_elsewhere(keeper):
    """The mend saves the record also where the install in it finds no spec; the install of the right one then finds all."""
    spec, moved = "/home/keeper/.config/ratectl/jobs.toml", "/home/keeper/rates.toml"
    keeper.account.run("mv", spec, moved)
    keeper.account.ratectl("install", moved)
    keeper.account.ratectl("run", JOB, "--force")
    before = keeper.account.json("history", JOB)
    keeper.account.run("sh", "-c", SHUT["a page damaged"][1])
    try:
        keeper.mend(keeper.doctor("--offline")["journal-damaged"], code=DAMAGED)
        keeper.account.ratectl("install", moved)
        assert keeper.account.json("history", JOB) == before
        assert keeper.doctor("--offline") == {}
    finally:
        keeper.account.run("mv", moved, spec)
        keeper.account.ratectl("install")


def test_a_file_that_cron_ignores(root):
    """A file in /etc/cron.d that others may write to is found, and mended."""
    root.account.run("chmod", "666", "/etc/cron.d/ratectl")

    found = root.doctor("--offline")
    assert found.keys() == {"cron-file-ignored"}
    root.mend(found["cron-file-ignored"])

    assert root.doctor("--offline") == {}


def test_the_environment_moved(keeper):
    """An interpreter that was moved is missed, and an install with the one that is there mends it."""
    keeper.account.run("ln", "-s", str(PREFIX), "/home/keeper/env")
    keeper.account.run("/home/keeper/env/bin/python3", "-m", "ratectl", "install")
    assert keeper.doctor("--offline").keys() == {"entry-of-another-ratectl"}
    keeper.account.run("mv", "/home/keeper/env", "/home/keeper/moved")

    found = keeper.doctor("--offline")
    assert "program-missing" in found
    assert "/home/keeper/env/bin/python3" in found["program-missing"]["text"]
    keeper.mend(found["program-missing"])

    assert keeper.doctor("--offline") == {}


def test_another_zone(keeper):
    """A machine that is moved to another zone holds entries for the old one."""
    before = keeper.root.sh("readlink -f /etc/localtime").strip()
    keeper.root.run("ln", "-sf", "/usr/share/zoneinfo/Pacific/Chatham", "/etc/localtime")
    try:
        found = keeper.doctor("--offline")
    finally:
        keeper.root.run("ln", "-sf", before, "/etc/localtime")

    assert "host-zone-changed" in found
    assert keeper.doctor("--offline") == {}


def test_network(keeper):
    """A provider that does not answer is a fault, and so is a proxy that only the shell knows when it is needed."""
    assert keeper.doctor(http_proxy=DEAD).keys() == {"proxy-only-in-shell"}
    keeper.install(DEAD)

    assert keeper.doctor().keys() == {"provider-down"}
    found = keeper.doctor(http_proxy=keeper.rates)

    assert found.keys() == {"provider-down", "proxy-only-in-shell"}
    assert found["proxy-only-in-shell"]["severity"] == "fault"
    keeper.install()


@pytest.mark.parametrize("verb", ["stop", "disable", "disable --now"])
def test_timer_undone(tended, verb):
    """A timer that somebody stopped or disabled is found, and mended."""
    tended.account.run("sh", "-c", f"systemctl --user {verb} {TIMER}")

    found = tended.doctor("--offline")
    assert found.keys() == {"entry-drifted"}
    tended.mend(found["entry-drifted"])

    assert tended.doctor("--offline") == {}


def test_drop_in(tended):
    """A drop-in is a warning, and the command takes it back."""
    folder = f"~/.config/systemd/user/{TIMER}.d"
    tended.account.sh(f"mkdir -p {folder}; echo '[Timer]' > {folder}/x.conf")

    found = tended.doctor("--offline")
    assert found["entry-overridden"]["severity"] == "warning"
    tended.mend(found["entry-overridden"])

    assert tended.doctor("--offline") == {}


def test_no_linger(tended):
    """Without lingering, and later without a manager, user timers are asleep; the command wakes them."""
    tended.root.run("loginctl", "disable-linger", "keeper")
    found = tended.doctor("--offline")
    tended.account.sh("while systemctl --user is-system-running; do sleep 0.1; done 2>/dev/null")
    later = tended.doctor("--offline")

    assert "linger-off" in found
    assert {"linger-off", "no-user-bus"} == later.keys()
    tended.mend(later["no-user-bus"])
    tended.account.sh("until systemctl --user show -p Version; do sleep 0.1; done 2>/dev/null")
    assert tended.doctor("--offline") == {}


@pytest.fixture
def with_cron(systemd):
    """Root of a machine with systemd on which cron is installed and runs, too."""
    patient = patient_of(systemd, "root")
    patient.account.sh(
        f"groupadd --system --force crontab; mkdir -p /etc/cron.d; "
        f"install -d -m 1730 -g crontab /var/spool/cron/crontabs; "
        f"install -m 2755 -g crontab {UNPACKED_CRON}/usr/bin/crontab /usr/bin/crontab; "
        f"install -m 755 {UNPACKED_CRON}/usr/sbin/cron /usr/sbin/cron; /usr/sbin/cron -L 15"
    )
    yield patient
    patient.account.ratectl("remove", "--all")
    patient.account.sh(
        "kill $(cat /run/crond.pid); rm /usr/bin/crontab /usr/sbin/cron; rmdir /etc/cron.d"
    )


def test_two_engines(with_cron):
    """A job that both cron and systemd hold is found, and mended."""
    with_cron.account.write_spec(JOB, with_cron.rates, schedule="every day at 10:30")
    with_cron.account.ratectl("install", "--backend", "cron")
    tab = with_cron.account.read("/etc/cron.d/ratectl")
    with_cron.account.ratectl("install", "--backend", "systemd")
    assert with_cron.doctor("--offline") == {}
    with_cron.account.write("/etc/cron.d/ratectl", tab)

    found = with_cron.doctor("--offline")
    assert found.keys() == {"installed-twice"}
    with_cron.mend(found["installed-twice"])

    assert with_cron.doctor("--offline") == {}
