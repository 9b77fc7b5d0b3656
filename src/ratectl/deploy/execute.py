"""Performs the steps that a backend asks for, and reads what it wants to know: subprocesses and files of the scheduler.

The one place that starts a subprocess, with ``runtime/accounts.py`` for what runs with another account's rights.

Every external command has a time limit; what the system says is translated into
our errors here. A file is written beside its place, synced and renamed.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ratectl import paths
from ratectl.backends.reader import FileInfo
from ratectl.backends.steps import (
    Completed,
    Expect,
    Link,
    MakeFolder,
    RemoveFile,
    Run,
    Settle,
    WriteFile,
)
from ratectl.deploy.machine.linux import clock_is_kept, mounts, names_of
from ratectl.errors import EngineError, RefusedError, StorageError
from ratectl.runtime import accounts, given, trust
from ratectl.runtime.drafts import Drafts, refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ratectl.backends.steps import Step

LOOK_LIMIT = 60
"""Seconds that a command which only looks may take, and a shortcut before it is given up."""
CHANGE_LIMIT = 600
"""Seconds that a command which changes something may take (a reload of 10,000 timers takes two minutes)."""
AGAIN_LIMIT = 30
"""Seconds in which a command whose failure time mends is run again."""
AGAIN_EVERY = 0.25
_SYSTEM_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


class SystemReader:
    """The :class:`~ratectl.backends.protocol.Reader` of this machine. Raises our errors only."""

    def read(self, path: Path) -> bytes | None:
        """Return the bytes of *path*, or None where there is no such file."""
        try:
            return given.contents(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except PermissionError as error:
            raise RefusedError(f"{path}: may not be read by this account") from error
        except OSError as error:
            raise StorageError(f"{path}: cannot be read: {error.strerror}") from error

    def names(self, folder: Path) -> tuple[str, ...]:
        """Return the sorted names in *folder*, none where there is no such folder."""
        try:
            return tuple(sorted(path.name for path in folder.iterdir()))
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except PermissionError as error:
            raise RefusedError(f"{folder}: may not be listed by this account") from error
        except OSError as error:
            raise StorageError(f"{folder}: cannot be listed: {error.strerror}") from error

    def is_folder(self, path: Path) -> bool:
        """Tell whether *path* is a folder."""
        return paths.is_folder(path)

    def link(self, path: Path) -> str | None:
        """Return the target text of the symbolic link *path*, or None where it is not one."""
        try:
            return str(path.readlink())
        except OSError:
            return None

    def real(self, path: Path) -> Path:
        """Return *path* with all symbolic links followed, as far as it exists."""
        if paths.is_link(path):
            return Path(os.path.realpath(path))
        return _real_folder(path.parent) / path.name

    def is_there(self, path: Path | str) -> bool:
        """Tell whether anything is at *path*, a link that leads nowhere too."""
        return os.path.lexists(path)

    def nearest(self, path: Path) -> Path:
        """Return *path* if anything is there, else the nearest folder above it of which that is true."""
        ways = (path, *path.parents)
        return next(filter(os.path.lexists, ways), ways[-1])

    def owner(self, path: Path) -> int | None:
        """Return whose *path* is, or None where there is none, and on Windows."""
        return _owner(path)

    def which(self, program: str) -> str | None:
        """Return the absolute path of *program* on the PATH or in the system's folders, or None."""
        return _which(program)

    def processes(self) -> frozenset[str]:
        """Return the base names of the programs that run now (``busybox crond`` counts as ``crond``)."""
        if not sys.platform.startswith("linux"):
            listing = self.query(("ps", "-axo", "comm=")).stdout.decode("utf-8", "replace")
            return frozenset(line.strip().rpartition("/")[2] for line in listing.splitlines())
        return frozenset(name for entry in self.names(Path("/proc")) for name in names_of(entry))

    def query(self, argv: Sequence[str], *, stdin: bytes = b"") -> Completed:
        """Run a command that changes nothing; 127 when there is no such program."""
        return _call(argv, stdin, LOOK_LIMIT)

    def status(self, path: Path) -> FileInfo | None:
        """Return what is known of *path*, or None where there is nothing, or nothing that this account may see."""
        try:
            found = path.stat()
        except OSError:
            return None
        return FileInfo(owner=found.st_uid, mode=found.st_mode, size=found.st_size)

    def may_read(self, path: Path) -> bool:
        """Tell whether this account may read the existing file *path*."""
        return os.access(path, os.R_OK)

    def may_write(self, path: Path) -> bool:
        """Tell whether this account may write to the existing file or folder *path*."""
        return os.access(path, os.W_OK | os.X_OK if paths.is_folder(path) else os.W_OK)

    def may_run(self, path: Path) -> bool:
        """Tell whether this account may execute the existing file *path*, or enter the folder."""
        return os.access(path, os.X_OK)

    def fault(
        self,
        path: Path,
        *,
        strict: bool | None = None,
        uid: int | None = None,
        alone: bool = False,
    ) -> trust.UntrustedError | None:
        """Return why another account could change what is at *path*, None where none could."""
        return trust.fault(str(path), strict=strict, uid=uid, alone=alone)

    def fault_in(self, folder: Path) -> trust.UntrustedError | None:
        """Return why another account could change *folder* or what lies in it, None where none could."""
        return trust.fault_in(str(folder))

    def account(self, name: str) -> accounts.Account | None:
        """Return the account *name* of this machine, None where there is none."""
        return accounts.find(name)

    def lets(self, account: accounts.Account, path: Path, wanted: int) -> bool:
        """Tell whether *account* may do with *path* what is *wanted*."""
        return accounts.may(account, path, wanted)

    def free(self, path: Path) -> int | None:
        """Return how many bytes this account may still write beside the existing *path*; None: unknown."""
        try:
            return shutil.disk_usage(path).free
        except OSError:
            return None

    def read_only(self, path: Path) -> Path | None:
        """Return where the file system of *path* is mounted, if that is read-only; else None."""
        if sys.platform == "win32":
            return None
        try:
            if not os.statvfs(path).f_flag & os.ST_RDONLY:
                return None
        except OSError:
            return None
        whole = Path(os.path.realpath(path))
        mounted = mounts()
        on_the_way = (whole, *whole.parents)
        return next((p for p in on_the_way if p in mounted or p.is_mount()), whole)

    def clock_synchronised(self) -> bool | None:
        """Tell whether something keeps this machine's clock right; None where the system does not say."""
        return clock_is_kept() if sys.platform.startswith("linux") else None


