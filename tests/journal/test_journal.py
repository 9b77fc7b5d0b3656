"""The record: what install writes, what everyone reads, and what it refuses."""

from __future__ import annotations

import _thread
import datetime as dt
import os
import sqlite3
import threading
import time
from contextlib import closing

import pytest

from ratectl.errors import ConfigError, RefusedError, StorageError
from ratectl.journal import statements
from ratectl.journal.journal import Journal
from ratectl.journal.rate_store import Claim, ClaimLostError, RateStore, Settlement
from ratectl.journal.rows import unix
from ratectl.model.job import Job, Output, Pair, Provider

NOW = dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(days=3)
JOB = Job(
    name="usd-inr",
    pairs=(Pair(base="USD", quote="INR"),),
    schedule_texts=("every day at 09:00",),
    timezone="Asia/Kolkata",
    providers=(Provider(name="ecb", kind="ecb"),),
    outputs=(Output(kind="text", target="/rates/output.txt"),),
)


def record(journal, *jobs, now=NOW):
    journal.record_jobs(
        jobs,
        spec="/etc/jobs.toml",
        digest="d1",
        backend="cron",
        scope="user",
        host_timezone="UTC",
        now=now,
    )


@pytest.fixture
def journal(state):
    with Journal(state) as journal:
        yield journal


def test_reading_creates_nothing(state):
    """Looking at a home where nothing was installed leaves it as it was."""
    with Journal(state) as journal:
        assert journal.installed() == ()
        assert journal.store().last_firing("x") is None
        assert list(journal.store().quotes("x")) == []

    assert not state.exists()


@pytest.mark.posix("an interrupt ends a wait for a lock")
def test_interrupted_while_another_writes(journal):
    """A Ctrl-C that comes while a transaction waits to begin leaves none open: what is written next is written."""
    record(journal, JOB)
    path = str(journal.database.path)
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")

        def interrupt():
            time.sleep(0.2)
            _thread.interrupt_main()
            time.sleep(0.2)
            other.execute("COMMIT")

        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt), journal.database.transaction():
            time.sleep(60)
        thread.join(60)

    journal.advance("usd-inr", LATER)
    assert journal.installed_job("usd-inr").settled_until == LATER


def test_write_after_read(journal):
    """A journal that was empty when first read can be written to and read again."""
    assert journal.installed() == ()
    record(journal, JOB)

    assert [row.job for row in journal.installed()] == [JOB]


def test_snapshot(journal):
    """What was installed is read back equal."""
    record(journal, JOB)

    row = journal.installed_job("usd-inr")

    assert row.job == JOB
    assert (row.spec, row.digest, row.backend, row.scope) == (
        "/etc/jobs.toml",
        "d1",
        "cron",
        "user",
    )
    assert row.settled_until == row.installed_at == NOW
    assert row.next_due is None


def test_unknown_job(journal):
    """An unknown name is a configuration error that names the nearest one."""
    record(journal, JOB)

    with pytest.raises(ConfigError, match="did you mean 'usd-inr'"):
        journal.installed_job("usd-imr")


def test_update_keeps_the_watermark(journal, changed):
    """Another output or provider does not make old slots due, nor forget owed ones."""
    record(journal, JOB)
    record(journal, changed(JOB, timeout=30), now=LATER)

    row = journal.installed_job("usd-inr")

    assert row.settled_until == NOW
    assert row.job.timeout == 30


@pytest.mark.parametrize(
    "change",
    [{"schedule_texts": ("every day at 08:00",)}, {"timezone": "UTC"}, {"start": "2026-12-01"}],
)
def test_another_schedule_counts_from_now(journal, changed, change):
    """Slots of a new schedule that lie before its installation are never due."""
    record(journal, JOB)
    record(journal, changed(JOB, **change), now=LATER)

    assert journal.installed_job("usd-inr").settled_until == LATER


