"""What the doctor says is so for this account and engine, names the next step, and touches nothing of anybody else's."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ratectl.errors import ConfigError
from ratectl.journal.sqlite_database import FILE
from tests.doctor.conftest import SPEC
from tests.doctor.test_faults import INSTALL, fail
from tests.fakes.jobs import job
from tests.fakes.office import Office

pytestmark = pytest.mark.network


def checks(told):
    return {finding["check"] for finding in told.findings}


class Neighbour(Office):
    """Another state directory of the same account at the same machine."""

    def __init__(self, clinic, folder):
        folder.mkdir(mode=0o700)
        super().__init__(folder, clinic.site.backend.NAME, now=clinic.machine.now)
        self.machine = clinic.machine
        self.account = type(clinic.account)(
            **{
                **{name: getattr(clinic.account, name) for name in clinic.account.__slots__},
                "state_dir": folder,
                "state_is_default": False,
            }
        )
        self.use(clinic.site.backend.NAME)
        self.machine.files[folder / FILE] = b"theirs"


@pytest.fixture
def neighbour(clinic, tmp_path):
    """A job ``theirs`` of another state directory in the same engine."""
    there = Neighbour(clinic, tmp_path.with_name(f"{tmp_path.name}-other"))
    there.install(job("theirs", output='"/home/tester/theirs.txt"'))
    return there


def test_jobs_of_another_state_directory(clinic, neighbour):
    """They are no finding here, and a removal of all leaves them; by name they are refused with the way to them."""
    assert clinic.doctor("--offline").findings == []

    with pytest.raises(ConfigError, match=f"RATECTL_STATE_DIR={neighbour.account.state_dir}"):
        clinic.remove("theirs")
    clinic.remove()

    assert clinic.held() == ["theirs"]


@pytest.mark.usefixtures("neighbour")
def test_how_jobs_of_another_state_directory_are_shown(clinic):
    """The list says whose they are and calls them neither drifted nor new; the status is of one's own jobs."""
    shown, standing = clinic.ratectl("list").text, clinic.ratectl("status", "--json").text

    told, _, _ = shown[shown.index("theirs") :].partition("`RATECTL_STATE_DIR=")
    assert told.endswith("\n    of another state directory: ")
    assert "nothing ahead" not in told
    assert "not yet run" not in told
    assert '"theirs"' not in standing


def test_a_name_that_another_state_directory_has(clinic, neighbour):
    """A job of the same name is not put in its place."""
    with pytest.raises(ConfigError, match="of another state directory"):
        clinic.install_from("/home/tester/third.toml", job("theirs", output='"/home/tester/x.txt"'))

    assert clinic.doctor("--offline").findings == []
    assert neighbour.install(job("theirs", output='"/home/tester/theirs.txt"')).empty


def test_a_state_directory_that_was_moved(clinic, neighbour):
    """An entry of a state directory that is not there any more belongs to nobody, and can be removed."""
    del clinic.machine.files[neighbour.account.state_dir / FILE]

    assert checks(clinic.doctor("--offline")) == {"entry-unknown"}
    clinic.remove("theirs")

    assert clinic.doctor("--offline").findings == []


def test_a_job_that_the_journal_lost(clinic, monkeypatch):
    """Its spec takes it up again where it is known; a removal is named last, and no command of the mend throws a job out."""
    monkeypatch.setenv("RATECTL_CONFIG_DIR", "/home/tester/config")
    (clinic.account.state_dir / FILE).unlink()

    for place, named in (("somewhere", "SPEC"), ("config", "/home/tester/config/jobs.toml")):
        clinic.machine.files[Path("/home/tester") / place / "jobs.toml"] = clinic.machine.files[
            SPEC
        ]
        told = clinic.doctor("--offline")
        assert checks(told) == {"entry-unknown"}
        assert {finding["mend"] for finding in told.findings} == {f"ratectl install {named}"}
        for finding in told.findings:
            last = finding["text"].rpartition("; ")[2]
            assert last == (
                f"`ratectl remove {finding['job']}` is only for a job that nobody needs any more"
            )
            again = "install the spec that it came from again"
            assert (again in finding["text"]) == (named == "SPEC")


