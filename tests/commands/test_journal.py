"""``ratectl journal``: a record copied between this machine's file and a real PostgreSQL, and back; and who may do what."""

import contextlib
import dataclasses
import datetime as dt
import json
import sqlite3
from pathlib import Path

import pytest

from ratectl.errors import RefusedError, StorageError
from ratectl.journal import copy as copying
from ratectl.journal import quarantine, schema
from ratectl.journal.journal import Journal
from ratectl.journal.statements import add_quarantined
from ratectl.model.job import Pair
from ratectl.model.quote import SuspectQuote
from tests.fakes import past
from tests.support.postgres import serving

pytestmark = pytest.mark.engine
ROLES = Path(__file__).resolve().parents[2] / "templates/postgresql/roles.sql"
FIRST = dt.datetime(2026, 1, 1, 10, 30, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
SLOTS = 2_500
"""More than go into two transactions."""


@pytest.fixture
def recorded(station, live_rates):
    """A job with a long record in this machine's own journal: quotes, failures, closed slots, and an answer that is held."""
    job = station.job(live_rates.url, schedule_texts=("every hour",))
    station.install(job, since=FIRST - HOUR)
    past.decade(station.state, job, FIRST + SLOTS * dt.timedelta(days=1), days=SLOTS)
    past.settle(station.state, job, FIRST - HOUR * 2, outcome="closed")
    past.fail(station.state, job, FIRST - HOUR, "offline: no way to ecb")
    odd = past.quote(job.pairs[0], "0.0105", FIRST, provider="ecb")
    with Journal(station.state) as journal:
        database = journal.store(job).database
        with database.transaction() as connection:
            suspect = SuspectQuote(
                provider="ecb", reason="looks inverted", body=b"<xml/>", quote=odd
            )
            add_quarantined(connection, job.name, [(FIRST, suspect)], FIRST)
        with database.transaction() as connection:  # a firing at work: no part of the record
            connection.execute(
                "INSERT INTO firings (job, slot, state, owner, lease_until, at) VALUES (?, 1, 'claimed', 'x', 2, 1)",
                (job.name,),
            )
    return job


def everything(state, url=""):
    """Return all rows of a store, but for ids, which each database gives itself."""
    with Journal(state) as journal:
        database = journal.store_at(url).database
        tables = {}
        for table in ("firings", "quotes", "revisions", "quarantine"):
            rows = database.rows(f"SELECT * FROM {table} WHERE job = 'usd-inr'")  # noqa: S608 - no input
            found = ({k: row[k] for k in row.keys() if k != "id"} for row in rows)  # noqa: SIM118 - a sqlite3.Row
            tables[table] = sorted(map(str, found))
        bodies = [
            quarantine.body(journal.store_at(url), quarantined.id)
            for quarantined in quarantine.quarantine(journal.store_at(url))
        ]
    return tables | {"bodies": bodies}


def without_claims(tables):
    return tables | {"firings": [row for row in tables["firings"] if "'claimed'" not in row]}


@pytest.mark.usefixtures("recorded")
def test_there_and_back(ratectl, station, url, tmp_path, monkeypatch):
    """What is copied into PostgreSQL, and from there into another machine's file, is the record to the last column."""
    there = ratectl("journal", "copy", "sqlite", url)
    before = without_claims(everything(station.state))
    in_postgres = everything(station.state, url)
    monkeypatch.setenv("RATECTL_STATE_DIR", str(tmp_path / "other"))
    back = ratectl("journal", "copy", url, "sqlite", "--job", "usd-inr")

    assert there.out == back.out
    assert there.out == (
        f"usd-inr: {SLOTS} quotes, {SLOTS + 2} slots, 1 held answer copied;"
        f" {2 * SLOTS + 3} rows compared, the same in both\n"
    )
    assert in_postgres == everything(tmp_path / "other") == before


@pytest.mark.usefixtures("recorded")
def test_again(ratectl, url):
    """A second copy finds everything there, verifies it, and writes nothing."""
    ratectl("journal", "copy", "sqlite", url)

    [facts] = json.loads(ratectl("journal", "copy", "sqlite", url, "--json").out)

    assert set(facts["written"].values()) == {0}
    assert facts["verified"] == {
        "quotes": SLOTS,
        "revisions": 0,
        "firings": SLOTS + 2,
        "quarantine": 1,
    }


def void(ratectl, day):
    """Take back what was recorded on the day *day* after the first."""
    moment = (FIRST + day * dt.timedelta(days=1)).isoformat()
    assert ratectl("review", "void", moment, "--job", "usd-inr", "--reason", "a slip").code == 0


@pytest.mark.usefixtures("recorded")
def test_voided(ratectl, station, url):
    """What was taken back goes along, with its reason, and does not count there either."""
    void(ratectl, 1)

    answer = ratectl("journal", "copy", "sqlite", url)

    assert answer.out.startswith(
        f"usd-inr: {SLOTS - 1} quotes, {SLOTS + 2} slots, 1 held answer, 1 earlier number copied;"
    )
    assert everything(station.state, url) == without_claims(everything(station.state))


@pytest.mark.usefixtures("recorded")
def test_voided_after_a_copy(ratectl, url):
    """A number that the target has from before counts there: the next copy names it, and exits with 65."""
    ratectl("journal", "copy", "sqlite", url)
    void(ratectl, 1)

    answer = ratectl("journal", "copy", "sqlite", url)

    assert answer.code == 65
    assert "quotes " in answer.err


def test_cut_short(station, recorded, url):
    """A copy that is interrupted anywhere is finished by the next one, and no row is there twice."""

    def stop(batches):
        left = iter(range(batches))

        def told(_count):
            if next(left, None) is None:
                raise KeyboardInterrupt

        return told

    for batches in (1, 2, 4):
        with Journal(station.state) as journal:
            stores = journal.database, journal.store_at(url).database
            with pytest.raises(KeyboardInterrupt):
                copying.copy(*stores, recorded.name, stop(batches))
    with Journal(station.state) as journal:
        stores = journal.database, journal.store_at(url).database
        copied = copying.copy(*stores, recorded.name, lambda _: None)

    assert not list(copied.faults())
    assert 0 < copied.written["firings"] < SLOTS
    assert everything(station.state, url) == without_claims(everything(station.state))


@pytest.mark.usefixtures("recorded")
def test_differing_rows_are_left(ratectl, station, url):
    """A row that the target has otherwise stays as it is there, is named, and exits with 65."""
    ratectl("journal", "copy", "sqlite", url)
    with (
        Journal(station.state) as journal,
        journal.store_at(url).database.transaction() as connection,
    ):
        connection.execute(
            "UPDATE quotes SET rate = '1' WHERE slot = (SELECT min(slot) FROM quotes)"
        )
    there = everything(station.state, url)

    answer = ratectl("journal", "copy", "sqlite", url)

    assert answer.code == 65
    assert "usd-inr: 1 row differs and was left" in answer.err
    assert everything(station.state, url) == there


@pytest.mark.usefixtures("recorded")
def test_history_from_the_copy(ratectl, station, recorded, url):
    """A job that then changes its journal has its whole history there, and goes on from where it was."""
    ratectl("journal", "copy", "sqlite", url)
    before = ratectl("history", "usd-inr", "--format", "csv").out
    station.install(dataclasses.replace(recorded, journal=url))

    assert ratectl("history", "usd-inr", "--format", "csv").out == before


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("copy", "sqlite"), 2, "two journals"),
        (("copy", "sqlite", "sqlite"), 2, "sqlite and sqlite are the same journal"),
        (("copy", "postgresql:///b", "postgresql:///b"), 2, "are the same journal"),
        (("copy", "nofile.sqlite3", "sqlite"), 78, "nofile.sqlite3: there is no such file; name"),
        (("copy", "postgresql", "sqlite"), 2, "postgresql://user@host/database"),
        (("copy", "sqlite", "mysql://x/y"), 2, "postgresql://user@host/database"),
        (("copy", "sqlite", "postgresql://a:secret@h/b"), 2, "password"),
        (("create", "sqlite"), 2, "PostgreSQL URL"),
        (("copy", "sqlite", "postgresql://nobody@/x?host=/nowhere"), 78, "--job"),
    ],
)
@pytest.mark.usefixtures("station")
def test_misuse(ratectl, words, code, told):
    """What cannot be meant is refused, and no secret is repeated."""
    answer = ratectl("journal", *words)

    assert (answer.code, told in answer.err) == (code, True)
    assert "secret" not in answer.err


