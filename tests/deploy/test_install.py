"""Install and remove from end to end on a fake machine, with the real journal in a real folder."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shlex
from pathlib import Path

import pytest

from ratectl.backends.protocol import Verb
from ratectl.backends.steps import Link, Run
from ratectl.deploy import install, targets
from ratectl.errors import ConfigError, EngineError
from ratectl.journal.journal import Journal
from ratectl.model.job import Provider
from ratectl.runtime.trust import UntrustedError
from ratectl.schedule.cover.triggers import Cover, Fidelity
from ratectl.views import deploy_text
from tests.fakes.jobs import job, jobs
from tests.fakes.machine import PowerCutError, done
from tests.fakes.office import Office

ENGINES = ["cron", "systemd", "launchd"]


@pytest.fixture(params=ENGINES)
def office(request, tmp_path):
    return Office(tmp_path, request.param)


def snapshots(office):
    """Return what the journal knows of each installed job."""
    with Journal(office.account.state_dir) as journal:
        return journal.installed()


def test_install_then_nothing_to_do(office):
    """The first install creates, the second finds nothing to do."""
    first = office.install(*jobs("usd-inr", "eur-inr"))
    done = len(office.machine.performed)
    second = office.install(*jobs("usd-inr", "eur-inr"))

    assert {c.verb for c in first.main.changes} == {Verb.CREATE}
    assert second.empty
    assert "nothing to do" in deploy_text.plan_text(second)
    assert len(office.machine.performed) == done
    assert office.held() == office.known() == ["eur-inr", "usd-inr"]


def test_looking_changes_nothing(office):
    """Preparing an install touches neither the engine nor the journal."""
    source = install.SpecSource(jobs=jobs("usd-inr"), path="/x", digest="d")

    with Journal(office.account.state_dir) as journal:
        prepared = install.prepare(office.site, source, journal)

    assert not prepared.empty
    assert office.machine.performed == []
    assert not list(office.account.state_dir.iterdir())


def test_a_change_of_the_output_only(office):
    """A change that the engine does not see is recorded in the journal, without a step for the engine."""
    office.install(job())

    prepared = office.install(job(output='"/home/tester/other.txt"'))

    assert not prepared.empty
    assert prepared.main.steps == ()
    assert office.install(job(output='"/home/tester/other.txt"')).empty


def test_a_new_schedule_replaces_the_old(office):
    """A changed schedule updates the entry of its job and no other."""
    office.install(*jobs("a", "b"))

    prepared = office.install(job("a"), job("b", schedule='"every day at 11:45"'))

    assert [c.verb for c in prepared.main.changes] == [Verb.KEEP, Verb.UPDATE]


def test_prune(office):
    """What the spec no longer has stays, unless pruned; then the journal forgets it, too."""
    office.install(*jobs("a", "b"))

    assert office.install(job("a")).empty
    assert office.held() == ["a", "b"]
    office.install(job("a"), prune=True)

    assert office.held() == office.known() == ["a"]
    assert office.install(job("a"), prune=True).empty


def test_switched_off(office):
    """A job that the spec switches off loses its wakeups and stays known."""
    office.install(*jobs("a", "b"))

    office.install(job("a"), job("b", enabled="false"))

    assert office.held() == ["a"]
    assert office.known() == ["a", "b"]
    assert office.install(job("a"), job("b", enabled="false")).empty


def test_pause(office):
    """A paused job has no wakeups, stays known, and an install leaves it so; a resume brings it back."""
    office.install(*jobs("a", "b"))

    office.pause("a")
    assert office.held() == ["b"]
    assert office.known() == ["a", "b"]
    again = office.install(*jobs("a", "b"))
    assert again.empty
    assert "a: paused until `ratectl resume a`" in deploy_text.plan_text(again)
    office.resume("a")

    assert office.held() == ["a", "b"]
    assert office.install(*jobs("a", "b")).empty


def test_resume_counts_from_now(office):
    """Slots that passed during a pause are not owed afterwards."""
    office.install(job("a"))
    office.pause("a")
    later = office.machine.now + dt.timedelta(days=3)

    office.resume("a", now=later)

    [row] = snapshots(office)
    assert (row.paused, row.installed_at, row.settled_until) == (False, later, later)


def test_a_removed_job_is_not_paused_when_it_comes_back(office):
    """Removing ends a pause: the next install is a first one."""
    office.install(job("a"))
    office.pause("a")
    office.remove("a")

    office.install(job("a"))

    assert office.held() == ["a"]


def test_remove(office):
    """One job goes, the others stay; --all leaves nothing; a second --all finds nothing."""
    office.install(*jobs("a", "b", "c"))

    office.remove("b")
    assert office.held() == office.known() == ["a", "c"]
    office.remove()
    assert office.held() == office.known() == []
    assert office.remove().jobs == ()
    assert not office.machine.links
    assert not [path for path in office.machine.files if "ratectl" in path.name]


def test_move_to_another_engine(tmp_path):
    """Jobs that stand in another engine are installed in the new one, then leave the old one."""
    office = Office(tmp_path, "cron")
    office.install(*jobs("a", "b"))

    office.use("systemd")
    prepared = office.install(*jobs("a", "b"))

    assert [str(part.target) for part in prepared.moves] == ["cron (user)"]
    assert office.held() == ["a", "b"]
    assert office.machine.crontab.tab is None
    assert office.install(*jobs("a", "b")).empty


def test_an_entry_without_a_journal_is_removed(office):
    """Where the state directory was lost, remove --all still clears the engine."""
    office.install(*jobs("a", "b"))
    (office.account.state_dir / "journal.sqlite3").unlink()

    removal = office.remove()

    assert removal.jobs == ("a", "b")
    assert office.held() == []


class Stubborn:
    """An engine that can wake nothing."""

    NAME = "stubborn"

    @staticmethod
    def check(_job, _zone):
        return Cover(fidelity=Fidelity.REFUSED, reason="no such moment")


def test_a_refused_cover_installs_nothing(office):
    """Jobs that the engine cannot wake stop the whole install, each with its name and the reason."""
    target = targets.Target(
        backend=Stubborn(), scope="user", host=office.account, reader=office.machine
    )

    with pytest.raises(ConfigError, match="a: no such moment\\n  b: no such moment"):
        install.covers_of(target, jobs("a", "b"))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("what", ["install", "update", "move", "remove"])
def test_power_cut_anywhere(engine, what, tmp_path):
    """Stopped before any of its steps, an install or remove is finished by the next one."""
    cut = 0
    while True:
        folder = tmp_path / str(cut)
        folder.mkdir()
        office = Office(folder, engine)
        other = "systemd" if engine == "cron" else "cron"
        if what == "move":
            office.use(other)
        if what != "install":
            office.install(*jobs("a", "b"))
        office.use(engine)
        wanted = (job("b", schedule='"every day at 12:15"'), job("c"))
        act = office.remove if what == "remove" else lambda: office.install(*wanted, prune=True)  # noqa: B023
        office.machine.steps_left = cut
        try:
            act()
        except PowerCutError:
            office.machine.steps_left = None
            act()
        else:
            break
        assert office.held() == office.known() == ([] if what == "remove" else ["b", "c"])
        if what != "remove":
            assert office.install(*wanted, prune=True).empty
        cut += 1
    assert cut > 0


def test_one_reload(tmp_path):
    """A thousand systemd jobs take one daemon-reload; removing them takes another."""
    office = Office(tmp_path, "systemd")
    office.install(*jobs(*(f"job-{n}" for n in range(1000))))
    assert office.machine.systemd.reloads == 1

    office.remove()
    assert office.machine.systemd.reloads == 2


def test_an_engine_that_keeps_another_time(tmp_path):
    """An engine whose next run is not our next slot is an error, not a success."""
    office = Office(tmp_path, "systemd")
    office.machine.systemd._next = lambda _unit: int(
        (office.machine.now + dt.timedelta(days=3)).timestamp() * 1_000_000
    )

    with pytest.raises(EngineError, match="usd-inr: is next run at Thu 2026-11-26"):
        office.install(job())


def test_an_engine_that_never_runs_it(tmp_path):
    """An active timer without a next run is an error."""
    office = Office(tmp_path, "systemd")
    office.machine.systemd._next = lambda _unit: None

    with pytest.raises(EngineError, match="usd-inr: is never run"):
        office.install(job())


def test_a_stopped_timer_of_another_spec(tmp_path):
    """What somebody undid of another spec's jobs does not stand in the way of an install, which leaves it."""
    office = Office(tmp_path, "systemd")
    office.install_from("/home/tester/other.toml", job("b", output='"/home/tester/b.txt"'))
    office.install(job("a"))
    office.machine.perform(
        [Run(argv=("systemctl", "--no-ask-password", "--user", "stop", "ratectl-b.timer"))]
    )

    done = office.install(job("a", schedule='"every day at 11:45"'))

    assert [change.verb for change in done.main.changes if change.job == "a"] == [Verb.UPDATE]
    assert office.held() == ["a", "b"]


