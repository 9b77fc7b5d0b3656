"""Jobs in the Task Scheduler from install to remove, on a fake schtasks, with the real journal."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from ratectl.backends.protocol import Verb
from ratectl.errors import ConfigError, EngineError
from ratectl.model.job import Output
from ratectl.views import deploy_text
from tests.fakes.jobs import job, jobs
from tests.fakes.machine import PowerCutError, host
from tests.fakes.office import Office
from tests.fakes.tasks import ENGLISH, FRENCH, GERMAN, NAMESPACE, SID, Tasks

OURS = f"\\ratectl\\{SID}\\"
A = f"{OURS}a"
OLD = "\\ratectl\\a"
SWEEP = f"{OURS}_try-again"
OTHER = "S-1-5-21-1004336348-1177238915-682003330-1002"


class Pc(Office):
    """An account at a Windows machine whose schtasks is *tasks*."""

    def __init__(self, folder, *, code_pages=("cp437", "cp850", "cp1252"), **facts):
        super().__init__(folder, "windows", flavour=None)
        self.code_pages = code_pages
        self.tasks = self.machine.tasks = Tasks(**facts)
        self.log_on(elevated=self.tasks.elevated)

    def log_on(self, *, elevated, program=r"C:\Users\Zoë\日本 tools\ratectl-fetchw.exe"):
        """Go on as the same account, as an administrator or not."""
        folder = self.account.state_dir
        self.tasks.elevated = elevated
        self.account = host(
            platform="win32",
            fetch=(program,),
            user=SID,
            root=elevated,
            state_dir=folder,
            code_pages=self.code_pages,
        )
        self.use("windows")


@pytest.fixture
def pc(tmp_path):
    return Pc(tmp_path)


@pytest.mark.parametrize("language", [ENGLISH, FRENCH, GERMAN], ids=["en", "fr", "de"])
@pytest.mark.parametrize("prints", ["utf-16", "utf-16-le", "code page"])
def test_install_then_nothing_to_do(tmp_path, language, prints):
    """In any language, and however exports are printed, what was installed is read back as ours."""
    pc = Pc(tmp_path, language=language, prints=prints)

    pc.install(*jobs("a", "b", schedule='"every 50 minutes"'), job("c"))

    assert pc.install(*jobs("a", "b", schedule='"every 50 minutes"'), job("c")).empty
    assert pc.held() == pc.known() == ["a", "b", "c"]
    assert not [path for path in pc.machine.files if path.name.endswith(".task.xml")]


@pytest.mark.parametrize(
    ("oem", "prints", "name"),
    [
        ("cp850", "cp1252", "Jürgen"),
        ("cp852", "cp1250", "Łukasz"),
        ("cp866", "cp1251", "Юрий"),
        ("cp437", "cp1252", "Zoë"),
        ("cp932", "cp1252", "Jürgen"),
        ("cp437", "utf-8", "Łukasz"),
        ("cp437", "cp437", "日本 Łukasz?"),
        ("cp850", "cp437", "Łukasz"),
    ],
)
def test_any_code_page(tmp_path, oem, prints, name):
    """Redirected, schtasks prints in the console's page, the OEM's or the ANSI one: ours is the one that spells us."""
    language = replace(ENGLISH, code_page=prints)
    pc = Pc(tmp_path, language=language, code_pages=(oem, prints, "cp1252"))
    pc.log_on(elevated=False, program=rf"C:\Users\{name.rstrip('?')}\ratectl-fetchw.exe")

    pc.install(job("a"))

    assert pc.install(job("a")).empty


def test_another_name_is_drift(tmp_path):
    """A character that the code page has is compared as it is: no wildcard stands for it."""
    pc = Pc(tmp_path, language=replace(ENGLISH, code_page="cp850"), code_pages=("cp850",))
    pc.log_on(elevated=False, program=r"C:\Users\Jürgen\ratectl-fetchw.exe")
    pc.install(job("a"))
    pc.tasks.change(A, "Actions", "Exec", "Command", text=r"C:\Users\J?rgen\ratectl-fetchw.exe")

    assert "Command" in deploy_text.plan_text(pc.install(job("a")))


def test_a_list_that_breaks_off(tmp_path):
    """A broken task of another program, which ends the list of all with 1, keeps nobody from ours."""
    pc = Pc(tmp_path)
    pc.install(*jobs("a", "b"))
    pc.tasks.broken_off = True

    assert pc.install(*jobs("a", "b")).empty


@pytest.mark.parametrize(
    ("place", "text", "says"),
    [
        (("Settings", "Enabled"), "false", "the task is disabled"),
        (("Settings", "DisallowStartIfOnBatteries"), "true", "DisallowStartIfOnBatteries"),
        (("Settings", "StopIfGoingOnBatteries"), "true", "StopIfGoingOnBatteries"),
        (("Settings", "StartWhenAvailable"), "false", "StartWhenAvailable"),
        (("Settings", "RunOnlyIfIdle"), "true", "differs"),
        (("Settings", "MultipleInstancesPolicy"), "Parallel", "differs"),
        (("Actions", "Exec", "Command"), r"C:\evil.exe", "Command"),
        (("Actions", "Exec", "Arguments"), "a --force", "Arguments"),
        (("Triggers", "CalendarTrigger", "Enabled"), "false", "differs"),
        (("Triggers", "CalendarTrigger", "StartBoundary"), "2020-01-01T11:30:00", "differs"),
    ],
)
def test_what_a_person_changed_is_mended(pc, place, text, says):
    """What keeps a task from its work, or changes it, is told in a plan, and an install puts it right."""
    pc.install(*jobs("a", "b"))
    pc.tasks.change(A, *place, text=text)

    prepared = pc.install(*jobs("a", "b"))

    assert [change.verb for change in prepared.main.changes] == [Verb.UPDATE, Verb.KEEP]
    assert says in deploy_text.plan_text(prepared)
    assert pc.install(*jobs("a", "b")).empty


def test_a_second_action_or_trigger_is_mended(pc):
    """A task that was told to do something else besides is ours alone again."""
    pc.install(job("a"))
    for tag in ("Actions", "Triggers"):
        folder = pc.tasks.kept[A].find(f"{{{NAMESPACE}}}{tag}")
        folder.append(ET.fromstring(ET.tostring(folder[0])))

    assert not pc.install(job("a")).empty
    assert pc.install(job("a")).empty


def test_what_makes_no_difference(pc):
    """An author, a priority that is spelled out or left out, another account form: nothing to do."""
    pc.install(job("a"))
    pc.tasks.change(A, "RegistrationInfo", "Author", text="PC\\zoë")
    pc.tasks.change(A, "Principals", "Principal", "UserId", text="PC\\zoë")
    settings = pc.tasks.kept[A].find(f"{{{NAMESPACE}}}Settings")
    for tag in ("Priority", "WakeToRun", "MultipleInstancesPolicy"):
        settings.remove(settings.find(f"{{{NAMESPACE}}}{tag}"))

    assert pc.install(job("a")).empty


def test_left_out_is_the_default_of_windows(pc):
    """Where a setting is gone, the default of Windows holds, which may be another than ours."""
    pc.install(job("a"))
    settings = pc.tasks.kept[A].find(f"{{{NAMESPACE}}}Settings")
    settings.remove(settings.find(f"{{{NAMESPACE}}}StopIfGoingOnBatteries"))

    assert "StopIfGoingOnBatteries is not false" in deploy_text.plan_text(pc.install(job("a")))


def test_elevated(pc):
    """An administrator's install makes tasks run without a login; a plain one leaves those as they are."""
    plain = pc.install(job("a"))
    pc.log_on(elevated=True)
    raised = pc.install(job("a"))
    assert pc.install(job("a")).empty
    pc.log_on(elevated=False)

    assert "only while you are logged on" in " ".join(plain.warnings)
    assert "network shares" in " ".join(raised.warnings)
    assert [change.verb for change in raised.main.changes] == [Verb.UPDATE]
    assert pc.tasks.kept[A].findtext(f".//{{{NAMESPACE}}}LogonType") == "S4U"
    assert pc.install(job("a")).empty


