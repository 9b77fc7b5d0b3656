"""``report = "FILE"``: the page that each firing writes anew, after everything else, and that can fail only by itself."""

import dataclasses
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time

import pytest

from ratectl import spec
from ratectl.errors import RefusedError, SpecError
from ratectl.model.job import Output
from ratectl.page import publish as pages
from ratectl.runtime import locks
from tests.fakes.jobs import job as plain_job
from tests.fakes.office import Office
from tests.fakes.station import PYTHON, SCRIPT, now


@pytest.fixture
def job(station, live_rates):
    """A job that is due, whose spec names a page."""
    job = station.job(live_rates.url, report=str(station.folder / "pages" / "index.html"))
    station.install(job)
    return job


def page(station):
    """Return the page that was written."""
    return (station.folder / "pages" / "index.html").read_text(encoding="utf-8")


@pytest.mark.network
@pytest.mark.usefixtures("job")
def test_after_a_firing(station):
    """A firing leaves a page that has its rate; a wakeup with nothing to do leaves it as it is."""
    assert station.fetch().returncode == 0
    [(_slot, rate)] = station.recorded()
    written = (station.folder / "pages" / "index.html").stat()

    assert f'title="{rate}"' in page(station)
    assert "<title>1 ok · Exchange rates</title>" in page(station)
    assert station.fetch().returncode == 0
    assert (station.folder / "pages" / "index.html").stat().st_mtime_ns == written.st_mtime_ns
    assert [path.name for path in (station.folder / "pages").iterdir()] == ["index.html"]


@pytest.mark.network
@pytest.mark.usefixtures("job")
def test_another_file_in_its_place(station):
    """What somebody put there since is left as it is, and -v says so once the firing is done."""
    place = station.folder / "pages" / "index.html"
    place.parent.mkdir(exist_ok=True)
    place.write_text("<p>mine</p>")

    done = station.fetch("-v")

    assert (done.returncode, len(station.recorded())) == (0, 1)
    assert done.stdout.count(str(place)) == 1
    assert "is not a report page of ratectl" in done.stdout
    assert place.read_text() == "<p>mine</p>"


@pytest.mark.network
def test_of_a_firing_that_fails(station, job):
    """The page says so also when a firing fails."""
    station.install(station.job("http://127.0.0.1:1", report=job.report))

    assert station.fetch().returncode == 75
    assert "<title>1 failing · Exchange rates</title>" in page(station)


@pytest.mark.network
@pytest.mark.usefixtures("job")
def test_a_page_that_cannot_be_written(station):
    """The rate is recorded and delivered all the same, the exit code is 0, and -v says why there is no page."""
    (station.folder / "pages").write_text("a file, where the folder would be")
    done = station.fetch("-v")

    assert (done.returncode, len(station.lines()), len(station.recorded())) == (0, 1, 1)
    assert re.search(r"report: .*index\.html was not written: ", done.stdout)


@pytest.mark.network
@pytest.mark.posix("the shell's mv")
@pytest.mark.parametrize("place", ["pages", "pages/index.html"])
def test_doctor_mends_it(station, job, place):
    """The doctor tells of it, and what it names lets the page be written."""
    wrong = station.folder / place
    wrong.parent.mkdir(exist_ok=True)
    wrong.touch() if place == "pages" else wrong.mkdir()
    before = [x for x in findings(station) if x["check"] == "page-unwritable"]

    subprocess.run(("sh", "-c", before[0]["mend"]), check=True, timeout=60)

    assert [(x["job"], x["severity"]) for x in before] == [("usd-inr", "warning")]
    assert str(wrong) in before[0]["text"]
    assert publish(station, job) == ""
    assert [x for x in findings(station) if x["check"] == "page-unwritable"] == []


@pytest.mark.network
def test_status_tells_of_it(station, job):
    """Status says once why there is no page and what helps, and no job counts as failing for it."""
    station.install(job, dataclasses.replace(job, name="other", outputs=()))
    (station.folder / "pages").write_text("a file, where the folder would be")
    assert station.fetch().returncode == 0
    said = " ".join(ratectl(station, "status").split())
    by_job = {row["job"]: row["page"] for row in json.loads(ratectl(station, "status", "--json"))}
    (station.folder / "pages").unlink()

    assert said.count("cannot write the report page") == 1
    reason = f"{job.report}: {station.folder / 'pages'} is no folder"
    assert reason.replace(" ", "") in said.replace(" ", "")  # a long path is broken into lines
    assert "what helps: ratectl doctor" in said
    assert "failing" not in said
    assert set(by_job) == {"usd-inr", "other"}
    assert all(text.startswith(job.report) for text in by_job.values())
    assert "report page" not in ratectl(station, "status")


@pytest.mark.network
@pytest.mark.parametrize("words", [("usd-inr",), ("--sweep",)])
@pytest.mark.parametrize(
    ("flags", "in_systemd", "stream"),
    [((), False, ""), ((), True, "stderr"), (("-v",), False, "stdout")],
)
@pytest.mark.usefixtures("job")
def test_the_firing_tells_of_it(station, monkeypatch, words, flags, in_systemd, stream):
    """With -v, and in systemd's log, a firing says why there is no page; in cron's mail, once a minute, it would not be read."""
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    if in_systemd:
        monkeypatch.setenv("JOURNAL_STREAM", "8:12345")
    (station.folder / "pages").write_text("a file, where the folder would be")
    argv = (PYTHON, SCRIPT, *words, "--state", str(station.state), *flags)
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0
    assert len(station.recorded()) == 1
    told = {name: "was not written" in getattr(done, name) for name in ("stdout", "stderr")}
    assert told == {"stdout": stream == "stdout", "stderr": stream == "stderr"}


