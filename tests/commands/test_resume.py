"""``ratectl resume`` at a machine whose zone data lost a zone."""

import re

import pytest

from ratectl.commands.mend import resume
from ratectl.deploy.install_lock import was_interrupted
from ratectl.errors import EngineError
from ratectl.journal.journal import Journal
from tests.fakes import past
from tests.fakes.jobs import job, jobs
from tests.fakes.machine import PowerCutError
from tests.fakes.office import Office


@pytest.fixture
def office(tmp_path, monkeypatch):
    """An account with three paused jobs, which the command finds where it looks."""
    office = Office(tmp_path)
    office.install(*jobs("a", "b", "c"))
    office.pause("a", "b", "c")
    monkeypatch.setattr(resume.host_facts, "current", lambda: office.account)
    monkeypatch.setattr(resume.execute, "SystemReader", lambda: office.machine)
    monkeypatch.setattr(resume.execute, "perform", office.machine.perform)
    return office


def paused(office):
    with Journal(office.account.state_dir) as journal:
        return [row.job.name for row in journal.installed() if row.paused]


@pytest.mark.parametrize(
    "change",
    [{"timezone": "US/Nowhere"}, {"schedule_texts": ["every weekday on saturday"]}],
    ids=["zone", "schedule"],
)
def test_all_but_one(ratectl, office, change):
    """A job whose slots cannot be told stays paused and is named; all others run again."""
    past.spoil(office.account.state_dir, "b", change)

    answer = ratectl("resume", "--all")

    assert office.held() == ["a", "c"]
    assert paused(office) == ["b"]
    assert [line.split(":")[0] for line in answer.out.splitlines()] == ["resumed a", "resumed c"]
    assert answer.code == 78
    assert "b" in answer.err
    assert "US/Nowhere" in answer.err or "saturday" in answer.err


@pytest.mark.usefixtures("office")
def test_next_slot_in_one_form(ratectl):
    """The next slot has the form that times have everywhere."""
    answer = ratectl("resume", "a")

    assert re.fullmatch(
        r"resumed a: next \w{3} \d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? \S+\n", answer.out
    )


def test_the_faulty_one_alone(ratectl, office):
    """Where nothing else is paused, the fault is all that is told."""
    ratectl("resume", "a", "c")
    past.spoil(office.account.state_dir, "b", {"timezone": "US/Nowhere"})

    answer = ratectl("resume", "--all")

    assert (answer.code, answer.out) == (78, "")
    assert office.held() == ["a", "c"]


@pytest.fixture
def of_two_specs(office):
    """The same account with a fourth paused job, of another spec."""
    office.install_from("/home/tester/other.toml", job("d", output='"/home/tester/d.txt"'))
    office.pause("d")
    return office


def failing_at(office, monkeypatch, number, error):
    """Let the engine refuse with *error* what is performed as the *number*th."""
    done = []

    def perform(steps):
        if steps:
            done.append(steps)
            if len(done) == number:
                raise error
        office.machine.perform(steps)

    monkeypatch.setattr(resume.execute, "perform", perform)


@pytest.mark.parametrize("number", [1, 2])
def test_two_specs_all_or_nothing(ratectl, of_two_specs, monkeypatch, number):
    """Where the jobs of one spec are refused, those of the other sleep on, too, and nothing is half done."""
    office = of_two_specs
    failing_at(office, monkeypatch, number, EngineError("no room"))

    answer = ratectl("resume", "--all")

    assert (answer.code, "Everything is as it was before" in answer.err) == (69, True)
    assert office.held() == []
    assert paused(office) == ["a", "b", "c", "d"]
    assert not was_interrupted(office.account.state_dir)
    monkeypatch.setattr(resume.execute, "perform", office.machine.perform)
    assert ratectl("resume", "--all").code == 0
    assert office.held() == ["a", "b", "c", "d"]


def test_killed_between_two_specs(ratectl, of_two_specs, monkeypatch):
    """Killed after the first spec's jobs run again, it counts as cut short, and the same command finishes it."""
    office = of_two_specs
    failing_at(office, monkeypatch, 2, PowerCutError())
    with pytest.raises(PowerCutError):
        ratectl("resume", "a", "b", "c", "d")
    assert len(office.held()) in {1, 3}
    assert was_interrupted(office.account.state_dir)
    monkeypatch.setattr(resume.execute, "perform", office.machine.perform)

    assert ratectl("resume", "a", "b", "c", "d").code == 0

    assert office.held() == ["a", "b", "c", "d"]
    assert not was_interrupted(office.account.state_dir)
