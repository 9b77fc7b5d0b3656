"""One install or remove at a time for one state directory, remembered when it is cut short.

The kernel releases the lock when the process dies; what the file says stays, so
that the next install puts everything in place again.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING

from ratectl import paths
from ratectl.errors import (
    CannotCreateError,
    RatectlError,
    RefusedError,
    StorageError,
    TryLaterError,
)
from ratectl.runtime import locks, trust

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


ELSEWHERE = "name another state directory in RATECTL_STATE_DIR"


class InstallLock:
    """One change of the engine at a time for one state directory, remembered if it is cut short."""

    def __init__(self, handle: int, path: Path) -> None:
        self._handle = handle
        self._path = path
        self.interrupted = os.fstat(handle).st_size > 0
        """An earlier change began and never came to its end."""
        self.in_progress = False
        """This one began, and has not come to its end."""
        self._in_parts = False

    def begin(self) -> None:
        """Note on disk that the engine is about to be changed."""
        try:
            os.lseek(self._handle, 0, os.SEEK_SET)
            os.write(self._handle, b"an install or remove is at work\n")
            os.fsync(self._handle)
            self.in_progress = True
        except OSError as error:
            message = f"{self._path}: cannot be written: {error.strerror}; nothing was changed"
            raise StorageError(message) from error

    def finish(self) -> None:
        """Note that the change came to its end; one of several parts ends with all of them."""
        if self._in_parts:
            self.in_progress = False
            return
        try:
            os.ftruncate(self._handle, 0)
            os.fsync(self._handle)
        except OSError as error:
            message = (
                f"{self._path}: cannot be written: {error.strerror}; all that was asked for is done, "
                "but the next install or remove will take it for cut short and look at it all again"
            )
            raise StorageError(message) from error
        self.interrupted = self.in_progress = False

    @contextlib.contextmanager
    def in_parts(self) -> Iterator[None]:
        """Let what begins and ends in the block be parts of one change: killed between two of them, it counts as cut short.

        Where an error leaves the block, it counts so too, unless *in_progress* is taken back before.
        """
        self.begin()
        self._in_parts = True
        try:
            yield
        except RatectlError:
            self._in_parts = False
            if not self.in_progress:
                self.finish()
            raise
        except BaseException:
            self.in_progress = True
            raise
        self._in_parts = False
        self.finish()


def was_interrupted(state_dir: Path) -> bool:
    """Tell whether the last change began and never came to its end; one that is at work now is not."""
    try:
        handle = os.open(state_dir / "install.lock", os.O_RDWR)
    except OSError:
        return False
    try:
        return os.fstat(handle).st_size > 0 and locks.try_lock(handle)  # closing gives it back
    finally:
        os.close(handle)


@contextlib.contextmanager
def install_lock(state_dir: Path) -> Iterator[InstallLock]:
    """Hold the state directory's install lock, waiting while another process has it."""
    path = state_dir / "install.lock"
    try:
        trust.require_private(str(state_dir), make=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except PermissionError as error:
        raise RefusedError(
            f"{path}: may not be written by this account; {_opened_by(path)}{ELSEWHERE}"
        ) from error
    except OSError as error:
        raise CannotCreateError(
            f"{path}: cannot be created: {error.strerror}; {ELSEWHERE}"
        ) from error
    try:
        _lock(handle)
        lock = InstallLock(handle, path)
        try:
            yield lock
        except KeyboardInterrupt:
            if not lock.in_progress:
                raise
            raise TryLaterError("interrupted; run the same command again to finish") from None
    finally:
        os.close(handle)  # releases the lock, too


def _opened_by(path: Path) -> str:
    """Return the command that lets this account write to *path*, where what is shut is its own, and that it is one way of two."""
    place = next((place for place in (path, *path.parents) if paths.exists(place)), path)
    if sys.platform == "win32" or os.access(place, os.W_OK) or place.stat().st_uid != os.geteuid():
        return ""
    rights = "u+rw" if place == path else "u+rwx"
    return f"`chmod {rights} {trust.quoted(str(place))}`, or "


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        while not locks.try_lock(handle):  # Windows' own waiting gives up after ten seconds
            time.sleep(0.1)
    else:
        import fcntl  # noqa: PLC0415 - POSIX only

        fcntl.flock(handle, fcntl.LOCK_EX)
