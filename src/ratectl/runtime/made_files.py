"""Files that are replaced as a whole each time: known by how they begin, so that no other file is ever replaced."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import NamedTuple

from ratectl import paths

KINDS = {
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}
ENOUGH = 4_096
"""Bytes in which a file has to show what it is."""


class Made(NamedTuple):
    """A sort of file that is made here."""

    name: str
    mark: bytes
    """What stands near the beginning of each such file, of whatever version."""


PAGE = Made("a report page", b'<meta name="generator" content="ratectl ')
METRICS = Made("metrics", b"# HELP ratectl_")


def fault(path: str | os.PathLike[str], made: Made) -> str:
    """Return why the file at *path* must not be replaced by one of the sort *made*; empty where it may be, or is not there.

    An empty file holds nothing, and may be. Of a folder, whoever writes says what it is.
    """
    named, way_out = os.fspath(path), "name another file, or move this one away"
    if why := irreplaceable(path) or _of_link(named):
        return f"{named}: {why}"
    if not paths.is_file(path):
        return ""
    try:
        with Path(path).open("rb") as file:
            begin = file.read(ENOUGH)
    except OSError as error:
        return (
            f"{named}: is there already, and cannot be looked at ({error.strerror}), so it is left as it is;"
            f" {way_out}"
        )
    if not is_other(begin, made):
        return ""
    return f"{named}: is there already, and is not {made.name} of ratectl, so it is left as it is; {way_out}"


def irreplaceable(path: str | os.PathLike[str]) -> str:
    """Return why no file may take the place of what is at *path*, or of a link that leads there: a device, a pipe, a socket.

    Empty for what may be replaced. Where nobody may look, nobody may write either, and whoever tries says so.
    """
    try:
        what = KINDS.get(stat.S_IFMT(Path(path).stat().st_mode))
    except OSError:
        return ""
    if not what:
        return ""
    led = f"a link to {what}, {os.path.realpath(path)}," if paths.is_link(path) else what
    return f"is {led} and no file, so it is left as it is; name another file"


def of_kind(mode: int) -> str:
    """Return that what has the *mode* is no file that could be replaced; empty for a file, a folder and a link."""
    what = KINDS.get(stat.S_IFMT(mode))
    return f"is {what} and no file, so it is left as it is" if what else ""


def _of_link(path: str) -> str:
    """Return that the link at *path*, if it is one, would become a file; where it leads is named itself if we laid it."""
    try:
        found = Path(path).lstat()
    except OSError:
        return ""
    if not stat.S_ISLNK(found.st_mode):
        return ""
    mine = sys.platform == "win32" or found.st_uid == os.geteuid()
    instead = "name that file itself, or another one" if mine else "name another file"
    place = os.path.realpath(path)
    return f"is a link to {place} and would become a file, so it is left as it is; {instead}"


def is_other(data: bytes, made: Made) -> bool:
    """Tell whether a file that begins with *data* holds something that is not one of the sort *made*."""
    return bool(data) and made.mark not in data[:ENOUGH]