def test_remove_and_install_again(journal):
    """A removed job is gone from the list; installed again it does not back-fill the time between."""
    record(journal, JOB)
    journal.forget_jobs(["usd-inr"])
    assert journal.installed() == ()

    record(journal, JOB, now=LATER)

    assert journal.installed_job("usd-inr").settled_until == LATER


def test_switched_off_and_on_again(journal, changed):
    """A job that was switched off does not back-fill the time in which nobody wanted it."""
    record(journal, JOB)
    record(journal, changed(JOB, enabled=False))

    record(journal, JOB, now=LATER)

    assert journal.installed_job("usd-inr").settled_until == LATER


@pytest.mark.parametrize("snapshot", ["{}", "not JSON", "[1]"])
def test_snapshot_of_another_version(journal, changed, snapshot):
    """A snapshot that this version cannot read says so, hides no other job, and can be installed over."""
    record(journal, JOB, changed(JOB, name="euro"))
    with journal.database.transaction() as connection:
        connection.execute("UPDATE jobs SET snapshot = ? WHERE name = 'usd-inr'", (snapshot,))

    with pytest.raises(ConfigError, match="ratectl install"):
        journal.installed_job("usd-inr")
    assert [row.job.name for row in journal.readable()] == ["euro"]
    record(journal, JOB, now=LATER)

    assert journal.installed_job("usd-inr").job == JOB


def test_purge(journal, changed):
    """What was recorded for a job can be deleted after it was removed, and only then is it unknown."""
    record(journal, JOB, changed(JOB, name="euro"))
    journal.store().claim("usd-inr", [NOW], now=NOW, lease=60)
    journal.forget_jobs(["usd-inr"])
    assert journal.known() == {"usd-inr", "euro"}

    journal.purge_jobs(["usd-inr"])

    assert journal.known() == {"euro"}
    assert journal.store().last_firing("usd-inr") is None


def test_many_jobs_are_one_transaction(journal, changed):
    """Thousands of jobs are recorded together."""
    record(journal, *(changed(JOB, name=f"job-{n}") for n in range(2000)))

    assert len(journal.installed()) == 2000


def claim(journal, owner, slot=NOW, *, now=NOW):
    """Claim *slot* for 60 seconds as *owner*, and say what came of it."""
    store = RateStore(journal.database, lambda: owner)
    return store.claim("usd-inr", [slot], now=now, lease=60)[slot]


def test_claim_is_had_once(journal, state):
    """Of hosts that claim a slot at the same moment, exactly one gets it."""
    record(journal, JOB)
    got = []

    def one(number):
        with Journal(state) as mine:
            got.append(claim(mine, f"host/{number}"))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(got, key=lambda one: one.value) == [Claim.ELSEWHERE] * 7 + [Claim.OURS]


def test_claim_of_another_installation(journal):
    """Two installations on hosts of one name are two; each takes its own dead claim over at once."""
    assert claim(journal, "web/aaaa") is Claim.OURS

    assert claim(journal, "web/bbbb") is Claim.ELSEWHERE
    assert claim(journal, "web/aaaa") is Claim.OURS


def test_claim_of_a_dead_host(journal):
    """A claim is taken over once its lease has lapsed, and what its owner then brings is refused."""
    late = NOW + dt.timedelta(seconds=61)
    claim(journal, "dead/1")

    assert claim(journal, "alive/2", now=late) is Claim.OURS
    done = Settlement(slot=NOW, outcome="recorded")
    with pytest.raises(ClaimLostError), journal.database.transaction() as connection:
        RateStore(journal.database, lambda: "dead/1").settle(connection, "usd-inr", done, late)


def test_settled_slot_is_not_claimed(journal):
    """What is settled stays so."""
    claim(journal, "web/1")
    with journal.database.transaction() as connection:
        done = Settlement(slot=NOW, outcome="recorded")
        RateStore(journal.database, lambda: "web/1").settle(connection, "usd-inr", done, NOW)

    assert claim(journal, "web/1") is claim(journal, "web/2", now=LATER) is Claim.SETTLED


