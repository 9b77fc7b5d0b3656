"""Commands that fix a finding, spelled for the machine they are to be typed on. Nothing here runs one.

Which of them a finding gets is chosen by the check that makes it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ratectl import wording

if TYPE_CHECKING:
    from pathlib import PurePath

    from ratectl.backends.host import Host
    from ratectl.backends.reader import Reader
    from ratectl.journal.journal import Installed

RETRY = "wait a moment; `ratectl doctor` looks again"
BOOTED = Path("/run/systemd/system")
INSTALLERS = (
    ("apt-get", "apt-get install"),
    ("dnf", "dnf install"),
    ("zypper", "zypper install"),
    ("pacman", "pacman -S"),
    ("apk", "apk add"),
)


def typed(host: Host, *argv: str) -> str:
    """Return *argv* as it is typed into a shell of *host*."""
    return wording.typed(*argv, platform=host.platform)


def as_root(host: Host, command: str) -> str:
    """Return *command* so that it runs with the rights it needs."""
    return command if host.root or host.platform == "win32" else f"sudo {command}"


def install(host: Host, row: Installed) -> str:
    """Return the command that puts the job of *row* in place again."""
    return typed(host, "ratectl", "install", row.spec)


def package(host: Host, reader: Reader, name: str) -> str:
    """Return the command that installs the system's package *name*."""
    found = [words for program, words in INSTALLERS if reader.which(program)]
    return as_root(host, f"{found[0] if found else INSTALLERS[0][1]} {name}")


def start_service(host: Host, reader: Reader, name: str) -> str:
    """Return the command that starts the system's service *name*, for good where that can be said."""
    if reader.is_folder(BOOTED):
        return as_root(host, f"systemctl enable --now {name}")
    return as_root(host, f"service {name} start")


def keep_clock(host: Host, reader: Reader) -> str:
    """Return the command that lets something keep the clock right."""
    if host.platform == "linux" and not reader.is_folder(BOOTED):
        return package(host, reader, "chrony")
    commands = {"darwin": "systemsetup -setusingnetworktime on", "win32": "w32tm /resync"}
    return as_root(host, commands.get(host.platform, "timedatectl set-ntp true"))


def set_zone(host: Host, reader: Reader, name: str) -> str:
    """Return the command that makes *name* the machine's zone, by file and by name."""
    if reader.is_folder(BOOTED):
        return as_root(host, f"timedatectl set-timezone {name}")
    told = f"ln -sf /usr/share/zoneinfo/{name} /etc/localtime && echo {name} > /etc/timezone"
    return told if host.root else f"sudo sh -c '{told}'"


def new_secret(host: Host, path: str) -> str:
    """Return the command that takes a secret from the keyboard into a file that only the account may read."""
    quoted = typed(host, path)
    return f"notepad {quoted}" if host.platform == "win32" else f"(umask 077 && cat > {quoted})"


def aside(host: Host, path: PurePath, suffix: str = ".aside") -> str:
    """Return the command that moves *path* out of the way."""
    return typed(host, "move" if host.platform == "win32" else "mv", str(path), f"{path}{suffix}")


def to_account(host: Host, path: PurePath) -> str:
    """Return the command that lets the account write to *path*, which belongs to somebody else."""
    if host.platform == "win32":
        return typed(host, "icacls", str(path), "/grant", f"*{host.user}:M")
    return as_root(host, typed(host, "chown", host.user, str(path)))


def made_for_account(host: Host, folder: PurePath, wanted: PurePath) -> str:
    """Return the command that makes, in a *folder* of the system, what the account lacks on the way to the file *wanted*, and no more.

    The folder itself stays root's.
    """
    missing = wanted.relative_to(folder).parts
    account = ("-o", host.user, "-m")
    if len(missing) == 1:
        return as_root(host, typed(host, "install", *account, "600", "/dev/null", str(wanted)))
    return as_root(host, typed(host, "install", "-d", *account, "700", str(folder / missing[0])))


def room(host: Host, path: PurePath) -> str:
    """Return the command that shows how full the file system of *path* is."""
    if host.platform == "win32":
        return typed(host, "fsutil", "volume", "diskfree", str(path))
    return typed(host, "df", "-h", str(path))


def look_up(host: Host, name: str) -> str:
    """Return the command that asks for the address of *name* as programs do."""
    program = ("getent", "hosts") if host.platform == "linux" else ("nslookup",)
    return typed(host, *program, name)
