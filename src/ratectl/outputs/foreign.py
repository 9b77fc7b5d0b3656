"""Is a file of lines somebody else's? A csv that begins otherwise than ours is refused before anything is appended.

What stands under other columns, another delimiter or a byte order mark would be read wrongly by whoever reads the file.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ratectl.outputs.formats import FILES
from ratectl.runtime import trust

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ratectl.model.job import Job, Output

MARKS = {b"\xef\xbb\xbf": "UTF-8", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
NOWAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""A pipe that somebody laid in a file's place keeps nobody waiting."""
LONGEST = 200
"""Bytes of a first line that are looked at beyond those of our own."""


def problem(start: bytes, header: bytes) -> str:
    """Return why a file that begins with the bytes *start* is not one that begins with *header*; empty where it is."""
    if not header or not start:
        return ""
    for mark, encoding in MARKS.items():
        if start.startswith(mark):
            return f"begins with a byte order mark ({encoding}), which is not ours"
    first = start.partition(b"\n")[0]
    if first.removesuffix(b"\r") == header.removesuffix(b"\n"):
        return ""
    beginning = first[:60].decode("utf-8", "replace").strip()
    line = "".join(char if char.isprintable() else "?" for char in beginning)
    return f'begins with "{line}", not with "{header.decode().strip()}"'


def length(header: bytes) -> int:
    """Return how many bytes of a file :func:`problem` needs."""
    return len(header) + LONGEST


def foreign_files(jobs: Iterable[Job]) -> dict[tuple[str, Output], str]:
    """Return what is wrong with outputs of *jobs* that are there already, by job and output; one that cannot be read is left out."""
    found = {}
    seen: dict[Output, str] = {}
    for job in jobs:
        for output in job.outputs:
            if output not in seen:
                seen[output] = _look(output)
            if seen[output]:
                found[job.name, output] = seen[output]
    return found


def _look(output: Output) -> str:
    header = FILES[output.kind].HEADER if output.kind in FILES else b""
    if not header:
        return ""
    for path in _files(output):
        wrong = problem(_start(path, length(header)), header)
        if wrong:
            return refusal(path, wrong)
    return ""


def _files(output: Output) -> list[str]:
    """Return the paths of *output* that may be there: of a name with parts of a date all that are."""
    if not output.is_template:
        return [output.target]
    folder = os.path.dirname(output.target)  # noqa: PTH120 - for speed, as below
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208
    except OSError:
        return []
    paths = (os.path.join(folder, name) for name in names)  # noqa: PTH118
    return [path for path in paths if output.at(path) is not None]


def _start(path: str, size: int) -> bytes:
    try:  # as root we look at outputs of accounts, which may be links to what they may not read
        handle = trust.open_file(path, os.O_RDONLY | NOWAIT, strict=False)
        with open(handle, "rb") as file:  # noqa: PTH123 - a descriptor
            return file.read(size) if stat.S_ISREG(os.fstat(handle).st_mode) else b""
    except (OSError, trust.UntrustedError):
        return b""


def refusal(target: str, wrong: str) -> str:
    """Return the message about a foreign file."""
    return f"{target}: {wrong}; name another file, or move this one away"
