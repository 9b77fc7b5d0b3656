"""``ratectl journal copy FILE sqlite``: what of a damaged file is read, and that nothing that was lost goes unsaid."""

import contextlib
import datetime as dt
import json
import random
import re
import sqlite3

import pytest

from ratectl.journal.journal import Journal
from ratectl.journal.schema import VERSION
from ratectl.journal.statements import add_quarantined
from ratectl.model.quote import SuspectQuote
from tests.fakes import past

FIRST = dt.datetime(2026, 1, 1, 10, 30, tzinfo=dt.UTC)
SLOTS = {"m1": 40, "m2": 40, "m3": 40, "usd-inr": 331}
PAGE = 4_096


@pytest.fixture
def whole(station, tmp_path):
    """A backup of a journal of four jobs, one with an answer that is held, in one closed file."""
    for name, days in SLOTS.items():
        job = station.job("http://127.0.0.1:1", name=name)
        station.install(job, since=FIRST)
        past.decade(station.state, job, FIRST + days * dt.timedelta(days=1), days=days)
    with Journal(station.state) as journal, journal.database.transaction() as connection:
        odd = past.quote(job.pairs[0], "0.0105", FIRST, provider="ecb")
        suspect = SuspectQuote(provider="ecb", reason="odd", body=b"<xml/>" * 5_000, quote=odd)
        add_quarantined(connection, job.name, [(FIRST, suspect)], FIRST)
    path = tmp_path / "whole.sqlite3"
    with (
        contextlib.closing(sqlite3.connect(station.state / "journal.sqlite3")) as source,
        contextlib.closing(sqlite3.connect(path)) as target,
    ):
        source.backup(target)
    return path


@pytest.fixture
def copied(ratectl, tmp_path, monkeypatch):
    """Copy a file of these bytes into a new journal; return the answer, and how many rows each job has there."""

    def copy(data, *words, name="broken.sqlite3"):
        path, state = tmp_path / name, tmp_path / f"of-{name}-{len(list(tmp_path.iterdir()))}"
        path.write_bytes(data)
        monkeypatch.setenv("RATECTL_STATE_DIR", str(state))
        answer = ratectl("journal", "copy", str(path), "sqlite", *words)
        assert path.read_bytes() == data
        assert ".ratectl-copy-" not in answer.out + answer.err
        return answer, rows(state)

    return copy


def rows(state):
    with Journal(state) as journal:
        return {
            table: {
                row["job"]: row["number"]
                for row in journal.database.rows(
                    f"SELECT job, count(*) AS number FROM {table} GROUP BY job"  # noqa: S608 - ours
                )
            }
            for table in ("quotes", "firings", "quarantine")
        }


EVERYTHING = {"quotes": SLOTS, "firings": SLOTS, "quarantine": {"usd-inr": 1}}
WORDS = {"quotes": "quotes", "firings": "slots", "quarantine": "held answers"}


def lost(there):
    """Return of which jobs and tables less is *there* than was."""
    return {
        (job, WORDS[table])
        for table, jobs in EVERYTHING.items()
        for job, number in jobs.items()
        if there[table].get(job, 0) < number
    }


def told(answer):
    """Return of which jobs and tables the answer says that something is lost."""
    found = re.findall(
        r"(\S+): (?:not all of )?its (.*?) could not be read|(\S+): not all of its (.*?) could be read",
        answer.err,
    )
    return {
        (left or right, table)
        for left, some, right, others in found
        for table in (some or others).split(" and ")
    }


def test_whole(whole, copied):
    """All of a whole file is copied, and a second job of that name is none."""
    answer, there = copied(whole.read_bytes())

    assert (answer.code, answer.err, there) == (0, "", EVERYTHING)
    assert "usd-inr: 331 quotes, 331 slots, 1 held answer copied; 663 rows" in answer.out


@pytest.mark.parametrize("share", [4_096, 0.25, 0.5, 100, 5_000, 0.9])
def test_cut_off(whole, copied, share):
    """Of a file without its end what is left is copied and counted, what is not is told of each job: exit 65."""
    data = whole.read_bytes()
    cut = share if share > 1 else int(len(data) * share)

    answer, there = copied(data[:-cut])

    assert answer.code == 65
    assert "broken.sqlite3: damaged" in answer.err
    if there["quotes"]:
        assert told(answer) >= lost(there)
        for line in answer.out.splitlines():
            job, quotes, slots = re.match(r"(\S+): (\d+) quotes?, (\d+) slots?", line).groups()
            assert there["quotes"].get(job, 0) == int(quotes)
            assert there["firings"].get(job, 0) == int(slots)
    else:
        assert "nothing of its record could be read" in answer.err


