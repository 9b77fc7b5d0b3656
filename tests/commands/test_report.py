"""``ratectl report``: the file that it writes. How a browser shows it is seen in tests/engines/test_report_page.py."""

import datetime as dt
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from ratectl.journal.journal import Journal
from ratectl.model.job import Pair
from ratectl.page.reading import MOST_POINTS
from tests.fakes import past
from tests.fakes.station import install, now
from tests.support.share import times

pytestmark = pytest.mark.network  # looks which schedulers run
MOST_BYTES = 2_000_000
MOST_OF_A_YEAR = 150_000
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


def rows(page):
    """Return the rows of the table of rates, by their addresses."""
    return re.findall(r'<tr id="([^"]+)"', page)


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
    """Rates with the provider's own digits, the change of a day and the coming slot are in the page."""
    page = report()
    [series] = data(page)

    assert series["rates"] == ["95.10", "95.20"]
    assert re.search(r'data-days="1 d">\+0.11<', page)
    assert '<td class="rate number" title="95.20">95<span class="fraction">.20</span>' in page
    assert "Indian rupee for one US dollar" in page
    assert re.search(r"next <time [^>]*>\w{3} \d{4}-\d\d-\d\d 10:30 UTC</time>", page)


@pytest.mark.usefixtures("job")
def test_summary(report, station, job):
    """The first line counts the jobs by how they stand, and so do the title and the icon."""
    past.fail(station.state, job, now().replace(microsecond=0), "offline: no way to ecb")
    page = report()

    assert "<title>1 failing · Exchange rates</title>" in page
    assert "ratectl doctor usd-inr" in page
    assert "fill='%23c62828'" in page
    assert "1 slot failed since " in page


@pytest.mark.usefixtures("job")
def test_page_asks_no_server(report):
    """Nothing in the page loads anything, and its policy forbids it."""
    page = report()

    assert "default-src 'none'" in page
    assert not re.search(r"<(img|iframe|script|source|object)[^>]+(src|href|data)=", page)
    assert re.findall(r'<link[^>]+href="([^"]{5})', page) == ["data:"]
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|import\(", page)


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


@pytest.mark.usefixtures("job")
def test_advice_is_shown_as_a_command(report, station):
    """What to type stands in the page as the command itself, without the terminal's quotes."""
    with Journal(station.state) as journal, journal.database.transaction() as connection:
        connection.execute("UPDATE jobs SET backend = 'serve', spec = '/rates/jobs.toml'")

    page = report()

    assert "<code>ratectl serve usd-inr</code> does</span>" in page
    assert "`" not in re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)


def test_decade(report, station, live_rates):
    """Ten years of daily rates of ten pairs are all there, in less than two megabytes."""
    job = station.job(live_rates.url, pairs=PAIRS, schedule_texts=("every day at 10:30",))
    last = now().replace(hour=10, minute=30, second=0) - dt.timedelta(days=1)
    station.install(job, since=last - dt.timedelta(days=4000))
    past.decade(station.state, job, last)

    page = report()

    assert len(page.encode()) < MOST_BYTES
    assert [len(series["rates"]) for series in data(page)] == [3653] * 10


def test_year(report, station, live_rates):
    """Ten pairs of a year are a page of 150 kB at most."""
    job = station.job(live_rates.url, pairs=PAIRS, schedule_texts=("every day at 10:30",))
    last = now().replace(hour=10, minute=30, second=0) - dt.timedelta(days=1)
    station.install(job, since=last - dt.timedelta(days=400))
    past.decade(station.state, job, last, days=365)

    assert len(report().encode()) < MOST_OF_A_YEAR


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
    assert {len(series["rates"]) for series in data(page)} <= set(thinned)


def test_only_one_job(report, station, live_rates, job):
    """--job leaves the others out, --since what is older."""
    station.install(job, station.job(live_rates.url, name="other"))

    assert rows(report("--job", "other")) == ["other/USD-INR"]
    assert data(report("--since", "2090-01-01", "--job", "usd-inr")) == []


def test_a_removed_job(report, station, job):
    """The record of a job that was removed stands folded under "Formerly", and --job takes it."""
    with Journal(station.state) as journal:
        journal.forget_jobs([job.name])
    for words in ((), ("--job", job.name)):
        page = report(*words)
        assert "No jobs are installed" in page
        assert page.index("<h2>Formerly</h2>") < page.index('<tr id="usd-inr/USD-INR"')
        assert [series["rates"] for series in data(page)] == [["95.10", "95.20"]]


