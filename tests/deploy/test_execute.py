"""The door to the machine: what is written is whole, what fails is our error, one change at a time."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ratectl.backends import BACKENDS, ENGINES
from ratectl.backends.steps import Expect, Link, RemoveFile, Run, WriteFile
from ratectl.deploy import execute, host_facts
from ratectl.errors import CannotCreateError, EngineError, StorageError


@pytest.fixture
def reader():
    return execute.SystemReader()


@pytest.mark.posix("modes")
def test_files(reader, tmp_path):
    """Files are written with their mode, folders made, drafts left nowhere; removal of nothing is fine."""
    path = tmp_path / "a" / "b.service"

    execute.perform([WriteFile(path=path, data=b"1"), WriteFile(path=path, data=b"22", mode=0o600)])

    assert reader.read(path) == b"22"
    assert path.stat().st_mode & 0o777 == 0o600
    assert reader.names(path.parent) == ("b.service",)
    execute.perform([RemoveFile(path=path), RemoveFile(path=path)])
    assert reader.read(path) is None


@pytest.mark.posix("symbolic links need a privilege")
def test_a_link_is_replaced_not_followed(tmp_path):
    """Writing over a mask replaces the link, and not what it points to."""
    (tmp_path / "target").write_bytes(b"theirs")
    (tmp_path / "unit").symlink_to(tmp_path / "target")

    execute.perform([WriteFile(path=tmp_path / "unit", data=b"ours")])

    assert (tmp_path / "target").read_bytes() == b"theirs"
    assert not (tmp_path / "unit").is_symlink()


def test_many_files(tmp_path):
    """Hundreds of files are written like one."""
    execute.perform([WriteFile(path=tmp_path / str(n), data=b"x") for n in range(200)])

    assert len(list(tmp_path.iterdir())) == 200


def test_a_file_where_a_folder_should_be(tmp_path):
    """What the system refuses becomes our error with the path in it."""
    (tmp_path / "file").touch()

    with pytest.raises(CannotCreateError, match=r"file[/\\]unit"):
        execute.perform([WriteFile(path=tmp_path / "file" / "unit", data=b"")])


def test_no_draft_is_left_of_what_failed(tmp_path):
    """Where one of several files cannot be written none is, and nothing lies beside them."""
    (tmp_path / "file").touch()
    first, second = tmp_path / "unit", tmp_path / "file" / "unit"

    with pytest.raises(CannotCreateError):
        execute.perform([WriteFile(path=first, data=b"1"), WriteFile(path=second, data=b"2")])

    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.posix("symbolic links need a privilege")
def test_many_links(tmp_path):
    """Links are made in place of what stood there; the one that cannot be made leaves nothing beside it."""
    (tmp_path / "old").touch()
    (tmp_path / "folder").mkdir()
    links = [Link(path=tmp_path / name, target=tmp_path / "unit") for name in ("old", "new")]
    execute.perform(links)

    with pytest.raises(StorageError, match="folder: cannot be replaced"):
        execute.perform([Link(path=tmp_path / "folder", target=tmp_path / "unit"), *links])

    found = {path.name: path.is_symlink() for path in tmp_path.iterdir()}
    assert found == {"old": True, "new": True, "folder": False}


def test_a_folder_of_somebody_else_where_a_file_is_removed(tmp_path):
    """What is no file is none of ours: it stays, and a removal goes on behind it."""
    (tmp_path / "unit" / "theirs").mkdir(parents=True)
    (tmp_path / "other").touch()

    execute.perform([RemoveFile(path=tmp_path / name) for name in ("unit", "other", "gone")])

    assert [path.name for path in tmp_path.iterdir()] == ["unit"]


@pytest.mark.posix("symbolic links need a privilege")
def test_looking(reader, tmp_path):
    """Missing things are None or empty, never an exception."""
    (tmp_path / "l").symlink_to("/dev/null")

    assert reader.read(tmp_path / "no") is None
    assert reader.names(tmp_path / "no") == ()
    assert not reader.is_folder(tmp_path / "no")
    assert reader.link(tmp_path / "l") == "/dev/null"
    assert reader.link(tmp_path) is None
    assert reader.which("surely-no-such-program") is None
    assert reader.which("sh")


@pytest.mark.posix("owners and modes")
def test_looking_at_rights(reader, tmp_path):
    """Kind, owner, size and rights are told without opening; of what is not there nothing is known."""
    file = tmp_path / "program"
    file.write_bytes(b"1234")
    file.chmod(0o644)

    status = reader.status(file)

    assert (status.owner, status.size, status.mode & 0o777) == (os.getuid(), 4, 0o644)
    assert reader.may_read(file)
    assert reader.may_write(file)
    assert not reader.may_run(file)
    file.chmod(0o755)
    assert reader.may_run(file)
    assert reader.free(file) > 0
    assert reader.status(tmp_path / "no") is None
    assert reader.free(tmp_path / "no") is None


def test_clock(reader):
    """Linux says whether its clock is kept right."""
    assert reader.clock_synchronised() in ({True, False} if sys.platform == "linux" else {None})


@pytest.mark.posix("only cron asks for it")
def test_processes(reader):
    """The programs that run are found by name."""
    assert any("py" in name for name in reader.processes())


def test_an_unknown_program(reader):
    """A program that is not there is exit code 127, and an error when it was to change something."""
    assert reader.query(("surely-no-such-program",)).code == 127
    with pytest.raises(EngineError, match="no program 'surely-no-such-program'"):
        execute.perform([Run(argv=("surely-no-such-program",))])


@pytest.mark.engine
def test_commands(reader):
    """Commands run with input, in English, without a shell; a failed step raises with what was said."""
    assert reader.query(("cat",), stdin=b"a b").stdout == b"a b"
    assert reader.query(("sh", "-c", "echo $LC_ALL")).stdout == b"C\n"
    assert reader.query(("echo", "$HOME", "*")).stdout == b"$HOME *\n"
    with pytest.raises(EngineError, match="ended with 3: oh no"):
        execute.perform([Run(argv=("sh", "-c", "echo oh no >&2; exit 3"))])
    execute.perform([Run(argv=("false",), may_fail=True)])


READER = """
import pathlib, sys, time
pathlib.Path("begun").touch()
time.sleep(1)
pathlib.Path("draft").write_bytes(sys.stdin.buffer.read())
pathlib.Path("draft").rename("read")
"""
"""Reads its input late, as ``crontab -`` may on a busy machine, and takes what comes for the whole."""


@pytest.mark.network
@pytest.mark.posix("a program killed by a signal")
def test_killed_while_a_program_reads(tmp_path):
    """Whoever reads from us gets all of it, though we are killed: a tab that ends early would lose lines of others."""
    code = (
        "import sys; from ratectl.backends.steps import Run; from ratectl.deploy import execute\n"
        "execute.perform([Run(argv=(sys.executable, '-c', sys.argv[1]), stdin=b'x' * 200_000)])"
    )
    with subprocess.Popen((sys.executable, "-c", code, READER), cwd=tmp_path) as process:
        _wait_for(tmp_path / "begun")
        process.kill()

    _wait_for(tmp_path / "read")
    assert len((tmp_path / "read").read_bytes()) == 200_000


@pytest.mark.posix("the limit is set by setrlimit")
def test_no_room_for_what_a_program_reads():
    """Where its text cannot be kept, the disk is at fault, and not the program, which never starts."""
    import resource  # noqa: PLC0415 - POSIX only

    folder, limits = tempfile.gettempdir(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with pytest.raises(StorageError, match="no file for what `cat` reads") as error:
            execute.perform([Run(argv=("cat",), stdin=b"x" * 200_000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(error.value).startswith(folder)


def _wait_for(path):
    end = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < end, f"{path} never came"
        time.sleep(0.02)


COUNTER = "echo >> tries; test $(wc -l < tries) -ge 3 || exit 5"
"""Ends with 5 twice, then with 0."""


@pytest.mark.engine
def test_a_failure_that_time_mends(tmp_path, monkeypatch):
    """A command whose exit code says that it is too early is run again; another one is not, nor for ever."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(execute, "AGAIN_EVERY", 0.01)
    with pytest.raises(EngineError, match="ended with 5"):
        execute.perform([Run(argv=("sh", "-c", COUNTER), again_on=frozenset({37}))])

    execute.perform([Run(argv=("sh", "-c", COUNTER), again_on=frozenset({5}))])

    assert (tmp_path / "tries").read_text() == "\n" * 3
    monkeypatch.setattr(execute, "AGAIN_LIMIT", 0.05)
    with pytest.raises(EngineError, match="ended with 5"):
        execute.perform([Run(argv=("sh", "-c", "exit 5"), again_on=frozenset({5}))])


