"""The command line as a whole: version, help, wrong words, broken pipes, interrupts."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ratectl import __version__, cli
from ratectl.runtime import given

pytestmark = pytest.mark.network  # starts processes

PROGRAM = (sys.executable, "-m", "ratectl")


def run(*words, **options):
    return subprocess.run(
        (*PROGRAM, *words), capture_output=True, text=True, check=False, **options
    )


def test_version():
    """``--version`` names program and version."""
    assert run("--version").stdout == f"ratectl {__version__}\n"


@pytest.mark.parametrize("words", [("--help",), ("-h",), ()])
def test_help_lists_every_command(words):
    """Help, which is also what no argument gets, lists each command with its line, uncut."""
    done = run(*words)

    for verb, text in cli.COMMANDS.items():
        assert verb in done.stdout + done.stderr
        assert text in " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize("verb", cli.COMMANDS)
def test_help_of_a_command(verb):
    """Every command has help of its own."""
    done = run(verb, "--help")

    assert done.returncode == 0
    assert f"ratectl {verb}" in done.stdout


@pytest.mark.parametrize("words", [("frob",), ("--frob",), ("list", "--frob"), ("next",)])
def test_wrong_usage_exits_2(words):
    """A word that does not exist or is missing is a usage error on stderr."""
    done = run(*words)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr


def test_closed_pipe_is_quiet():
    """A reader that goes away, such as ``head``, gets no traceback."""
    many = (*PROGRAM, "next", "every second", "--count", "20000")
    with subprocess.Popen(many, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()

    assert b"Traceback" not in said


@pytest.mark.posix("POSIX signals")
def test_interrupt_is_quiet():
    """Ctrl-C ends a command with the code that shells expect, without a traceback."""
    endless = (*PROGRAM, "next", "every second", "--count", "900000000")
    with subprocess.Popen(endless, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()  # it is at work, however slow the machine
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()

    assert process.returncode == 130
    assert b"Traceback" not in said


@pytest.mark.posix("POSIX signals")
def test_interrupt_at_the_very_beginning_is_quiet(monkeypatch, capsys):
    """Ctrl-C while a command is only being loaded ends it as quietly."""
    monkeypatch.setattr(cli, "application", lambda _verb: signal.raise_signal(signal.SIGINT))

    with pytest.raises(SystemExit) as ending:
        cli.main(["list"])

    assert ending.value.code == 130
    assert capsys.readouterr() == ("", "")


LOADING = """
import os, signal, sys
class Finder:  # is asked first for each module
    def find_spec(self, name, *_):
        if name == "typer":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
"""
ENDING = "import atexit, os, signal; atexit.register(os.kill, os.getpid(), signal.SIGINT)"
ENTRY = "\nfrom ratectl.__main__ import main; main()"


@pytest.mark.posix("POSIX signals")
@pytest.mark.parametrize(("moment", "printed"), [(LOADING, b""), (ENDING, __version__.encode())])
def test_interrupt_around_the_command_is_quiet(moment, printed):
    """Ctrl-C while the libraries are loaded, or when all is said, ends the process as any program, without a traceback."""
    argv = (sys.executable, "-c", moment + ENTRY, "--version")

    done = subprocess.run(argv, capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (-signal.SIGINT, b"")
    assert printed in done.stdout


@pytest.mark.posix("POSIX signals")
@pytest.mark.parametrize("moment", [LOADING, ENDING])
def test_interrupt_that_is_ignored(moment):
    """What a shell runs in the background ignores Ctrl-C from beginning to end."""
    ignoring = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    argv = (sys.executable, "-c", ignoring + moment + ENTRY, "--version")

    done = subprocess.run(argv, capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (0, b"")
    assert __version__.encode() in done.stdout


@pytest.mark.posix("Windows has no pseudo-terminals")
@pytest.mark.parametrize(
    ("more", "begins"),
    [
        ({}, b"\x1b[31mratectl:\x1b[0m "),
        ({"NO_COLOR": "1"}, b"ratectl: "),
        ({"TERM": "dumb"}, b"ratectl: "),
    ],
)
def test_an_error_on_a_terminal(more, begins):
    """What an error begins with is red on a terminal that shows colours, and plain elsewhere."""
    master, slave = os.openpty()
    plain = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    argv = (sys.executable, "-m", "ratectl", "check", "/nowhere.toml")
    subprocess.run(argv, stderr=slave, check=False, env=plain | {"TERM": "xterm"} | more)
    os.close(slave)

    assert os.read(master, 4096).startswith(begins)
    os.close(master)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("check", "{}"), 78),
        (("plan", "{}"), 78),
        (("install", "{}"), 78),
        (("install", "{}", "--dry-run"), 78),
        (("serve", "{}"), 78),
        (("render", "{}", "--backend", "cron", "--out", "new"), 78),
        (("next", "usd-inr", "--spec", "{}"), 78),
        (("providers", "--spec", "{}"), 78),
        (("init", "{}"), 2),
        (("lint-crontab", "{}"), 77),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
@pytest.mark.posix("rights by modes")
def test_a_file_that_may_not_be_read(words, code, tmp_path, monkeypatch, capsys):
    """A file that is closed to us is told as that, with what opens it, and not as wrong usage."""
    file = tmp_path / "jobs.toml"
    file.write_text("")
    _close_to_us(file, monkeypatch)
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "RATECTL_STATE_DIR", "RATECTL_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path))

    with pytest.raises(SystemExit) as ended:
        cli.main([word.format(file) for word in words])

    said = capsys.readouterr().err
    assert ended.value.code == code
    assert "Usage" not in said
    if code == 78:
        assert f"cannot be read: Permission denied; `chmod u+r {file}`" in said
        assert "ratectl manual" not in said


def _close_to_us(file, monkeypatch):
    """Let *file* be one that this account may not read, also where it is root's."""
    real, access = given.contents, os.access

    def contents(path):
        if Path(path) == file:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path)

    monkeypatch.setattr(given, "contents", contents)
    monkeypatch.setattr(
        os, "access", lambda path, mode: os.fspath(path) != str(file) and access(path, mode)
    )
