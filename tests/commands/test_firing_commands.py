"""run, history and serve, as a person or a container calls them."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import zoneinfo

import pytest

from ratectl.model.job import Job, Output, Pair, Provider
from ratectl.runtime import zones
from tests.fakes import station
from tests.support.rate_server import Fault

pytestmark = pytest.mark.network
RATE = r"9[45](\.[0-9]+)?"
"""What the made-up table says of USD/INR; which of its days is served depends on today's date."""


@pytest.fixture
def ratectl(state):
    """Run ratectl on the test's own state directory."""
    environment = {**os.environ, "RATECTL_STATE_DIR": str(state)}

    def run(*arguments):
        return subprocess.run(
            (sys.executable, "-m", "ratectl", *arguments),
            capture_output=True,
            text=True,
            env=environment,
            timeout=120,
            check=False,
        )

    run.environment = environment
    return run


@pytest.fixture
def install(state, live_rates, tmp_path):
    """Record a job whose last slot was up to a minute ago."""

    def record(name="usd-inr", path="/v4", timezone="UTC", url=""):
        job = Job(
            name=name,
            pairs=(Pair(base="USD", quote="INR"),),
            schedule_texts=("every minute",),
            timezone=timezone,
            providers=(
                Provider(
                    name="exchangerate-api-v4",
                    kind="exchangerate-api-v4",
                    base_url=(url or live_rates.url) + path,
                ),
            ),
            outputs=(Output(kind="text", target=str(tmp_path / "output.txt")),),
            timeout=2,
        )
        station.install(state, job, since=station.now() - dt.timedelta(minutes=5))

    return record


def test_run(ratectl, install, tmp_path):
    """`run JOB` settles what is due and says what it recorded; again, it says that nothing is due."""
    install()

    first, second = ratectl("run", "usd-inr"), ratectl("run", "usd-inr")

    assert first.returncode == 0, first.stderr
    assert re.search(rf"recorded USD/INR {RATE} \(exchangerate-api-v4\)", first.stdout)
    assert second.stdout == "usd-inr: nothing is due\n" or "recorded" in second.stdout
    day = f"{dt.datetime.now(dt.UTC):%d/%m/%Y}"
    assert re.match(rf"{day} - 9\d(\.\d+)?\n", (tmp_path / "output.txt").read_text())


def test_run_json(ratectl, install):
    """`--json` gives facts, rates as strings."""
    install()

    [facts] = json.loads(ratectl("run", "usd-inr", "--force", "--json").stdout)

    [slot] = facts["slots"]
    assert (facts["job"], slot["outcome"]) == ("usd-inr", "recorded")
    assert slot["quotes"][0]["kind"] == "manual"
    assert re.fullmatch(RATE, slot["quotes"][0]["rate"])


@pytest.mark.parametrize(
    ("timezone", "letters"), [("Asia/Kolkata", "IST"), ("America/Sao_Paulo", "UTC-03")]
)
def test_slots_in_the_zone_of_the_job(ratectl, install, timezone, letters):
    """A slot is told to people in the job's zone, as every command tells times; JSON has ISO 8601."""
    install(timezone=timezone)

    told = ratectl("run", "usd-inr").stdout
    facts = json.loads(ratectl("run", "usd-inr", "--force", "--json").stdout)

    when = rf"\w{{3}} \d{{4}}-\d\d-\d\d \d\d:\d\d {letters}"
    assert re.match(rf"usd-inr: {when} recorded USD/INR", told)
    assert dt.datetime.fromisoformat(facts[0]["slots"][0]["slot"]).utcoffset() is not None


@pytest.mark.parametrize(("words", "told"), [(("--force",), True), ((), False)])
def test_a_try_by_hand_that_may_work_later(ratectl, install, free_port, words, told):
    """Where a try by hand fails for a while, it says that nothing repeats it, and what does; a slot is tried again by itself."""
    install(url=f"http://127.0.0.1:{free_port}")

    done = ratectl("run", "usd-inr", *words)

    assert done.returncode == 75
    line = "usd-inr: nothing tries this again by itself; `ratectl run usd-inr --force` does, once that has passed"
    assert (line in done.stderr.splitlines()) is told


@pytest.fixture
def free_port():
    """A port of this machine at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_run_all_reports_each(ratectl, install):
    """`run --all` goes on after a job that fails, and ends with its exit code."""
    install("a-good-one")
    install("b-broken-one", path="/nowhere")
    install("c-good-one")

    done = ratectl("run", "--all")

    assert done.returncode == 65
    assert "a-good-one: " in done.stdout
    assert "c-good-one: " in done.stdout
    assert done.stderr.startswith("ratectl: b-broken-one: ")
    assert "HTTP 404" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("run",), 2),
        (("run", "usd-inr", "--all"), 2),
        (("run", "usd-inr", "--slot", "2026-11-20", "--force"), 2),
        (("run", "nobody"), 78),
        (("history", "nobody"), 78),
        (("serve",), 78),
    ],
)
def test_misuse(ratectl, arguments, code):
    """What cannot be meant is refused with its exit code and without a traceback."""
    done = ratectl(*arguments)

    assert done.returncode == code
    assert done.stderr.startswith("ratectl: ")


def test_history(ratectl, install):
    """`history --json` is an array of quotes with rates as strings; removing the job keeps it."""
    install()
    assert json.loads(ratectl("history", "usd-inr", "--json").stdout) == []
    ratectl("run", "usd-inr")

    [quote] = json.loads(ratectl("history", "usd-inr", "--json").stdout)

    assert re.fullmatch(RATE, quote["rate"])
    assert {"slot", "rate_date", "provider", "observed_at", "kind"} <= set(quote)
    assert re.search(rf"USD/INR +{re.escape(quote['rate'])} ", ratectl("history", "usd-inr").stdout)


SPEC = """
[jobs.usd-inr]
pairs = ["USD/INR"]
schedule = "every 2 seconds"
catch_up = "all"
providers = ["frankfurter"]
output = "{output}"