@pytest.mark.usefixtures("recorded")
def test_this_machine_s_journal_by_its_file(ratectl, station):
    """The file of this machine's own journal is the journal "sqlite", and no second one."""
    answer = ratectl("journal", "copy", str(station.state / "journal.sqlite3"), "sqlite")

    assert (answer.code, "are the same journal" in answer.err) == (2, True)


@pytest.fixture(scope="module")
def own_server():
    """A server of this file: roles are for all databases of one."""
    yield from serving()


@pytest.fixture(scope="module")
def accounts(own_server):
    """URLs of one database by role; its journal is yet to be made."""
    name = own_server.database()
    for statement in ROLES.read_text().split(";\n"):
        own_server.sql(name, statement)
    for role in ("owner", "writer", "reader"):
        own_server.sql(name, f"CREATE ROLE a_{role} LOGIN IN ROLE ratectl_{role}")
    urls = {role: own_server.url(name, user=f"a_{role}") for role in ("writer", "reader")}
    return urls | {"owner": own_server.url(name, "a_owner") + "&options=-crole%3Dratectl_owner"}


class TestRoles:
    """The accounts of templates/postgresql/roles.sql may do what they need, and no more."""

    def test_before_it_is_made(self, ratectl, accounts, station):
        """Who may not make the tables is told who makes them, and how."""
        answer = ratectl("journal", "create", accounts["writer"])

        assert answer.code == 77
        assert "ratectl journal create URL" in answer.err
        assert not station.state.exists()

    def test_made_by_its_owner(self, ratectl, accounts):
        """The owner makes the journal, once."""
        assert ratectl("journal", "create", accounts["owner"]).code == 0
        assert ratectl("journal", "create", accounts["owner"]).code == 0

    def test_writer_records(self, accounts, station, live_rates):
        """A host that may only write rows records as ever."""
        station.install(station.job(live_rates.url, journal=accounts["writer"]))

        done = station.fetch()

        assert (done.returncode, done.stderr) == (0, "")
        assert [slot for slot, _ in station.recorded()]

    def test_reader_reads(self, ratectl, accounts, station, live_rates):
        """Who may only read sees status, history and report, and records nothing."""
        job = station.job(live_rates.url, journal=accounts["reader"])
        station.install(job, dataclasses.replace(job, name="other"))
        page = str(station.folder / "page.html")

        seen = [
            ratectl(*words) for words in (("status",), ("history", "usd-inr"), ("report", page))
        ]

        assert [answer.code for answer in seen] == [0, 0, 0]
        assert "USD/INR" in seen[1].out
        assert ratectl("run", "other").code == 77

    @pytest.mark.parametrize("role", ["writer", "reader"])
    @pytest.mark.parametrize(
        "statement",
        [
            "DROP TABLE quotes",
            "ALTER TABLE quotes ADD x text",
            "CREATE TABLE x (y text)",
            "TRUNCATE quotes",
        ],
    )
    def test_nobody_else_changes_tables(self, accounts, station, role, statement):
        """Neither account can change or drop a table."""
        with Journal(station.state) as journal:
            database = journal.store_at(accounts[role]).database
            with pytest.raises(RefusedError), database.transaction() as connection:
                connection.execute(statement)


