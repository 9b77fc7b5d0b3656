"""The outputs as files: opened for appending, read at an offset, added to and synced; no byte there ever changes.

That a line is appended once, whatever dies in between, is the work of ``outbox.py``.

Only regular files: a pipe or a device cannot be read back, so an append to it cannot be made safe.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ratectl.errors import CannotCreateError, RefusedError, StorageError
from ratectl.runtime import trust

if TYPE_CHECKING:
    from collections.abc import Iterator

KEPT_NOTE = "the rate is kept in the journal and will be appended later"
BINARY = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
APPENDING = os.O_RDWR | os.O_APPEND | BINARY | getattr(os, "O_NONBLOCK", 0)
"""Without waiting: opening a pipe to which nobody listens would otherwise never end."""
DATABASE = b"SQLite format 3\0"


class Opened(NamedTuple):
    """An open file and what it was when it was opened."""

    path: str
    descriptor: int
    size: int
    inode: str
    """Without the device, whose number may be another one after a reboot."""
    changed: int
    """When its content last changed, in nanoseconds of the file system's clock."""

    def read(self, start: int, length: int) -> bytes:
        """Return the bytes from *start* on, fewer where the file ends."""
        os.lseek(self.descriptor, start, os.SEEK_SET)
        parts = []
        while length > 0:
            part = os.read(self.descriptor, length)
            if not part:
                break
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def append(self, data: bytes) -> tuple[int, int]:
        """Add *data* durably; return where it ends and when that was (nanoseconds)."""
        while data:
            data = data[os.write(self.descriptor, data) :]
        os.fsync(self.descriptor)
        end = os.lseek(self.descriptor, 0, os.SEEK_CUR)
        return end, os.fstat(self.descriptor).st_mtime_ns


@contextlib.contextmanager
def opened(target: str) -> Iterator[Opened | None]:
    """Give the file at *target* for the block, None where there is none.

    Raises RefusedError where another account could lead us elsewhere, or StorageError, also for an
    OSError of the block.
    """
    descriptor = None
    try:
        with _no_way_of_others(target), contextlib.suppress(FileNotFoundError):
            descriptor = trust.open_file(target, APPENDING)
    except OSError as error:
        raise refused(target, error) from error
    if descriptor is None:
        yield None
        return
    with _closing(target, descriptor) as file:
        yield file


@contextlib.contextmanager
def created(target: str) -> Iterator[Opened]:
    """Give the file at *target* for the block, made (with its folders) where there is none.

    Raises CannotCreateError, RefusedError where another account could lead us elsewhere, or
    StorageError, also for an OSError of the block.
    """
    try:
        with _no_way_of_others(target):
            descriptor = _open_or_create(target)
    except OSError as error:
        raise refused(target, error) from error
    with _closing(target, descriptor) as file:
        yield file


def _open_or_create(target: str) -> int:
    with contextlib.suppress(FileNotFoundError):
        return trust.open_file(target, APPENDING)
    descriptor = trust.open_file(target, APPENDING | os.O_CREAT, make=True)  # the umask applies
    _sync_folder(trust.real(target))
    return descriptor


@contextlib.contextmanager
def _no_way_of_others(target: str) -> Iterator[None]:
    """Say of a way that is refused which output it leads to, and that nothing is lost."""
    try:
        yield
    except trust.UntrustedError as error:
        raise RefusedError(f"{target}: cannot be appended to: {error}; {KEPT_NOTE}") from error


@contextlib.contextmanager
def _closing(target: str, descriptor: int) -> Iterator[Opened]:
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise StorageError(
                f"{target}: not a regular file, so appends cannot be made safe; {KEPT_NOTE}"
            )
        yield of(target, descriptor, status)
    except OSError as error:
        raise refused(target, error) from error
    finally:
        os.close(descriptor)


def of(path: str, descriptor: int, status: os.stat_result) -> Opened:
    """Return *descriptor*, whose *status* was looked up, as a value."""
    return Opened(
        path=path,
        descriptor=descriptor,
        size=status.st_size,
        inode=str(status.st_ino),
        changed=status.st_mtime_ns,
    )


def refused(target: str, error: OSError) -> CannotCreateError | StorageError:
    """Return the error that says why nothing could be appended, and that nothing is lost."""
    if os.path.exists(target):  # noqa: PTH110 - Path.exists raises where a folder may not be searched
        return StorageError(f"{target}: cannot be appended to: {error.strerror}; {KEPT_NOTE}")
    return CannotCreateError(f"{target}: cannot be created: {error.strerror}; {KEPT_NOTE}")


def _sync_folder(path: str) -> None:
    if sys.platform == "win32":
        return  # Windows has no such handle; NTFS journals the entry itself
    descriptor = os.open(Path(path).parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
