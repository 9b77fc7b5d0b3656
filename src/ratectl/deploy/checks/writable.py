"""Whether an account can append to its outputs, or make them: looked at by init, check, install and the doctor alike.

A folder that is missing and can be made is no obstacle. What moves out of the way is empty: of what holds
anything only the name is told, and another one asked for.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.backends.reader import folder_of
from ratectl.deploy import remedies
from ratectl.deploy.checks import other_accounts
from ratectl.deploy.targets import host_of
from ratectl.errors import RefusedError
from ratectl.runtime import trust
from ratectl.wording import first_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ratectl.backends.host import Host
    from ratectl.backends.reader import Reader
    from ratectl.deploy.targets import Target
    from ratectl.model.job import Job, Output

IN_PLACES = frozenset({"postgresql"})
"""Kinds of output that are no file; the network checks ask them."""
LONGEST_NAME = 255
"""Bytes of one name, on every file system that is common on Linux, macOS and the BSDs."""
LONGEST_PATH = {"linux": 4_095}
"""Bytes of a whole path, by platform; elsewhere 1,023 (PATH_MAX)."""
LEAST_SPACE = 65_536
"""Bytes; with less a file system counts as full."""
KERNELS_OWN = (Path("/proc"), Path("/sys"))
"""File systems in which nobody makes a file."""
NOWHERE = "{} is a link that leads nowhere"
FOR_ALL = 0o011
"""Rights to enter a folder, of the group or of everybody."""


class Obstacle(NamedTuple):
    """Why a file cannot be written."""

    text: str
    fix: str
    """The command that ends it; an empty text where only another name does."""
    passes: bool = False
    """It may end by itself, as a full disk does."""


def refuse(target: Target, jobs: Sequence[Job]) -> None:
    """Raise RefusedError, which lists every output of *jobs* that no firing at *target* could write."""
    if target.backend is kubernetes:
        return
    lines = [
        line
        for job in jobs
        if job.enabled and not host_of(target.host, job).account
        for line in told(target.host, target.reader, job)
    ]
    if lines:
        head = "these outputs cannot be written, so nothing was installed:"
        raise RefusedError("\n".join((head, *first_lines(lines))))


def told(host: Host, reader: Reader, job: Job) -> Iterator[str]:
    """Yield, for each output of *job* that *host*'s account could not write now or later, why and the way out."""
    for output in job.outputs:
        found = of_output(host, reader, output)
        if found is not None and not found.passes:
            yield f"{job.name}: {output.target}: {found.text}; {way_out(found)}"


def way_out(found: Obstacle) -> str:
    """Return what ends *found*, in a clause."""
    return f"`{found.fix}`, or name another file" if found.fix else "name another file"


def of_output(host: Host, reader: Reader, output: Output) -> Obstacle | None:
    """Return why *host*'s account cannot append to *output*; None where it can, and for a table of a server."""
    if output.kind in IN_PLACES:
        return None
    found = of_file(host, reader, output.target)
    if found is None and output.kind == "sqlite":  # SQLite writes beside its file
        return of_folder(host, reader, folder_of(output.target))
    if found is not None and host.account:
        link = other_accounts.own_link(reader, Path(output.target))
        if link:
            return Obstacle(found.text, f"sudo -u {host.account} rm {trust.quoted(link)}")
    return found


def of_file(host: Host, reader: Reader, file: str) -> Obstacle | None:
    """Return why *host*'s account cannot append to *file*, or make it; None when it can."""
    if text := _too_long(host, file):
        return Obstacle(text, "")
    if not reader.is_there(file):
        folder, name = folder_of(file), os.path.basename(file)  # noqa: PTH119 - for speed
        return of_folder(host, reader, reader.real(folder), name)
    path = Path(file)
    status = reader.status(path)
    if status is None:
        where = reader.real(path)
        if reader.link(where) is not None:
            return Obstacle(NOWHERE.format(where), "")
        return of_folder(host, reader, where.parent, where.name)
    if stat.S_ISDIR(status.mode):
        empty = not reader.names(path)
        return Obstacle(f"{path} is a folder", remedies.aside(host, path) if empty else "")
    if not stat.S_ISREG(status.mode):
        return Obstacle(f"{path} is no regular file", "")
    if not reader.may_write(path):
        return _closed(host, reader, path, "chmod u+w")
    return _full(host, reader, path)


def of_folder(host: Host, reader: Reader, folder: Path, wanted: str = "") -> Obstacle | None:
    """Return why nothing, or the file called *wanted*, can be made in *folder*, which need not be there yet."""
    path = reader.nearest(folder)
    status = reader.status(path)
    if status is None and reader.link(path) is not None:
        return Obstacle(NOWHERE.format(path), "")
    if status is None:  # a drive or a share of Windows, which need not be connected now
        return None
    if not stat.S_ISDIR(status.mode):
        empty = stat.S_ISREG(status.mode) and not status.size
        return Obstacle(f"{path} is no folder", remedies.aside(host, path) if empty else "")
    if not reader.may_write(path):
        return _closed(host, reader, path, "chmod u+rwx", folder / wanted if wanted else None)
    return _full(host, reader, path)


def _too_long(host: Host, file: str) -> str:
    """Return that a name on the way to *file*, or all of it, is longer than this system takes; an empty text where none is."""
    if host.platform == "win32":
        return ""  # its limits are looked at with the task's
    size = len(os.fsencode(file))
    if size <= LONGEST_NAME:
        return ""
    longest = LONGEST_PATH.get(host.platform, 1_023)
    for part in Path(file).parts:
        if (length := len(os.fsencode(part))) > LONGEST_NAME:
            return f"the name {part[:20]}... has {length} bytes, and {LONGEST_NAME} is the most that a name can have"
    return f"the path has {size} bytes, and {longest} is the most" if size > longest else ""


def _closed(
    host: Host, reader: Reader, path: Path, open_it: str, wanted: Path | None = None
) -> Obstacle:
    """Return that the account may not write to *path*, with the smallest command that lets it."""
    if any(path.is_relative_to(kernel) for kernel in KERNELS_OWN):
        return Obstacle(f"{path} is the kernel's own, and nobody makes a file in it", "")
    if mount := reader.read_only(path):
        command = remedies.typed(host, "mount", "-o", "remount,rw", str(mount))
        text = f"the file system at {mount} is mounted read-only"
        return Obstacle(text, remedies.as_root(host, command))
    text = f"{host.user} may not write to {path}"
    if host.root and host.platform != "win32":
        return Obstacle(
            f"{text} (it is immutable)", remedies.typed(host, "chattr", "-i", str(path))
        )
    status = reader.status(path)
    if host.platform == "win32" or status is None:
        return Obstacle(text, remedies.to_account(host, path))
    if status.owner == host.uid:
        return Obstacle(text, f"{open_it} {remedies.typed(host, str(path))}")
    if wanted is not None and status.owner == 0 and stat.S_ISDIR(status.mode):
        if not status.mode & FOR_ALL:
            return Obstacle(f"{text}, nor enter it", "")
        return Obstacle(text, remedies.made_for_account(host, path, wanted))
    return Obstacle(text, remedies.to_account(host, path))


def _full(host: Host, reader: Reader, path: Path) -> Obstacle | None:
    free = reader.free(path)
    if free is None or free >= LEAST_SPACE:
        return None
    return Obstacle(f"the file system of {path} is full", remedies.room(host, path), passes=True)
