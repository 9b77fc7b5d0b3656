"""Whether the state directory and the journal in it can be used: each cause by itself, and no mend that loses a record.

A whole journal is never moved. One that is damaged is kept beside the new one, which takes over what can still be read of it.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ratectl.deploy import remedies
from ratectl.deploy.checks.writable import LEAST_SPACE
from ratectl.doctor.finding import Finding
from ratectl.errors import ConfigError, TryLaterError
from ratectl.journal.sqlite_database import FILE, DamagedError
from ratectl.runtime.trust import UntrustedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ratectl.doctor.observations import Observations
    from ratectl.errors import RatectlError

UPGRADE = ("-m", "pip", "install", "--upgrade", "ratectl")
FILES = (FILE, f"{FILE}-wal", f"{FILE}-shm", "install.lock")
"""What each firing or install opens in the state directory; the second and third are SQLite's own."""


def state(observed: Observations) -> Iterator[Finding]:
    """Find a state directory in which no firing could work, or a journal that tells nothing."""
    error = observed.journal_error
    if isinstance(error, UntrustedError):
        text = f"the state directory cannot be trusted: {error.place}: {error.why}"
        yield Finding(check="state-untrusted", text=text, fix=error.fix)
    elif (found := _obstacle(observed)) is not None and (observed.jobs or error is not None):
        yield found
    elif error is not None:
        yield _of_the_journal(observed, error)
    if observed.interrupted:
        text = "an install or remove was cut short, and the schedules may be half done"
        yield Finding(check="install-interrupted", text=text, fix=observed.reinstall_command)
    if observed.unreadable:
        yield Finding(
            check="snapshot-unreadable", text=observed.unreadable, fix=observed.reinstall_command
        )


def _of_the_journal(observed: Observations, error: RatectlError) -> Finding:
    """Return what is wrong with the journal itself, in a state directory that can be used."""
    path = observed.host.state_dir / FILE
    if isinstance(error, DamagedError):
        return Finding(check="journal-damaged", text=str(error), fix=_rescue(observed))
    if isinstance(error, TryLaterError):
        return Finding(check="journal-busy", text=str(error), fix=remedies.RETRY)
    if isinstance(error, ConfigError) and "newer ratectl" in str(error):
        fix = remedies.typed(observed.host, observed.host.fetch[0], *UPGRADE)
        return Finding(check="journal-too-new", text=str(error), fix=fix)
    if isinstance(error, ConfigError):
        aside = remedies.aside(observed.host, path)
        fix = f"{aside} && {observed.reinstall_command}"
        return Finding(check="journal-foreign", text=str(error), fix=fix)
    return Finding(check="journal-unusable", text=str(error), fix=remedies.RETRY)


def _rescue(observed: Observations) -> str:
    """Return the command that keeps the damaged journal, makes a new one, and saves what can be read of the old one.

    That is saved whatever the install says: the spec may lie elsewhere, which a journal that cannot be read does not tell.
    """
    host = observed.host
    folder = str(host.state_dir)
    kept = _free_name(observed, f"{folder}.damaged")
    copied = remedies.typed(host, "ratectl", "journal", "copy", str(Path(kept) / FILE), "sqlite")
    if host.platform == "win32":
        make = remedies.typed(host, "mkdir", kept)
        moved = f'move "{folder}\\{FILE}*" {remedies.typed(host, kept)}'
        both = f"( {observed.reinstall_command} & {copied} )"
    else:
        make = remedies.typed(host, "mkdir", "-m", "700", kept)
        moved = (
            f"mv {remedies.typed(host, str(host.state_dir / FILE))}* {remedies.typed(host, kept)}"
        )
        both = f"{{ {observed.reinstall_command}; {copied}; }}"
    return f"{make} && {moved} && {both}"


def _free_name(observed: Observations, name: str) -> str:
    """Return *name*, or with a number behind it where an earlier rescue has taken it."""
    tried, number = name, 2
    while observed.reader.status(Path(tried)) is not None:
        tried, number = f"{name}-{number}", number + 1
    return tried


def _obstacle(observed: Observations) -> Finding | None:
    """Return why this account cannot use the state directory or a file in it; None when it can."""
    folder = _nearest(observed, observed.host.state_dir)
    status = observed.reader.status(folder)
    if status is not None and not stat.S_ISDIR(status.mode):
        fix = remedies.aside(observed.host, folder)
        return _unwritable(f"{folder} is no folder", fix)
    if not observed.reader.may_write(folder):
        return _closed(observed, folder)
    for path in (observed.host.state_dir / name for name in FILES):
        status = observed.reader.status(path)
        if status is None:
            continue
        if not stat.S_ISREG(status.mode):
            fix = remedies.aside(observed.host, path)
            return _unwritable(f"{path} is no regular file", fix)
        if not (observed.reader.may_read(path) and observed.reader.may_write(path)):
            return _closed(observed, path)
    return _full(observed, folder)


def _nearest(observed: Observations, folder: Path) -> Path:
    """Return *folder*, or where it is not there yet the folder in which it will be made."""
    while observed.reader.status(folder) is None and folder != folder.parent:
        folder = folder.parent
    return folder


def _closed(observed: Observations, path: Path) -> Finding:
    """Return why *path*, which is there, may not be used: its file system, its owner, or its permissions."""
    host, reader = observed.host, observed.reader
    if mount := reader.read_only(path):
        fix = remedies.as_root(host, remedies.typed(host, "mount", "-o", "remount,rw", str(mount)))
        text = (
            f"the state directory cannot be used: the file system at {mount} is mounted read-only"
        )
        return Finding(check="state-read-only", text=text, fix=fix)
    status = reader.status(path)
    text = f"{host.user} may not read and write {path}"
    if host.platform == "win32":
        return _unwritable(text, remedies.to_account(host, path))
    if host.root:
        command = remedies.typed(host, "chattr", "-i", str(path))
        return _unwritable(f"{text} (it is immutable)", command)
    if status is not None and status.owner != host.uid:
        whole = remedies.typed(host, "chown", "-Rh", host.user, str(host.state_dir))
        told = f"{text}, which belongs to another account (as after a command under sudo)"
        return Finding(
            check="state-of-another",
            text=f"the state directory cannot be used: {told}",
            fix=remedies.as_root(host, whole),
        )
    if reader.is_folder(path):
        return _unwritable(text, remedies.typed(host, "chmod", "u+rwx", str(path)))
    # what SQLite makes beside the journal has copied its mode
    return _unwritable(text, remedies.typed(host, "chmod", "-R", "u+rwX", str(host.state_dir)))


def _full(observed: Observations, path: Path) -> Finding | None:
    free = observed.reader.free(path)
    if free is None or free >= LEAST_SPACE:
        return None
    text = f"the state directory cannot be used: the file system of {path} is full"
    return Finding(check="state-full", text=text, fix=remedies.room(observed.host, path))


def _unwritable(text: str, fix: str) -> Finding:
    text = f"the state directory cannot be used: {text}"
    return Finding(check="state-unwritable", text=text, fix=fix)
