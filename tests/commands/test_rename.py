"""``ratectl rename``: the name changes in the spec, the record and the engine at once, or nowhere."""

import io
from dataclasses import replace
from pathlib import Path

import pytest

from ratectl import spec
from ratectl.commands.mend import rename
from ratectl.deploy import inventory
from ratectl.errors import EngineError
from ratectl.journal.journal import Journal
from tests.fakes import past
from tests.fakes.machine import PowerCutError
from tests.fakes.office import Office

SPEC = """# my rates
[defaults]
timezone = "Asia/Kolkata"
schedule = "every day at 10:30"

[jobs."usd-inr"]   # the dollar
pairs = ["USD/INR"]
output = "/home/tester/one.txt"
notify = []

[jobs.eur-inr]
pairs = ["EUR/INR"]
output = "/home/tester/usd-inr.txt"
"""


class Renaming(Office):
    def __init__(self, folder, engine):
        super().__init__(folder, engine)
        self.machine.files[self.spec] = SPEC.encode()
        self.machine.owners[self.spec] = 1000
        self.put_in_place()

    def put_in_place(self):
        data = self.machine.files[self.spec]
        jobs = spec.loads(data, path=self.spec, host_timezone="Asia/Kolkata").jobs
        return self.install(*jobs, digest=inventory.digest_of(self.machine, str(self.spec)))

    def text(self):
        return self.machine.files[self.spec].decode()

    def quotes(self, name):
        with Journal(self.account.state_dir) as journal:
            return len(journal.database.rows("SELECT 1 FROM quotes WHERE job = ?", (name,)))


@pytest.fixture(params=["cron", "systemd"])
def office(request, tmp_path, monkeypatch):
    office = Renaming(tmp_path, request.param)
    with Journal(tmp_path) as journal, journal.database.transaction() as connection:
        connection.execute(
            "INSERT INTO quotes VALUES ('usd-inr', 1, 'USD', 'INR', '95.12', '2026-11-20', 'x', NULL, 0,"
            " 'published', '[]', '')"
        )
    monkeypatch.setattr(rename.host_facts, "current", lambda: office.account)
    monkeypatch.setattr(rename.execute, "SystemReader", lambda: office.machine)
    monkeypatch.setattr(rename.execute, "perform", office.machine.perform)
    monkeypatch.setattr(rename, "utc_now", lambda: office.machine.now)
    return office


def test_rename(ratectl, office):
    """The header is written anew and all else of the spec stays; record and entry have the new name, and install finds nothing to do."""
    answer = ratectl("rename", "usd-inr", "dollar")

    assert answer.code == 0, answer.err
    assert "usd-inr is dollar now" in answer.out
    assert office.text() == SPEC.replace('[jobs."usd-inr"]', "[jobs.dollar]")
    assert office.held() == office.known() == ["dollar", "eur-inr"]
    assert (office.quotes("usd-inr"), office.quotes("dollar")) == (0, 1)
    assert office.put_in_place().empty


def test_what_would_be_done(ratectl, office):
    """A dry run shows it and changes nothing."""
    answer = ratectl("rename", "usd-inr", "dollar", "--dry-run")

    assert "- delete usd-inr (renamed to dollar)" in answer.out
    assert office.text() == SPEC
    assert office.held() == office.known() == ["eur-inr", "usd-inr"]


@pytest.mark.parametrize("dry", [True, False], ids=["dry run", "for good"])
def test_a_job_that_serve_runs(ratectl, office, dry):
    """Where no entry is to be changed, a dry run says what would be, and the command what is."""
    with Journal(office.account.state_dir) as journal, journal.database.transaction() as connection:
        connection.execute("UPDATE jobs SET backend = 'serve' WHERE name = 'usd-inr'")

    answer = ratectl("rename", "usd-inr", "dollar", *["--dry-run"] * dry)

    told = ("would be dollar", "would be") if dry else ("is dollar now", "is")
    assert answer.out == (
        f"usd-inr {told[0]}, in serve (user) and in the journal, with all that was recorded\n"
        f"{office.spec}: the name {told[1]} changed there, too\n"
    )
    assert ("dollar" in office.known(), "[jobs.dollar]" in office.text()) == (not dry, not dry)


