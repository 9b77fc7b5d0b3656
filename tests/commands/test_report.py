"""``ratectl report``: the file that it writes. How a browser shows it is seen in tests/engines/test_report_page.py."""

import datetime as dt
import hashlib
import json
import re

import pytest

from ratectl.commands.report import MOST_POINTS
from ratectl.model.job import Pair
from ratectl.runtime import templates
from tests.fakes import past
from tests.fakes.station import now
from tests.support.share import times

pytestmark = pytest.mark.network  # looks which schedulers run
MOST_BYTES = 3_000_000
ECHARTS = "b66b25aeb4df84e33199dc21694014d336d222cbd9deb0e5a7c14bd6aa0d0fd0"
"""SHA-256 of dist/echarts.min.js in the npm package echarts 6.1.0."""
MANY = times(200)
"""Jobs whose rates of a decade are more points than the page draws."""
PAIRS = tuple(
    Pair(base="EUR", quote=code)
    for code in ["USD", "GBP", "JPY", "CHF", "SEK", "NOK", "PLN", "CZK", "HUF", "INR"]
)


@pytest.fixture
def report(ratectl, tmp_path):
    """Write the page and return its text."""

    def write(*words):
        path = tmp_path / "page.html"
        answer = ratectl("report", str(path), *words)
        assert (answer.code, answer.err) == (0, "")
        return path.read_text(encoding="utf-8")

    return write


def data(page):
    """Return what the page's script draws."""
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', page)[1]
    )


@pytest.fixture
def job(station, live_rates):
    """An installed job with two rates and a failure."""
    job = station.job(live_rates.url, schedule_texts=("every day at 10:30",))
    slot = now().replace(hour=10, minute=30, second=0) - dt.timedelta(days=2)
    station.install(job, since=slot - dt.timedelta(days=9))
    past.settle(station.state, job, slot - dt.timedelta(days=1), "95.10")
    past.settle(station.state, job, slot, "95.20")
    return job


@pytest.mark.usefixtures("job")
def test_page(report):
    """Rates, days and coming slots are in the page, with the provider's own digits."""
    [drawn] = data(report())["jobs"]

    assert drawn["series"][0]["rates"] == ["95.10", "95.20"]
    assert drawn["days"]["runs"] == [["o", 2]]
    assert len(drawn["next"]) == 30


@pytest.mark.usefixtures("job")
def test_page_asks_no_server(report):
    """Nothing in the page's own text loads anything, and its policy forbids it."""
    page, library = report(), templates.source("report/echarts.min.js")

    assert "default-src 'none'" in page
    assert library in page
    assert not re.search(r"<(link|img|iframe|script)[^>]+(src|href)=", page.replace(library, ""))


def test_library_is_the_published_one():
    """The charting library is the file that its makers published, with its licence beside it."""
    library = templates.source("report/echarts.min.js").encode()

    assert hashlib.sha256(library).hexdigest() == ECHARTS
    assert "Apache License" in templates.source("report/echarts.LICENSE")


def test_sources_are_credited(report, job):
    """The terms of the providers that the job asks are kept: they are named, with a link."""
    assert f">{job.providers[0].kind}</a>: " in report()


def test_hostile_texts(report, station, job):
    """What a server or a spec wrote cannot become a tag of the page."""
    hostile = "</script><script>alert(1)</script><b>bold</b>"
    past.fail(station.state, job, now().replace(microsecond=0), hostile)

    page = report()

    assert "<b>bold" not in page
    assert "alert(1)</script>" not in page
    assert "&lt;b&gt;bold" in page


def test_decade(report, station, live_rates):
    """Ten years of daily rates of ten pairs are all there, in less than three megabytes."""
    job = station.job(live_rates.url, pairs=PAIRS, schedule_texts=("every day at 10:30",))
    last = now().replace(hour=10, minute=30, second=0) - dt.timedelta(days=1)
    station.install(job, since=last - dt.timedelta(days=4000))
    past.decade(station.state, job, last)

    page = report()

    assert len(page.encode()) < MOST_BYTES
    assert [len(series["rates"]) for series in data(page)["jobs"][0]["series"]] == [3653] * 10


@pytest.mark.slow
def test_many_quotes_are_thinned(report, station, live_rates):
    """However many jobs have a decade each, they make a page that a browser can hold."""
    last = now().replace(hour=10, minute=30, second=0) - dt.timedelta(days=1)
    texts = ("every day at 10:30",)
    jobs = [station.job(live_rates.url, name=f"job-{n}", schedule_texts=texts) for n in range(MANY)]
    station.install(*jobs, since=last - dt.timedelta(days=4000))
    for job in jobs:
        past.decade(station.state, job, last)

    page = report()

    thinned = range(int(0.6 * MOST_POINTS / MANY), int(1.03 * MOST_POINTS / MANY))
    assert len(page.encode()) < MOST_BYTES
    assert {len(job["series"][0]["rates"]) for job in data(page)["jobs"]} <= set(thinned)


def test_only_one_job(report, station, live_rates, job):
    """--job leaves the others out, --since what is older."""
    station.install(job, station.job(live_rates.url, name="other"))

    assert [one["name"] for one in data(report("--job", "other"))["jobs"]] == ["other"]
    assert data(report("--since", "2090-01-01", "--job", "usd-inr"))["jobs"][0]["series"] == []


def test_a_zone_that_is_gone(ratectl, station, live_rates, job, tmp_path):
    """A job whose zone an upgrade took away is named and left out; the page shows the others."""
    station.install(job, station.job(live_rates.url, name="other"))
    past.spoil(station.state, "usd-inr", {"timezone": "US/Nowhere"})

    answer = ratectl("report", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")

    assert answer.code == 0
    assert "usd-inr is left out" in answer.err
    assert "'US/Nowhere'" in answer.err
    assert [one["name"] for one in data(page)["jobs"]] == ["other"]


def test_empty(report, station):
    """Without jobs the page says so, and nothing is created but the page."""
    assert "No jobs are installed." in report()
    assert not station.state.exists()


@pytest.mark.usefixtures("job")
def test_replaces(report, tmp_path):
    """An older page is replaced as a whole."""
    (tmp_path / "page.html").write_text("old")

    assert report().startswith("<!doctype html>")
    assert [path.name for path in tmp_path.glob(".*")] == []


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize(
    ("words", "code"),
    [(("--job", "nobody"), 78), (("--since", "soon"), 2), (("/proc/none/page.html",), 73)],
)
@pytest.mark.posix("/proc")
def test_misuse(ratectl, words, code):
    """What cannot be meant, or written, is refused."""
    answer = ratectl("report", *words)

    assert (answer.code, answer.out) == (code, "")


@pytest.mark.posix("a shell script for a browser")
def test_open(ratectl, tmp_path, monkeypatch, job):
    """--open hands the page to the browser that the user has chosen."""
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    monkeypatch.setattr("webbrowser._tryorder", None)  # it looks once in each process

    answer = ratectl("report", str(tmp_path / "page.html"), "--job", job.name, "--open")

    assert answer.code == 0
    assert (tmp_path / "opened").read_text().strip() == (tmp_path / "page.html").as_uri()


@pytest.mark.posix("PATH decides where a browser is")
@pytest.mark.usefixtures("job")
def test_no_browser(ratectl, tmp_path, monkeypatch):
    """Where no browser is found the page is written all the same, and its address is told."""
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("webbrowser._tryorder", None)

    answer = ratectl("report", str(tmp_path / "page.html"), "--open")

    assert (answer.code, (tmp_path / "page.html").exists()) == (69, True)
    assert (tmp_path / "page.html").as_uri() in answer.err