@functools.cache
def _real_folder(path: Path) -> Path:
    """Return where the folder *path* lies; thousands of jobs share a few."""
    return Path(os.path.realpath(path))


@functools.cache
def _owner(path: Path) -> int | None:
    with contextlib.suppress(OSError):
        return None if sys.platform == "win32" else path.stat().st_uid
    return None


def perform(steps: Sequence[Step], on_progress: Callable[[int], None] = lambda _: None) -> None:
    """Do *steps* in order; consecutive file writes reach the disk together. Raises at the first that fails.

    *on_progress* is called with the number of steps just completed.
    """
    for kind, group in itertools.groupby(steps, type):
        same = list(group)
        if kind is WriteFile:
            _write_files([step for step in same if isinstance(step, WriteFile)])
        elif kind is Link:
            _make_links([step for step in same if isinstance(step, Link)])
        for step in same:
            _perform_one(step)
            on_progress(1)


def _perform_one(step: Step) -> None:
    """Do one of the steps that are not better done together."""
    if isinstance(step, RemoveFile):
        _remove_file(step.path)
    elif isinstance(step, MakeFolder):
        _make_folder(step)
    elif isinstance(step, Settle):
        settle(step.path)
    elif isinstance(step, Expect):
        _expect(step)
    elif isinstance(step, Run):
        _run(step)