def test_an_install_in_the_minute_of_a_slot(tmp_path):
    """A timer that fires while it is being installed tells no next run, which is no fault of it."""
    office = Office(tmp_path, "systemd")
    office.machine.systemd.at_work.add("ratectl-usd-inr.timer")

    office.install(job())

    assert office.held() == ["usd-inr"]


def test_a_slot_between_two_answers(tmp_path):
    """A timer that waited when its state was read, and fires when its next run is, is read anew."""
    office = Office(tmp_path, "systemd")
    systemd, list_timers = office.machine.systemd, office.machine.systemd._list_timers

    def elapse(rest):
        systemd.at_work.update(systemd.active)
        return list_timers(rest)

    systemd._list_timers = elapse

    office.install(job())

    assert office.held() == ["usd-inr"]


def test_an_engine_that_loses_it(tmp_path):
    """An entry that is not there after the install is an error."""
    office = Office(tmp_path, "cron")
    office.machine.crontab._write = lambda _text: office.machine.crontab._list()
    office.machine.crontab.tab = b""

    with pytest.raises(EngineError, match="usd-inr: is missing"):
        office.install(job())


def test_what_the_engine_refuses_is_taken_back(tmp_path):
    """Where the engine refuses one step, the jobs that stood before are as they were, in engine and journal."""
    office = Office(tmp_path, "systemd")
    office.install(*jobs("a", "b"))
    before = dict(office.machine.files), dict(office.machine.links), snapshots(office)
    office.machine.systemd.refuses = {"ratectl-c.timer"}

    with pytest.raises(EngineError, match="Everything is as it was before"):
        office.install(job("b", schedule='"every day at 12:15"'), job("c"))

    assert (office.machine.files, office.machine.links, snapshots(office)) == before
    assert office.machine.systemd.active == {"ratectl-a.timer", "ratectl-b.timer"}
    assert office.install(*jobs("a", "b")).empty


