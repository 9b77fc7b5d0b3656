"""Several hosts on one real PostgreSQL: each slot once, whoever is killed, cut off or away."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import datetime as dt
import json
import random
import signal
import subprocess
import threading
import time

import pytest

from ratectl.errors import ConfigError, RefusedError, TryLaterError
from ratectl.journal import postgres_database, schema
from ratectl.journal.journal import Journal
from ratectl.journal.postgres_database import PostgresDatabase
from ratectl.journal.rate_store import Claim, ClaimLostError, Settlement
from ratectl.model.job import CatchUp, Output
from tests.fakes.station import Station, now
from tests.support.rate_server import Fault

pytestmark = pytest.mark.engine
SLOTS = 300
RECORDED = "SELECT count(*), count(DISTINCT slot) FROM ratectl_journal.quotes"
JOB = "usd-inr"


@pytest.fixture
def hosts(tmp_path):
    """Two installations that share nothing but the database."""
    return Station(folder=tmp_path / "a"), Station(folder=tmp_path / "b")


@pytest.fixture
def open_shared():
    """Give a store's database, closed in the end."""
    with contextlib.ExitStack() as stack:

        def give(url, name="0"):
            database = PostgresDatabase(url, lambda: name)
            stack.callback(database.close)
            return database

        yield give


def install(hosts, url, server, since=None, **changes):
    """Record one job on each host, with an output of its own."""
    for host in hosts:
        host.folder.mkdir(exist_ok=True)
        outputs = (host.output("rates.jsonl", "jsonl"),)
        host.install(host.job(server.url, outputs=outputs, journal=url, **changes), since=since)


def slots_in(hosts):
    """Return how often each slot stands in the hosts' outputs."""
    lines = [line for host in hosts for line in host.lines("rates.jsonl")]
    return collections.Counter(json.loads(line)["slot"] for line in lines)


