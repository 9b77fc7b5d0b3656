"""Where an append went when its file was rotated under us: the copies beside it, and how much of it they show.

A copy needs proof: it shows the bytes that stood before the append, at the same offset, and it is the very
file (its inode) or was written after the file last changed before the append. Looking is bounded, in
names, in copies and in bytes; links are not followed.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from typing import TYPE_CHECKING, Any, NamedTuple

from ratectl.outputs import append
from ratectl.runtime import trust

if TYPE_CHECKING:
    from ratectl.outputs.append import Opened

BEFORE = 64
"""Bytes before an append that tell its place from others."""
MOST_COPIES = 8
LOOKS = 5
"""How often the copies are looked at anew because they moved."""
MOST_BYTES = 64 << 20
"""How far into a compressed copy we read."""
COMPRESSED = (".gz", ".bz2", ".xz")
ROTATED = r"[.\-_]\d[\d\-_.]*(\.gz|\.bz2|\.xz)?$"
"""What logrotate adds to the end of a name: a number or a date."""
SECOND = 1_000_000_000


class Trace(NamedTuple):
    """An append as it is to be found again."""

    start: int
    inode: str
    """Of the file that it was meant for."""
    changed: int
    """When that file had last changed before it, in nanoseconds."""
    before: bytes
    """What stood before *start*, at most BEFORE bytes."""
    data: bytes


class Copy(NamedTuple):
    """A file that proves to hold what stood before an append."""

    path: str
    match_length: int
    """How many bytes of the append it shows."""
    ends: bool
    """It ends there."""
    plain: bool
    """It is not compressed, so a torn line can be finished in it."""


def match_length(file: Opened, trace: Trace) -> tuple[int, bool] | None:
    """Return how many bytes of the append *file* shows, and whether it ends there.

    None: it is shorter than the start of the append, or another text stands before that.
    """
    if file.size < trace.start:
        return None
    first = trace.start - len(trace.before)
    return _match_length(file.read(first, len(trace.before) + len(trace.data)), trace)


def _match_length(found: bytes, trace: Trace) -> tuple[int, bool] | None:
    if not found.startswith(trace.before):
        return None
    rest = found[len(trace.before) :]
    length = min(len(rest), len(trace.data))
    count = _common(rest[:length], trace.data[:length])
    return count, count == len(rest)


def _common(text: bytes, other: bytes) -> int:
    """Return how many bytes two texts of one length have in common at their beginning."""
    if text == other:
        return len(text)
    return next(
        index for index, pair in enumerate(zip(text, other, strict=True)) if pair[0] != pair[1]
    )


def find(target: str, trace: Trace) -> Copy | None:
    """Return the rotated copy of *target* that shows most of the append; None where nothing proves one.

    Looks again while names change under it, since a rotation moves every older copy on.
    """
    best: Copy | None = None
    candidates = _candidates(target, trace)
    for _ in range(LOOKS):
        for path, _status in candidates:
            copy = _look(path, trace)
            if copy is not None and (best is None or copy.match_length >= best.match_length):
                best = copy
        latest = _candidates(target, trace)
        if _names(latest) == _names(candidates):
            break
        candidates = latest
    return best


def _names(candidates: list[tuple[str, os.stat_result]]) -> list[tuple[str, int]]:
    return [(path, status.st_ino) for path, status in candidates]


def finish(copy: Copy, trace: Trace, until: int) -> bool:
    """Add to a plain *copy* what it lacks of the append up to *until*; False where that may not be done."""
    try:
        descriptor = trust.open_file(copy.path, append.APPENDING)
    except (OSError, trust.UntrustedError):
        return False
    try:
        file = append.of(copy.path, descriptor, os.fstat(descriptor))
        if match_length(file, trace) != (copy.match_length, True):
            return False
        file.append(trace.data[copy.match_length : until])
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _candidates(target: str, trace: Trace) -> list[tuple[str, os.stat_result]]:
    """Return the regular files beside *target* that may be its copies, the likeliest first."""
    folder, name = os.path.split(trust.real(target))
    found = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(name) and entry.name != name:
                with contextlib.suppress(OSError):  # it was renamed or removed meanwhile
                    found.append((entry.path, os.lstat(entry.path)))
    likely = [(path, status) for path, status in found if _may_be(status, trace)]
    likely.sort(key=lambda each: (_same(each[1], trace), each[1].st_mtime_ns), reverse=True)
    return likely[:MOST_COPIES]


def _may_be(status: os.stat_result, trace: Trace) -> bool:
    return stat.S_ISREG(status.st_mode) and (_same(status, trace) or _younger(status, trace))


def _same(status: os.stat_result, trace: Trace) -> bool:
    return str(status.st_ino) == trace.inode


def _younger(status: os.stat_result, trace: Trace) -> bool:
    """Tell whether a file was written after the append's file had last changed before it.

    A time in whole seconds was cut off by the file system or by a compressor.
    """
    moment = status.st_mtime_ns
    return (moment if moment % SECOND else moment + SECOND - 1) > trace.changed


def _look(path: str, trace: Trace) -> Copy | None:
    """Return what the file at *path* proves, judged by the file that was opened and not by its name."""
    flags = os.O_RDONLY | append.BINARY
    try:
        descriptor = trust.open_file(path, flags | getattr(os, "O_NONBLOCK", 0))
    except (OSError, trust.UntrustedError):
        return None
    plain = not path.endswith(COMPRESSED)
    try:
        status = os.fstat(descriptor)
        if not _may_be(status, trace):
            return None
        opened = append.of(path, descriptor, status)
        seen = match_length(opened, trace) if plain else _shown_compressed(opened, trace)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    if seen is None or not any(seen):
        return None  # it goes on with something else
    if not (trace.before or seen[0] or (re.search(ROTATED, path) and not _same(status, trace))):
        return None  # an empty file proves nothing
    return Copy(path=path, match_length=seen[0], ends=seen[1], plain=plain)


def _shown_compressed(file: Opened, trace: Trace) -> tuple[int, bool] | None:
    """Return what a compressed file shows; None also where it is too long or damaged."""
    import bz2  # noqa: PLC0415 - only after a rotation
    import gzip  # noqa: PLC0415 - the same
    import lzma  # noqa: PLC0415 - the same
    import zlib  # noqa: PLC0415 - the same

    if trace.start + len(trace.data) > MOST_BYTES:
        return None
    kinds: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    [opens] = (kind for suffix, kind in kinds.items() if file.path.endswith(suffix))
    first = trace.start - len(trace.before)
    try:
        with (
            open(file.descriptor, "rb", closefd=False) as packed,
            opens(packed, "rb") as text,
        ):
            if text.seek(first) != first:
                return None
            return _match_length(text.read(len(trace.before) + len(trace.data)), trace)
    except (EOFError, zlib.error, lzma.LZMAError):
        return None
