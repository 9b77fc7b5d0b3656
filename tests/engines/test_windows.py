r"""Windows' Python with schtasks: our own steps, performed, on names and paths that tools get wrong.

Under Wine, whose schtasks keeps and deletes tasks but neither lists nor runs them: what is
kept is looked up where Wine keeps it, in ``System32\\Tasks``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ratectl.backends.protocol import Change, Found, Verb
from ratectl.backends.steps import RemoveFile, Run
from ratectl.backends.windows import backend as windows
from ratectl.deploy import execute, host_facts
from ratectl.errors import ConfigError, EngineError
from tests.fakes.jobs import job
from tests.fakes.machine import host as account

pytestmark = [pytest.mark.engine, pytest.mark.windows]

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
SID = f"S-1-5-21-1004336348-1177238915-682003330-{1001 + int(WORKER)}"
"""Of an account for each process of the suite: they share one Task Scheduler."""
NOTHING = Found(entries={}, raw={})
NAMES = [
    "two words",
    "  leading",
    "a  b   c",
    "Zoë & Söhne",
    "日本 円",
    "курс рубля",
    "ελληνικά",
    "שקל ריאל",
    "rupee ₹ euro €",
    "emoji 💱 beyond the BMP",
    "combining e\u0301 and é",
    "100% sure",
    "a & b && c",
    "a | b".replace("|", "¦"),
    "(parentheses) [brackets] {braces}",
    "it's Ada's",
    "curly “quotes” ‘single’",  # noqa: RUF001 - as editors make them
    "caret ^ and ^^",
    "bang ! and !!",
    "hash # at @ dollar $",
    "comma, semi; equals=",
    "tilde ~ plus + grave `",
    "-starts-with-a-dash",
    "@file",
    "$HOME $(x)",
    ".hidden",
    "x" * 60,
]
REFUSED = [
    (r"C:\%TEMP%\f.exe", "%TEMP%"),
    (r"C:\50% and 60%\f.exe", "a pair of percent signs"),
    ("C:\\a\nb\\f.exe", r"U\+000A"),
    ("C:\\bell\x07\\f.exe", r"U\+0007"),
    ("C:\\lone \ud83d\\f.exe", r"U\+D83D"),
    ('C:\\say "hi"\\f.exe', "no file's name"),
    (r"C:\what?\f.exe", "no file's name"),
    (r"C:\a|b\f.exe", "no file's name"),
    (r"C:\dotted.\f.exe", "ends in a space or dot"),
    (r"C:\blank \f.exe", "ends in a space or dot"),
    ("$(@x.dll,-1)", "replaces with something else"),
    (r"C:\$(Arg0)\f.exe", "replaces with something else"),
    ("C:\\" + "y" * 260, "longer than 260"),
    ("C:\\" + "💱" * 130, "longer than 260"),
]
WORDS = [
    *NAMES,
    "",
    " ",
    '"',
    'a"b',
    '"quoted"',
    "C:\\ends in a backslash\\",
    '\\"',
    '\\\\"',
    "a\\\\b",
    'tab\tand "more"',
    "*",
    "?",
    "%PATH%",
    "%",
    "new\nline",
]


@pytest.fixture(autouse=True)
def _services():
    """Let Wine start the services of schtasks where nobody listens: they would keep a captured pipe open for ever."""
    null = subprocess.DEVNULL
    argv = ("schtasks.exe", "/Delete", "/TN", r"\no\such", "/F")
    subprocess.run(argv, stdin=null, stdout=null, stderr=null, timeout=60, check=False)


def kept(name):
    """Return the file in which Wine keeps our task *name*."""
    return Path(os.environ["SYSTEMROOT"], "System32", "Tasks", "ratectl", SID, name)


def steps(verb, wanted, here):
    cover = windows.check(wanted, here.zone)
    made = windows.render(wanted, cover, here, "user") if verb is not Verb.DELETE else ()
    change = Change(verb=verb, job=wanted.name, artefacts=made)
    return windows.stage((change,), NOTHING, here, "user")


@pytest.mark.parametrize("name", NAMES)
def test_create_twice_and_delete(name, tmp_path):
    """A task with *name* in its program and state directory is created, created over, and deleted once."""
    folder = tmp_path / name
    folder.mkdir()
    lone = (
        "%" in name
    )  # a second one in the same text would make a variable of what is between them
    here = account(
        platform="win32",
        user=SID,
        fetch=(str(folder / "f.exe"),) if lone else (str(folder / f"{name}.exe"), name),
        state_dir=folder / "state",
        state_is_default=False,
    )
    usd = job("usd-inr")
    creating, deleting = (steps(verb, usd, here) for verb in (Verb.CREATE, Verb.DELETE))

    execute.perform(creating)
    assert kept("usd-inr").exists()
    execute.perform(creating)
    assert not list((folder / "state").iterdir())
    once = tuple(word for word in creating[1].argv if word != "/F")
    with pytest.raises(EngineError, match="ended with 1"):
        execute.perform((*creating[:1], Run(argv=once)))
    execute.perform(deleting)

    assert not kept("usd-inr").exists()
    assert not kept(windows.SWEEP).exists()
    assert not list((folder / "state").iterdir())
    with pytest.raises(EngineError, match="ended with 1"):
        execute.perform((replace(deleting[0], may_fail=False),))


@pytest.mark.parametrize("name", ["a", "a-b", "x" * 40, "0", "con-1", "2-usd-inr"])
def test_task_paths(name, tmp_path):
    """Every kind of job name is a task of that path, and another task is left alone."""
    here = account(platform="win32", user=SID, fetch=(r"C:\f.exe",), state_dir=tmp_path)
    execute.perform(steps(Verb.CREATE, job("beside"), here))

    execute.perform(steps(Verb.CREATE, job(name), here))
    assert kept(name).exists()
    execute.perform(steps(Verb.DELETE, job(name), here))

    assert not kept(name).exists()
    assert kept("beside").exists()
    execute.perform(steps(Verb.DELETE, job("beside"), here))


@pytest.mark.parametrize(("program", "says"), REFUSED)
def test_refused_before_anything_is_written(program, says, tmp_path):
    """What Windows would bend, drop or expand is refused in words, and no file was made."""
    here = account(platform="win32", fetch=(program,), state_dir=tmp_path / "state")

    with pytest.raises(ConfigError, match=says):
        steps(Verb.CREATE, job(), here)

    assert not (tmp_path / "state").exists()


def test_a_refused_state_directory(tmp_path):
    """A pair of percent signs in the state directory is refused like one in the program's path."""
    here = account(
        platform="win32",
        fetch=(r"C:\f.exe",),
        state_dir=tmp_path / "%USERNAME%",
        state_is_default=False,
    )

    with pytest.raises(ConfigError, match="%USERNAME%"):
        steps(Verb.CREATE, job(), here)