@pytest.mark.engine
def test_a_shortcut(tmp_path, monkeypatch):
    """A command is run unless its shortcut went well, whatever became of that, and its own failure is told."""
    monkeypatch.chdir(tmp_path)
    long_way = ("sh", "-c", "echo way >> gone; test ! -e shut || { echo shut >&2; exit 3; }")
    execute.perform([Run(argv=long_way, shortcut=("sh", "-c", "exit 0"))])
    assert not (tmp_path / "gone").exists()

    execute.perform([Run(argv=long_way, shortcut=("sh", "-c", "echo no >&2; exit 4"))])
    execute.perform([Run(argv=long_way, shortcut=("no-such-program",))])
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"\x7fELF")
    garbage.chmod(0o755)
    execute.perform([Run(argv=long_way, shortcut=(str(garbage),))])
    monkeypatch.setattr(execute, "LOOK_LIMIT", 0.1)
    execute.perform([Run(argv=long_way, shortcut=("sleep", "60"))])

    assert (tmp_path / "gone").read_text() == "way\n" * 4
    (tmp_path / "shut").touch()
    with pytest.raises(EngineError, match="ended with 3: shut"):
        execute.perform([Run(argv=long_way, shortcut=("sh", "-c", "echo no >&2; exit 4"))])


@pytest.mark.engine
def test_what_may_still_come_true(tmp_path, monkeypatch):
    """An expectation may come true within its time, and raises its own words when it does not."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(execute, "AGAIN_EVERY", 0.01)
    look = ("sh", "-c", COUNTER)
    with pytest.raises(EngineError, match="too early"):
        execute.perform([Expect(argv=look, stdout=b"", problem="too early")])

    execute.perform([Expect(argv=look, stdout=b"", problem="too early", within=5.0)])
    with pytest.raises(EngineError, match="still there"):
        execute.perform([Expect(argv=look, stdout=None, problem="still there", within=0.05)])


@pytest.mark.engine
class TestChildren:
    """Processes that ``serve`` starts."""

    def test_code(self):
        """A child's exit code is handed on; one that cannot start is an error."""
        assert execute.Children().run((sys.executable, "-c", "raise SystemExit(75)")) == 75
        with pytest.raises(EngineError, match="cannot be started"):
            execute.Children().run(("/surely/no/such/program",))

    def test_end(self):
        """All that run are told to end, and no other is started afterwards."""
        children, codes = execute.Children(), []
        sleeping = (sys.executable, "-c", "print(flush=True); import time; time.sleep(60)")
        thread = threading.Thread(target=lambda: codes.append(children.run(sleeping)))
        thread.start()
        while thread.is_alive():
            children.end()
            thread.join(0.05)

        assert codes in ([-signal.SIGTERM], [0])  # 0: ended before it was started
        assert children.run(sleeping) == 0