def test_installation_has_a_name_of_its_own(journal, tmp_path):
    """Each state directory claims under its own name, which it keeps."""
    with Journal(tmp_path / "other") as other:
        assert journal.store().owner != other.store().owner
    assert journal.owner() == journal.store().owner


def test_damaged_journal(state):
    """A damaged file is named and left alone."""
    state.mkdir()
    path = state / "journal.sqlite3"
    path.write_bytes(b"this was a journal once" * 100)

    with Journal(state) as journal, pytest.raises(StorageError, match="damaged"):
        journal.installed()

    assert path.read_bytes().startswith(b"this was")


@pytest.mark.posix("owners have numbers")
def test_state_directory_of_someone_else(state):
    """A journal that this account may not reach is refused by name, not taken for an empty one."""
    state.mkdir(mode=0)
    if os.geteuid() == 0:
        os.seteuid(65534)
    try:
        with Journal(state) as journal, pytest.raises(RefusedError, match="may not be read"):
            journal.installed()
    finally:
        os.seteuid(os.getuid())


@pytest.mark.posix("symbolic links need a privilege")
def test_state_directory_that_leads_nowhere(state):
    """A journal that cannot be looked at is our error, too."""
    state.symlink_to(state)

    with Journal(state) as journal, pytest.raises(StorageError, match="cannot be read"):
        journal.installed()


def test_newer_journal(journal, state):
    """A journal of a newer ratectl is not touched."""
    record(journal, JOB)
    with sqlite3.connect(state / "journal.sqlite3") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()

    with Journal(state) as again, pytest.raises(ConfigError, match="newer ratectl"):
        again.installed()


def test_foreign_database(state):
    """A database of another program under our name is not taken over."""
    state.mkdir()
    with sqlite3.connect(state / "journal.sqlite3") as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    connection.close()

    with Journal(state) as journal, pytest.raises(ConfigError, match="not ratectl's"):
        record(journal, JOB)


def test_first_use_by_many(state):
    """Processes that create the journal at the same moment all succeed."""
    errors = []

    def first(number):
        try:
            with Journal(state) as mine:
                claim(mine, f"host/{number}")
        except Exception as error:  # noqa: BLE001 - any is a failure of this test
            errors.append(error)

    threads = [threading.Thread(target=first, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []


def test_first_use_while_another_creates_it(state):
    """SQLite does not wait by itself there: it gives up at once on a file that is about to be a journal."""
    state.mkdir(mode=0o700)
    file = state / "journal.sqlite3"
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    end = threading.Timer(0.3, other.execute, ("ROLLBACK",))
    end.start()
    try:
        with Journal(state) as journal:
            claim(journal, "host/1")
    finally:
        end.join()
        other.close()

    with sqlite3.connect(file) as found:
        assert found.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    found.close()


def test_last_firings(journal):
    """The newest slot of each installed job, whatever became of it."""
    record(journal, JOB)
    journal.store().claim("usd-inr", [NOW, LATER], now=LATER, lease=60)
    with journal.database.transaction() as connection:
        claim = ("usd-inr", LATER, journal.owner())
        statements.release(connection, claim, detail="offline", at=unix(LATER))

    found = journal.last_firings(journal.installed(), pytest.fail)

    assert found == {"usd-inr": journal.store().last_firing("usd-inr")}
    assert (found["usd-inr"].slot, found["usd-inr"].outcome) == (LATER, "failed")
    assert not found["usd-inr"].settled


def test_a_journal_that_may_not_be_written(journal):
    """SQLite's words for a file without the right are told with what finds the way out."""
    record(journal, JOB)
    with journal.database.transaction() as connection:
        connection.execute("PRAGMA query_only = 1")

    with pytest.raises(StorageError, match=r"may not be written to; `ratectl doctor` shows what"):
        record(journal, JOB)