def test_two_hosts(hosts, url, database, postgres, live_rates, record_property):
    """Both fire and are killed again and again, anywhere; when both have had a quiet run, each slot is there once."""
    afternoon = "Etc/GMT-12" if now().hour < 12 else "UTC"  # so that all slots are of one day
    since = now().replace(second=30) - dt.timedelta(minutes=SLOTS)
    install(
        hosts,
        url,
        live_rates,
        since=since,
        timezone=afternoon,
        schedule_texts=("every minute",),
        catch_up=CatchUp.ALL,
        timeout=5,
    )
    ended = collections.Counter()

    def keep_killing(host, dice):
        while len(host.recorded()) < SLOTS:
            with contextlib.suppress(subprocess.TimeoutExpired):
                done = host.fetch(
                    within=dice.uniform(0.2, 0.7 + ended["killed"] / 50)
                )  # which then kills it
                ended[done.returncode, done.stderr] += 1
                continue
            ended["killed"] += 1

    threads = [
        threading.Thread(target=keep_killing, args=(host, random.Random(number)))  # noqa: S311 - no secret
        for number, host in enumerate(hosts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = [host.fetch("-v", within=120) for host in hosts]

    assert [(done.returncode, done.stderr) for done in last] == [(0, ""), (0, "")]
    [count] = postgres.sql(database, RECORDED)
    total, distinct = map(int, count.split("|"))
    assert total == distinct >= SLOTS
    found = slots_in(hosts)
    assert (len(found), found.total()) == (total, total)
    assert [host.undelivered() for host in hosts] == [0, 0]
    assert ended["killed"] > 5
    shares = [len(host.lines("rates.jsonl")) for host in hosts]
    record_property("figures", f"{total} slots, hosts wrote {shares}, {ended['killed']} kills")


def test_takeover(hosts, url, live_rates):
    """A slot whose host died while it was at work is recorded by the other one, in the firing that waited for the lease."""
    install(hosts, url, live_rates, timeout=3)
    dead, alive = hosts
    live_rates.misbehave(Fault(hang=True))
    with subprocess.Popen(dead.argv()) as process:
        while not live_rates.requests:
            assert process.poll() is None
        process.kill()

    done = alive.fetch(within=60)

    assert (done.returncode, done.stderr) == (0, "")
    assert len(alive.lines("rates.jsonl")) == 1
    assert dead.fetch().returncode == 0
    assert slots_in(hosts).total() == 1


def test_cut_off_in_a_transaction(url, open_shared, hosts, live_rates):
    """A host that stopped in the middle of a commit holds its row locks for some seconds, not until its network tells."""
    install(hosts, url, live_rates)
    with Journal(hosts[0].state) as journal:
        slot = now()
        store = journal.store(journal.installed_job(JOB).job)
        store.claim(JOB, [slot], now=slot, lease=0)
        with contextlib.ExitStack() as stack:
            stack.enter_context(pytest.raises(TryLaterError, match="idle-in-transaction"))
            connection = stack.enter_context(store.database.transaction())
            store.settle(connection, JOB, Settlement(slot=slot), slot)
            other, begun = open_shared(url), time.monotonic()
            while not freed(other):
                assert time.monotonic() - begun < 60


def freed(database):
    """Tell whether the rows of the job can be written to within the 10 seconds that a statement may take."""
    try:
        with database.transaction() as connection:
            connection.execute("UPDATE firings SET lease_until = 0 WHERE job = ?", (JOB,))
    except TryLaterError:
        return False
    return True


def test_lost_claim(url, hosts, live_rates):
    """Who comes back after its lease lapsed and another host took over can settle nothing, and gives nothing back."""
    install(hosts, url, live_rates)
    slot = now()
    with Journal(hosts[0].state) as first, Journal(hosts[1].state) as second:
        slow, quick = (journal.store(journal.installed_job(JOB).job) for journal in (first, second))
        assert slow.claim(JOB, [slot], now=slot, lease=1) == {slot: Claim.OURS}
        assert quick.claim(JOB, [slot], now=slot, lease=60) == {slot: Claim.ELSEWHERE}
        time.sleep(2.5)
        assert quick.claim(JOB, [slot], now=slot, lease=60) == {slot: Claim.OURS}

        with pytest.raises(ClaimLostError), slow.database.transaction() as connection:
            slow.settle(connection, JOB, Settlement(slot=slot, outcome="recorded"), slot)
        assert slow.claim(JOB, [slot], now=slot, lease=60) == {slot: Claim.ELSEWHERE}


def test_leases_go_by_the_server(url, hosts, live_rates):
    """A host whose clock stands a year ahead does not take a claim that holds."""
    install(hosts, url, live_rates)
    slot = now()
    with Journal(hosts[0].state) as first, Journal(hosts[1].state) as second:
        right, ahead = (
            journal.store(journal.installed_job(JOB).job) for journal in (first, second)
        )
        right.claim(JOB, [slot], now=slot, lease=60)

        claims = ahead.claim(JOB, [slot], now=slot + dt.timedelta(days=365), lease=60)

    assert claims == {slot: Claim.ELSEWHERE}


def test_server_away(own_postgres, hosts, live_rates):
    """Without the server a firing says so with 75 and asks nobody; when it is back nothing is lost."""
    name = own_postgres.database()
    install(hosts, own_postgres.url(name), live_rates)
    assert hosts[0].fetch().returncode == 0
    own_postgres.stop()

    away = hosts[1].fetch()
    asked = len(live_rates.requests)
    own_postgres.start()
    hosts[1].rest()
    back = hosts[1].fetch("-v")

    assert away.returncode == 75
    assert "postgresql://ratectl@/" in away.stderr
    assert "Traceback" not in away.stderr
    assert asked == 1
    assert back.returncode == 0
    assert slots_in(hosts).total() == 1


def test_server_goes_down_meanwhile(own_postgres, hosts, live_rates):
    """A server that is restarted while the rate is fetched costs that firing its claim, and no slot."""
    name = own_postgres.database()
    install(hosts, own_postgres.url(name), live_rates)
    host = hosts[0]
    live_rates.misbehave(Fault(delay=3))
    with subprocess.Popen(host.argv(), stderr=subprocess.PIPE, text=True) as process:
        while not live_rates.requests:
            assert process.poll() is None
        own_postgres.stop("fast")
        own_postgres.start()
        process.communicate(timeout=60)

    host.rest()
    again = host.fetch()

    assert process.returncode in {0, 75}
    assert again.returncode == 0
    assert len(host.lines("rates.jsonl")) == len(host.recorded()) == 1


def test_missed_slots_are_not_counted_twice(hosts, url, live_rates):
    """What another host recorded while this one slept was not missed."""
    install(hosts, url, live_rates)
    assert hosts[0].fetch().returncode == 0
    with Journal(hosts[1].state) as journal:
        job = journal.installed_job(JOB).job
    hosts[1].install(dataclasses.replace(job, catch_up=CatchUp.NONE))

    done = hosts[1].fetch()

    assert done.returncode == 0
    with Journal(hosts[1].state) as journal:
        assert journal.installed_job(JOB).missed == 0


def test_created_once(url, open_shared):
    """Of hosts that begin at the same moment one makes the tables and none fails."""
    errors = []

    def begin(database):
        try:
            database.rows("SELECT * FROM firings")
        except Exception as error:  # noqa: BLE001 - any is a failure of this test
            errors.append(error)

    threads = [
        threading.Thread(target=begin, args=(open_shared(url, str(number)),)) for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []


def test_newer_version(url, open_shared, postgres, database):
    """A journal of a newer ratectl is refused, and nothing in it is touched."""
    open_shared(url).rows("SELECT 1 AS one")
    postgres.sql(database, "UPDATE ratectl_journal.meta SET value = '99' WHERE key = 'version'")

    with pytest.raises(
        ConfigError, match=f"newer ratectl .*99, this one knows {schema.BOOK_VERSION}"
    ):
        open_shared(url).rows("SELECT 1 AS one")
    assert postgres.sql(database, "SELECT value FROM ratectl_journal.meta") == ["99"]


def test_older_version(url, open_shared, postgres, database):
    """A journal of the version before revisions gets their table, once, and keeps what was recorded."""
    store = open_shared(url)
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO quotes (job, slot, base, quote, rate, rate_date, provider, observed_at, kind)"
            " VALUES ('usd-inr', 1, 'USD', 'INR', '95.070', '2026-11-20', 'ecb', 1, 'published')"
        )
    store.close()
    postgres.sql(database, "DROP TABLE ratectl_journal.revisions")
    postgres.sql(database, "DROP INDEX ratectl_journal.quotes_by_job")
    postgres.sql(database, "UPDATE ratectl_journal.meta SET value = '4' WHERE key = 'version'")

    for _ in range(2):
        assert open_shared(url).rows("SELECT * FROM revisions") == []
    assert [row["rate"] for row in open_shared(url).rows("SELECT rate FROM quotes")] == ["95.070"]
    version = "SELECT value FROM ratectl_journal.meta WHERE key = 'version'"
    assert postgres.sql(database, version) == [str(schema.BOOK_VERSION)]


def test_foreign_schema(url, open_shared, postgres, database):
    """A schema of that name with another program's tables stays as it is."""
    postgres.sql(database, "CREATE SCHEMA ratectl_journal CREATE TABLE accounts (id integer)")

    with pytest.raises(ConfigError, match="another program's tables"):
        open_shared(url).rows("SELECT 1 AS one")
    tables = "SELECT relname FROM pg_class WHERE relnamespace = 'ratectl_journal'::regnamespace"
    assert postgres.sql(database, tables) == ["accounts"]


def test_account_without_rights(postgres, database, open_shared):
    """An account that may not create the schema is exit 77; one that an administrator made for it will do."""
    role = f"guest_{database}"
    postgres.sql(database, f"CREATE ROLE {role} LOGIN")

    with pytest.raises(RefusedError, match="permission denied"):
        open_shared(postgres.url(database, user=role)).rows("SELECT 1 AS one")

    postgres.sql(database, f"CREATE SCHEMA ratectl_journal AUTHORIZATION {role}")
    assert open_shared(postgres.url(database, user=role)).rows("SELECT * FROM firings") == []


def test_encoding(postgres, open_shared):
    """A database that cannot hold what a provider may say is refused before it holds anything."""
    postgres.sql(
        "postgres", "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'"
    )

    with pytest.raises(ConfigError, match="its encoding is LATIN1"):
        open_shared(postgres.url("latin")).rows("SELECT 1 AS one")


def test_output_beside_the_journal(hosts, url, postgres, database, live_rates):
    """A table for outputs may stand in the journal's own database, also of an account that is named as we are."""
    [host, _] = hosts
    install(hosts, url, live_rates)
    with Journal(host.state) as journal:
        job = journal.installed_job(JOB).job
    assert "//ratectl@" in url  # its first schema would be one of that name
    host.install(dataclasses.replace(job, outputs=(Output(kind="postgresql", target=url),)))

    done = host.fetch()

    assert (done.returncode, done.stderr) == (0, "")
    assert postgres.sql(database, "SELECT job FROM public.quotes") == [JOB]


def test_slow_reader(url, open_shared, monkeypatch):
    """A result that someone reads page by page is not cut off by the limit on statements."""
    monkeypatch.setattr(postgres_database, "SECONDS", 2)
    database = open_shared(url)
    many = database.each("SELECT repeat('x', 1000) AS x FROM generate_series(1, 50000)")

    next(many)
    time.sleep(3)

    assert sum(1 for _ in many) == 49_999


def test_reading_while_reading(url, open_shared):
    """A long result is walked through while other questions are asked."""
    database = open_shared(url)
    with database.transaction() as connection:
        connection.executemany(
            "INSERT INTO meta VALUES (?, ?)", [(f"key-{number:03}", "x") for number in range(500)]
        )

    seen = [
        database.rows("SELECT value FROM meta WHERE key = ?", (row["key"],))[0]["value"]
        for row in database.each("SELECT key FROM meta WHERE key LIKE ? ORDER BY key", ("key-%",))
    ]

    assert seen == ["x"] * 500


def test_all_or_nothing(url, open_shared):
    """A transaction that fails leaves nothing behind, and the connection usable."""
    database = open_shared(url)

    def fail(connection):
        connection.execute("INSERT INTO meta VALUES ('a', 'b')")
        raise RuntimeError

    with pytest.raises(RuntimeError), database.transaction(durable=True) as connection:
        fail(connection)

    assert database.rows("SELECT * FROM meta WHERE key = 'a'") == []


def test_stopped_server(own_postgres, open_shared):
    """A server that answers no more is given up, within seconds."""
    url = own_postgres.url(own_postgres.database())
    database = open_shared(url)
    database.rows("SELECT 1 AS one")
    own_postgres.signal(signal.SIGSTOP)
    try:
        with pytest.raises(TryLaterError, match="no answer within"):
            database.rows("SELECT 1 AS one")
    finally:
        own_postgres.signal(signal.SIGCONT)