def findings(station):
    """Return what the doctor finds in the station's state directory."""
    return json.loads(ratectl(station, "doctor", "--offline", "--json"))


def ratectl(station, *words):
    """Return what the command prints in the station's state directory."""
    argv = (sys.executable, "-m", "ratectl", *words)
    environment = os.environ | {"RATECTL_STATE_DIR": str(station.state)}
    done = subprocess.run(argv, capture_output=True, env=environment, timeout=120, check=False)
    return done.stdout.decode()


@pytest.mark.network
def test_a_sweep_writes_it_once(station, job, live_rates):
    """All jobs that a sweep fires are on the page that it leaves."""
    other = station.job(live_rates.url, name="other", report=job.report, outputs=())
    station.install(job, other)
    argv = (PYTHON, SCRIPT, "--sweep", "--state", str(station.state))
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert "<title>2 ok · Exchange rates</title>" in page(station)


def test_firings_that_end_together(station, job):
    """While one writes, one waits, and the others leave their page to it, whose journal holds their rates."""
    folder = station.state / "locks"
    name = f"page-{hashlib.sha256(job.report.encode()).hexdigest()[:16]}"
    with locks.acquire(folder / f"{name}.lock", until=None):
        waiting = one_that_waits(station, job, folder / f"{name}-next.lock")
        assert publish(station, job) == ""
        assert not (station.folder / "pages").exists()
    waiting.join(60)

    assert "usd-inr" in page(station)


def one_that_waits(station, job, turn):
    """Begin a firing's page beside one that is being written; return it when it has its *turn* as the next."""
    end = time.monotonic() + 60
    waiting = None
    while not is_held(turn):
        assert time.monotonic() < end, f"{turn} was never taken"
        if waiting is None or not waiting.is_alive():  # our own look can take its turn away
            waiting = threading.Thread(target=publish, args=(station, job))
            waiting.start()
        time.sleep(0.02)
    return waiting


def is_held(path):
    with locks.acquire(path, until=None) as got:
        return not got


def publish(station, job):
    return pages.publish(station.state, job.report, host_timezone="UTC", now=now())


SPEC = """
[ratectl]
report = {report}
[jobs.usd-inr]
pairs = ["USD/INR"]
schedule = "every day at 10:30"
output = "rates.csv"
"""


def test_spec(tmp_path):
    """The path is relative to the spec, as all are, and every job carries it."""
    text = SPEC.format(report='"web/index.html"').encode()
    [job] = spec.loads(text, path=tmp_path / "jobs.toml", host_timezone="UTC").jobs

    assert job.report == str(tmp_path / "web" / "index.html")
    assert type(job).from_plain(job.to_plain()) == job
    assert (
        "report"
        not in spec.loads(
            text.replace(b'report = "web/index.html"', b""),
            path=tmp_path / "x",
            host_timezone="UTC",
        )
        .jobs[0]
        .to_plain()
    )


OTHER = """
[jobs.other]
pairs = ["USD/INR"]
schedule = "every day at 10:30"
output = "other.csv"
"""


@pytest.mark.parametrize(
    ("report", "why"),
    [
        ('"rates.txt"', "ends in .html"),
        ("7", "expected a text"),
        ('"rates.html"', "is an output of usd-inr"),
        ('"./x/../rates.html"', "is an output of usd-inr"),
        ('"jobs.html"', "is the spec itself"),
        ('"state/index.html"', "lies in ratectl's own state directory"),
        ('"notes.html"', "is there already, and is not a report page of ratectl"),
    ],
)
def test_refused(tmp_path, monkeypatch, report, why):
    """What is no page, or would replace something else, is an issue of its line."""
    monkeypatch.setenv("RATECTL_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "x").mkdir()
    (tmp_path / "notes.html").write_text("<p>mine</p>")
    text = SPEC.format(report=report).replace('"rates.csv"\n', '"csv:rates.html"\n')
    with pytest.raises(SpecError) as refused:
        spec.loads(text.encode(), path=tmp_path / "jobs.html", host_timezone="UTC")

    assert "  line 3: ratectl.report: " in str(refused.value)
    assert why in str(refused.value)


def test_jobs_of_several_accounts(tmp_path):
    """A page that accounts with records of their own would write in turns is refused, with what does better."""
    text = SPEC.format(report='"index.html"') + 'user = "clerk"\n' + OTHER
    with pytest.raises(
        SpecError, match=r"the jobs run as whoever installs them and clerk, .*--watch"
    ):
        spec.loads(text.encode(), path=tmp_path / "jobs.toml", host_timezone="UTC")


PAGE = "/home/tester/rates/index.html"


@pytest.mark.posix("a Unix machine")
@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (
            {"outputs": (Output(kind="text", target=PAGE),)},
            {"report": "/home/tester/rates/../rates/index.html"},
            "would replace an output of first",
        ),
        ({}, {"report": "/home/tester/first.toml"}, "would replace the spec of first"),
        (
            {"report": PAGE},
            {"outputs": (Output(kind="text", target=PAGE),)},
            "second: the output /home/tester/rates/index.html is the report page of first",
        ),
    ],
)
def test_page_beside_another_spec(tmp_path, first, second, why):
    """A page takes no file of a job of another spec, nor does an output take its page; both as they are may be installed again."""
    office = Office(tmp_path, "cron")
    office.install_from("/home/tester/first.toml", dataclasses.replace(plain_job("first"), **first))

    with pytest.raises(RefusedError, match="name another file") as refused:
        office.install_from(
            "/home/tester/other.toml", dataclasses.replace(plain_job("second"), **second)
        )

    assert why in str(refused.value)
    assert office.install_from(
        "/home/tester/first.toml", dataclasses.replace(plain_job("first"), **first)
    ).empty
