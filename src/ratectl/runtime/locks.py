"""Locks that the kernel releases when their holder dies: one file each, in the state directory.

A lock file is never deleted, since deleting it would let two processes hold "the" lock.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ratectl.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ratectl.runtime.deadline import Deadline

POLL = 0.02
"""Seconds between two looks at a lock that is held; blocking calls would ignore the deadline."""


@contextmanager
def acquire(path: Path, *, until: Deadline | None) -> Iterator[bool]:
    """Hold the lock at *path* for the block; gives False when another process has it.

    Waits until the deadline, or not at all when there is none.
    Raises StorageError when the lock file cannot be opened.
    """
    descriptor = _open(path)
    try:
        got = try_lock(descriptor)
        while not got and until is not None and until.left() > 0:
            time.sleep(POLL)
            got = try_lock(descriptor)
        yield got
    finally:
        os.close(descriptor)  # which also releases the lock


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, flags, 0o600)
    except OSError as error:
        raise StorageError(f"{path}: cannot open the lock file: {error.strerror}") from error


def try_lock(descriptor: int) -> bool:
    """Lock an open file if nobody has it, without waiting; closing it gives the lock back."""
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - exists on Windows only

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - exists elsewhere only

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
