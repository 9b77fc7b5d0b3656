"""Commands that fix a finding, spelled for the machine they are to be typed on. Nothing here runs one.

Which of them a finding gets is chosen by the check that makes it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ratectl import paths, wording
from ratectl.backends import BACKENDS
from ratectl.deploy import select_backend
from ratectl.deploy.checks import no_scheduler, serving
from ratectl.deploy.checks.other_specs import has_jobs, scheduler

if TYPE_CHECKING:
    from collections.abc import Sequence
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
    """Return the command that puts the job of *row* in place again, by its spec: an install, or what serves it."""
    return by_spec(row, platform=host.platform)


def by_spec(row: Installed, *, platform: str = sys.platform) -> str:
    """Return the command that takes the spec of *row* as it is now: an install, or what serves it."""
    verb = "serve" if row.backend == serving.BACKEND else "install"
    return wording.typed("ratectl", verb, row.spec, platform=platform)


def take_along(row: Installed, new: str) -> str:
    """Return the command after which the job of *row* has the name *new*, as in its spec, and its record: what serves it would begin another one."""
    if row.backend == serving.BACKEND:
        return wording.typed("ratectl", "rename", row.job.name, new)
    return by_spec(row)


def bring_back(
    host: Host, reader: Reader, rows: Sequence[Installed], others: Sequence[Installed]
) -> str:
    """Return the command that brings the jobs of *rows*, which were removed, back to where they were; an empty text where no one spec has them.

    *others* are the jobs that are still installed, beside which an install puts what comes.
    """
    specs, places = {row.spec for row in rows}, {(row.backend, row.scope) for row in rows}
    spec = specs.pop()
    if specs or not has_jobs(reader, spec, {row.job.name for row in rows}):
        return ""
    if {backend for backend, _ in places} == {serving.BACKEND}:
        return typed(host, "ratectl", "serve", spec)
    named = () if spec == str(Path(paths.config_dir(), "jobs.toml").absolute()) else (spec,)
    flags = _flags(host, reader, rows[0], others) if len(places) == 1 else ()
    return typed(host, "ratectl", "install", *named, *flags)


def _flags(
    host: Host, reader: Reader, row: Installed, others: Sequence[Installed]
) -> tuple[str, ...]:
    """Return the flags without which an install of the spec of *row* would go elsewhere than to where the job was."""
    backend, scope = scheduler(reader, row.spec)
    if backend in {"", select_backend.AUTO}:
        there = no_scheduler.chosen(host, others)
        if there is not None and (there.backend.NAME, there.scope) == (row.backend, row.scope):
            return ()
    flags = () if backend == row.backend else ("--backend", row.backend)
    usual = "system" if host.root and BACKENDS[row.backend].SCOPES != ("user",) else "user"
    wanted = usual if scope in {"", select_backend.AUTO} else scope
    return flags if wanted == row.scope else (*flags, "--scope", row.scope)


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
