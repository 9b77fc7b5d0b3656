"""A record that was copied here, of a job that is not installed here: read and deleted as that of a removed job is."""

import datetime as dt
import json

import pytest

from ratectl.journal import job_names
from ratectl.journal.journal import Journal
from ratectl.model.job import Pair
from tests.fakes import past

pytestmark = pytest.mark.network  # looks which schedulers run
PAIRS = (Pair(base="EUR", quote="USD"), Pair(base="USD", quote="INR"))
END = dt.datetime(2026, 2, 1, 10, 30, tzinfo=dt.UTC)


@pytest.fixture
def record(station):
    """Thirty days of two pairs, and no job of that name."""
    job = station.job("http://127.0.0.1:1", name="m2", pairs=PAIRS)
    past.decade(station.state, job, END, days=30)
    return job


@pytest.fixture
def failed(station):
    """A job that is known by a failed firing alone."""
    job = station.job("http://127.0.0.1:1", name="f1")
    past.fail(station.state, job, END, "offline: no way to ecb")
    return job


@pytest.mark.usefixtures("record")
def test_history(ratectl):
    """History shows it, with --pair, --format and --json, too."""
    table = ratectl("history", "m2")
    rows = json.loads(ratectl("history", "m2", "--pair", "USD/INR", "--json").out)

    assert (table.code, table.err) == (0, "")
    assert len(table.out.splitlines()) == 61
    assert len(rows) == 30
    assert {row["job"] for row in rows} == {"m2"}
    assert len(ratectl("history", "m2", "--format", "text").out.splitlines()) == 60
    assert "EUR/USD" in ratectl("history", "m2", "--last", "2", "--format", "text").out


@pytest.mark.usefixtures("record")
def test_chart(ratectl):
    """Chart draws each of its pairs."""
    drawn = ratectl("chart", "m2", "--since", "2026-01-01")

    assert drawn.code == 0
    assert "EUR/USD" in drawn.out
    assert "USD/INR" in drawn.out


@pytest.mark.usefixtures("record")
@pytest.mark.parametrize("words", [(), ("--job", "m2")])
def test_report(ratectl, tmp_path, words):
    """The page has it among the jobs that were removed."""
    assert ratectl("report", str(tmp_path / "page.html"), *words).code == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")

    assert page.index("<h2>Formerly</h2>") < page.index('<tr id="m2/')


@pytest.mark.usefixtures("record")
def test_rate(ratectl):
    """Rate answers with its numbers, as before."""
    assert ratectl("rate", "USD/INR", "--on", "2026-02-01").code == 0


@pytest.mark.usefixtures("record", "failed")
@pytest.mark.parametrize("words", [("m2", "f1"), ("--all",)])
def test_purge(ratectl, station, words):
    """Remove --purge deletes it, and nothing is left; a dry run names it."""
    planned = ratectl("remove", *words, "--purge", "--dry-run")
    assert planned.code == 0
    assert "m2" in planned.out
    assert "f1" in planned.out

    done = ratectl("remove", *words, "--purge", "--yes")

    assert (done.code, done.err) == (0, "")
    with Journal(station.state) as journal:
        for table in ("quotes", "firings", "revisions", "quarantine"):
            assert journal.database.rows(f"SELECT * FROM {table}") == []  # noqa: S608 - ours
    assert ratectl("history", "m2").code == 78
    assert ratectl("rate", "USD/INR", "--on", "2026-02-01").code == 65


@pytest.mark.usefixtures("record")
def test_purge_of_another(ratectl, station):
    """What stays is called an empty journal only where it is one."""
    job = station.job("http://127.0.0.1:1")
    station.install(job)
    with Journal(station.state) as journal:
        journal.forget_jobs([job.name])

    assert "empty journal" not in ratectl("remove", job.name, "--purge", "--yes").out
    assert ratectl("history", "m2").code == 0


@pytest.mark.usefixtures("record")
@pytest.mark.parametrize("command", ["remove", "status", "run"])
def test_what_needs_a_job(ratectl, command):
    """Who would do something with the job hears that there is only a record, and how to see it or be rid of it."""
    answer = ratectl(command, "m2")

    assert answer.code == 78
    assert "`ratectl history m2`" in answer.err
    assert "`ratectl remove m2 --purge`" in answer.err


@pytest.mark.usefixtures("record", "failed")
def test_completion(station):
    """Tab offers it where removed jobs are offered, and among the installed ones it is not."""
    assert job_names.known(station.state) == ("f1", "m2")
    assert job_names.installed(station.state) == ()


def test_once_installed(ratectl, station, record):
    """A job that is installed then has the record as its own, and is no removed one."""
    station.install(record)

    with Journal(station.state) as journal:
        assert journal.removed() == ()
    assert len(json.loads(ratectl("history", "m2", "--json").out)) == 60
