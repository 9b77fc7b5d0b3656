"""A job that has another name in its spec takes its record, its position and its entry along, however often that is cut short."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from ratectl.backends.protocol import Verb
from ratectl.errors import ConfigError, EngineError, TryLaterError
from ratectl.journal.journal import Journal
from ratectl.journal.rows import unix
from ratectl.runtime import locks
from ratectl.views import deploy_text
from tests.fakes.jobs import job, jobs
from tests.fakes.machine import PowerCutError
from tests.fakes.office import Office

ENGINES = ["cron", "systemd", "launchd"]


@pytest.fixture(params=ENGINES)
def office(request, tmp_path):
    return Office(tmp_path, request.param)


def fill(office, name, slots=3):
    """Record *slots* of the job *name*, and two failures in a row."""
    with Journal(office.account.state_dir) as journal:
        with journal.database.transaction() as connection:
            connection.executemany(
                "INSERT INTO quotes VALUES (?, ?, 'USD', 'INR', '95.12', '2026-11-20', 'x', NULL, 0,"
                " 'published', '[]', '')",
                [(name, slot) for slot in range(slots)],
            )
            connection.executemany(
                "INSERT INTO firings (job, slot, state, owner, lease_until, outcome, at)"
                " VALUES (?, ?, 'settled', 'me', 0, 'recorded', 0)",
                [(name, slot) for slot in range(slots)],
            )
        journal.advance(name, office.machine.now + dt.timedelta(hours=3), missed=7)
        journal.count_failure(name, office.machine.now)


def record(office, name):
    """Return what the journal has of *name*: quotes, firings, and where its row stands."""
    with Journal(office.account.state_dir) as journal:
        rows = journal.database.rows("SELECT * FROM jobs WHERE name = ? AND NOT removed", (name,))
        counts = [
            len(journal.database.rows("SELECT 1 FROM quotes WHERE job = ?", (name,))),
            len(journal.database.rows("SELECT 1 FROM firings WHERE job = ?", (name,))),
        ]
        stands = [(row["settled_until"], row["missed"], row["failures"]) for row in rows]
    return counts, stands


def test_a_renamed_job(office):
    """An install of a spec in which a job has another name renames it: nothing is recorded twice, nothing is lost."""
    office.install(job("old"), job("other", output='"/home/tester/other.txt"'))
    fill(office, "old")
    before = record(office, "old")

    prepared = office.install(job("new"), job("other", output='"/home/tester/other.txt"'))

    text = deploy_text.plan_text(prepared)
    assert "- delete old (renamed to new)" in text
    assert "rename old to new in the journal, with all that is recorded" in text
    assert "old is new now" in deploy_text.installed_text(prepared, {})
    assert office.held() == office.known() == ["new", "other"]
    assert record(office, "new") == before
    assert record(office, "old") == ([0, 0], [])
    assert before[1] == [(unix(office.machine.now + dt.timedelta(hours=3)), 7, 1)]
    assert office.install(job("new"), job("other", output='"/home/tester/other.txt"')).empty


@pytest.mark.parametrize(
    "keys",
    [
        {"pairs": '["EUR/INR"]'},
        {"schedule": '"every day at 11:00"'},
        {"output": '"/home/tester/new.txt"'},
    ],
)
def test_another_job_is_no_rename(office, keys):
    """A new job that does something else stands beside the one that is gone from the spec, which is told."""
    office.install(job("old"))

    prepared = office.install(job("new", **keys))

    assert prepared.renames == {}
    assert office.held() == ["new", "old"]
    assert f"old: no longer in {office.spec}, and still at work" in deploy_text.plan_text(prepared)


def test_a_name_that_a_removed_job_had(office):
    """A removed job keeps its record; a job under its name is that one again, and another's record is not mixed in."""
    office.install(job("new"))
    office.remove("new")
    office.install(job("old"))

    prepared = office.install(job("new"))

    assert prepared.renames == {}
    assert office.known() == ["new", "old"]


def test_two_that_do_the_same(office):
    """Where nobody can tell which is which, nothing is renamed."""
    office.install(*jobs("a", "b"))

    assert office.install(*jobs("c", "d")).renames == {}
    assert office.known() == ["a", "b", "c", "d"]


def test_a_paused_job_stays_paused(office):
    """A pause goes along with the name."""
    office.install(job("old"))
    office.pause("old")

    office.install(job("new"))

    assert office.held() == []
    with Journal(office.account.state_dir) as journal:
        assert [(row.job.name, row.paused) for row in journal.installed()] == [("new", True)]


def test_cut_short_anywhere(tmp_path):
    """Killed after any of its steps, the next install finishes the rename, and the record is whole."""
    for engine in ENGINES:
        for steps in range(12):
            folder = tmp_path / f"{engine}-{steps}"
            folder.mkdir(mode=0o700)
            office = Office(folder, engine)
            office.install(job("old"))
            fill(office, "old")
            before = record(office, "old")
            office.machine.steps_left = steps
            try:
                office.install(job("new"))
            except PowerCutError:
                office.machine.steps_left = None
                office.install(job("new"))
            office.machine.steps_left = None
            assert office.held() == office.known() == ["new"], (engine, steps)
            assert record(office, "new") == before
            assert office.install(job("new")).empty


