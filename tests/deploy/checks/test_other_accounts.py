"""Jobs for an account without rights, as an install plans them: refused where that cannot be had, else with what it needs."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from ratectl.backends.cron import backend as cron
from ratectl.deploy import targets
from ratectl.errors import ConfigError, EngineError, RefusedError
from ratectl.journal.journal import Journal
from ratectl.runtime import accounts
from tests.fakes.jobs import job as plain
from tests.fakes.machine import root
from tests.fakes.office import Office

RATES = accounts.Account("rates", 990, 990, (990,), "/nonexistent")
OUTPUT = "/var/lib/rates/usd-inr.csv"
pytestmark = pytest.mark.posix("accounts of a Unix")


@pytest.fixture
def office_of(tmp_path, monkeypatch):
    """Root's office with one engine, on a machine that has the account."""
    monkeypatch.setattr(accounts, "find", lambda name: RATES if name == "rates" else None)
    monkeypatch.setattr(Journal, "_database_of", lambda journal, _name: journal.database)

    def opened(engine):
        office = Office(tmp_path, engine)
        office.account = root(state_dir=tmp_path)
        office.machine.accounts["rates"] = RATES
        office.machine.folders |= {Path("/etc/cron.d"), Path("/var/lib")}
        for part in office.account.fetch:
            if part.startswith("/"):
                office.machine.files[Path(part)] = b""
        office.site = targets.Target(
            backend=office.site.backend,
            scope="system",
            host=office.account,
            reader=office.machine,
        )
        return office

    return opened


def job(name="usd-inr", user="rates", **changes):
    return dataclasses.replace(plain(name, output=f'"{OUTPUT}"'), user=user, **changes)


def text_of(office, name):
    [path] = [path for path in office.machine.files if path.name == name]
    return office.machine.files[path].decode()


def test_a_unit(office_of):
    """The unit runs as the account, with a state directory that systemd gives to that one."""
    office = office_of("systemd")

    office.install(job())

    lines = text_of(office, "ratectl-usd-inr.service").splitlines()
    assert {"User=rates", "StateDirectory=ratectl/rates", "StateDirectoryMode=0700"} <= set(lines)
    assert next(line for line in lines if line.startswith("ExecStart=")).endswith(
        " usd-inr --state /var/lib/ratectl/rates"
    )
    assert "CapabilityBoundingSet=" in lines
    made = {step.path: step.owner for step in office.plan(job()).before}
    assert made == {}
    assert office.machine.owners[Path("/var/lib/ratectl/rates")] == RATES.uid
    assert office.machine.owners[Path("/var/lib/rates")] == RATES.uid


def test_lines_of_cron(office_of):
    """The account stands in its column, and each account has its own look for missed slots."""
    office = office_of("cron")

    office.install(job(), job(name="eur-usd", user=""))

    lines = [line for line in text_of(office, "ratectl").splitlines() if not line.startswith("#")]
    columns = [re.split(r"\s+", line) for line in lines if "usd-inr" in line or "eur-usd" in line]
    assert {columns[0][5], columns[1][5]} == {"rates", "root"}
    sweeps = [line for line in lines if "--sweep" in line]
    assert len(sweeps) == 4
    assert (
        sum(" rates " in line and line.endswith("/var/lib/ratectl/rates") for line in sweeps) == 2
    )
    assert office.plan(job(), job(name="eur-usd", user="")).empty
    entries = cron.inspect(office.machine, office.account, "system").entries
    assert {name: entry.drift for name, entry in entries.items()} == {"usd-inr": (), "eur-usd": ()}


def test_sweeps_come_and_go_with_their_account(office_of):
    """An account with no job left has no line left either, and root has none where it has no job."""
    office = office_of("cron")
    office.install(job())
    only = text_of(office, "ratectl")
    office.install(job(user=""))

    both = text_of(office, "ratectl")

    assert [" root " in only, " rates " in only] == [False, True]
    assert [" root " in both, " rates " in both] == [True, False]


def test_a_daemon_of_launchd(office_of):
    """A property list names the account."""
    texts = targets.render(
        dataclasses.replace(
            office_of("cron").site,
            backend=targets.BACKENDS["launchd"],
            host=root(platform="darwin"),
        ),
        job(),
        targets.BACKENDS["launchd"].check(job(), root().zone),
    )

    assert b"<key>UserName</key>\n\t<string>rates</string>" in texts[0].data
    assert b"/var/db/ratectl/rates" in texts[0].data


def test_an_account_that_is_not_there(office_of):
    """Nothing is installed, and the one command that makes the account is named."""
    office = office_of("systemd")

    with pytest.raises(ConfigError, match="no such account, and nothing was installed; `"):
        office.install(job(user="absent"))

    assert office.machine.performed == []
    assert office.known() == []


def test_user_units_have_no_other_account(office_of):
    """What an ordinary account installs runs as that one."""
    office = office_of("systemd")
    office.site = dataclasses.replace(office.site, scope="user")

    with pytest.raises(ConfigError, match="only root's jobs of the system scope"):
        office.install(job())


def test_a_pod_has_no_accounts(office_of):
    """On Kubernetes an account of this machine means nothing, and that is said."""
    office = office_of("systemd")
    office.site = dataclasses.replace(office.site, backend=targets.BACKENDS["kubernetes"])

    with pytest.raises(ConfigError, match="leave it out of a spec for Kubernetes"):
        office.plan(job())


def test_a_crontab_has_no_accounts(office_of):
    """Where cron has no /etc/cron.d there is no column for the account, and root is not taken in its place."""
    office = office_of("cron")
    office.machine.folders.discard(Path("/etc/cron.d"))

    with pytest.raises(EngineError, match="cannot run a job as rates"):
        office.install(job())


CLOSED = {
    "the program": ("/opt/ratectl/fetch.py", accounts.READ, "may not reach the program"),
    "a file of root's": (OUTPUT, accounts.WRITE, f"`chown rates {OUTPUT}`"),
    "the folder": (
        "/var/lib/rates",
        accounts.WRITE | accounts.ENTER,
        "`chown rates /var/lib/rates`",
    ),
}


@pytest.mark.parametrize(("path", "wanted", "said"), CLOSED.values(), ids=CLOSED)
def test_what_the_account_may_not_do(office_of, path, wanted, said):
    """What the account would run into at night is refused at once, with the command that ends it."""
    office = office_of("systemd")
    office.machine.folders.add(Path("/var/lib/rates"))
    if "." in path:
        office.machine.files[Path(path)] = b""
    office.machine.forbidden.add(("rates", Path(path), wanted))

    with pytest.raises(RefusedError, match=re.escape(said)):
        office.install(job())


def test_root_by_its_name(office_of, monkeypatch):
    """The account root, named, is what no user is, said aloud."""
    me = accounts.Account("root", 0, 0, (0,), "/root")
    monkeypatch.setattr(accounts, "find", lambda name: me if name == "root" else None)
    monkeypatch.setattr(accounts, "is_me", lambda _name: True)
    office = office_of("systemd")

    office.install(job(user="root"))

    assert "User=" not in text_of(office, "ratectl-usd-inr.service")
