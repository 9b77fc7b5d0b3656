"""What the doctor says to type is typed, on the fault that it belongs to: then the fault is gone, and all that was recorded is still told.

These are the mends that `test_doctor.py` does not try; `tests/doctor/test_every_mend.py` holds the list.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from pathlib import Path

import pytest

from tests.engines.test_doctor import (
    DEAD,
    JOB,
    JOURNAL,
    PREFIX,
    RATECTL,
    SERVICE,
    STATE,
    TIMER,
    lingering,
    patient_of,
    tended,
)

pytestmark = pytest.mark.engine

__all__ = ["lingering", "tended"]  # fixtures

HOME = "/home/keeper"
SPEC = f"{HOME}/.config/ratectl/jobs.toml"
KEY = f"{HOME}/.config/ratectl/rates.key"
RIGHT_KEY = b"demo-key\n"
WITH_KEY = """
[jobs.usd-inr]
pairs = ["USD/INR"]
schedule = "every day at 10:30"
providers = ["exchangerate-api-v6"]
output = "~/usd-inr.txt"
[providers.exchangerate-api-v6]
base_url = "{url}/v6"
api_key = "{key}"
"""
SQL = "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as journal:\n    journal.executescript(sys.argv[2])"
LATER = (
    "UPDATE jobs SET settled_until = settled_until - 259200, installed_at = installed_at - 259200, next_due = NULL; "
    "UPDATE firings SET slot = slot - 259200, at = at - 259200; UPDATE quotes SET slot = slot - 259200"
)
FAILED = "UPDATE jobs SET failures = 3, failed_at = 0"
AN_ENVIRONMENT = (
    f"ln -s {PREFIX} ~/env; ~/env/bin/python3 -m ratectl install; rm ~/env; mkdir -p ~/env/bin"
)


def sql(*statements, path=JOURNAL):
    return f"""{PREFIX}/bin/python -c '{SQL}' {path} "{"; ".join(statements)}" """


PLANTED = {
    # who plants what, and the check whose command mends it
    "interpreter not executable": (
        "keeper", f"{AN_ENVIRONMENT}; touch ~/env/bin/python3", "program-not-executable"
    ),
    "interpreter broken": (
        "keeper",
        f"{AN_ENVIRONMENT}; printf '#!/bin/sh\\nexit 9\\n' > ~/env/bin/python3; chmod 755 ~/env/bin/python3",
        "program-broken",
    ),
    "cron.allow": ("root", "echo games > /etc/cron.allow; chmod 644 /etc/cron.allow", "crontab-refused"),
    "/etc/timezone": ("root", "echo Pacific/Chatham > /etc/timezone", "zone-names-differ"),
    "another zone": (
        "root",
        "ln -sfn /usr/share/zoneinfo/Pacific/Chatham /etc/localtime; echo Pacific/Chatham > /etc/timezone",
        "host-zone-changed",
    ),
    "snapshot of another version": (
        "keeper", sql("UPDATE jobs SET snapshot = '{}'"), "snapshot-unreadable"
    ),
    "slots passed": ("keeper", sql(LATER), "not-woken"),
    "firings failed": (
        "keeper",
        sql(LATER, FAILED),
        "firings-failing",
    ),
    "output is a folder": ("keeper", f"mkdir ~/{JOB}.txt", "output-unwritable"),
    "output immutable for us": (
        "root", f"touch {HOME}/{JOB}.txt; chown games {HOME}/{JOB}.txt", "output-unwritable"
    ),
    "output a link of another": (
        "root", f"ln -s /tmp/theirs {HOME}/{JOB}.txt; chown -h tester {HOME}/{JOB}.txt", "output-untrusted"
    ),
    "paused, and put back": (
        "keeper", f"crontab -l > ~/tab; {RATECTL} pause {JOB}; crontab ~/tab", "entry-left-over"
    ),
}  # fmt: skip


def recorded(keeper):
    """Return the rates of the record."""
    return {(entry["rate"], entry["observed_at"]) for entry in keeper.account.json("history", JOB)}


def see_to(keeper, case):
    """Give back what the mend leaves to be as it was."""
    root = keeper.root
    root.sh(
        "rm -f /etc/cron.allow; ln -sfn /usr/share/zoneinfo/Etc/UTC /etc/localtime; echo Etc/UTC > /etc/timezone"
    )
    keeper.account.sh(f"rm -rf ~/env ~/tab ~/{JOB}.txt ~/{JOB}.txt.aside; {RATECTL} resume {JOB}")
    keeper.install()
    assert keeper.doctor("--offline") == {}, case


@pytest.fixture(scope="module")
def keeper(cron):
    """An ordinary user of cron on a machine in UTC, whose job has a record."""
    cron.account("root").sh(
        "ln -sfn /usr/share/zoneinfo/Etc/UTC /etc/localtime; echo Etc/UTC > /etc/timezone"
    )
    patient = patient_of(cron, "keeper")
    patient.install()
    patient.account.ratectl("run", JOB, "--force")
    yield patient
    patient.account.sh(f"{RATECTL} remove --all; crontab -r; rm -rf ~/.local/state/ratectl ~/*")


@pytest.mark.parametrize("case", PLANTED)
def test_mended(keeper, case):
    """The fault is found, its command ends it, and no rate that was recorded is gone."""
    user, plant, check = PLANTED[case]
    before = recorded(keeper)
    who = keeper.root if user == "root" else keeper.account
    who.run("sh", "-c", plant)

    found = keeper.doctor("--offline")
    assert check in found, found
    keeper.mend(found[check])

    assert check not in keeper.doctor("--offline")
    assert before <= recorded(keeper)
    see_to(keeper, case)


KEYS = {
    "no key": ("true", "key-unreadable"),
    "key of root": (f"echo demo-key > {KEY}; chmod 600 {KEY}; chown root {KEY}", "key-unreadable"),
    "key for all": (f"echo demo-key > {KEY}; chown keeper {KEY}; chmod 644 {KEY}", "key-too-open"),
    "wrong key": (
        f"echo wrong > {KEY}; chown keeper {KEY}; chmod 600 {KEY}",
        "provider-refused",
    ),
}


@pytest.mark.parametrize("case", KEYS)
def test_key_mended(keeper, case):
    """A key that is missing, closed, open to all or wrong is one that works after the command, typed with the key."""
    plant, check = KEYS[case]
    keeper.account.write(SPEC, WITH_KEY.format(url=keeper.rates, key=f"file:{KEY}").encode())
    keeper.root.run("sh", "-c", plant)
    keeper.account.ratectl("install")

    found = keeper.doctor()
    assert check in found, found
    keeper.mend(found[check], stdin=RIGHT_KEY)

    assert keeper.doctor() == {}
    keeper.account.run("rm", KEY)
    see_to(keeper, case)


def test_key_in_the_environment(keeper):
    """The command writes the key into a file, which the spec then names as the finding says."""
    keeper.account.write(SPEC, WITH_KEY.format(url=keeper.rates, key="env:RATES_KEY").encode())
    keeper.account.ratectl("install")

    found = keeper.doctor("--offline")["key-in-environment"]
    keeper.mend(found, RATES_KEY="demo-key")
    named = 'api_key = "file:exchangerate-api-v6.key"'
    assert named in found["text"]
    keeper.account.write(
        SPEC, WITH_KEY.format(url=keeper.rates, key="file:exchangerate-api-v6.key").encode()
    )
    keeper.account.ratectl("install")

    assert keeper.doctor() == {}
    see_to(keeper, "key in the environment")


def test_provider_that_was_down(cron, keeper):
    """Until the provider is back there is only to wait; then nothing is found any more."""
    cron.stop_server()
    found = keeper.doctor()
    cron.start_server()

    assert found["provider-down"]["mend"].startswith("wait until it can be reached")
    assert keeper.doctor() == {}


def test_proxy_of_the_shell(keeper):
    """With the proxy in the spec, as the finding says, and the command, the job has the shell's proxy."""
    found = keeper.doctor("--offline", http_proxy=DEAD)["proxy-only-in-shell"]
    assert f'proxy = "{DEAD}"' in found["text"]
    text = keeper.account.read(SPEC).decode()
    keeper.account.write(SPEC, f'[ratectl]\nproxy = "{DEAD}"\n{text}'.encode())

    keeper.mend(found)

    assert keeper.doctor("--offline", http_proxy=DEAD) == {}
    see_to(keeper, "proxy")


