"""Files that are replaced as a whole each time: known by how they begin, so that no other file is ever replaced."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

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

    An empty file holds nothing, and may be. What is no regular file is left to whoever writes.
    """
    named, way_out = os.fspath(path), "name another file, or move this one away"
    if not Path(path).is_file():
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


def is_other(data: bytes, made: Made) -> bool:
    """Tell whether a file that begins with *data* holds something that is not one of the sort *made*."""
    return bool(data) and made.mark not in data[:ENOUGH]
