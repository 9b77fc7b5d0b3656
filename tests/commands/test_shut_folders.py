"""Folders that the account may not enter, names longer than the system takes, a current folder that is gone: one line of error each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from ratectl.errors import EXIT_CODES
from tests.faults.conftest import OBEYING_MODES

pytestmark = [pytest.mark.posix("modes of folders"), pytest.mark.network]
JOB = '[jobs.usd-inr]\npairs = ["USD/INR"]\nschedule = "every day at 10:30"\n'
SPECS = {
    "good": f'{JOB}output = "o.txt"\n',
    "output": f'{JOB}output = "SHUT/q/x.txt"\n',
    "database": f'{JOB}output = "sqlite:SHUT/x.db"\n',
    "page": f'[ratectl]\nreport = "SHUT/r.html"\n{JOB}output = "o.txt"\n',
    "bundle": f'[ratectl]\nca_bundle = "SHUT/ca.pem"\n{JOB}output = "o.txt"\n',
}
LONG = "x" * 300


@pytest.fixture
def shut(tmp_path):
    """A folder that nobody may enter, beside the specs that name it."""
    folder = tmp_path / "shut"
    folder.mkdir()
    for name, text in SPECS.items():
        (tmp_path / f"{name}.toml").write_text(text.replace("SHUT", str(folder)))
    folder.chmod(0)
    yield folder
    folder.chmod(0o700)


@pytest.fixture
def typed(tmp_path):
    """Run ratectl in a folder as an account that modes bind, as root is not, and return how it ended."""
    obeying = OBEYING_MODES if os.geteuid() == 0 else ()
    if obeying and shutil.which(obeying[0]) is None:
        pytest.skip("root ignores modes, and there is no setpriv to take that from it")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
        "HOME": str(tmp_path),
        "RATECTL_STATE_DIR": str(tmp_path / "state"),
    }

    def run(*words, cwd=tmp_path, shell="", **more):
        program = (sys.executable, "-m", "ratectl", *words)
        within = ("sh", "-euc", f'{shell}; exec "$@"', "sh") if shell else ()
        done = subprocess.run(
            (*within, *obeying, *program),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=cwd,
            env=environment | more,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode in EXIT_CODES
        return done

    return run


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("init", "SHUT/x.toml"), 73, "SHUT/x.toml: cannot be written: Permission denied"),
        (("init", "--yes", "--output", "SHUT/a.txt", "y.toml"), 77, "may not write to SHUT"),
        (("init", "--yes", "--output", "jsonl:SHUT/d", "y.toml"), 77, "may not write to SHUT"),
        (("report", "SHUT/x.html"), 77, "may not be written by this account; name another file"),
        (("report", "--watch", "SHUT/x.html"), 77, "may not be written by this account"),
        (("status", "--prometheus", "SHUT/x.prom"), 77, "may not be written by this account"),
        (("render", "--backend", "cron", "--out", "SHUT/x", "good.toml"), 77, "may not be written"),
        (("journal", "copy", "SHUT/j.sqlite3", "sqlite"), 77, "this account may not enter"),
        (("check", "SHUT/x.toml"), 78, "cannot be read: Permission denied; name another file"),
        (("check", "bundle.toml"), 78, "SHUT/ca.pem: lies in a folder that this account may not"),
        (("serve", "bundle.toml"), 78, "SHUT/ca.pem: lies in a folder that this account may not"),
        (("providers", "--offline", "--spec", "bundle.toml"), 78, "SHUT/ca.pem: lies in a folder"),
        (("init", f"{LONG}.toml"), 73, "File name too long; name another file"),
        (("report", LONG), 73, "File name too long"),
        (("status", "--prometheus", LONG), 73, "File name too long"),
        (("render", "--backend", "cron", "--out", LONG, "good.toml"), 73, "File name too long"),
        (("journal", "copy", f"./{LONG}", "sqlite"), 78, "File name too long"),
        (("check", "~nosuch/x.toml"), 2, "there is no account 'nosuch' here"),
        (("check", "."), 78, "cannot be read: Is a directory; name a file in it"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_refused(typed, shut, tmp_path, words, code, said):
    """What cannot be written or read there ends in one line that names it, with the exit code of its kind."""
    done = typed(*(word.replace("SHUT", str(shut)) for word in words))

    assert done.returncode == code, done.stderr
    assert said.replace("SHUT", str(shut)) in done.stderr
    assert not (tmp_path / "y.toml").exists()


@pytest.mark.parametrize("spec", ["output", "database"])
def test_outputs_of_a_spec(typed, shut, spec):
    """`check` warns of the output, as of one in a folder that may only be read, and `serve` says it before it begins."""
    checked = typed("check", f"{spec}.toml")

    assert checked.returncode == 0
    assert "may not write to" in checked.stdout
    assert str(shut) in checked.stdout


@pytest.mark.usefixtures("shut")
def test_page_of_a_spec(typed):
    """A page there is no issue of the spec, as in a folder that may only be read."""
    assert typed("check", "page.toml").returncode == 0


def test_names_that_are_too_long(typed, tmp_path):
    """A page or bundle of a spec with such a name is an issue."""
    for key, name in (("report", f"{LONG}.html"), ("ca_bundle", LONG)):
        (tmp_path / "long.toml").write_text(f'[ratectl]\n{key} = "{name}"\n{SPECS["good"]}')
        done = typed("check", "long.toml")
        assert done.returncode == 78
        assert f"ratectl.{key}: " in done.stderr
        assert "cannot be looked at (File name too long)" in done.stderr


@pytest.mark.parametrize("words", [("init", "--yes", "x.toml"), ("report",), ("check", "x.toml")])
def test_in_a_folder_that_is_shut(typed, shut, words):
    """A current folder that the account may not enter is one where nothing can be read or written."""
    open_it = f"chmod 700 {shut}; cd {shut}; chmod 0 {shut}"

    assert typed(*words, shell=open_it).returncode in {73, 77, 78}


GONE = "mkdir gone; cd gone; rmdir ../gone"


@pytest.mark.parametrize("words", [("--version",), ("status",), ("list",), ("manual",)])
def test_without_a_current_folder(typed, words):
    """What needs no current folder works where that is gone."""
    assert typed(*words, shell=GONE).returncode == 0


@pytest.mark.usefixtures("shut")
def test_whole_paths_without_a_current_folder(typed, tmp_path):
    """Neither does what names whole paths."""
    for words in (("check", "good.toml"), ("report", "x.html"), ("init", "--yes", "new.toml")):
        whole = (*words[:-1], str(tmp_path / words[-1]))
        assert typed(*whole, shell=GONE).returncode == 0, words


@pytest.mark.parametrize(
    "words",
    [
        ("init", "--yes", "x.toml"),
        ("check", "x.toml"),
        ("report",),
        ("status", "--prometheus", "x.prom"),
        ("import", "x.csv", "--job", "usd-inr"),
        ("lint-crontab", "x"),
        ("journal", "copy", "x.sqlite3", "sqlite"),
    ],
    ids=" ".join,
)
def test_a_path_in_a_folder_that_is_gone(typed, words):
    """A relative path says that the current folder is gone, and how to go on."""
    done = typed(*words, shell=GONE)

    assert done.returncode == 74
    assert "the current folder, in which that path begins, is gone; `cd` to another one" in (
        done.stderr
    )


def test_an_empty_home(typed, tmp_path):
    """HOME without a text is as if it were not set: ~ in a spec, and the places of spec and record, are the account's own home."""
    import pwd  # noqa: PLC0415 - POSIX only

    home = pwd.getpwuid(os.geteuid()).pw_dir
    (tmp_path / "home.toml").write_text(f'{JOB}output = "~/rates/o.txt"\n')

    done = typed("check", "home.toml", HOME="")

    assert f"text:{home.rstrip('/')}/rates/o.txt" in done.stdout