def test_an_entry_of_another_environment(keeper):
    """An entry that starts the ratectl of another environment starts this one's."""
    keeper.account.run("sh", "-c", f"ln -s {PREFIX} ~/env; ~/env/bin/python3 -m ratectl install")

    keeper.mend(keeper.doctor("--offline")["entry-of-another-ratectl"])

    assert keeper.doctor("--offline") == {}
    assert f"{HOME}/env" not in keeper.account.sh("crontab -l")
    see_to(keeper, "another environment")


def test_a_job_that_left_its_spec(keeper):
    """The command takes the entry out; the record stays."""
    before = keeper.account.json("history", JOB)
    text = keeper.account.read(SPEC).decode().replace(JOB, "other").replace("10:30", "11:45")
    keeper.account.write(SPEC, text.encode())
    keeper.account.ratectl("install")
    found = keeper.doctor("--offline")

    keeper.mend(found["spec-left-out"])

    assert keeper.doctor("--offline") == {}
    assert keeper.account.json("history", JOB) == before
    keeper.account.ratectl("remove", "other", "--purge", "--yes")
    see_to(keeper, "left out")


def test_an_entry_without_a_journal(keeper):
    """Where the state directory was moved away the command installs the spec again, and loses nothing of the old record."""
    keeper.account.run("mv", STATE, f"{STATE}.kept")
    found = keeper.doctor("--offline")

    keeper.mend(found["entry-unknown"])

    assert keeper.doctor("--offline") == {}
    assert JOB in keeper.account.ratectl("list")
    keeper.account.run("sh", "-c", f"rm -rf {STATE}; mv {STATE}.kept {STATE}")
    assert keeper.account.json("history", JOB)
    see_to(keeper, "without a journal")


