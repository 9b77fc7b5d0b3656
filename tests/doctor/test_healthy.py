"""Where nothing is wrong the doctor has nothing to say, and where nothing is installed it says so."""

from __future__ import annotations

import pytest

from ratectl.backends.cron import backend as engine
from ratectl.deploy import targets
from ratectl.doctor.engine import SHADOW
from tests.doctor.conftest import SPEC
from tests.fakes.machine import root

pytestmark = pytest.mark.network


def test_silence(clinic):
    """A healthy install gives no finding at all, one short line for people, and exit code 0."""
    assert (clinic.doctor().findings, clinic.doctor().code) == ([], 0)
    assert clinic.ask().text == "all well: 2 jobs checked\n"


def test_silence_after_the_slots_were_settled(clinic):
    """Days later a job whose slots were tried is as well as on the first day."""
    clinic.wait(days=3)
    with clinic.journal() as journal:
        for name in ("one", "two"):
            journal.advance(name, clinic.machine.now)

    assert clinic.doctor("--offline").findings == []


def test_some_jobs(clinic):
    """Asked about one job it looks at that one alone."""
    clinic.machine.folders.add(SPEC.parent / "rates" / "two.txt")

    assert clinic.ask("one").text == "all well: 1 job checked\n"
    assert clinic.doctor("two").code == 78


def test_unknown_job(clinic):
    """A job that is not installed is named, with the one that was probably meant."""
    told = clinic.ask("onne")

    assert told.code == 78
    assert "'onne' is not installed; did you mean 'one'?" in told.text


def test_nothing_installed(clinic):
    """Without any job, journal or spec the doctor says that there is nothing, and finds nothing."""
    clinic.remove()
    (clinic.account.state_dir / "journal.sqlite3").unlink()
    del clinic.machine.files[SPEC]

    told = clinic.ask()

    assert (told.code, told.text) == (0, "all well: no jobs are installed\n")


def test_nothing_installed_and_no_engine(cron):
    """Where no job is installed yet and none could be woken, that is a fault."""
    cron.remove()
    cron.machine.systemd = None
    cron.machine.folders.clear()
    cron.machine.running.clear()

    [finding] = cron.doctor().findings

    assert finding["check"] == "engine-absent"
    assert "write a spec by `ratectl init` and start `ratectl serve " in finding["mend"]
    assert finding["mend"].endswith("jobs.toml`")


@pytest.fixture
def of_root(cron):
    """Root's jobs, in /etc/cron.d."""
    cron.remove()
    cron.machine.folders.add(engine.DROP_IN.parent)
    cron.machine.files[SHADOW] = b"daemon:*:1:0:9:7:::\nroot:*:19000:0:99999:7:::\n"
    cron.account = root(state_dir=cron.account.state_dir)
    cron.site = targets.Target(
        backend=engine, scope="system", host=cron.account, reader=cron.machine
    )
    cron.put_in_place()
    return cron


def test_as_root(of_root):
    """Root's jobs are looked at in the same way, and are as well; that they need no root is said, and how that ends."""
    told = of_root.doctor()

    [finding] = told.findings
    assert (told.code, finding["check"], finding["severity"]) == (0, "runs-as-root", "warning")
    assert finding["mend"].startswith("useradd --system ")


def faults_of(told):
    """Return what the doctor found beside that root's jobs run as root."""
    return [finding for finding in told.findings if finding["check"] != "runs-as-root"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda machine: machine.modes.update({engine.DROP_IN: 0o666}),
        lambda machine: machine.owners.update({engine.DROP_IN: 1000}),
    ],
)
def test_a_file_that_cron_ignores(of_root, spoil):
    """A file in /etc/cron.d that others may write to is never read by cron, which tells nobody."""
    spoil(of_root.machine)

    [finding] = faults_of(of_root.doctor())

    assert finding["check"] == "cron-file-ignored"
    assert finding["mend"] == "chown root:root /etc/cron.d/ratectl && chmod 644 /etc/cron.d/ratectl"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"root:*:19000:0:99999:7::20000:", "account"),
        (b"root:*:19000:0:90:7:::", "password"),
        (b"root:*:0:0:99999:7:::", "password"),
    ],
)
def test_an_expired_root(of_root, line, what):
    """Root's own account or password may expire as well, and then root's crontab sleeps."""
    of_root.machine.files[SHADOW] = line + b"\n"

    [finding] = faults_of(of_root.doctor())

    assert finding["check"] == "account-expired"
    assert what in finding["text"]