def test_a_draft_that_is_no_task(tmp_path):
    """A file that schtasks cannot read is our error."""
    draft = tmp_path / "d.xml"
    draft.write_text("<Task", encoding="utf-8")

    with pytest.raises(EngineError, match="ended with 1"):
        execute.perform(
            (
                Run(argv=("schtasks", "/Create", "/TN", "\\ratectl\\x", "/XML", str(draft), "/F")),
                RemoveFile(path=draft),
            )
        )

    assert not kept("x").exists()


@pytest.mark.parametrize("words", [*([word] for word in WORDS), WORDS[:12], WORDS[-15:]])
def test_arguments_arrive(words):
    """What a task's command line says reaches a Windows program word for word."""
    line = subprocess.list2cmdline((sys.executable, "-c", ECHO, *words))

    done = subprocess.run(
        line, capture_output=True, check=True, timeout=60, stdin=subprocess.DEVNULL
    )

    assert json.loads(done.stdout) == words


ECHO = "import json, sys; print(json.dumps(sys.argv[1:]))"


def test_what_tries_again(tmp_path):
    """The task that tries again is taken by schtasks beside the first job, and goes with the last."""
    here = account(platform="win32", user=SID, fetch=(r"C:\f.exe",), state_dir=tmp_path)

    execute.perform(steps(Verb.CREATE, job("a"), here))
    assert kept(windows.SWEEP).exists()
    execute.perform(steps(Verb.DELETE, job("a"), here))

    assert not kept(windows.SWEEP).exists()


def test_this_account():
    """The account has a SID, and the task is for it."""
    host = host_facts.current()

    assert host.user.startswith("S-1-5-21-")
    assert host.logged_on in {"", host.user}
    assert host.root in {True, False}
    assert Path(host.fetch[0]).name in {"pythonw.exe", "ratectl-fetchw.exe"}


def test_the_windowless_program_starts(tmp_path):
    """What a task starts runs without any stream and ends with its exit code: here, no such job."""
    argv = (*host_facts.fetch_argv(), "no-such-job", "--state", str(tmp_path))

    done = subprocess.run(argv, check=False, timeout=60, stdin=subprocess.DEVNULL)

    assert done.returncode == 78


def test_programs_of_windows_come_from_its_own_folder(tmp_path, monkeypatch):
    """A schtasks in the folder where somebody stands is not the one that is started."""
    (tmp_path / "schtasks.exe").write_bytes(b"")
    (tmp_path / "schtasks.bat").write_bytes(b"exit 0")
    monkeypatch.chdir(tmp_path)

    found = Path(execute.SystemReader().which("schtasks"))

    assert found.parent == Path(os.environ["SYSTEMROOT"], "System32")
