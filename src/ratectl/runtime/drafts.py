"""Files that are replaced as a whole: written under a name that nobody can foresee, and then renamed."""

from __future__ import annotations

import contextlib
import os
import sys
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, Self

from ratectl.errors import CannotCreateError, RefusedError, StorageError
from ratectl.runtime import made_files, trust

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class _Folder(NamedTuple):
    """A folder that stays the same one whatever is laid in its place meanwhile; on Windows known by its path."""

    path: Path
    descriptor: int | None

    def at(self, name: str) -> str:
        """Return what *name* of this folder is called beside ``dir_fd=descriptor``."""
        return name if self.descriptor is not None else str(self.path / name)

    def sync(self) -> None:
        """Make what it holds survive a loss of power. Raises StorageError."""
        if self.descriptor is None:
            return
        try:
            handle = os.open(".", os.O_RDONLY, dir_fd=self.descriptor)
        except PermissionError:
            return  # we may write here and not look; the kernel syncs in its own time
        try:
            os.fsync(handle)
        except OSError as error:
            raise StorageError(f"{self.path}: cannot be synced: {error.strerror}") from error
        finally:
            os.close(handle)


class Drafts:
    """Files under names that nobody can foresee, beside those that they will replace; what is left of them goes at the end."""

    def __init__(self) -> None:
        self._folders: dict[Path, _Folder] = {}
        self._waiting: deque[tuple[_Folder, str, Path]] = deque()
        self._touched: dict[_Folder, None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for folder, draft, _path in self._waiting:
            with contextlib.suppress(OSError):
                os.unlink(folder.at(draft), dir_fd=folder.descriptor)
        for folder in self._folders.values():
            if folder.descriptor is not None:
                os.close(folder.descriptor)

    def write(self, path: Path, data: bytes, mode: int, finish: Callable[[int], None]) -> None:
        """Write the draft of the file at *path*; *finish* is called with its descriptor."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        flags |= getattr(os, "O_BINARY", 0)
        with refusals(path, "written"):
            folder, draft = self._begin(path)
            _refuse_special(folder, path)
            handle = os.open(folder.at(draft), flags, 0o600, dir_fd=folder.descriptor)
            self._waiting.append((folder, draft, path))
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                if hasattr(os, "fchmod"):
                    os.fchmod(file.fileno(), mode)
                finish(file.fileno())

    def link(self, path: Path, target: str) -> None:
        """Make the draft of a symbolic link from *path* to *target*."""
        with refusals(path, "made"):
            folder, draft = self._begin(path)
            _refuse_special(folder, path)
            os.symlink(target, folder.at(draft), dir_fd=folder.descriptor)
            self._waiting.append((folder, draft, path))

    def put_in_place(self) -> None:
        """Rename every draft to the name that it is for; :meth:`sync` makes that last."""
        while self._waiting:
            folder, draft, path = self._waiting[0]
            try:
                os.replace(
                    folder.at(draft),
                    folder.at(path.name),
                    src_dir_fd=folder.descriptor,
                    dst_dir_fd=folder.descriptor,
                )
            except OSError as error:
                raise StorageError(f"{path}: cannot be replaced: {error.strerror}") from error
            self._waiting.popleft()
            self._touched[folder] = None

    def sync(self) -> None:
        """Make what was put in place survive a loss of power. Raises StorageError."""
        for folder in self._touched:
            folder.sync()
        self._touched.clear()

    def _begin(self, path: Path) -> tuple[_Folder, str]:
        """Return the folder of *path*, made where it is absent, and a new name in it, which engines skip for its leading dot."""
        folder = self._folders.get(path.parent)
        if folder is None:
            if sys.platform == "win32":
                path.parent.mkdir(parents=True, exist_ok=True)
                folder = _Folder(path.parent, None)
            else:
                folder = _Folder(path.parent, trust.open_folder(str(path.parent), make=True))
            self._folders[path.parent] = folder
        return folder, f".{path.name[:100]}.{os.urandom(8).hex()}.new"


def _refuse_special(folder: _Folder, path: Path) -> None:
    """Raise RefusedError where *path* is a device, a pipe or a socket, which a rename would destroy."""
    try:
        found = os.stat(folder.at(path.name), dir_fd=folder.descriptor, follow_symlinks=False)
    except FileNotFoundError:
        return
    if why := made_files.of_kind(found.st_mode):
        raise RefusedError(f"{path}: {why}; move it away")


@contextlib.contextmanager
def refusals(path: Path, verb: str) -> Iterator[None]:
    """Turn what the system says of the block into our errors."""
    try:
        yield
    except PermissionError as error:
        raise RefusedError(f"{path}: may not be written by this account") from error
    except OSError as error:
        raise CannotCreateError(f"{path}: cannot be {verb}: {error.strerror}") from error