def test_denied_in_the_language_of_the_machine(tmp_path):
    """Where Windows refuses, all is as it was."""
    pc = Pc(tmp_path, language=FRENCH)
    pc.install(job("a"))
    before = dict(pc.tasks.kept)
    pc.log_on(elevated=True)
    pc.tasks.elevated = False

    with pytest.raises(EngineError, match=r"(?s)ended with 1.*as it was before"):
        pc.install(job("a"), job("b"))

    assert pc.tasks.kept == before
    assert pc.known() == ["a"]


@pytest.mark.parametrize("program", [r"C:\%TEMP%\f.exe", "C:\\" + "x" * 260, "C:\\a\x07.exe"])
def test_refused_before_anything_is_written(pc, program):
    """What no task can hold stops an install while engine, files and journal are untouched."""
    pc.log_on(elevated=False, program=program)

    with pytest.raises(ConfigError):
        pc.install(job("a"))

    assert not pc.tasks.kept
    assert not pc.machine.performed
    assert pc.known() == []


def test_others_are_left_alone(pc):
    """Tasks outside our folder, and those in folders that only look like it, are not ours."""
    pc.install(job("a"))
    for path in ("\\ratectl-of-mine\\a", "\\ratectl\\deep\\a", "\\a"):
        pc.tasks.kept[path] = pc.tasks.kept[A]

    pc.remove()

    assert sorted(pc.tasks.kept) == ["\\a", "\\ratectl-of-mine\\a", "\\ratectl\\deep\\a"]