def test_current_facts():
    """The facts of this machine are absolute paths and real names."""
    host = host_facts.current()

    assert host.platform == sys.platform
    assert ZoneInfo(host.zone.key) == host.zone
    assert Path(host.fetch[0]).is_absolute()
    assert host.fetch[1:-1] == (("-I",) if sys.platform == "win32" else ("-I", "-S"))
    assert Path(host.fetch[-1]).parts[-3:] == ("ratectl", "firing", "__main__.py")
    assert host.user
    assert host.argv("a")[: len(host.fetch) + 1] == (*host.fetch, "a")


@pytest.mark.parametrize("name", BACKENDS)
def test_target(name):
    """Rendering for another system assumes a usual place there, or calls the program that was named."""
    zone = ZoneInfo("Asia/Kolkata")
    target = host_facts.target(BACKENDS[name], zone, "")

    assert target.platform in ENGINES[name]
    assert target.zone is zone
    assert "ratectl" in " ".join(target.fetch)
    assert host_facts.target(BACKENDS[name], zone, "/x/fetch").fetch == ("/x/fetch",)


def test_settle(tmp_path):
    """A folder that changed in this very second is waited for; an old or hidden one is not."""
    waits = []
    while not waits:  # again when the second ended between the change and the look
        os.utime(tmp_path, (time.time(), time.time()))
        execute.settle(tmp_path, sleep=waits.append)
    assert 0 < waits[0] <= 1.01

    os.utime(tmp_path, (0, 0))
    execute.settle(tmp_path, sleep=waits.append)
    execute.settle(tmp_path / "no", sleep=waits.append)
    assert len(waits) == 1


@pytest.mark.network
def test_one_spelling_of_the_interpreter():
    """Started as python or as python3 of one environment, the command for the engine is the same."""
    ask = "from ratectl.deploy import host_facts; print(host_facts.fetch_argv())"
    names = [
        path
        for name in ("python", "python3", f"python3.{sys.version_info.minor}")
        if (path := Path(sys.executable).with_name(name)).exists()
    ]

    answers = {
        subprocess.run((path, "-c", ask), capture_output=True, check=True).stdout for path in names
    }

    assert len(answers) == 1


@pytest.mark.engine
@pytest.mark.network
def test_a_cron_daemon_of_a_container():
    """A process of that name counts here, and not in a namespace of its own."""
    if not Path("/proc/self/ns/pid").exists() or os.geteuid() != 0:
        pytest.skip("needs root on Linux")
    reader = execute.SystemReader()
    name = "cron-of-a-test"  # whatever has cron in its name is looked at
    ours = ("bash", "-c", f"exec -a {name} sleep 30")

    for argv, counts in (
        (ours, True),
        (("unshare", "--pid", "--fork", "--kill-child", *ours), False),
    ):
        with subprocess.Popen(argv) as child:
            try:
                end = time.monotonic() + 20
                while name not in _first_words():
                    assert time.monotonic() < end, "it never started"
                    time.sleep(0.05)
                assert (name in reader.processes()) == counts
            finally:
                child.kill()


def _first_words():
    """Yield the first word of every process."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            yield path.read_bytes().split(b"\0")[0].decode(errors="replace")
