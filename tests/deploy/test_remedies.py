"""Which command brings a removed job back to where it was."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from ratectl.deploy import remedies
from ratectl.deploy.checks import no_scheduler
from tests.fakes.jobs import job
from tests.fakes.machine import Machine, host

PATH = "/home/tester/s.toml"
BOTH = "[jobs.a]\n[jobs.b]\n"


def removed(name="a", backend="cron", scope="user", spec=PATH):
    return SimpleNamespace(job=job(name), spec=spec, backend=backend, scope=scope)


@pytest.fixture
def bring_back(monkeypatch):
    """Tell the command for removed jobs, where an install that may choose goes to *auto*, and the spec is *text*."""

    def command(*rows, auto=None, text=BOTH):
        machine = Machine()
        machine.files |= {Path(PATH): text.encode()} if text else {}
        backend, scope = auto or ("", "")
        there = SimpleNamespace(backend=SimpleNamespace(NAME=backend), scope=scope)
        monkeypatch.setattr(no_scheduler, "chosen", lambda *_: there if auto else None)
        return remedies.bring_back(host(), machine, rows, ())

    return command


@pytest.mark.parametrize(
    ("row", "auto", "text", "flags"),
    [
        (removed(), ("cron", "user"), BOTH, ""),
        (removed(), None, BOTH, " --backend cron"),
        (removed(), ("systemd", "user"), BOTH, " --backend cron"),
        (removed(scope="system"), ("cron", "user"), BOTH, " --backend cron --scope system"),
        (removed(), None, f'[ratectl]\nbackend = "cron"\n{BOTH}', ""),
        (removed(), None, f'[ratectl]\nbackend = "systemd"\n{BOTH}', " --backend cron"),
    ],
)
def test_an_install_that_goes_where_the_job_was(bring_back, row, auto, text, flags):
    """An install names the scheduler where it would find another one, or none."""
    assert bring_back(row, auto=auto, text=text) == f"ratectl install {PATH}{flags}"


def test_what_served_it(bring_back):
    """A job that `serve` woke is served again, whatever scheduler runs."""
    rows = [removed(name, "serve", "foreground") for name in ("a", "b")]

    assert bring_back(*rows, auto=("cron", "user")) == f"ratectl serve {PATH}"


@pytest.mark.parametrize("text", ["", "[jobs.b]\n"], ids=["no file", "no job"])
def test_a_spec_that_has_it_no_more(bring_back, text):
    """No command is told where the spec is gone or lacks the job."""
    assert bring_back(removed(), auto=("cron", "user"), text=text) == ""


def test_jobs_of_two_specs(bring_back):
    """No one command brings back what came from two files."""
    assert bring_back(removed(), removed("b", spec="/home/tester/t.toml")) == ""


@pytest.mark.posix("a path of Windows has a drive")
def test_the_usual_spec_is_not_named(bring_back, monkeypatch):
    """An install reads jobs.toml of the configuration directory by itself."""
    monkeypatch.setenv("RATECTL_CONFIG_DIR", str(Path(PATH).parent))
    monkeypatch.setattr("tests.deploy.test_remedies.PATH", "/home/tester/jobs.toml")

    assert bring_back(removed(spec="/home/tester/jobs.toml"), auto=("cron", "user")) == (
        "ratectl install"
    )