def test_every_spec_is_installed_again(clinic):
    """What installs all jobs anew names the specs of all, also where one job is asked about."""
    clinic.install_from("/home/tester/second.toml", job("agree", output='"/home/tester/agree.txt"'))
    with clinic.journal() as journal, journal.database.transaction() as connection:
        connection.execute("UPDATE jobs SET snapshot = '{}' WHERE name = 'two'")

    for words in ((), ("one",), ("agree",)):
        [finding] = clinic.doctor("--offline", *words).of("snapshot-unreadable")
        assert finding["mend"] == (
            "ratectl install /home/tester/jobs.toml && ratectl install /home/tester/second.toml"
        )


@pytest.mark.parametrize(
    ("result", "status", "told"),
    [
        ("exit-code", 203, "could not start its program (status 203)"),
        ("exit-code", 226, "could not start its program (status 226)"),
        ("oom-kill", 0, "ended from outside (oom-kill)"),
        ("signal", 9, "ended from outside (signal)"),
    ],
)
def test_a_unit_that_never_came_up(systemd, result, status, told):
    """Systemd knows at once that it could not start the program, or that something killed it."""
    systemd.machine.systemd.results["ratectl-one.service"] = (result, status)

    [finding] = systemd.doctor("--offline").of("runs-failing")

    assert told in finding["text"]
    assert finding["job"] == "one"
    assert finding["mend"] == f"{INSTALL} && systemctl --user start ratectl-one.service"


@pytest.mark.parametrize("status", [75, 78, 1])
def test_a_firing_that_failed_by_itself(systemd, status):
    """A firing that ended with a code of its own has told of it elsewhere."""
    systemd.machine.systemd.results["ratectl-one.service"] = ("exit-code", status)

    assert systemd.doctor("--offline").findings == []


def test_timers_with_a_zone_of_their_own(systemd):
    """Entries that do not go by the machine's zone do not care that it changed."""
    systemd.move_to("systemd", zone=ZoneInfo("Europe/Berlin"))

    assert systemd.doctor("--offline").findings == []


def test_a_zone_that_matters_is_told_once(cron):
    """Entries that go by the machine's zone are told in one line for all jobs, and counted as one."""
    cron.move_to("cron", zone=ZoneInfo("Europe/Berlin"))

    lines = cron.ask("--offline").text.splitlines()

    assert [line for line in lines if "host-zone-changed: one, two: " in line] == [lines[0]]
    assert lines[-1] == "1 fault · 0 warnings in 2 jobs"


def test_held_answers(cron):
    """Where an answer waits for a decision, the command that shows it is named."""
    fail(cron)
    with cron.journal() as journal, journal.database.transaction() as connection:
        connection.execute(
            "INSERT INTO quarantine (job, slot, provider, reason, at) VALUES ('one', 0, 'x', 'a jump', 0)"
        )

    [finding] = cron.doctor("--offline").of("firings-failing")

    assert finding["mend"] == "ratectl review --job one"


def test_a_job_of_each_minute(cron):
    """A job that is due each minute is missed after a few, not after ten."""
    cron.reinstall(schedule="every minute")
    cron.wait(minutes=3)
    assert "not-woken" not in checks(cron.doctor("--offline"))

    cron.wait(minutes=4)

    assert "not-woken" in checks(cron.doctor("--offline"))


def test_each_pair_is_asked_for(cron):
    """Two jobs of one provider with different bases are both asked for; no answer of one is taken for the other's."""
    cron.reinstall(job='pairs = ["EUR/USD"]')
    assert cron.doctor().findings == []

    cron.reinstall(job='pairs = ["USD/INR", "USD/KPW"]')
    [finding] = [f for f in cron.doctor().findings if f["job"] == "one"]

    assert finding["check"] == "provider-misconfigured"
    assert finding["text"].endswith("has no USD/KPW")
    assert Path(SPEC).name in finding["mend"]
