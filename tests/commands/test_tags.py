"""``--tag`` selects the installed jobs that bear a tag, beside those that are named, in every command that takes jobs."""

import json

import pytest

from ratectl.commands.mend import resume
from tests.fakes.jobs import job
from tests.fakes.office import Office


@pytest.fixture
def office(tmp_path, monkeypatch):
    """An account with three jobs, two of which are tagged."""
    office = Office(tmp_path)
    office.install(
        job("a", output='"/home/tester/a.txt"', tags='["books"]'),
        job("b", output='"/home/tester/b.txt"', tags='["books", "web"]'),
        job("c", output='"/home/tester/c.txt"'),
    )
    monkeypatch.setattr(resume.host_facts, "current", lambda: office.account)
    monkeypatch.setattr(resume.execute, "SystemReader", lambda: office.machine)
    monkeypatch.setattr(resume.execute, "perform", lambda steps, **_: office.machine.perform(steps))
    monkeypatch.setenv("RATECTL_STATE_DIR", str(tmp_path))
    return office


def listed(answer):
    return [row["job"] for row in json.loads(answer.out)]


def test_looking(ratectl, office):
    """List and status show the jobs with the tag alone; status also those that are named."""
    assert listed(ratectl("list", "--tag", "books", "--json")) == ["a", "b"]
    assert listed(ratectl("status", "--tag", "web", "--json")) == ["b"]
    assert listed(ratectl("status", "c", "--tag", "web", "--json")) == ["b", "c"]
    assert office.known() == ["a", "b", "c"]


def test_pause_resume_remove(ratectl, office):
    """What takes wakeups away and brings them back does so for the jobs with the tag."""
    assert ratectl("pause", "--tag", "books").code == 0
    assert office.held() == ["c"]
    assert ratectl("resume", "--tag", "web").code == 0
    assert office.held() == ["b", "c"]
    removed = ratectl("remove", "--tag", "books")
    assert (removed.code, "record stay" in removed.out) == (0, True)
    assert office.known() == ["c"]


@pytest.mark.usefixtures("office")
def test_history(ratectl):
    """Several jobs give one array, and a table each."""
    assert json.loads(ratectl("history", "--tag", "books", "--json").out) == []
    answer = ratectl("history", "--tag", "books")
    assert answer.out.split() == ["a:", "b:"]


@pytest.mark.parametrize(
    "verb", ["run", "list", "status", "pause", "resume", "remove", "history", "report"]
)
def test_a_tag_that_none_has(ratectl, office, verb):
    """It is refused with what is near, and nothing is done."""
    answer = ratectl(verb, "--tag", "book")

    assert (answer.code, "did you mean 'books'?" in answer.err) == (78, True), answer.err
    assert office.held() == ["a", "b", "c"]


@pytest.mark.parametrize("verb", ["pause", "resume", "remove", "run"])
def test_all_or_some(ratectl, office, verb):
    """A tag or a job and --all contradict each other, which is said; and one of the three is needed."""
    answers = [ratectl(verb, "--tag", "books", "--all"), ratectl(verb, "a", "--all")]

    assert [answer.code for answer in answers] == [2, 2]
    assert all("or give --all, not both" in answer.err for answer in answers)
    assert "or give --tag or --all" in ratectl(verb).err
    assert office.held() == ["a", "b", "c"]
