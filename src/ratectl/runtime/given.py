"""Files that a person names to be read: whole, up to a bound, and without waiting for what another account laid there.

A pipe of one's own, such as a shell's ``<(command)``, is read to its end; whatever comes on the standard input, too.
"""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

from ratectl import paths
from ratectl.errors import DataError, RefusedError
from ratectl.runtime import trust

if TYPE_CHECKING:
    from pathlib import Path

MOST = 256 << 20
"""Bytes that are read at most: millions of lines; a device never ends."""
FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
NOWAIT = getattr(os, "O_NONBLOCK", 0)
CHUNK = 1 << 20


def contents(path: str | Path) -> bytes:
    """Return the bytes of the file at *path*.

    Raises OSError as ``open`` does, RefusedError for a pipe or a device that another account led to, and
    DataError where there are more than MOST.
    """
    name = str(path)
    if not paths.exists(name):
        paths.whole(name)  # which says so where it is the current folder that is gone
    if sys.platform != "win32":
        _judge(name, os.stat(name))  # noqa: PTH116 - as os.open below
    descriptor = os.open(name, FLAGS | NOWAIT)
    try:
        if sys.platform != "win32":
            status = os.fstat(descriptor)  # it may be another file by now
            _judge(name, status)
            if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
                _wait_for(descriptor)
        return _read(descriptor, name)
    finally:
        os.close(descriptor)


def _judge(name: str, status: os.stat_result) -> None:
    """Raise RefusedError where *name* is a pipe or a device by another account's doing."""
    if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
        return
    found = trust.fault(name, strict=False)
    if found is not None:
        raise found
    has_name = os.path.exists(trust.real(name))  # noqa: PTH110 - one without a name was handed to us
    if stat.S_ISFIFO(status.st_mode) and has_name and status.st_uid not in {0, os.geteuid()}:
        raise RefusedError(
            f"{name}: is a pipe of {trust.account(status.st_uid)}, who could keep us waiting; name a file"
        )


def _wait_for(descriptor: int) -> None:
    """Let reading *descriptor* wait from here on, and first wait for whoever writes into it."""
    import select  # noqa: PLC0415 - for pipes and terminals alone

    select.select([descriptor], [], [])
    os.set_blocking(descriptor, True)


def _read(descriptor: int, name: str) -> bytes:
    parts, size = [], 0
    while part := os.read(descriptor, CHUNK):
        parts.append(part)
        size += len(part)
        if size > MOST:
            raise DataError(f"{name}: is larger than {MOST >> 20} MiB, and was not read; split it")
    return b"".join(parts)
