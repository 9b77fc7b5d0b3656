"""What people and programs read: plans, installs and removals as text and JSON."""

from __future__ import annotations

import json

import pytest

from ratectl.deploy import install
from ratectl.journal.journal import Journal
from ratectl.views import deploy_text
from ratectl.views.format import as_json
from tests.deploy.test_install import Office
from tests.fakes.jobs import job, jobs


@pytest.fixture
def office(tmp_path):
    return Office(tmp_path)


def prepared(office, *wanted, prune=False):
    source = install.SpecSource(jobs=wanted, path=str(Office.spec), digest="d1")
    with Journal(office.account.state_dir) as journal:
        return install.prepare(office.site, source, journal, prune=prune)


@pytest.mark.posix("paths of another system")
def test_a_first_plan(office):
    """A plan names the engine, each change with its reason, and every step in order."""
    plan = prepared(office, job("home"), job("abroad", schedule='"every 5 seconds"'))

    assert deploy_text.plan_text(plan).splitlines() == [
        "cron (user):",
        "  + create abroad",
        f"      guarded: {plan.covers['abroad'].reason}",
        "  + create home",
        "steps:",
        "  record 2 jobs in the journal",
        "  wait until /var/spool/cron/crontabs has not changed in the current second",
        "  see that `crontab -l` prints what it did",
        "  run crontab -   # write tester's crontab (4 lines of ours)",
    ]


def test_a_plan_for_programs(office):
    """The JSON of a plan has the changes, moves, steps and caveats."""
    office.install(job("a"))
    told = json.loads(as_json(deploy_text.plan_json(prepared(office, *jobs("a", "b")))))

    assert list(told) == [
        "backend",
        "scope",
        "changes",
        "renames",
        "moves",
        "steps",
        "caveats",
    ]
    assert [(c["job"], c["change"], c["fidelity"]) for c in told["changes"]] == [
        ("a", "keep", "exact"),
        ("b", "create", "exact"),
    ]
    assert told["moves"] == []


def test_a_move(office):
    """Jobs that leave another engine are shown with where they stand now."""
    office.install(job("a"))
    office.use("systemd")
    plan = prepared(office, job("a"))

    text = deploy_text.plan_text(plan)

    assert "cron (user), where the jobs stand now:\n  - delete a" in text
    assert text.endswith("`loginctl enable-linger tester` keeps them running")
    assert deploy_text.plan_json(plan)["moves"] == [
        {"job": "a", "backend": "cron", "scope": "user"}
    ]


def test_prune_and_nothing_else(office):
    """What a prune removes is named, with the reason; what stays is only counted."""
    office.install(*jobs("a", "b"))

    lines = deploy_text.plan_text(prepared(office, job("a"), prune=True)).splitlines()

    assert lines[1:3] == ["  - delete b (not in the spec)", "  = 1 unchanged"]
    assert lines[-1] == "  mark 1 job as removed in the journal: b"


def test_a_change_that_the_engine_does_not_see(office):
    """A job with another output is updated, though its entry stays: it is counted so before and after, and not as unchanged."""
    office.install(*jobs("a", "b"))

    done = office.install(job("a"), job("b", output='"/home/tester/other.txt"'))

    lines = deploy_text.plan_text(done).splitlines()
    assert lines[1] == "  ~ update b (its entry in the scheduler stays as it is)"
    assert lines[2].startswith("      output: ")
    assert lines[3] == "  = 1 unchanged"
    after = deploy_text.installed_text(done, {}).splitlines()
    assert after[0] == "installed in cron (user) and read back: 1 updated, 1 unchanged"


def test_long_plans_are_cut(office):
    """A plan of a hundred jobs stays readable."""
    text = deploy_text.plan_text(prepared(office, *jobs(*(f"job-{n}" for n in range(100)))))

    assert "  ... and 60 more" in text
    assert len(text.splitlines()) < 50


@pytest.mark.posix("paths of another system")
def test_units_and_long_commands(office):
    """Written and removed files are shown by path, long command lines are cut."""
    office.use("systemd")
    done = office.install(*jobs(*(f"job-{n}" for n in range(20))))
    removal = office.remove()

    text = deploy_text.plan_text(done)
    assert "write /home/tester/.config/systemd/user/ratectl-job-0.service (" in text
    assert " more)   # start the timers" in text
    steps = deploy_text.steps_text(removal)
    assert "remove /home/tester/.config/systemd/user/ratectl-job-0.timer" in steps


def test_what_an_install_did(office):
    """Afterwards the counts stand there, the next slot of each changed job, and how to see more."""
    done = office.install(*jobs("a", "b"))

    assert deploy_text.installed_text(done, {"a": "tomorrow"}).splitlines() == [
        "installed in cron (user) and read back: 2 created",
        "  a: next tomorrow",
        "nothing else has to run; `ratectl status` shows how each job stands",
        "next: ratectl run a --force   # records a rate right now",
    ]


def test_an_install_that_no_daemon_fires(office):
    """Where a cron daemon has to be started first, it is not said that nothing else has to run."""
    office.machine.running.clear()
    done = office.install(*jobs("a"))

    text = deploy_text.installed_text(done, {"a": "tomorrow"})
    assert "nothing fires until one is started" in deploy_text.plan_text(done)
    assert "nothing else has to run" not in text
    assert "start a cron daemon first, as `ratectl doctor` says; `ratectl status` shows" in text


def test_what_a_remove_did(office):
    """Removed jobs are named with their engine; one that only the journal knew is told apart."""
    office.install(*jobs("a", "b"))
    office.install(job("a"), job("b", enabled="false"))

    assert deploy_text.removal_text(office.remove()).splitlines() == [
        "removed from cron (user):",
        "  - a",
        "marked as removed in the journal, no scheduler held it: b",
    ]
    assert deploy_text.removal_text(office.remove()) == "nothing to remove"


def test_what_stays_after_a_remove():
    """What stays is said in a line, with the command that brings the jobs back where their spec is there."""
    assert deploy_text.stays_text(2, "ratectl install x.toml") == (
        "the spec, outputs and record stay; `ratectl install x.toml` brings them back"
    )
    assert deploy_text.stays_text(1, "") == "the outputs and the record stay"


def test_a_job_that_nothing_wakes_is_not_at_work(office):
    """Of jobs that left the spec those without an entry are not told as being at work."""
    office.install(*jobs("a", "b", "c"))
    with office.at_work() as (_, journal):
        journal.pause_jobs(["b"])
    office.machine.crontab.tab = None

    told = " ".join(prepared(office, job("c")).warnings)

    assert (
        f"a, b: no longer in {office.spec}, and still installed, though nothing wakes them" in told
    )