def test_a_link_of_another_account_is_taken_back_from(tmp_path):
    """What root may not trust is found by a step at the latest, and told as what it is, when all is as it was."""
    office = Office(tmp_path, "systemd")
    danger = UntrustedError("/etc/wants", "is a link of keeper's", "rm /etc/wants")
    perform = office.machine.perform

    def refusing(steps):
        if any(isinstance(step, Link) for step in steps):
            raise danger
        perform(steps)

    office.machine.perform = refusing

    with pytest.raises(UntrustedError, match=r"`rm /etc/wants`\nEverything is as it was before"):
        office.install(*jobs("a", "b"))

    assert office.held() == []


def test_a_refused_move_leaves_the_jobs_where_they_were(tmp_path):
    """Jobs whose new engine refuses them stand in the old one again."""
    office = Office(tmp_path, "cron")
    office.install(*jobs("a", "b"))
    tab = office.machine.crontab.tab
    office.use("systemd")
    office.machine.systemd.refuses = {"ratectl-b.timer"}

    with pytest.raises(EngineError):
        office.install(*jobs("a", "b"))

    assert office.held() == []
    assert office.machine.crontab.tab == tab
    office.use("cron")
    assert office.install(*jobs("a", "b")).empty


def test_what_cannot_be_taken_back(tmp_path):
    """Where even taking back is refused, that is said, and the next install puts everything in place."""
    office = Office(tmp_path, "systemd")
    office.machine.systemd._next = lambda _unit: None
    office.machine.systemd._stop = lambda _units: done(1, stderr=b"Access denied\n")
    with pytest.raises(EngineError, match=r"could not be put back: .*Access denied"):
        office.install(job())
    del office.machine.systemd._next, office.machine.systemd._stop

    prepared = office.install(job())

    assert prepared.main.changes[0].why == "an earlier install was interrupted"
    assert office.install(job()).empty


