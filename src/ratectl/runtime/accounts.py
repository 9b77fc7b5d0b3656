"""The accounts that root's jobs run as: who they are, where their state lies, and subprocesses that have their rights alone.

Root trusts nothing that such an account can change. What root wants of its record or its outputs is done by a
process of that account, which gets no terminal and no variable of root's, and what that says is text from outside.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ratectl.errors import ConfigError, RefusedError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    Process: TypeAlias = subprocess.Popen[bytes]

ROOT = "root"
PACKAGE = Path(__file__).resolve().parents[1]
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
READ, WRITE, ENTER = 4, 2, 1
MOST_LINKS = 40
"""Symbolic links on one way, as Linux follows them."""
LAST_WORDS = 65_536
"""Bytes of what a process says of errors that are looked at, once it has ended."""
KEPT = ("LANG", "LC_ALL", "LC_CTYPE", "TZ", "COLUMNS", "NO_COLOR")
"""Variables of root's that its processes get: how text looks, and nothing that decides."""


class Account(NamedTuple):
    """An account of this machine."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    """All that it is in, its own included."""
    home: str


@functools.cache
def find(name: str) -> Account | None:
    """Return the account *name*; None where this machine has none of that name."""
    if sys.platform == "win32":
        return None
    import pwd  # noqa: PLC0415 - POSIX only

    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    groups = tuple(os.getgrouplist(name, entry.pw_gid))
    return Account(name, entry.pw_uid, entry.pw_gid, groups, entry.pw_dir)


def known(name: str) -> Account:
    """Return the account *name*. Raises ConfigError, which says how it is made."""
    account = find(name)
    if account is None:
        raise ConfigError(f'user = "{name}": this machine has no such account; `{making(name)}`')
    return account


def making(name: str, platform: str = sys.platform) -> str:
    """Return the one command that makes the account *name*, without a password, a shell or a home of its own."""
    if platform == "darwin":
        return f"sysadminctl -addUser {name} -roleAccount -shell /usr/bin/false"
    if platform.startswith("freebsd"):
        return f"pw useradd {name} -d /nonexistent -s /usr/sbin/nologin"
    if os.path.exists("/usr/sbin/useradd"):  # noqa: PTH110 - where it is not, systemd may be
        return f"useradd --system --no-create-home --shell /usr/sbin/nologin {name}"
    if os.path.exists("/sbin/adduser") or os.path.exists("/usr/sbin/adduser"):  # noqa: PTH110
        return f"adduser -S -H -D {name}"
    return f"echo 'u {name} -' | systemd-sysusers -"


def is_me(name: str) -> bool:
    """Tell whether this process has the rights of the account *name*."""
    account = find(name)
    return account is not None and account.uid == os.geteuid()


def is_foreign(name: str) -> bool:
    """Tell whether a job for *name* is another account's than this process's; one for nobody is ours."""
    return bool(name) and not is_me(name)


def state_dir(name: str, platform: str = sys.platform) -> str:
    """Return where journal, locks and kept answers of the account *name* lie, in a folder of root's."""
    return f"{state_parent(platform)}/{name}"


def state_parent(platform: str = sys.platform) -> str:
    """Return root's folder with the state directories of accounts: where systemd, too, makes a ``StateDirectory=``."""
    return "/var/lib/ratectl" if platform == "linux" else "/var/db/ratectl"


def may(account: Account, path: Path, wanted: int) -> bool:
    """Tell whether the modes of *path* and of each folder on the way let *account* do what is *wanted* (READ, WRITE, ENTER).

    What is not there lets nobody do anything. Access lists are not looked at.
    """
    try:
        passed = all(_lets(account, folder.stat(), ENTER) for folder in _passed(path.absolute()))
        return passed and _lets(account, path.stat(), wanted)
    except OSError:
        return False


def _passed(path: Path) -> Iterator[Path]:
    """Yield the folders that the kernel passes on the way to the absolute *path*: those of each link, and of what it leads to."""
    for _ in range(MOST_LINKS):
        yield from path.parents
        link = next((step for step in (*path.parents[::-1], path) if step.is_symlink()), None)
        if link is None:
            return
        path = link.parent / link.readlink() / path.relative_to(link)
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))


def _lets(account: Account, status: os.stat_result, wanted: int) -> bool:
    if account.uid == 0:
        return True
    if status.st_uid == account.uid:
        given = stat.S_IMODE(status.st_mode) >> 6
    elif status.st_gid in account.groups:
        given = stat.S_IMODE(status.st_mode) >> 3
    else:
        given = stat.S_IMODE(status.st_mode)
    return given & wanted == wanted


def fetching(account: Account, *words: str) -> Process:
    """Start ``ratectl-fetch`` with *words* as *account*, with pipes to it. Raises RefusedError."""
    script = str(PACKAGE / "firing" / "__main__.py")
    return _start(account, (sys.executable, "-I", "-S", script, *words))


def commanding(account: Account, words: Sequence[str]) -> Process:
    """Start ``ratectl`` with *words* as *account* on its own record, with pipes from it. Raises RefusedError."""
    program = f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); from ratectl.__main__ import main; main()"
    return _start(account, (sys.executable, "-I", "-c", program, *words))


def end(process: Process) -> str:
    """End *process* and what it left behind, and return the last of what it said of errors, as one line of bounded length."""
    import select  # noqa: PLC0415 - for root alone
    import signal  # noqa: PLC0415 - the same

    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # a session of its own, as it was started
    process.wait()
    said = b""
    if process.stderr is not None and select.select([process.stderr], [], [], 0)[0]:
        said = os.read(process.stderr.fileno(), LAST_WORDS)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    return " ".join(said.decode("utf-8", "replace").split())[-500:]


def make_folder(account: Account, path: str) -> None:
    """Make the folder *path* and those above it with the rights of *account*. Raises RefusedError."""
    process = _start(account, ("/bin/mkdir", "-p", "--", path))
    _, said = process.communicate()
    if process.returncode:
        text = " ".join(said.decode("utf-8", "replace").split())
        raise RefusedError(f"{path}: {account.name} cannot make it: {text}")


def _start(account: Account, argv: Sequence[str]) -> Process:
    import subprocess  # noqa: PLC0415 - for root alone

    if os.geteuid() not in {0, account.uid}:
        raise RefusedError(
            f"what is recorded as {account.name} is for root and {account.name}: run it with sudo"
        )
    try:
        return subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            user=account.uid,
            group=account.gid,
            extra_groups=account.groups,
            cwd="/",
            umask=0o077,
            start_new_session=True,  # without a terminal, into which it could type
            env=_environment(account),
        )
    except PermissionError as error:
        raise RefusedError(
            f"{account.name} may not start {sys.executable}: a program in a home is for its owner; "
            "`pipx install --global ratectl`, and install again with that"
        ) from error


def _environment(account: Account) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {
        "PATH": SYSTEM_PATH,
        "HOME": account.home,
        "USER": account.name,
        "LOGNAME": account.name,
        "RATECTL_STATE_DIR": state_dir(account.name),
    }
