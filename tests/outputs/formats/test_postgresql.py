"""The table ``quotes`` in a real PostgreSQL: each row once, also when the server goes away in between."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from ratectl.errors import ConfigError, RefusedError, StorageError, TryLaterError
from ratectl.journal.journal import Journal
from ratectl.model.job import CatchUp, Output
from ratectl.outputs.formats import postgresql

pytestmark = pytest.mark.engine
ROW = (
    *("usd-inr", "2026-11-19T09:00:00+00:00", "USD", "INR", "95.10", "2026-11-19"),
    *("ecb", "2026-11-19T09:30:00+00:00", "published"),
)
NEXT = (ROW[0], "2026-11-19T10:00:00+00:00", *ROW[2:])


@pytest.fixture
def name(postgres):
    return postgres.database()


def insert(url, *rows, seconds=5):
    postgresql.insert(url, rows or (ROW,), seconds=seconds)


def test_created(postgres, name):
    """The table is made; the rate keeps its digits, and times are times."""
    insert(postgres.url(name))

    assert postgres.sql(
        name,
        "SET timezone = 'UTC';"
        "SELECT job, slot, base, quote, rate, rate_date + 1, provider, observed_at, kind FROM quotes",
    ) == [
        "usd-inr|2026-11-19 09:00:00+00|USD|INR|95.10|2026-11-20|ecb|2026-11-19 09:30:00+00|published"
    ]
    assert postgres.sql(name, "SELECT pg_typeof(rate), pg_typeof(slot) FROM quotes") == [
        "text|timestamp with time zone"
    ]


def test_twice(postgres, name):
    """A row that is there already stays as it was first written."""
    insert(postgres.url(name))
    insert(postgres.url(name), (*ROW[:4], "1", *ROW[5:]), NEXT)

    assert postgres.sql(name, "SELECT rate FROM quotes") == ["95.10", "95.10"]


def test_two_at_once(postgres, name):
    """Two firings that both find no table make one."""
    threads = [
        threading.Thread(target=insert, args=(postgres.url(name), (f"j{n}", *ROW[1:])))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert postgres.sql(name, "SELECT count(*) FROM quotes") == ["8"]


def test_least_privileges(postgres, name):
    """INSERT and SELECT on an existing table are enough; without them it is exit 77."""
    insert(postgres.url(name))
    postgres.sql(name, f"CREATE ROLE writer_{name} LOGIN; CREATE ROLE guest_{name} LOGIN")
    postgres.sql(name, f"GRANT INSERT, SELECT ON quotes TO writer_{name}")

    insert(postgres.url(name, user=f"writer_{name}"), NEXT)
    with pytest.raises(RefusedError, match="permission denied for table quotes"):
        insert(postgres.url(name, user=f"guest_{name}"), NEXT)

    assert postgres.sql(name, "SELECT count(*) FROM quotes") == ["2"]


def test_a_schema_of_its_own(postgres, name):
    """The search path of the role or the URL says in which schema the table lies."""
    postgres.sql(name, "CREATE SCHEMA books; CREATE TABLE quotes (author text)")

    insert(f"{postgres.url(name)}&options=-csearch_path%3Dbooks")

    assert postgres.sql(name, "SELECT count(*) FROM books.quotes") == ["1"]


CREATE = postgresql.CREATE


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("CREATE TABLE quotes (author text)", "expected job text, slot timestamp"),
        (CREATE.replace("rate text", "rate numeric(10, 2)"), "expected rate text"),
        (CREATE.replace("slot timestamp with time zone", "slot timestamp"), "expected slot"),
        (CREATE.replace("PRIMARY KEY (job, slot, base, quote)", "UNIQUE (job)"), "unique"),
        (CREATE.replace("base, quote)", "base, quote) DEFERRABLE"), "unique"),
    ],
)
def test_another_shape(postgres, name, table, why):
    """A table of that name which is not ours is left alone, and the message says what is wrong with it."""
    postgres.sql(name, table)

    with pytest.raises(StorageError, match=why):
        insert(postgres.url(name))

    assert postgres.sql(name, "SELECT count(*) FROM quotes") == ["0"]


def test_more_columns(postgres, name):
    """Columns of the user's own, and a key in another order, do no harm."""
    table = CREATE.replace("PRIMARY KEY (job, slot, base, quote)", "note varchar(9)")
    postgres.sql(name, f"{table}; CREATE UNIQUE INDEX ON quotes (quote, base, slot, job)")

    insert(postgres.url(name))
    insert(postgres.url(name))

    assert postgres.sql(name, "SELECT count(*) FROM quotes") == ["1"]