@pytest.mark.parametrize("filling", ["zeros", "noise"])
def test_one_page(whole, copied, filling):
    """Whichever page is damaged, and every job that lost something by it is named, those that lost all included."""
    data = whole.read_bytes()
    for page in range(1, len(data) // PAGE):
        noise = bytes(PAGE) if filling == "zeros" else random.Random(page).randbytes(PAGE)  # noqa: S311 - noise

        answer, there = copied(data[: page * PAGE] + noise + data[(page + 1) * PAGE :])

        assert answer.code == 65, page
        of_nobody = "names could not be read" in answer.err or "nothing of its" in answer.err
        assert told(answer) >= lost(there) or of_nobody, page
        assert set(there["quotes"]) <= set(SLOTS), page
        assert "could not be read copied" not in answer.out


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"hello\n", "is no SQLite database"),
        (b"\0" * 9_000, "is no SQLite database"),
    ],
)
def test_no_database(copied, data, said):
    """What is no database at all is told as that, with what to do: exit 65, and not a blank line."""
    answer, _there = copied(data)

    assert (answer.code, answer.out) == (65, "")
    assert f"broken.sqlite3: {said}" in answer.err
    assert "name another file" in answer.err


def test_without_its_head(whole, copied):
    """Without its first bytes it is no database any more."""
    answer, _there = copied(whole.read_bytes()[100:])

    assert (answer.code, answer.out) == (65, "")
    assert "is no SQLite database" in answer.err


def test_of_an_older_version(whole, copied):
    """A damage that keeps an older version from being brought up does not keep it from being read."""
    with contextlib.closing(sqlite3.connect(whole)) as connection:
        connection.execute("DROP INDEX quotes_by_job")
        connection.execute(f"PRAGMA user_version = {VERSION - 1}")
        connection.execute("VACUUM")
        page = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'quotes'"
        ).fetchone()[0]
    data = whole.read_bytes()

    answer, there = copied(data[: (page - 1) * PAGE] + bytes(PAGE) + data[page * PAGE :])

    assert answer.code == 65
    assert there["firings"] == SLOTS
    assert told(answer) == lost(there) != set()


def test_cut_off_while_its_log_has_the_rest(whole, copied, tmp_path):
    """A file that is short because its log was not yet all put into it has lost nothing."""
    with contextlib.closing(sqlite3.connect(whole)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("VACUUM")
        log, data = whole.with_name("whole.sqlite3-wal").read_bytes(), whole.read_bytes()
    (tmp_path / "broken.sqlite3-wal").write_bytes(log)

    answer, there = copied(data[: 10 * PAGE])

    assert (answer.code, answer.err, there) == (0, "", EVERYTHING)


@pytest.mark.parametrize("version", [0, VERSION, 99])
def test_of_another_program(tmp_path, copied, version):
    """Another program's database is named as the user named it, and nobody is told to move it away."""
    path = tmp_path / "recipes.sqlite3"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
        connection.execute(f"PRAGMA user_version = {version}")

    answer, _there = copied(path.read_bytes(), name="recipes.sqlite3")

    assert (answer.code, answer.out) == (78, "")
    assert f"{path}: holds another program's tables" in answer.err
    assert "move" not in answer.err


def test_a_journal_without_a_job(tmp_path, copied):
    """A journal in which nothing is recorded is no copy."""
    with Journal(tmp_path / "new") as journal:
        journal.installation()

    answer, _there = copied((tmp_path / "new" / "journal.sqlite3").read_bytes())

    assert (answer.code, answer.out) == (78, "")
    assert "no job is recorded in it" in answer.err


def test_unknown_job(whole, copied, ratectl):
    """A job of which there is nothing is an error, with the name that was meant: of a file, and of this machine."""
    of_file, _there = copied(whole.read_bytes(), "--job", "usd-irn")
    of_machine = ratectl("journal", "copy", "sqlite", "postgresql://a@h/b", "--job", "nope")

    assert (of_file.code, of_file.out) == (of_machine.code, of_machine.out) == (78, "")
    assert "holds nothing of a job 'usd-irn'; did you mean 'usd-inr'?" in of_file.err
    assert "there is no record of a job 'nope'" in of_machine.err


def test_one_job(whole, copied):
    """--job copies that job alone, and --json counts it."""
    answer, there = copied(whole.read_bytes(), "--job", "m2", "--json")

    assert (answer.code, there["quotes"]) == (0, {"m2": 40})
    assert [facts["job"] for facts in json.loads(answer.out)] == ["m2"]