def test_a_paused_job(report, station, job):
    """A paused job has no slot ahead."""
    with Journal(station.state) as journal:
        journal.pause_jobs([job.name])
    page = report()

    assert "next <time" not in page
    assert "outdated" not in re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL)


def test_without_slots_nothing_is_claimed(report, station, live_rates):
    """A job that has not fired yet has no share on time, no rate and no failure."""
    station.install(
        station.job(live_rates.url, schedule_texts=("every day at 10:30",)), since=now()
    )
    page = report()

    assert "no rate yet; the first slot is " in page
    assert '<span class="percent">\N{EN DASH}<' in page
    assert "What failed" not in page


@pytest.mark.usefixtures("job")
def test_worst_first(report, station, live_rates):
    """Jobs that stand badly come first, the others in the order in which they were installed."""
    others = [station.job(live_rates.url, name=name) for name in ("zebra", "bad", "ape")]
    station.install(*others, since=now())
    past.fail(station.state, others[1], now(), "offline: no way to ecb")

    names = [row.split("/")[0] for row in rows(report())]
    assert names == ["bad", "usd-inr", "zebra", "ape"]


def test_thinned_series_keep_their_numbers(report, station, job):
    """How many there are, the lowest and the highest are told of all rates, however few are drawn."""
    with Journal(station.state) as journal, journal.database.transaction() as connection:
        begin = (
            int(now().timestamp()) // 60 * 60 - 20_000 * 60 + 30
        )  # never a slot of the job's own
        connection.executemany(
            "INSERT INTO quotes (job, slot, base, quote, rate, rate_date, provider, observed_at, kind)"
            " VALUES (?, ?, 'USD', 'INR', ?, '2026-01-02', 'ecb', ?, 'published')",
            [
                (job.name, begin + 60 * n, "163.91" if n == 7777 else f"{95 + n % 7 / 10}", begin)
                for n in range(20_000)
            ],
        )
    page = report()
    [series] = data(page)

    assert series["told"].startswith("20,002 rates, ")
    assert "163.91" in series["rates"]
    assert "<span>163.9" in page


def test_a_zone_that_is_gone(ratectl, station, live_rates, job, tmp_path):
    """A job whose zone an upgrade took away is named and left out; the page shows the others."""
    station.install(job, station.job(live_rates.url, name="other"))
    past.spoil(station.state, "usd-inr", {"timezone": "US/Nowhere"})

    answer = ratectl("report", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")

    assert answer.code == 0
    assert "usd-inr is left out" in answer.err
    assert "'US/Nowhere'" in answer.err
    assert rows(page) == ["other/USD-INR"]
    assert "usd-inr is left out: " in page


def test_empty(report, station):
    """Without jobs the page says so, and nothing is created but the page."""
    assert "No jobs are installed" in report()
    assert not station.state.exists()


@pytest.mark.usefixtures("job")
def test_replaces(report, tmp_path):
    """An older page is replaced as a whole, and an empty file, too."""
    (tmp_path / "page.html").touch()
    page = report()
    (tmp_path / "page.html").write_text(page.replace('content="ratectl ', 'content="ratectl 0.0 '))

    assert report().startswith("<!doctype html>")
    assert 'content="ratectl 0.0' not in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.glob(".*")] == []


WRITERS = [("report",), ("status", "--prometheus")]


@pytest.mark.parametrize("words", WRITERS, ids=" ".join)
@pytest.mark.parametrize("content", ["", "notes of mine\n"])
def test_never_in_the_place_of_what_a_job_needs(
    ratectl, station, job, tmp_path, monkeypatch, words, content
):
    """Output, spec and journal of an installed job are refused by name, also under another name, and stay as they are."""
    spec, output = tmp_path / "jobs.toml", tmp_path / "output.txt"
    monkeypatch.chdir(tmp_path)
    install(station.state, job, since=now(), spec=str(spec))
    spec.write_text(content)
    output.write_text(content)
    journal = station.state / "journal.sqlite3"
    what = {
        str(spec): f"is the spec of {job.name}",
        str(output): f"is an output of {job.name}",
        "output.txt": f"is an output of {job.name}",
        os.path.join("state", "..", "output.txt"): f"is an output of {job.name}",  # noqa: PTH118 - a name for Windows, too
        str(journal): "state directory",
        str(station.state / "new.html"): "state directory",
    }
    with Journal(station.state) as opened:
        before = opened.database.rows("SELECT * FROM jobs")

    for name, said in what.items():
        answer = ratectl(*words, name)
        assert (answer.code, answer.out) == (77, ""), name
        assert said in answer.err
        assert "name another file" in answer.err
    assert spec.read_text() == output.read_text() == content
    assert not (station.state / "new.html").exists()
    with Journal(station.state) as opened:
        assert opened.database.rows("SELECT * FROM jobs") == before