HOSTS = ROLES.with_name("hosts.sql")
DUE = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
ATTACKS = {
    "a rate": "UPDATE quotes SET rate = '1'",
    "a rate that goes": "DELETE FROM quotes",
    "what was revised": "DELETE FROM revisions",
    "what became of a slot": "UPDATE firings SET outcome = 'missed', state = 'open'",
    "a slot that goes": "DELETE FROM firings",
    "a line that waits": "UPDATE lines SET data = 'mine'",
    "a line for another": "INSERT INTO lines (target, job, slot, data) VALUES ('x', 'usd-inr', 0, 'mine')",
    "where a file stands": "UPDATE sinks SET position = 0, sent = ''",
    "a held rate": "UPDATE quarantine SET rate = '1'",
    "what a held rate was made of": """UPDATE quarantine SET facts = '{"kind": "manual"}'""",
    "what is left of it": "UPDATE quarantine SET facts = '{}'",
    "the version": "UPDATE meta SET value = '1'",
}


@pytest.fixture(scope="module")
def two_hosts():
    """A server with the accounts of roles.sql, logins of two hosts among them, and the name of a database."""
    for server in serving():
        name = server.database()
        server.sql(name, ROLES.read_text())
        server.sql(name, "CREATE ROLE keeper LOGIN IN ROLE ratectl_owner")
        for host in ("first", "second"):
            server.sql(name, f"CREATE ROLE {host} LOGIN IN ROLE ratectl_writer")
        yield server, name