def test_a_journal_of_another_program(keeper):
    """The other program's file is kept beside the new journal."""
    theirs = f"{HOME}/theirs.sqlite3"
    keeper.account.run("sh", "-c", sql("CREATE TABLE theirs (x)", path=theirs))
    keeper.account.run(
        "sh", "-c", f"mv {STATE} {STATE}.kept; mkdir -m 700 {STATE}; cp {theirs} {JOURNAL}"
    )
    found = keeper.doctor("--offline")

    keeper.mend(found["journal-foreign"])

    assert keeper.doctor("--offline") == {}
    assert keeper.account.read(f"{JOURNAL}.aside") == keeper.account.read(theirs)
    keeper.account.run("sh", "-c", f"rm -rf {STATE}; mv {STATE}.kept {STATE}")
    see_to(keeper, "of another program")


def test_root_for_whom_an_account_is_made(cron):
    """The commands make the account, hand the job to it, and shut a spec that others may write to."""
    root = patient_of(cron, "root")
    root.install()
    path = "/root/.config/ratectl/jobs.toml"
    make = root.findings()["runs-as-root"]
    root.mend(make)
    text = root.account.read(path).decode()
    root.account.write(
        path,
        f'[ratectl]\nuser = "ratectl"\n{text.replace("~/", "/var/lib/ratectl-rates/")}'.encode(),
    )
    root.account.sh("install -d -o ratectl /var/lib/ratectl-rates; chmod 666 " + path)
    try:
        root.mend(root.findings()["runs-as-root"] | {"mend": f"chmod 644 {path}; ratectl install"})
        assert "runs-as-root" not in root.findings()
        root.account.run("chmod", "666", path)
        root.mend(root.findings()["input-untrusted"])
        assert "input-untrusted" not in root.findings()
        root.account.run("userdel", "ratectl")
        root.mend(root.findings()["account-missing"])
        assert "account-missing" not in root.findings()
    finally:
        root.account.sh(
            f"{RATECTL} remove --all --purge --yes; userdel ratectl; rm -rf /var/lib/ratectl /var/lib/ratectl-rates {path}"
        )


def test_a_unit_that_cannot_start(tended):
    """Systemd could not start the program of a moved environment: with the command the unit starts again."""
    tended.account.run(
        "sh", "-c", f"ln -s {PREFIX} ~/env; ~/env/bin/python3 -m ratectl install; mv ~/env ~/moved"
    )
    tended.account.sh(f"systemctl --user start {SERVICE}")
    found = tended.doctor("--offline")

    assert {"program-missing", "runs-failing"} <= found.keys()
    tended.mend(found["runs-failing"])

    tended.account.run("systemctl", "--user", "start", SERVICE)
    assert tended.doctor("--offline") == {}
    tended.account.sh("rm -f ~/moved")


def test_units_that_were_edited(tended):
    """A unit file that somebody edited is as it was."""
    path = Path(f"{HOME}/.config/systemd/user/{TIMER}")
    tended.account.run("sh", "-c", f"sed -i s/10:30/11:30/ {path}; systemctl --user daemon-reload")

    tended.mend(tended.doctor("--offline")["entry-differs"])

    assert tended.doctor("--offline") == {}