@pytest.mark.parametrize("what", ["install", "remove"])
def test_what_an_administrator_installed(pc, what):
    """Where Windows refuses a plain prompt what an administrator's registered, the way out is named, and then works."""
    pc.log_on(elevated=True)
    pc.install(job("a"))
    pc.log_on(elevated=False)
    pc.tasks.locked = True

    with pytest.raises(EngineError, match="administrator's prompt can only be changed from one"):
        act(pc, what, (job("a", schedule='"every day at 12:15"'),))

    pc.log_on(elevated=True)
    act(pc, what, (job("a", schedule='"every day at 12:15"'),))
    assert pc.held() == ([] if what == "remove" else ["a"])


UNREACHED = ["//server/share/rates.txt", r"\\\\server\\share\\rates.txt", "Z:/rates.txt"]


@pytest.mark.parametrize("path", UNREACHED)
def test_outputs_on_another_machine(tmp_path, path):
    """What a task that runs unattended cannot reach is refused with the way out, which then works."""
    pc = Pc(tmp_path, elevated=True)
    pc.account = replace(pc.account, network_drives=("Z:",))
    pc.use("windows")
    usd = replace(job("a"), outputs=(Output(kind="text", target=path.replace("\\\\", "\\")),))

    with pytest.raises(ConfigError, match="without an administrator's rights"):
        pc.install(usd)
    assert pc.tasks.kept == {}

    pc.log_on(elevated=False)
    pc.install(usd)
    assert A in pc.tasks.kept


@pytest.mark.parametrize(("longest", "refused"), [(259, True), (32_766, False)])
def test_a_path_that_is_too_long(tmp_path, longest, refused):
    """A path over what this machine takes is refused before anything is written."""
    pc = Pc(tmp_path)
    pc.account = replace(pc.account, longest_path=longest)
    pc.use("windows")
    usd = replace(job("a"), outputs=(Output(kind="text", target="C:/" + "x/" * 130 + "r.txt"),))

    if refused:
        with pytest.raises(ConfigError, match="longer than 259 characters"):
            pc.install(usd)
    else:
        pc.install(usd)

    assert (A in pc.tasks.kept) is not refused


def of(task, account):
    """Return *task* as another account's."""
    text = ET.tostring(task, encoding="unicode").replace(SID, account)
    return ET.fromstring(text)


def test_what_tries_again(pc):
    """Beside the jobs stands one task that starts a sweep each five minutes; it comes with the first and goes with the last."""
    pc.install(*jobs("a", "b"))
    task = pc.tasks.kept[SWEEP]
    pc.install(*jobs("a", "b", "c"))
    same = pc.tasks.kept[SWEEP] is task
    pc.remove("a")
    there = SWEEP in pc.tasks.kept
    pc.remove()

    assert same
    assert there
    assert task.findtext(f".//{{{NAMESPACE}}}Arguments").startswith("--sweep")
    assert task.findtext(f".//{{{NAMESPACE}}}Interval") == "PT5M"
    assert pc.tasks.kept == {}


def test_what_tries_again_when_a_network_is_connected(pc):
    """The same task also starts when a network is connected, and comes back from Windows as the one that was written."""
    pc.install(job("a"))
    (trigger,) = pc.tasks.kept[SWEEP].iter(f"{{{NAMESPACE}}}EventTrigger")
    query = ET.fromstring(trigger.findtext(f"{{{NAMESPACE}}}Subscription"))

    assert {node.get("Path") for node in query.iter() if node.get("Path")} == {
        "Microsoft-Windows-NetworkProfile/Operational"
    }
    assert "EventID=10000" in query.findtext("Query/Select")
    assert pc.install(job("a")).empty


