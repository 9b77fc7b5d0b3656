"""``ratectl resume`` at a machine whose zone data lost a zone."""

import pytest

from ratectl.commands import resume
from ratectl.journal.journal import Journal
from tests.fakes import past
from tests.fakes.jobs import jobs
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


def test_the_faulty_one_alone(ratectl, office):
    """Where nothing else is paused, the fault is all that is told."""
    ratectl("resume", "a", "c")
    past.spoil(office.account.state_dir, "b", {"timezone": "US/Nowhere"})

    answer = ratectl("resume", "--all")

    assert (answer.code, answer.out) == (78, "")
    assert office.held() == ["a", "c"]