def test_the_spec_has_it_already(ratectl, office):
    """Where a person changed the name in the spec, the file is left as it is."""
    edited = SPEC.replace('"usd-inr"', "dollar").replace("one.txt", "two.txt")
    office.machine.files[office.spec] = edited.encode()

    assert ratectl("rename", "usd-inr", "dollar").code == 0

    assert office.text() == edited
    assert office.held() == ["dollar", "eur-inr"]
    keys = office.put_in_place().keys
    home = Path("/home/tester")
    assert keys == {"dollar": (f"output: text:{home / 'one.txt'} -> text:{home / 'two.txt'}",)}


def test_the_spec_has_neither_name(ratectl, office):
    """A job that is gone from its spec is renamed all the same; nobody claims that the spec was changed."""
    gone = SPEC[: SPEC.index('[jobs."usd-inr"]')] + SPEC[SPEC.index("[jobs.eur-inr]") :]
    office.machine.files[office.spec] = gone.encode()

    answer = ratectl("rename", "usd-inr", "dollar")

    assert answer.code == 0, answer.err
    assert "the name is changed there" not in answer.out
    assert f"{office.spec}: has no job of either name" in answer.out
    assert office.text() == gone
    assert office.held() == ["dollar", "eur-inr"]


def test_a_name_that_was_installed_too_early(ratectl, office):
    """A new name that was installed beside the old one, and has recorded nothing, is taken out by what is said, and the rename does the rest."""
    edited = SPEC.replace('"usd-inr"', "dollar").replace("one.txt", "two.txt")
    office.machine.files[office.spec] = edited.encode()
    office.put_in_place()

    refused = ratectl("rename", "usd-inr", "dollar")

    assert refused.code == 78
    assert "has recorded nothing yet" in refused.err
    assert "`ratectl remove dollar --purge` takes it out again" in refused.err
    office.remove("dollar")
    with Journal(office.account.state_dir) as journal:
        journal.purge_jobs(("dollar",))
    assert ratectl("rename", "usd-inr", "dollar").code == 0
    assert office.quotes("dollar") == 1


def test_a_name_of_a_job_at_work(ratectl, office):
    """Nobody is told to delete the record of another job that is at work."""
    with Journal(office.account.state_dir) as journal:
        row = journal.installed_job("eur-inr")
    past.settle(office.account.state_dir, row.job, office.machine.now)

    answer = ratectl("rename", "usd-inr", "eur-inr")

    assert answer.code == 78
    assert "'eur-inr' is another job, which is installed and has a record of its own" in answer.err
    assert "purge" not in answer.err


@pytest.mark.parametrize(
    ("old", "new", "code", "told"),
    [
        ("usd-inr", "usd-inr", 2, "has that name already"),
        ("usd-inr", "Dollar", 2, "lower-case letters"),
        ("usd-inr", "eur-inr", 78, "is installed already, and has recorded nothing yet"),
        ("usd", "dollar", 78, "is not installed; did you mean 'usd-inr'?"),
    ],
)
def test_refused(ratectl, office, old, new, code, told):
    """What cannot be meant is refused, and nothing changes."""
    answer = ratectl("rename", old, new)

    assert (answer.code, told in answer.err) == (code, True), answer.err
    assert office.text() == SPEC
    assert office.known() == ["eur-inr", "usd-inr"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda o: o.machine.files.pop(o.spec),
        lambda o: o.machine.closed.add(o.spec),
        lambda o: o.machine.owners.update({o.spec: 0}),
        lambda o: o.machine.files.update({o.spec: SPEC.encode() + b"frob = 1"}),
    ],
    ids=["gone", "closed", "of root", "wrong"],
)
def test_a_spec_that_cannot_be_written(ratectl, office, spoil):
    """Where the spec cannot be edited it is said how to go on, and nothing changes."""
    spoil(office)

    answer = ratectl("rename", "usd-inr", "dollar")

    assert answer.code == 78
    assert "'dollar'" in answer.err
    assert office.known() == office.held() == ["eur-inr", "usd-inr"]


def test_refused_by_the_engine(ratectl, office, monkeypatch):
    """Where the engine says no, the spec, the record and the entries are as they were."""
    refusals = [None, EngineError("no")]

    def perform(steps):
        if refusals and (refusal := refusals.pop(0)) is not None:
            raise refusal
        office.machine.perform(steps)

    monkeypatch.setattr(rename.execute, "perform", perform)

    assert ratectl("rename", "usd-inr", "dollar").code == 69

    assert office.text() == SPEC
    assert office.held() == office.known() == ["eur-inr", "usd-inr"]
    assert office.quotes("usd-inr") == 1