@pytest.mark.parametrize("words", WRITERS, ids=" ".join)
def test_an_output_that_is_not_there_yet(ratectl, job, tmp_path, words):
    """The file that the next firing appends to is kept free for it."""
    answer = ratectl(*words, str(tmp_path / "output.txt"))

    assert (answer.code, (tmp_path / "output.txt").exists()) == (77, False)
    assert f"is an output of {job.name}" in answer.err


@pytest.mark.posix("links")
@pytest.mark.parametrize("words", WRITERS, ids=" ".join)
def test_a_link_to_an_output(ratectl, job, tmp_path, words):
    """A link to what a job needs is that file."""
    (tmp_path / "page.html").symlink_to(tmp_path / "output.txt")

    for content in (None, "10/01/2026 - 90\n"):
        if content:
            (tmp_path / "output.txt").write_text(content)
        answer = ratectl(*words, str(tmp_path / "page.html"))
        assert (answer.code, (tmp_path / "page.html").is_symlink()) == (77, True)
    assert f"is an output of {job.name}" in answer.err


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize("words", WRITERS, ids=" ".join)
@pytest.mark.parametrize(
    "content", [b"old", b"<!doctype html>\n<title>Mine</title>\n", b"\0" * 9_000]
)
def test_another_file_is_left_as_it_is(ratectl, tmp_path, words, content):
    """What is not written by us is refused, with the way out, which then works."""
    path = tmp_path / "page.html"
    path.write_bytes(content)

    answer = ratectl(*words, str(path))

    assert (answer.code, path.read_bytes()) == (77, content)
    assert answer.err.startswith(f"ratectl: {path}: is there already, and is not ")
    assert "name another file, or move this one away" in answer.err
    path.rename(tmp_path / "mine.html")
    assert ratectl(*words, str(path)).code == 0
    assert ratectl(*words, str(path)).code == 0  # and then again and again


@pytest.mark.usefixtures("job")
def test_page_and_metrics_do_not_replace_each_other(ratectl, tmp_path):
    """Each is ours, and none is the other."""
    page, metrics = (str(tmp_path / name) for name in ("page.html", "ratectl.prom"))
    assert ratectl("report", page).code == ratectl("status", "--prometheus", metrics).code == 0

    assert ratectl("report", metrics).code == ratectl("status", "--prometheus", page).code == 77


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


@pytest.mark.posix("an interrupt goes to one process")
def test_watch(station, live_rates, tmp_path):
    """--watch writes the page anew after each firing, also of one that comes much later, until it is interrupted.

    Each time with the jobs that were asked for, and no others.
    """
    job = station.job(live_rates.url, tags=("books",))
    station.install(job, station.job(live_rates.url, name="not-asked-for", outputs=()))
    path = tmp_path / "page.html"
    argv = (sys.executable, "-m", "ratectl", "report", "--watch", "--tag", "books", str(path))
    environment = os.environ | {"RATECTL_STATE_DIR": str(station.state)}
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True) as watching:
        first = watching.stdout.readline()
        past.settle(station.state, job, now().replace(microsecond=0), "97.31")
        until = time.monotonic() + 60
        while "97.31" not in path.read_text(encoding="utf-8") and time.monotonic() < until:
            time.sleep(0.2)
        watching.send_signal(signal.SIGINT)
        watching.wait(30)

    assert (first[:6], first[-4:], watching.returncode) == ("wrote ", "kB)\n", 0)
    assert "97.31" in path.read_text(encoding="utf-8")
    assert "not-asked-for" not in path.read_text(encoding="utf-8")