@pytest.mark.parametrize("change", ["gone", "disabled", "another", "by the clock alone"])
def test_what_tries_again_is_looked_after(pc, change):
    """Where that task is gone, disabled or another one, a plan tells it of the jobs, and an install mends it."""
    pc.install(*jobs("a", "b"))
    if change == "gone":
        del pc.tasks.kept[SWEEP]
    elif change == "disabled":
        pc.tasks.change(SWEEP, "Settings", "Enabled", text="false")
    elif change == "by the clock alone":
        triggers = pc.tasks.kept[SWEEP].find(f"{{{NAMESPACE}}}Triggers")
        triggers.remove(triggers.find(f"{{{NAMESPACE}}}EventTrigger"))
    else:
        pc.tasks.change(SWEEP, "Actions", "Exec", "Arguments", text="--sweep -v")

    told = deploy_text.plan_text(pc.plan(*jobs("a", "b")))
    pc.install(*jobs("a", "b"))

    assert "the task that tries again what failed is" in told
    assert pc.install(*jobs("a", "b")).empty
    assert (
        pc.tasks.kept[SWEEP].findtext(f"{{{NAMESPACE}}}Settings/{{{NAMESPACE}}}Enabled") == "true"
    )


def test_tasks_of_another_account(tmp_path):
    """What an elevated account sees of others is neither listed nor taken over, changed or removed."""
    pc = Pc(tmp_path, elevated=True)
    pc.install(job("a"))
    theirs = of(pc.tasks.kept[A], OTHER)
    foreign = {f"\\ratectl\\{OTHER}\\a": theirs, OLD: theirs, "\\ratectl\\b": theirs}
    pc.tasks.kept |= foreign

    pc.install(job("b"), job("a", schedule='"every day at 12:15"'))
    held = pc.held()
    pc.remove()

    assert held == ["a", "b"]
    assert pc.tasks.kept == foreign


def test_tasks_of_before_are_brought_over(pc):
    """Tasks that stand where all accounts had theirs move into the account's own folder with the next install."""
    pc.install(*jobs("a", "b"))
    for name in "ab":
        pc.tasks.kept[f"\\ratectl\\{name}"] = pc.tasks.kept.pop(f"{OURS}{name}")
    del pc.tasks.kept[SWEEP]

    told = deploy_text.plan_text(pc.plan(*jobs("a", "b")))
    pc.install(*jobs("a", "b"))

    assert "still stands in a folder of all accounts" in told
    assert sorted(pc.tasks.kept) == sorted((SWEEP, A, f"{OURS}b"))
    assert pc.install(*jobs("a", "b")).empty


def test_tasks_of_before_are_removed(pc):
    """A removal takes a job's task from either place."""
    pc.install(*jobs("a", "b"))
    pc.tasks.kept[OLD] = pc.tasks.kept.pop(A)
    pc.tasks.kept["\\ratectl\\b"] = pc.tasks.kept[f"{OURS}b"]

    pc.remove()

    assert pc.tasks.kept == {}


def test_an_install_that_is_not_seen_is_taken_back(pc):
    """Where the list shows nothing of what was registered, that is deleted before all is said to be as before."""
    pc.tasks.blind = True

    with pytest.raises(EngineError, match=r"(?s)a: is missing.*Everything is as it was before"):
        pc.install(*jobs("a", "b"))

    assert pc.tasks.kept == {}
    assert pc.known() == []


def test_rights_under_another_account(tmp_path):
    """Whoever typed an administrator's password is told whose tasks that would make, before anything is written."""
    pc = Pc(tmp_path, elevated=True)
    pc.account = replace(pc.account, logged_on=OTHER)
    pc.use("windows")

    with pytest.raises(EngineError, match=f"(?s)another account.*{OTHER}.*prompt of your own"):
        pc.install(job("a"))
    assert pc.tasks.kept == {}

    pc.account = replace(pc.account, logged_on=SID)
    pc.use("windows")
    pc.install(job("a"))
    assert A in pc.tasks.kept


@pytest.mark.parametrize("what", ["install", "update", "remove", "old"])
def test_power_cut_anywhere(what, tmp_path):
    """Stopped before any of its steps, an install or remove is finished by the next one."""
    for cut in range(50):
        folder = tmp_path / str(cut)
        folder.mkdir()
        pc = Pc(folder)
        if what != "install":
            pc.install(*jobs("a", "b"))
        if what == "old":
            pc.tasks.kept = {OLD: pc.tasks.kept[A]}
        wanted = (job("b", schedule='"every day at 12:15"'), job("c"))
        pc.machine.steps_left = cut
        try:
            act(pc, what, wanted)
            break
        except PowerCutError:
            pc.machine.steps_left = None
        act(pc, what, wanted)
        assert pc.held() == pc.known() == ([] if what == "remove" else ["b", "c"])
        assert not [path for path in map(Path, pc.machine.files) if "task.xml" in path.name]
        if what != "remove":
            assert pc.install(*wanted, prune=True).empty
    assert cut > 2


def act(pc, what, wanted):
    """Remove everything, or install what is *wanted*."""
    if what == "remove":
        pc.remove()
    else:
        pc.install(*wanted, prune=True)
