"""A job with ``enabled = false`` stands in its spec and nothing wakes it: every command says so."""

import json

import pytest

from ratectl.commands.mend import resume
from ratectl.deploy import install, inventory
from ratectl.spec import load
from ratectl.wording import SWITCHED_OFF
from tests.fakes.office import Office

SPEC = """
[jobs.off]
pairs = ["USD/INR"]
schedule = "every day at 10:30"
output = "off.txt"
enabled = false

[jobs.on]
pairs = ["EUR/INR"]
schedule = "every day at 10:30"
output = "on.txt"
"""


@pytest.fixture
def spec(tmp_path):
    """A spec with a job that is switched off beside one that is not."""
    path = tmp_path / "jobs.toml"
    path.write_text(SPEC, encoding="utf-8")
    return path


@pytest.fixture
def office(tmp_path, monkeypatch, spec):
    """An account that has installed the spec."""
    office = Office(tmp_path / "state")
    monkeypatch.setattr(resume.host_facts, "current", lambda: office.account)
    monkeypatch.setattr(resume.execute, "SystemReader", lambda: office.machine)
    monkeypatch.setattr(resume.execute, "perform", office.machine.perform)
    monkeypatch.setenv("RATECTL_STATE_DIR", str(office.account.state_dir))
    office.machine.files[spec] = spec.read_bytes()
    jobs = load(spec, host_timezone=office.account.zone.key).jobs
    digest = inventory.digest_of(office.machine, str(spec))
    office.install_from(str(spec), *jobs, digest=digest)
    return office


def test_check(ratectl, spec):
    """No next slot and no scheduler are shown of it, and programs see that it is not enabled."""
    answer = ratectl("check", str(spec))
    off, on = json.loads(ratectl("check", str(spec), "--json").out)["jobs"]

    block = answer.out[: answer.out.index("\non\n")]
    assert f"  off       {SWITCHED_OFF}: no scheduler gets it" in block
    assert "  next " not in block
    assert "  exact " not in block
    assert (off["enabled"], off["slots"]) == (False, [])
    assert (on["enabled"], len(on["slots"])) == (True, 3)


def test_next(ratectl, spec):
    """Slots are shown when asked for, behind that nothing wakes the job."""
    answer = ratectl("next", "off", "--spec", str(spec))

    lines = answer.out.splitlines()
    assert lines[1] == f"off is {SWITCHED_OFF}, so nothing wakes it; its slots would be:"
    assert len(lines) == 7


@pytest.mark.usefixtures("office")
def test_a_pause_that_changes_nothing_else(ratectl):
    """A pause, its end and what they leave never promise that the job runs again."""
    paused = ratectl("pause", "off").out
    status, listing = ratectl("status").out, ratectl("list").out
    resumed = ratectl("resume", "off").out

    assert f"  off, {SWITCHED_OFF} anyway" in paused
    assert "`ratectl resume off` ends the pause alone" in paused
    assert "lets it run again" not in paused + status
    assert SWITCHED_OFF in status
    assert "paused" in listing
    assert resumed.startswith(f"resumed off: it is {SWITCHED_OFF}, so nothing wakes it;")
    assert "next" not in resumed


@pytest.mark.usefixtures("office")
def test_listings(ratectl):
    """Status and list say why nothing comes next, to programs, too."""
    [listed] = [job for job in json.loads(ratectl("list", "--json").out) if job["job"] == "off"]
    [told] = [job for job in json.loads(ratectl("status", "--json").out) if job["job"] == "off"]

    assert "off  switched off in the spec" in ratectl("list").out
    assert f"□ off  off      {SWITCHED_OFF}" in ratectl("status").out
    assert (listed["switched_off"], told["switched_off"]) == (True, True)


@pytest.mark.usefixtures("office")
def test_paused_with_others(ratectl):
    """Beside a job that runs again only the one that does not is marked."""
    told = ratectl("pause", "--all").out

    assert f"  off, {SWITCHED_OFF} anyway\n  on\n" in told
    assert "`ratectl resume off on` lets them run again" in told


def test_plan(office, spec):
    """A plan says of a job in the spec why it makes no entry of it."""
    jobs = load(spec, host_timezone="UTC").jobs
    source = install.SpecSource(jobs=jobs, path=str(spec), digest="")
    with office.at_work() as (_, journal):
        prepared = install.prepare(office.site, source, journal)

    assert f"off: {SWITCHED_OFF}, so nothing wakes it" in prepared.warnings


def test_report(ratectl, office, tmp_path):
    """The page has it in the place of the next slot."""
    page = tmp_path / "page.html"

    page.touch()  # the fake machine keeps what is written to itself
    answer = ratectl("report", str(page))

    assert answer.code == 0, answer.err
    assert f"; {SWITCHED_OFF}" in office.machine.files[page].decode()