def settle(path: Path, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Wait, for less than a second, until the second in which *path* last changed is over."""
    try:
        changed = int(path.stat().st_mtime)
    except OSError:
        return
    if changed == int(now := time.time()):
        sleep(1.01 - now % 1)


def _run(step: Run) -> None:
    if step.shortcut and _succeeds(step.shortcut):
        return
    answer = _call(step.argv, step.stdin, CHANGE_LIMIT)
    end = time.monotonic() + AGAIN_LIMIT
    while answer.code in step.again_on and time.monotonic() < end:
        time.sleep(AGAIN_EVERY)
        answer = _call(step.argv, step.stdin, CHANGE_LIMIT)
    if answer.code and not step.may_fail:
        if step.meaning is not None:
            raise step.meaning(answer)
        command = " ".join(step.argv[:6]) + (" ..." if len(step.argv) > 6 else "")
        raise EngineError(
            f"`{command}` ended with {answer.code}: {answer.said or 'it said nothing'}"
        )


def _succeeds(argv: Sequence[str]) -> bool:
    """Tell whether *argv* is there, ends in time, and ends well."""
    with contextlib.suppress(EngineError):
        return not _call(argv, b"", LOOK_LIMIT).code
    return False


def _expect(step: Expect) -> None:
    end = time.monotonic() + step.within
    while not _holds(step):
        if time.monotonic() >= end:
            raise EngineError(step.problem)
        time.sleep(AGAIN_EVERY)


def _holds(step: Expect) -> bool:
    answer = _call(step.argv, b"", LOOK_LIMIT)
    return (None if answer.code else answer.stdout) == step.stdout


def _write_files(writes: Sequence[WriteFile]) -> None:
    """Write beside, sync, rename, sync the folders: afterwards each file is whole, whatever happens."""
    last = {write.path: write for write in writes}
    together = len(last) > 32 and hasattr(os, "sync")
    finish = _no_sync if together else os.fsync
    with Drafts() as drafts:
        for write in last.values():
            drafts.write(write.path, write.data, write.mode, finish)
        if together:
            os.sync()  # one for all: thousands of units would wait a disk turn each
        drafts.put_in_place()
        drafts.sync()


def _make_links(links: Sequence[Link]) -> None:
    """Make each link beside its place and rename it; then sync the folders, each once."""
    with Drafts() as drafts:
        for link in links:
            drafts.link(link.path, str(link.target))
            drafts.put_in_place()
        drafts.sync()


def _no_sync(_handle: int) -> None:
    """Leave the file to the one sync that follows."""


def _make_folder(step: MakeFolder) -> None:
    """Make a folder that is another account's in one that only root can change; nobody can lay something in between."""
    with refusals(step.path, "made"):
        if sys.platform == "win32":
            step.path.mkdir(parents=True, exist_ok=True)
            return
        account = accounts.known(step.owner) if step.owner else None
        try:
            trust.make_folder(str(step.path), step.mode, account and account.uid)
        except trust.UntrustedError:
            if account is None:
                raise
            accounts.make_folder(account, str(step.path))  # in a folder of its own


def _remove_file(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except (IsADirectoryError, PermissionError) as error:
        if path.is_dir() and not path.is_symlink():
            return  # of somebody else: no file is there
        raise RefusedError(f"{path}: may not be removed by this account") from error
    except OSError as error:
        raise StorageError(f"{path}: cannot be removed: {error.strerror}") from error


class Children:
    """Processes of ours that run side by side and can be ended together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._ended = False

    def run(self, argv: Sequence[str]) -> int:
        """Run *argv* to its end with our own streams and return its exit code, below 0 for a signal's.

        After :meth:`end` nothing is started any more.
        """
        with self._lock:
            if self._ended:
                return 0
            try:
                child = subprocess.Popen(tuple(argv), stdin=subprocess.DEVNULL)
            except OSError as error:
                raise EngineError(f"`{argv[0]}` cannot be started: {error.strerror}") from error
            self._running.add(child)
        code = child.wait()
        with self._lock:
            self._running.discard(child)
        return code

    def end(self) -> None:
        """Ask what still runs to end at once."""
        with self._lock:
            self._ended = True
            for child in self._running:
                child.terminate()


_NO_WINDOW = 0x08000000 if sys.platform == "win32" else 0
"""CREATE_NO_WINDOW. With no console of ours to print to, a program of Windows prints in the system's own code page."""


def _call(argv: Sequence[str], stdin: bytes, limit: int) -> Completed:
    program = _which(argv[0])
    if program is None:
        return Completed(
            code=127, stdout=b"", stderr=f"no program {argv[0]!r} on the PATH".encode()
        )
    try:
        with _whole(stdin, argv[0]) as read_from:
            done = subprocess.run(
                (program, *argv[1:]),
                check=False,
                stdin=read_from,
                capture_output=True,
                env=_environment(),
                timeout=limit,
                creationflags=_NO_WINDOW,
            )
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"`{' '.join(argv[:6])}` did not end within {limit} seconds") from error
    except OSError as error:
        raise EngineError(f"`{argv[0]}` cannot be started: {error.strerror}") from error
    return Completed(code=done.returncode, stdout=done.stdout, stderr=done.stderr)


@contextlib.contextmanager
def _whole(text: bytes, program: str) -> Iterator[IO[bytes] | int]:
    """Yield what *program* reads *text* from, and then its end, whatever becomes of us meanwhile.

    That is a file without a name. A pipe ends where we die or are interrupted, and ``crontab -`` would take
    what it got by then, or nothing, for the whole tab. A program of Windows that asks hears that there is no answer.

    Raises:
        StorageError: The file cannot be made, or the disk is full.
    """
    if not text:
        yield subprocess.DEVNULL
        return
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(tempfile.TemporaryFile())
            file.write(text)
            file.seek(0)
        except OSError as error:
            folder = tempfile.tempdir or "a temporary folder"
            raise StorageError(
                f"{folder}: no file for what `{program}` reads can be written: {error.strerror}"
            ) from error
        yield file


def _which(name: str) -> str | None:
    """Return the absolute path of *name*: from the folders of PATH, then from the system's own.

    Root takes none that another account could change, wherever PATH names it.
    Left to itself, Python looks into the current folder first on Windows.
    """
    if sys.platform == "win32":
        own = Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", f"{name}.exe")
        if own.is_file():
            return str(own)
        return shutil.which(name)
    if os.path.isabs(name):  # noqa: PTH117 - a name, not yet a path
        return shutil.which(name)
    for folder in (*os.environ.get("PATH", "").split(os.pathsep), *_SYSTEM_PATH):
        found = shutil.which(name, path=folder) if os.path.isabs(folder) else None  # noqa: PTH117
        if found and not (os.geteuid() == 0 and trust.fault(found)):
            return found
    return None


def _environment() -> dict[str, str]:
    """Return our environment with messages in English and a way to the account's user manager."""
    environment = {**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""}
    if sys.platform != "win32" and "XDG_RUNTIME_DIR" not in environment:
        runtime = Path(f"/run/user/{os.geteuid()}")
        if runtime.is_dir():  # `su - user` leaves it unset
            environment["XDG_RUNTIME_DIR"] = str(runtime)
    return environment