[providers.frankfurter]
base_url = "{url}/v1"
"""


@pytest.fixture
def without_us_pacific(ratectl, tmp_path):
    """Let what *ratectl* starts see a system whose zones lack ``US/Pacific``, and no package in their place."""
    for name in zoneinfo.available_timezones() - {"US/Pacific"}:
        path = tmp_path / "zones" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(zones.data(name) or b"")
    hidden = tmp_path / "hidden" / "tzdata"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").touch()
    before = filter(None, (str(hidden.parent), ratectl.environment.get("PYTHONPATH")))
    ratectl.environment["PYTHONPATH"] = os.pathsep.join(before)
    ratectl.environment["PYTHONTZPATH"] = str(tmp_path / "zones")


@pytest.mark.slow
@pytest.mark.usefixtures("without_us_pacific")
def test_serve_without_a_zone_of_one_job(ratectl, install):
    """A job whose zone an upgrade took away is named once, and the others are served."""
    install(timezone="US/Pacific")
    install("other")

    done = ratectl("serve", "--count", "1")

    assert done.returncode == 0, done.stderr
    assert done.stderr.count("'US/Pacific'") == 1
    assert "serving 1 job; next other at" in done.stderr
    assert re.search(
        r"^other: .* recorded USD/INR ", done.stdout, re.MULTILINE
    )  # each firing is told
    assert json.loads(ratectl("history", "other", "--json").stdout)
    assert "'US/Pacific'" in ratectl("history", "usd-inr", "--json").stderr


@pytest.mark.usefixtures("without_us_pacific")
def test_an_old_name_that_the_system_lost(ratectl, install, tmp_path):
    """`list`, `status` and `report` tell the fault of the one job in ``US/Pacific``, and go on with the other."""
    install(timezone="US/Pacific")
    install("other")
    page = tmp_path / "page.html"

    listed, status, report = (
        ratectl(*words) for words in (("list",), ("status",), ("report", str(page)))
    )

    for done in (listed, status, report):
        said = done.stdout + done.stderr
        assert "no zone data for 'US/Pacific'" in " ".join(said.split())
        assert "Traceback" not in said
    assert "other" in listed.stdout
    assert "other" in status.stdout
    assert "other" in page.read_text(encoding="utf-8")
    assert (status.returncode, report.returncode) == (0, 0)


@pytest.mark.slow
@pytest.mark.posix("it is told to stop by a signal")
def test_serve_until_told_to_stop(ratectl, live_rates, tmp_path):
    """`serve SPEC` records in the foreground and ends cleanly on SIGTERM."""
    spec, output = tmp_path / "jobs.toml", tmp_path / "output.txt"
    spec.write_text(SPEC.format(output=output.as_posix(), url=live_rates.url))
    argv = (sys.executable, "-m", "ratectl", "serve", str(spec))

    with subprocess.Popen(argv, env=ratectl.environment, stderr=subprocess.PIPE) as serving:
        give_up = time.monotonic() + 90
        while not output.exists() or len(output.read_text().splitlines()) < 2:
            assert time.monotonic() < give_up
            assert serving.poll() is None, serving.stderr.read()
            time.sleep(0.05)
        serving.send_signal(signal.SIGTERM)
        try:
            assert serving.wait(70) == 0  # a firing at work goes on to the end of its minute
        finally:
            serving.kill()

    history = json.loads(ratectl("history", "usd-inr", "--json").stdout)
    assert len({quote["slot"] for quote in history}) == len(history) >= 2
    assert len(output.read_text().splitlines()) == len(history)


@pytest.mark.slow
@pytest.mark.posix("it is told to stop by a signal")
def test_serve_told_to_stop_while_a_fetch_hangs(ratectl, live_rates, tmp_path):
    """SIGTERM ends `serve` and its firings well before a container is killed; the slot stays due."""
    live_rates.misbehave(Fault(hang=True), times=100)
    spec = tmp_path / "jobs.toml"
    text = SPEC.format(output=(tmp_path / "output.txt").as_posix(), url=live_rates.url)
    spec.write_text(text.replace("every 2 seconds", "every second"))
    argv = (sys.executable, "-m", "ratectl", "serve", str(spec))

    with subprocess.Popen(argv, env=ratectl.environment, stderr=subprocess.PIPE) as serving:
        give_up = time.monotonic() + 90
        while not live_rates.requests:
            assert time.monotonic() < give_up
            time.sleep(0.05)
        serving.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        try:
            said = serving.communicate(timeout=60)[1]  # its end is that of the last child, too
        finally:
            serving.kill()

    assert time.monotonic() - begun < 9
    assert serving.returncode == 0
    assert re.fullmatch(rb"ratectl: serving 1 job; next usd-inr at .*; Ctrl-C ends it\n", said)
    assert not (tmp_path / "output.txt").exists()
