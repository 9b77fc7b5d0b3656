"""Days of which an archive has no page, answers that fail as a whole, and what stands after a backfill that failed."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from ratectl import spec
from ratectl.journal import quarantine
from ratectl.journal.journal import Journal
from tests.fakes.station import LATE, now, provider
from tests.support.rate_server import Fault

pytestmark = pytest.mark.network
FRIDAY, SATURDAY, SUNDAY, MONDAY = (dt.date(2026, 11, day) for day in (13, 14, 15, 16))
GONE = Fault(status=404, body=b"<html>no such file</html>")
EMPTY = Fault(body=b"[]")
"""How other archives say that there is no rate of a day."""
ABSENT = pytest.mark.parametrize("absent", [GONE, EMPTY], ids=["404", "empty"])


@pytest.fixture
def run(typed):
    """Run a command of ratectl as a process."""
    return typed


@pytest.fixture
def archive(station, live_rates, tmp_path):
    """Install a daily job that asks an archive with a page for each day; what the pages are is given."""

    def install(*days, schedule="every day at 12:00", more=""):
        text = (
            '[providers.office]\nkind = "http-json"\nurl = "URL/any/{date}"\nrate = "r"\n'
            f'{more}[jobs.usd-inr]\npairs = ["USD/INR"]\nschedule = "{schedule}"\n'
            'timezone = "UTC"\nproviders = ["office"]\noutput = "output.txt"\n'
        ).replace("URL", live_rates.url)
        path = tmp_path / "jobs.toml"
        [job] = spec.loads(text.encode(), path=path, host_timezone="UTC").jobs
        station.install(job)
        for day, fault in days:
            live_rates.misbehave(fault, times=99, path=f"/any/{day}")
        return job

    return install


def rate(number, **more):
    return Fault(body=json.dumps({"r": number} | more).encode())


def outcomes(station):
    """Return what became of each slot, by the day of the month."""
    with Journal(station.state) as journal:
        firings = journal.database.rows("SELECT slot, outcome FROM firings ORDER BY slot")
    return {dt.datetime.fromtimestamp(row["slot"], dt.UTC).day: row["outcome"] for row in firings}


def backfill(run, first, last, *more):
    return run("backfill", "usd-inr", "--since", str(first), "--until", str(last), *more)


@ABSENT
def test_weekend_without_page(archive, run, station, absent):
    """A 404, or an empty list, for Saturday and Sunday is no rate of those days, and nothing to configure."""
    archive((FRIDAY, rate(95.1)), (SATURDAY, absent), (SUNDAY, absent), (MONDAY, rate(95.2)))

    done = backfill(run, FRIDAY, MONDAY)

    assert done.returncode == 0, done.stderr
    assert outcomes(station) == {13: "recorded", 14: "closed", 15: "closed", 16: "recorded"}


@ABSENT
def test_holiday_without_page(archive, run, station, absent):
    """A working day without a page is closed, too, where the archive gave rates before."""
    archive((FRIDAY, rate(95.1)), (MONDAY, absent))
    backfill(run, FRIDAY, FRIDAY)

    done = backfill(run, MONDAY, MONDAY)

    assert done.returncode == 0, done.stderr
    assert outcomes(station) == {13: "recorded", 16: "closed"}


def test_wrong_url(archive, run, station):
    """An archive that never gave anything may stand under a wrong URL: that is said, and no working day is closed."""
    archive((FRIDAY, GONE), (MONDAY, GONE))

    done = backfill(run, FRIDAY, MONDAY)

    assert done.returncode == 78
    assert "HTTP 404; check its url" in done.stderr
    assert outcomes(station).get(13) is None


def test_empty_from_the_start(archive, run, station):
    """An archive that answers with nothing from the start is bad data, and closes no working day."""
    archive((FRIDAY, EMPTY), (MONDAY, EMPTY))

    done = backfill(run, FRIDAY, MONDAY)

    assert done.returncode == 65
    assert "is empty" in done.stderr
    assert outcomes(station).get(13) is None


@ABSENT
def test_today_without_page(archive, run, station, live_rates, absent):
    """Today's page may come yet: try later, not configuration, once the archive is known to have pages."""
    due = now() - LATE
    archive((FRIDAY, rate(95.1)), schedule=f"every hour at :{due.minute:02}")
    backfill(run, FRIDAY, FRIDAY)
    live_rates.misbehave(absent, times=99, path="/any/")

    done = station.fetch("-v")

    assert done.returncode == 75, done.stderr
    assert "not published yet" in done.stderr


