"""A firing as a Kubernetes CronJob starts it: a snapshot in, one line of JSON out, and all memory in a real PostgreSQL."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.server
import json
import os
import signal
import subprocess
import threading
import time

import pytest

from ratectl.journal.journal import Journal
from ratectl.model.job import CatchUp, Output
from tests.fakes.station import PYTHON, SCRIPT, Station, now
from tests.support.rate_server import Fault

pytestmark = pytest.mark.engine
JOB = "usd-inr"
MINUTE = dt.timedelta(minutes=1)
QUOTES = "SELECT slot FROM ratectl_journal.quotes ORDER BY slot"
FIRINGS = "SELECT state, outcome, detail FROM ratectl_journal.firings ORDER BY slot"


@pytest.fixture
def job(postgres, database, live_rates, tmp_path):
    """Make an hourly job that was due three minutes ago, with changes."""

    def make(**changes):
        given = {"outputs": (), "journal": postgres.url(database)} | changes
        return Station(folder=tmp_path).job(live_rates.url, **given)

    return make


@pytest.fixture
def recorded(postgres, database):
    """Give the slots that the shared store has a quote of, as often as it has."""

    def read():
        slots = (int(line) for line in postgres.sql(database, QUOTES))
        return [dt.datetime.fromtimestamp(slot, dt.UTC) for slot in slots]

    return read


@pytest.fixture
def started(tmp_path):
    """Start a pod of its own for a job's snapshot, in the Job of that name; wait for it with ``ended``."""
    with contextlib.ExitStack() as stack:

        def start(job, name="", *, text=None, called=JOB, since=""):
            state = tmp_path / f"pod-{time.monotonic_ns()}"
            state.mkdir()
            environment = os.environ | {"RATECTL_STATE_DIR": str(state), "RATECTL_JOB_NAME": name}
            environment["RATECTL_SINCE"] = since
            text = job.to_json() if text is None else text
            argv = (PYTHON, "-I", "-S", SCRIPT, called, "--snapshot", text)
            process = subprocess.Popen(
                argv,
                env=environment,
                cwd="/",
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        yield start


def ended(process):
    """Return exit code and line of a pod that said nothing else."""
    out, err = process.communicate(timeout=90)
    assert err == ""
    [line] = out.splitlines()
    told = json.loads(line)
    assert list(told) == ["job", "slot", "outcome", "rates", "seconds", "error"]
    return process.returncode, told


def seen_from(state):
    """Return what status and doctor show of the journal in *state*, as JSON."""
    environment = os.environ | {"RATECTL_STATE_DIR": str(state)}

    def told(*words):
        argv = (PYTHON, "-m", "ratectl", *words, "--json")
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        return json.loads(done.stdout)

    return told("status"), {load["check"]: load for load in told("doctor", "--offline")}


def due(job):
    """Return the slot that was due three minutes ago."""
    minute = int(job.schedule_texts[0][-2:])
    slot = now().replace(minute=minute, second=0)
    return slot if slot <= now() else slot - dt.timedelta(hours=1)


def named(slot):
    """Return the name of the Job that Kubernetes makes for *slot*."""
    return f"{JOB}-{int(slot.timestamp()) // 60}"


def test_one_firing(job, started, recorded):
    """The slot in the Job's name is recorded, and told in one line with rate and provider."""
    hourly = job()

    code, told = ended(started(hourly, named(due(hourly))))

    assert (code, told["outcome"], told["error"]) == (0, "recorded", None)
    assert told["slot"] == due(hourly).isoformat()
    [rate] = told["rates"]
    assert (rate["pair"], rate["provider"]) == ("USD/INR", "exchangerate-api-v4")
    assert float(rate["rate"]) > 1
    assert 0 < told["seconds"] < 60
    assert recorded() == [due(hourly)]


def test_started_again(job, started, recorded, live_rates):
    """A second start for the same slot finds it settled, asks nobody and is content."""
    hourly = job()
    ended(started(hourly, named(due(hourly))))

    code, told = ended(started(hourly, named(due(hourly))))

    assert (code, told["outcome"], told["rates"]) == (0, "settled", [])
    assert told["slot"] == due(hourly).isoformat()
    assert len(recorded()) == len(live_rates.requests) == 1


def test_started_twice_at_once(job, started, recorded, live_rates):
    """Of five starts for one slot at the same moment one asks and records; the others wait for it."""
    hourly = job()
    live_rates.misbehave(Fault(delay=1))

    pods = [started(hourly, named(due(hourly))) for _ in range(5)]
    told = [ended(pod) for pod in pods]

    assert {code for code, _ in told} == {0}
    assert sorted(line["outcome"] for _, line in told) == ["recorded", *["settled"] * 4]
    assert len(recorded()) == len(live_rates.requests) == 1


def test_two_slots_at_once(job, started, recorded):
    """Pods for different slots settle one each, also the one for the older slot, however late both are."""
    every = job(schedule_texts=("every minute",))
    newer = now().replace(second=0) - 2 * MINUTE
    older = newer - MINUTE

    pods = [started(every, named(slot)) for slot in (newer, older)]

    assert [ended(pod)[1]["slot"] for pod in pods] == [newer.isoformat(), older.isoformat()]
    assert recorded() == [older, newer]


def test_older_slot_last(job, started, recorded):
    """A pod that was held up for long still settles the slot that it is for."""
    every = job(schedule_texts=("every minute",))
    newer = now().replace(second=0) - 2 * MINUTE
    for slot in (newer, newer - MINUTE):
        assert ended(started(every, named(slot)))[1]["outcome"] == "recorded"

    assert recorded() == [newer - MINUTE, newer]


@pytest.mark.parametrize("name", ["", "usd-inr-by-hand", "usd-inr-3", "usd-inr-20261124"])
def test_name_without_a_minute(job, started, recorded, name):
    """A Job that a person made is for now: what is owed, and at the very first nothing but the slot of this minute."""
    every = job(schedule_texts=("every minute",), catch_up=CatchUp.ALL)
    begun = now().replace(second=0)

    code, told = ended(started(every, name))

    assert (code, told["outcome"]) == (0, "recorded")
    assert begun <= dt.datetime.fromisoformat(told["slot"]) <= now()
    assert len(recorded()) == 1


def test_minute_without_a_slot(job, started, recorded, live_rates):
    """A guarded cover wakes between slots as well: nothing is due, nobody is asked."""
    hourly = job()

    code, told = ended(started(hourly, named(due(hourly) + MINUTE)))

    assert (code, told["outcome"], told["slot"]) == (0, "nothing is due", None)
    assert recorded() == live_rates.requests == []


@pytest.mark.parametrize(
    ("month", "wakeups", "settled"),
    [
        (3, ("01:30+01:00", "03:00+02:00", "03:30+02:00"), "03:00+02:00"),
        (10, ("02:30+02:00", "02:30+01:00"), "02:30+02:00"),
    ],
)
def test_gap_and_fold(job, started, recorded, month, wakeups, settled):
    """A time that the clocks skip is settled where the schedule puts it, one that they repeat in its first pass only."""
    nightly = job(schedule_texts=("every day at 02:30",), timezone="Europe/Berlin")
    day = last_change(month)
    moments = [dt.datetime.fromisoformat(f"{day}T{wakeup}") for wakeup in wakeups]

    told = [ended(started(nightly, named(moment)))[1] for moment in moments]

    slot = f"{day}T{settled.replace('+', ':00+')}"
    assert [line["slot"] for line in told if line["rates"]] == [slot]
    assert recorded() == [dt.datetime.fromisoformat(slot)]


def last_change(month):
    """Return the last Sunday of the newest *month* that has one behind us."""
    ends = (dt.date(year, month, 31) for year in (now().year, now().year - 1))
    sundays = (end - dt.timedelta(days=end.isoweekday() % 7) for end in ends)
    return next(sunday for sunday in sundays if sunday < now().date() - dt.timedelta(days=1))


@pytest.mark.parametrize(
    ("policy", "settled"), [(CatchUp.ALL, 4), (CatchUp.LATEST, 2), (CatchUp.NONE, 2)]
)
def test_catch_up(job, started, recorded, policy, settled):
    """What passed since the last slot that the store knows is settled as the job's policy says."""
    every = job(schedule_texts=("every minute",), catch_up=policy)
    first = now().replace(second=0) - 4 * MINUTE
    ended(started(job(schedule_texts=("every minute",)), named(first)))

    code, told = ended(started(every, named(now())))

    assert code == 0
    assert len(recorded()) in {settled, settled + 1}  # the minute may have passed meanwhile
    assert len(told["rates"]) == len(recorded()) - 1
    assert recorded()[-1].isoformat() == told["slot"]


def test_what_failed_is_owed(job, started, recorded, live_rates):
    """A slot whose provider was away is exit 75; the next wakeup, for a minute without a slot, makes up for it."""
    hourly = job(timeout=2)
    live_rates.misbehave(Fault(status=503), times=99)
    code, told = ended(started(hourly, named(due(hourly))))
    assert (code, told["outcome"], told["rates"]) == (75, "failed", [])
    assert "exchangerate-api-v4" in told["error"]
    live_rates.faults.clear()

    code, told = ended(started(hourly, named(due(hourly) + MINUTE)))

    assert (code, told["outcome"], told["slot"]) == (0, "recorded", due(hourly).isoformat())
    assert recorded() == [due(hourly)]


def test_told_once(job, started, live_rates):
    """Failures in a row are counted by the store: one message when there are enough, and one when it records again."""
    with listening() as (url, heard):
        every = job(schedule_texts=("every minute",), timeout=8, notify=(url,), notify_after=2)
        first = now().replace(second=0) - 6 * MINUTE
        live_rates.misbehave(Fault(status=404), times=3)
        codes = [ended(started(every, named(first + n * MINUTE)))[0] for n in range(5)]

    assert [bool(code) for code in codes] == [True, True, True, False, False]
    assert heard == ["failed", "recovered"]


@contextlib.contextmanager
def listening():
    """Give a URL and the events that are posted to it."""
    heard = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append(json.loads(body)["event"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", heard
        server.shutdown()


def test_slots_of_a_pause(job, started, recorded, live_rates):
    """What the cluster makes up for when a pause ends is left out; the slots after it are not."""
    every = job(schedule_texts=("every minute",))
    slot = now().replace(second=0) - 4 * MINUTE
    since = (slot + MINUTE).isoformat()

    code, told = ended(started(every, named(slot), since=since))

    assert (code, told["outcome"], told["slot"]) == (0, "nothing is due", None)
    assert recorded() == live_rates.requests == []
    assert ended(started(every, named(slot + 2 * MINUTE), since=since))[1]["outcome"] == "recorded"
    assert recorded() == [slot + 2 * MINUTE]


def test_a_pause_of_no_time(job, started):
    """What is no time there is exit 78, and says what is expected."""
    code, told = ended(started(job(), since="yesterday"))

    assert code == 78
    assert "RATECTL_SINCE=yesterday: expected a time" in told["error"]


def test_failures_are_seen_from_anywhere(job, started, live_rates, tmp_path):
    """A provider that is down counts for whoever looks: the pods that failed left no other trace."""
    every = job(schedule_texts=("every minute",), timeout=2)
    first = now().replace(second=0) - 6 * MINUTE
    live_rates.misbehave(Fault(status=503), times=99)
    for number in range(3):
        assert ended(started(every, named(first + number * MINUTE)))[0] == 75
    with Journal(tmp_path / "workstation") as journal:
        facts = {"spec": "", "digest": "", "backend": "kubernetes", "scope": "user"}
        journal.record_job(every, **facts, host_timezone="Etc/UTC", now=first)
        rows = journal.readable()

        def failures():
            last = journal.last_firings(rows, lambda _error: None)
            return [row.failures for row in journal.counting_together(rows, last)]

        assert failures() == [3]
        [row], findings = seen_from(tmp_path / "workstation")
        assert row["consecutive_failures"] == 3
        assert "the last 3 firings failed" in findings["firings-failing"]["text"]
        live_rates.faults.clear()
        assert ended(started(every, named(first + 4 * MINUTE)))[0] == 0
        assert failures() == [0]


def test_sigterm(job, started, recorded, live_rates, postgres, database):
    """Stopped while a provider hangs, a pod gives its claim back within seconds, and the next start takes the slot."""
    hourly = job(timeout=60)
    live_rates.misbehave(Fault(hang=True))
    pod = started(hourly, named(due(hourly)))
    while not live_rates.requests:
        assert pod.poll() is None
    begun = time.monotonic()
    pod.send_signal(signal.SIGTERM)

    code, told = ended(pod)

    assert time.monotonic() - begun < 10
    assert (code, told["outcome"], told["slot"]) == (75, "failed", due(hourly).isoformat())
    assert told["error"] == "stopped by SIGTERM; the slot stays due"
    assert postgres.sql(database, FIRINGS) == ["open|failed|stopped by SIGTERM"]
    begun = time.monotonic()
    assert ended(started(hourly, named(due(hourly))))[0] == 0
    assert time.monotonic() - begun < 30  # not the lease of 75 s
    assert recorded() == [due(hourly)]


def test_sigterm_at_any_moment(job, started, recorded):
    """Stopped at whatever moment, a pod ends with 75, or with 0 when it was done; the slot is there once after the next."""
    every = job(schedule_texts=("every minute",))
    slots = [now().replace(second=0) - number * MINUTE for number in range(2, 10)]
    for number, slot in enumerate(slots):
        pod = started(every, named(slot))
        time.sleep(0.1 + 0.15 * number)
        pod.send_signal(signal.SIGTERM)
        pod.communicate(timeout=30)
        assert pod.returncode in {0, 75, -signal.SIGTERM}  # the last before Python has begun
        assert ended(started(every, named(slot)))[0] == 0

    assert recorded() == sorted(slots)


def test_sigterm_without_the_database(own_postgres, job, started, live_rates):
    """With the database gone at the same time, the claim ends by its lease and the pod within its grace period."""
    hourly = job(journal=own_postgres.url(own_postgres.database()), timeout=60)
    live_rates.misbehave(Fault(hang=True))
    pod = started(hourly, named(due(hourly)))
    while not live_rates.requests:
        assert pod.poll() is None
    own_postgres.signal(signal.SIGSTOP)
    begun = time.monotonic()
    try:
        pod.send_signal(signal.SIGTERM)
        code, _ = ended(pod)
        assert time.monotonic() - begun < 25
    finally:
        own_postgres.signal(signal.SIGCONT)
    assert code == 75


def test_database_away(own_postgres, job, started, live_rates):
    """Without the database a pod says so with 75, and asks nobody."""
    hourly = job(journal=own_postgres.url(own_postgres.database()))
    own_postgres.stop()

    code, told = ended(started(hourly, named(due(hourly))))

    assert (code, told["outcome"]) == (75, "failed")
    assert "postgresql://ratectl@/" in told["error"]
    assert live_rates.requests == []


def test_output_in_a_database(job, started, postgres, database, recorded):
    """An output in PostgreSQL gets its row, also one that an earlier pod was stopped before."""
    hourly = job(outputs=(Output(kind="postgresql", target=postgres.url(database)),))
    postgres.sql(database, "CREATE TABLE quotes (taken integer)")
    code, _ = ended(started(hourly, named(due(hourly))))
    assert code != 0
    assert recorded() == [due(hourly)]
    postgres.sql(database, "DROP TABLE quotes")

    code, told = ended(started(hourly, named(due(hourly))))

    assert (code, told["outcome"]) == (0, "settled")
    assert postgres.sql(database, "SELECT count(*) FROM public.quotes") == ["1"]


def test_nothing_is_left(job, started, tmp_path):
    """A pod leaves its state directory as it found it, and writes nowhere else."""
    hourly = job()
    before = {path for path in tmp_path.rglob("*") if path.is_file()}

    ended(started(hourly, named(due(hourly))))

    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before
    assert [list(folder.iterdir()) for folder in tmp_path.glob("pod-*")] == [[]]


def test_clock_behind(job, started, live_rates):
    """A node whose clock is far behind the scheduler's is told so, instead of waiting for the slot."""
    every = job(schedule_texts=("every minute",))

    code, told = ended(started(every, named(now() + 30 * MINUTE)))

    assert code == 75
    assert "set the clock of this node" in told["error"]
    assert live_rates.requests == []


def test_clock_a_little_behind(job, started, recorded):
    """A slot that is still ahead, by a few seconds of the clock or of its minute, is waited for."""
    ahead = now() + dt.timedelta(seconds=4)
    soon = job(schedule_texts=(f"every minute at :{ahead.second:02}",))

    code, told = ended(started(soon, named(ahead.replace(second=0))))

    assert (code, told["outcome"], told["slot"]) == (0, "recorded", ahead.isoformat())
    assert recorded() == [ahead]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"journal": ""}, "needs a shared journal"),
        ({"outputs": (Output(kind="csv", target="/data/rates.csv"),)}, "csv:/data/rates.csv"),
        ({"name": "eur-inr"}, "is of the job 'eur-inr', not of 'usd-inr'"),
        ({"timezone": "Europe/Berlim"}, "Europe/Berlim"),
    ],
)
def test_job_not_for_a_pod(job, started, changes, said):
    """A job that a pod cannot fire is exit 78, and says why."""
    code, told = ended(started(job(**changes), "usd-inr-29923681"))

    assert (code, told["outcome"], told["slot"]) == (78, "failed", None)
    assert said in told["error"]


def test_wrong_json(job, started):
    """A snapshot that is none is exit 78, and names what is wrong."""
    code, told = ended(started(job(), text='{"name": "usd-inr"'))

    assert code == 78
    assert told["error"].startswith("--snapshot: not JSON (Expecting ',' delimiter")


def test_switched_off(job, started, live_rates):
    """A job with enabled = false is not fetched."""
    hourly = job(enabled=False)

    code, told = ended(started(hourly, named(due(hourly))))

    assert (code, told["outcome"]) == (0, "switched off in the spec")
    assert live_rates.requests == []
