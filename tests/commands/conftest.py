"""Commands called in this process, as their users call them."""

from dataclasses import dataclass

import pytest

from ratectl import cli
from ratectl.deploy.checks import no_scheduler


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def scheduler(monkeypatch):
    """A scheduler runs, whatever machine this is; with a reason given, none does."""

    def absent(reason):
        monkeypatch.setattr(no_scheduler, "why", lambda _host: reason)

    absent("")
    return absent


@pytest.fixture
def ratectl(capsys):
    """Run one command line and return what it said."""

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        said = capsys.readouterr()
        code = ended.value.code
        return Answer(code=0 if code is None else code, out=said.out, err=said.err)

    return run


@pytest.fixture
def spec(tmp_path):
    """A spec with one job in Kolkata."""
    path = tmp_path / "jobs.toml"
    path.write_text(
        '[jobs.usd-inr]\npairs = ["USD/INR"]\nschedule = "every day at 10:30"\n'
        'output = "out.txt"\ntimezone = "Asia/Kolkata"\n',
        encoding="utf-8",
    )
    return path


@pytest.fixture
def station(station, monkeypatch):
    """An installation where the commands look for it."""
    monkeypatch.setenv("RATECTL_STATE_DIR", str(station.state))
    return station


@pytest.fixture(params=["own", pytest.param("shared", marks=pytest.mark.engine)])
def journal_url(request):
    """The journal of a job: this machine's own, and a database."""
    if request.param == "own":
        return ""
    postgres = request.getfixturevalue("postgres")
    return postgres.url(postgres.database())