def hold(station, slot):
    """Put an answer for *slot* into quarantine, as the firing of a host does."""
    quote = past.quote(Pair(base="USD", quote="INR"), "9507", DUE)
    suspect = SuspectQuote(provider="ecb", reason="100 times", body=b"{}", quote=quote)
    with Journal(station.state) as journal:
        journal.store_of_job("usd-inr").add_suspects("usd-inr", [(slot, suspect)], DUE)


def test_each_host_changes_its_own(two_hosts, ratectl, station, live_rates):
    """After hosts.sql two hosts record as ever, and neither changes what the other recorded or what waits for it."""
    server, name = two_hosts
    keeper = server.url(name, user="keeper") + "&options=-crole%3Dratectl_owner"
    assert ratectl("journal", "create", keeper).code == 0
    server.sql(name, HOSTS.read_text())
    station.install(station.job(live_rates.url, journal=server.url(name, user="first")))
    assert station.fetch().returncode == 0
    hold(station, DUE)
    tables = ("quotes", "firings", "lines", "sinks", "quarantine", "meta")

    def content():
        with Journal(station.state) as journal:
            first = journal.store_of_job("usd-inr").database
            return [list(first.rows(f"SELECT * FROM {table}")) for table in tables]  # noqa: S608

    before = content()
    database = Journal(station.state).store_at(server.url(name, user="second")).database
    for attack in ATTACKS.values():
        with contextlib.suppress(RefusedError), database.transaction() as connection:
            connection.execute(attack)
    database.close()
    assert content() == before

    other = dataclasses.replace(station, folder=station.folder / "other")
    other.folder.mkdir()
    job = other.job(live_rates.url, journal=server.url(name, user="second"))
    other.install(job)
    hold(other, DUE + dt.timedelta(hours=1))
    with Journal(other.state) as journal:
        [answer] = quarantine.quarantine(journal.store_of_job("usd-inr"))
        assert (len(answer.slots), answer.seen) == (2, 2)
    assert other.fetch("--force").returncode == 0
    assert len(other.recorded()) == 2
    assert ratectl("journal", "copy", server.url(name, user="second"), "sqlite").code == 0


def test_brought_up(ratectl, postgres, station, live_rates):
    """A shared journal of the version before is brought here by the first host that comes, with all that is in it."""
    name = postgres.database()
    url = postgres.url(name)
    station.install(station.job(live_rates.url, journal=url))
    assert station.fetch().returncode == 0
    before = station.recorded()
    for statement in (
        "DROP INDEX ratectl_journal.quarantine_by_job",
        "DROP INDEX ratectl_journal.firings_in_trouble",
        "DROP INDEX ratectl_journal.quotes_by_job",
        "UPDATE ratectl_journal.meta SET value = '2' WHERE key = 'version'",
    ):
        postgres.sql(name, statement)
    assert ratectl("history", "usd-inr").code == 0

    listing = "SELECT indexname FROM pg_indexes WHERE schemaname = 'ratectl_journal'"
    indexes = postgres.sql(name, listing)
    assert station.recorded() == before
    assert {"quarantine_by_job", "firings_in_trouble", "quotes_by_job"} <= set(indexes)


@pytest.mark.usefixtures("recorded")
def test_server_away(ratectl, own_postgres):
    """A server that is away is exit 75, and the copy goes on when it is back."""
    url = own_postgres.url(own_postgres.database())
    own_postgres.stop()
    away = ratectl("journal", "copy", "sqlite", url)
    own_postgres.start()
    back = ratectl("journal", "copy", "sqlite", url)

    assert (away.code, back.code) == (75, 0)


def test_a_file_whose_table_never_ends(tmp_path):
    """A view without an end in the place of a table is no journal's, and keeps nobody waiting."""
    path = tmp_path / "forged.sqlite3"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE VIEW quotes AS WITH RECURSIVE r(slot) AS (SELECT 1 UNION ALL SELECT slot + 1 FROM r)"  # noqa: S608 - ours
            f" SELECT 'usd-inr' AS job, slot FROM r; PRAGMA user_version = {schema.VERSION};"
        )

    with pytest.raises(StorageError, match="views or triggers"), copying.from_file(path):
        pass