def test_lingering_is_offered_and_enabled_on_request(tmp_path):
    """A user whose timers would stop at logout is told so, until an install is asked to see to it."""
    office = Office(tmp_path, "systemd")

    told = office.install(job())
    asked = office.install(job(), keep_awake=True)

    assert "--enable-linger" in deploy_text.plan_text(told)
    assert "loginctl" in deploy_text.plan_text(asked)
    assert asked.warnings == office.install(job(), keep_awake=True).warnings == ()
    assert office.install(job(), keep_awake=True).empty


def test_a_move_removes_first(tmp_path):
    """Of a job that moves to another engine the old entry goes before the new one comes."""
    office = Office(tmp_path, "cron")
    office.install(job("a"))
    office.use("systemd")

    prepared = office.install(job("a"))

    [old] = prepared.moves
    assert office.machine.performed[-len(prepared.main.steps) - len(old.steps) :] == [
        *old.steps,
        *prepared.main.steps,
    ]


def test_dry_run_and_install_name_the_same_steps(office):
    """What a plan prints are the very steps that an install performs."""
    source = install.SpecSource(jobs=jobs("a", "b"), path=str(Office.spec), digest="d1")
    with Journal(office.account.state_dir) as journal:
        planned = install.prepare(office.site, source, journal)

    done = office.install(*jobs("a", "b"))

    assert deploy_text.plan_text(planned) == deploy_text.plan_text(done)
    assert [*planned.before, *planned.main.steps] == office.machine.performed


@pytest.mark.parametrize("tab", [None, b"0 5 * * 1 theirs\n"])
@pytest.mark.parametrize("saved", [b"", b"0 6 * * 1 theirs\n"])
def test_an_edit_meanwhile(tab, saved, tmp_path):
    """What somebody saves between our look at the crontab and our write is noticed and stays as it is."""
    office = Office(tmp_path, "cron")
    office.machine.crontab.tab = tab
    perform = office.machine.perform

    def edited(steps):
        office.machine.crontab.tab = saved if steps else office.machine.crontab.tab
        office.machine.perform = perform
        perform(steps)

    office.machine.perform = lambda steps: edited(steps) if steps else None
    with pytest.raises(EngineError, match="changed by somebody else"):
        office.install(job())

    assert office.machine.crontab.tab == saved
    assert office.known() == []
    office.install(job())
    assert saved in office.machine.crontab.tab


def test_half_open_block_stops_everything(tmp_path):
    """A crontab block that is not whole stops the install before anything is written or recorded."""
    office = Office(tmp_path, "cron")
    office.install(job("a"))
    office.machine.crontab.tab = office.machine.crontab.tab.replace(b"# <<< ratectl <<<\n", b"")
    before = office.machine.crontab.tab, office.known()

    with pytest.raises(EngineError, match="not whole"):
        office.install(*jobs("a", "b"))

    assert (office.machine.crontab.tab, office.known()) == before


def test_a_key_that_others_may_read_is_told(office):
    """An install says which file of keys others may read, with the command that ends it; one that is private is no word."""
    key = Path("/home/tester/office.key")
    provider = Provider(name="openexchangerates", kind="openexchangerates", api_key=f"file:{key}")
    office.machine.files[key] = b"secret\n"
    office.machine.modes[key] = 0o640

    told = office.plan(dataclasses.replace(job(), providers=(provider,))).warnings

    assert [text for text in told if f"`chmod 600 {shlex.quote(str(key))}`" in text]
    office.machine.modes[key] = 0o600
    assert not [
        text
        for text in office.plan(dataclasses.replace(job(), providers=(provider,))).warnings
        if "chmod" in text
    ]