@pytest.mark.parametrize(
    ("account", "folder"),
    [
        ("keeper", f"~/.config/systemd/user/{TIMER}.d"),
        ("keeper", f"~/.config/systemd/user.control/{TIMER}.d"),
        ("keeper", "~/.config/systemd/user/ratectl-.timer.d"),
        ("keeper", "~/.config/systemd/user/timer.d"),
        ("root", f"/etc/systemd/user/{TIMER}.d"),
        ("root", "/etc/systemd/user/timer.d"),
    ],
)
def test_a_drop_in_that_changes_the_times(tended, account, folder):
    """It is a fault, the list shows the engine's own next run, and after the command the job's slots count again."""
    text = "[Timer]\\nOnCalendar=\\nOnCalendar=*-*-* 03:00:00 UTC\\n"
    whose = tended.account if account == "keeper" else tended.root
    whose.sh(f"mkdir -p {folder}; printf '{text}' > {folder}/x.conf")
    tended.account.sh("systemctl --user daemon-reload")

    [row] = tended.account.json("list")
    found = tended.doctor("--offline")["entry-overridden"]
    tended.mend(found)

    assert dt.datetime.fromisoformat(row["next"]).astimezone(dt.UTC).time() == dt.time(3)
    assert found["severity"] == "fault"
    assert tended.doctor("--offline") == {}
    [row] = tended.account.json("list")
    assert "T10:30:00" in row["next"]
    whose.sh(f"rm -rf {folder}")
    tended.account.sh(f"rm -rf ~/.config/systemd/user/{TIMER}.d; systemctl --user daemon-reload")


OF_ONE_NAME = f"""
cd ~/.config/systemd/user
mkdir -p ratectl-.timer.d ratectl-usd-.timer.d {TIMER}.d timer.d ../user.control/ratectl-usd-.timer.d ../user.control/timer.d
for name in a b c d e; do echo '[Timer]
Persistent=yes' > timer.d/$name.conf; done
for name in a b c d; do echo '[Timer]
Persistent=yes' > ratectl-.timer.d/$name.conf; done
for name in a b; do echo '[Timer]
Persistent=yes' > ratectl-usd-.timer.d/$name.conf; done
echo '[Timer]
Persistent=yes' > {TIMER}.d/a.conf
echo '[Timer]
Persistent=yes' > ../user.control/ratectl-usd-.timer.d/c.conf
echo '[Timer]
Persistent=yes' > ../user.control/timer.d/e.conf
systemctl --user daemon-reload
systemctl --user show --property=DropInPaths {TIMER}
"""
"""Files of one name for this timer, for two prefixes of it, for all timers, and in a folder that counts more."""
AS_READ = """
from pathlib import Path
from ratectl.backends.systemd import drop_ins
from ratectl.deploy.execute import SystemReader
folder, call = Path.home() / ".config/systemd/user", ("systemctl", "--user")
found = drop_ins.of_jobs(SystemReader(), folder, call, ["usd-inr"])["usd-inr"]
print(*(one.path for one in found if one.unit.endswith(".timer")))
"""


def test_drop_ins_are_those_of_the_manager(tended):
    """Of files of one name the same one is read that systemd takes."""
    told = tended.account.sh(OF_ONE_NAME)
    read = tended.account.run(sys.executable, "-c", AS_READ).stdout.decode()
    tended.account.sh(
        "cd ~/.config/systemd; rm -rf user/*.d user.control; systemctl --user daemon-reload"
    )

    folders = [Path(path).parent.name for path in read.split()]
    assert told.removeprefix("DropInPaths=").split() == read.split()
    assert len(set(folders)) == 4


def test_busybox_without_its_right(busybox):
    """A ``crontab`` that lost its set-user-ID bit has it again, and the crontab can be read."""
    patient = patient_of(busybox, "keeper")
    patient.install()
    patient.root.run("chmod", "u-s", "/usr/bin/busybox")

    patient.mend(patient.doctor("--offline")["engine-unreadable"])

    assert patient.doctor("--offline") == {}
    patient.account.ratectl("remove", "--all", "--purge", "--yes")


def test_lingering(tended):
    """Lingering that was switched off is switched on."""
    tended.root.run("loginctl", "disable-linger", "keeper")

    tended.mend(tended.doctor("--offline")["linger-off"])

    end = time.monotonic() + 20
    while (found := tended.doctor("--offline")) and time.monotonic() < end:
        time.sleep(0.2)
    assert found == {}