def test_killed_anywhere(ratectl, office):
    """Killed after any step, the same command finishes it, and so does an install."""
    for steps in range(15):
        old, new = ("usd-inr", "dollar") if steps % 2 == 0 else ("dollar", "usd-inr")
        office.machine.steps_left = steps
        try:
            ratectl("rename", old, new)
        except PowerCutError:
            office.machine.steps_left = None
            assert ratectl("rename", old, new).code == 0, steps
        office.machine.steps_left = None
        assert office.held() == office.known() == sorted([new, "eur-inr"])
        assert office.quotes(new) == 1
        assert office.put_in_place().empty


@pytest.fixture
def whole(office, monkeypatch):
    """The same machine for all commands, also those that show how far they are or look into the state directory."""

    def perform(steps, **_):
        office.machine.perform(steps)

    monkeypatch.setattr(rename.execute, "perform", perform)
    monkeypatch.setenv("RATECTL_STATE_DIR", str(office.account.state_dir))
    return office


ASKING = [
    ("history", "usd-inr"),
    ("run", "usd-inr"),
    ("chart", "usd-inr"),
    ("rename", "usd-inr", "other"),
    ("remove", "usd-inr"),
]


@pytest.mark.parametrize("words", ASKING, ids=lambda words: words[0])
def test_asked_by_the_old_name(ratectl, whole, words):
    """Whoever asks by a name that was given up, or deleted, is told what became of it and what to do."""
    ratectl("rename", "usd-inr", "dollar")
    renamed = ratectl(*words)
    ratectl("rename", "dollar", "buck")
    again = ratectl(*words)
    ratectl("remove", "buck", "--purge", "--yes")
    purged = ratectl(*words)

    assert (renamed.code, again.code, purged.code) == (78, 78, 78)
    assert "'usd-inr' was renamed: it is 'dollar' now, with all its record" in renamed.err
    assert "'usd-inr' was renamed: it is 'buck' now" in again.err
    assert "'usd-inr' was renamed to 'buck', and that removed" in purged.err
    assert "its record deleted (--purge); `ratectl install SPEC`, or `ratectl serve SPEC`" in (
        purged.err
    )
    assert "starts it anew where the spec still has it" in purged.err
    assert whole.held() == ["eur-inr"]


def test_a_name_in_use_again(ratectl, whole):
    """A job that gets a name anew is that job, and nothing of before is told."""
    ratectl("rename", "usd-inr", "dollar")
    with Journal(whole.account.state_dir) as journal:
        known = journal.installed_job("dollar")
        job = replace(known.job, name="usd-inr")
        facts = {"spec": known.spec, "digest": "x", "backend": "serve", "scope": "user"}
        journal.record_job(job, host_timezone="UTC", now=whole.machine.now, **facts)

        assert journal.installed_job("usd-inr").job.name == "usd-inr"
        journal.forget_jobs(["usd-inr"])
        assert "was removed, and its record kept" in str(journal.unknown_job("usd-inr"))


def test_texts_of_a_purge(ratectl, whole, monkeypatch):
    """What a purge asks, shows beforehand and says afterwards is the same thing, also of jobs that were removed before."""
    ratectl("remove", "usd-inr")
    steps = ratectl("remove", "usd-inr", "--purge", "--dry-run")
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    refused = ratectl("remove", "usd-inr", "--purge")
    done = ratectl("remove", "usd-inr", "--purge", "--yes")

    assert steps.out == "steps:\n  delete what the journal recorded for usd-inr\n"
    assert "Delete what the journal recorded for usd-inr? Output files and specs stay." in (
        refused.out + refused.err
    )
    assert done.out == "deleted what the journal recorded for usd-inr\n"
    assert whole.quotes("usd-inr") == 0


@pytest.mark.parametrize("installed_first", [False, True])
def test_the_advice_of_an_install(ratectl, whole, installed_first):
    """The commands that an install names, where name and schedule changed at once, take the record along."""
    edited = SPEC.replace('[jobs."usd-inr"]', '[jobs.dollar]\nschedule = "every day at 11:00"')
    whole.machine.files[whole.spec] = edited.encode()
    if installed_first:
        whole.put_in_place()
        assert ratectl("remove", "dollar", "--purge", "--yes").code == 0

    answer = ratectl("rename", "usd-inr", "dollar")
    whole.put_in_place()

    assert answer.code == 0, answer.err
    assert whole.held() == whole.known() == ["dollar", "eur-inr"]
    assert whole.quotes("dollar") == 1