def test_killed_between_the_journal_and_the_engine(office, monkeypatch):
    """Killed right after the journal has the new name, the entry of the old one goes with the next install."""
    office.install(job("old"))
    fill(office, "old")

    def dies(steps, **_options):
        if steps:
            raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(office.machine, "perform", dies)
        with pytest.raises(PowerCutError):
            office.install(job("new"))
    assert office.known() == ["new"]
    assert office.held() == ["old"]

    office.install(job("new"))

    assert office.held() == ["new"]
    assert record(office, "new")[0] == [3, 3]


def test_what_the_engine_refuses_is_taken_back(tmp_path):
    """Where the engine says no, journal and engine have the old name again, with all that was recorded."""
    office = Office(tmp_path, "cron")
    office.install(job("old"))
    fill(office, "old")
    before = record(office, "old")
    perform = office.machine.perform
    refusals = [EngineError("no")]

    def refusing(steps, **options):
        if steps and refusals:
            raise refusals.pop()
        perform(steps, **options)

    office.machine.perform = refusing
    with pytest.raises(EngineError):
        office.install(job("new"))

    assert office.known() == ["old"]
    assert office.held() == ["old"]
    assert record(office, "old") == before
    with Journal(office.account.state_dir) as journal:
        assert journal.renamed() == {}


def test_a_firing_at_work_is_waited_for(office, monkeypatch):
    """While a firing has the job's lock nothing is renamed."""
    office.install(job("old"))
    monkeypatch.setattr("ratectl.deploy.renames.PATIENCE", 0.1)

    path = office.account.state_dir / "locks" / "job-old.lock"
    with locks.acquire(path, until=None), pytest.raises(TryLaterError, match="still at work"):
        office.install(job("new"))

    assert office.known() == office.held() == ["old"]


def test_prune_takes_jobs_of_this_spec_only(office):
    """What another spec installed stays, and so does what the journal does not know."""
    office.install(job("mine"))
    office.install_from("/home/tester/other.toml", job("theirs", output='"/home/tester/x.txt"'))

    office.install(job("new", output='"/home/tester/y.txt"'), prune=True)

    assert office.known() == office.held() == ["new", "theirs"]


def test_a_name_of_another_spec(office):
    """A job of the same name in another file, which still has it, is refused with both paths."""
    office.machine.files[office.spec] = b'[jobs.mine]\nschedule = "every day at 10:30"'
    office.install(job("mine"))

    with pytest.raises(ConfigError) as caught:
        office.install_from("/home/tester/other.toml", job("mine"))

    assert str(office.spec) in str(caught.value)
    assert "/home/tester/other.toml" in str(caught.value)
    office.machine.files[office.spec] = b"[jobs.else]"
    office.install_from("/home/tester/other.toml", job("mine"))
    del office.machine.files[office.spec]
    office.install_from("/home/tester/third.toml", job("mine"))
    assert office.known() == ["mine"]


def test_keys_that_changed(office):
    """A plan names the keys that changed, also where the entry in the engine stays as it is."""
    office.install(job("a"), job("b", output='"/home/tester/b.txt"'))

    prepared = office.install(
        job("a", output='"/home/tester/x.csv"', timeout='"30s"'),
        job("b", output='"/home/tester/b.txt"', schedule='"every day at 11:45"'),
    )

    first = Verb.UPDATE if office.site.backend.NAME == "systemd" else Verb.KEEP
    assert [change.verb for change in prepared.main.changes] == [first, Verb.UPDATE]
    for text in (deploy_text.plan_text(prepared), deploy_text.installed_text(prepared, {})):
        home = Path("/home/tester")
        assert f"output: text:{home / 'rates.txt'} -> csv:{home / 'x.csv'}" in text
        assert "timeout: 90s -> 30s" in text
        assert "schedule: every day at 10:30 -> every day at 11:45" in text


def test_keys_that_hold_secrets(office):
    """Of keys that may hold a token it is told that they changed, and no more."""
    office.install(job("a", ping='"https://hc.example/secret-one"'))

    text = deploy_text.plan_text(office.install(job("a", ping='"https://hc.example/secret-two"')))

    assert "ping: changed" in text
    assert "secret" not in text


@pytest.mark.parametrize(
    "keys", [{"schedule": '"every day at 11:00"'}, {"output": '"/home/tester/new.txt"'}]
)
def test_a_likely_rename_is_told(office, keys):
    """Where name and schedule changed at once, the note says which commands take the record along."""
    office.install(job("old"))
    note = deploy_text.plan_text(office.plan(job("new", **keys)))

    assert "if new is old under another name: `ratectl rename old new` before the install" in note
    assert (
        "`ratectl remove new --purge --yes`, `ratectl rename old new` and `ratectl install" in note
    )
    assert "under another name" not in deploy_text.plan_text(
        office.plan(job("new", pairs='["EUR/GBP"]', output='"/home/tester/new.txt"'))
    )
    office.install(job("new", **keys))
    assert "under another name" not in deploy_text.plan_text(office.plan(job("new", **keys)))