def test_locked(postgres, name):
    """A table that someone holds is waited for, and then it is exit 75."""
    insert(postgres.url(name))
    hold = "BEGIN; LOCK TABLE quotes; SELECT pg_sleep(30)"
    thread = threading.Thread(target=ignoring, args=(postgres, name, hold))
    thread.start()
    while postgres.sql(
        name, "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock'"
    ) == ["0"]:
        time.sleep(0.02)

    with pytest.raises(TryLaterError, match="statement timeout"):
        insert(postgres.url(name), NEXT, seconds=2)

    postgres.sql(
        name, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ '^BEGIN; LOCK'"
    )
    thread.join()


def ignoring(postgres, name, statement):
    """Run a statement that is going to be ended from outside."""
    try:
        postgres.sql(name, statement)
    except AssertionError as error:
        assert "terminating connection" in str(error)  # noqa: PT017


# From the journal


def queued(state):
    with Journal(state) as journal:
        return len(journal.database.rows("SELECT 1 FROM lines"))


def test_server_away(own_postgres, job, installed, fire, state):
    """What a server that is away does not take waits in the journal; back again, it gets each row once."""
    name = own_postgres.database()
    usd = installed(
        job(outputs=(Output(kind="postgresql", target=own_postgres.url(name)),), timeout=5)
    )
    own_postgres.stop()

    error = fire(usd).error
    assert isinstance(error, TryLaterError)
    assert queued(state) == 1
    own_postgres.start()
    assert fire(usd).error is None

    assert own_postgres.sql(name, "SELECT base, quote, rate FROM quotes") == ["USD|INR|95"]
    assert queued(state) == 0


def test_no_such_database(postgres, job, installed, fire, state):
    """A database that does not exist is exit 78, and nothing is lost."""
    usd = installed(
        job(outputs=(Output(kind="postgresql", target=postgres.url("nowhere")),), timeout=5)
    )

    assert isinstance(fire(usd).error, ConfigError)
    assert queued(state) == 1


def test_killed_and_crashed_at_any_moment(own_postgres, job, installed, state, live_rates):
    """Firings killed, and a server that crashes under them: in the end each slot is there exactly once."""
    name = own_postgres.database()
    url = own_postgres.url(name)
    provider = type(job().providers[0])
    usd = job(
        schedule_texts=("every minute",),
        catch_up=CatchUp.ALL,
        outputs=(Output(kind="postgresql", target=url),),
        providers=(
            provider(name="frankfurter", kind="frankfurter", base_url=f"{live_rates.url}/v1"),
        ),
        timeout=60,
    )
    now = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)
    installed(usd, since=now - dt.timedelta(minutes=600))
    argv = (sys.executable, "-m", "ratectl.firing", "usd-inr", "--state", str(state))

    for number in range(8):
        with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as process:
            time.sleep(0.5 + number * 0.11)
            if number % 2:
                own_postgres.stop()
                process.wait()
                own_postgres.start()
            else:
                os.kill(process.pid, signal.SIGKILL)
    while subprocess.run(argv, check=False, stderr=subprocess.DEVNULL).returncode:
        time.sleep(0.1)

    with Journal(state) as journal:
        recorded = [entry.slot for entry in journal.store().quotes("usd-inr")]
    assert queued(state) == 0
    assert len(recorded) >= 600
    kept = own_postgres.sql(
        name, "SELECT extract(epoch FROM slot)::bigint FROM quotes ORDER BY slot"
    )
    assert list(map(int, kept)) == [int(slot.timestamp()) for slot in recorded]