def test_an_answer_stands_under_its_own_slot(archive, run, station):
    """A whole answer that fails is held for the slot that it was asked for, not for the first of its batch."""
    notices = [Fault(body=f'{{"message": "no data {n}"}}'.encode()) for n in (1, 2)]
    archive(
        (FRIDAY, rate(95.1)), (SATURDAY, rate(95.1)), (SUNDAY, notices[0]), (MONDAY, notices[1])
    )

    backfill(run, FRIDAY, MONDAY)

    with Journal(station.state) as journal:
        held = [one.slot.day for one in quarantine.quarantine(journal.store())]
    assert held == [15, 16]


@pytest.mark.parametrize(
    "stamp", ["2026-11-17T00:00:05", "2026-11-17T00:00:05Z", "2026-11-17 00:09:00"]
)
def test_stamped_seconds_past_midnight(archive, run, station, stamp):
    """A written time shortly after midnight is of the day that it ends, as a Unix time is."""
    archive((MONDAY, rate(95.1, t=stamp)), more='date = "t"\n')

    done = backfill(run, MONDAY, MONDAY)

    assert done.returncode == 0, done.stderr
    with Journal(station.state) as journal:
        [entry] = journal.store().quotes("usd-inr")
    assert entry.quote.rate_date == MONDAY


def test_stamp_of_the_next_day_is_accepted_in_review(archive, run, station):
    """A stamp too late for that is held with its rate, and a person may record it for the slot."""
    archive((MONDAY, rate(95.1, t="2026-11-17T01:30:00Z")), more='date = "t"\n')
    refused = backfill(run, MONDAY, MONDAY)

    listed = run("review")
    accepted = run("review", "accept", "1")

    assert refused.returncode == 65
    assert "USD/INR 95.1 of 2026-11-17 (office)" in listed.stdout
    assert "asked for 2026-11-16, the answer is of 2026-11-17" in listed.stdout
    assert accepted.returncode == 0, accepted.stderr
    assert station.recorded() == [(dt.datetime(2026, 11, 16, 12, tzinfo=dt.UTC), "95.1")]


def test_after_a_failed_backfill(station, live_rates, run):
    """What a backfill could not get was not owed before and is not afterwards: `status`, `run` and the record agree."""
    yesterday = now() - dt.timedelta(days=1)
    job = station.job(
        live_rates.url,
        providers=(provider("frankfurter", live_rates.url),),
        schedule_texts=("every day at 12:00",),
        timeout=1,
    )
    station.install(job, since=now())
    live_rates.misbehave(Fault(status=500), times=1000)

    failed = backfill(run, (yesterday - dt.timedelta(days=3)).date(), yesterday.date())

    assert failed.returncode == 75
    assert outcomes(station) == {}
    assert "nothing is due" in run("run", "usd-inr").stdout
    assert "still due" not in run("status").stdout
    [facts] = json.loads(run("status", "--json").stdout)
    assert (facts["last_outcome"], facts["consecutive_failures"]) == (None, 0)


def test_after_a_backfill_that_failed_for_one_pair(archive, run, station):
    """A slot that was recorded stays so, and one that was given up stays given up."""
    archive((FRIDAY, rate(95.1)), (MONDAY, Fault(body=b'{"message": "no data"}')))
    backfill(run, FRIDAY, FRIDAY)
    with Journal(station.state) as journal, journal.store().database.transaction() as connection:
        slot = int(dt.datetime(2026, 11, 16, 12, tzinfo=dt.UTC).timestamp())
        connection.execute(
            "INSERT INTO firings (job, slot, state, owner, lease_until, outcome, at)"
            " VALUES ('usd-inr', ?, 'settled', 'x', 0, 'missed', ?)",
            (slot, slot),
        )

    assert backfill(run, FRIDAY, MONDAY).returncode == 65

    assert outcomes(station) | {14: "", 15: ""} == {13: "recorded", 14: "", 15: "", 16: "missed"}
