"""How a backend looks at the machine: the one protocol, which ``deploy`` has for the real machine and tests have for a made-up one."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.backends.steps import Completed
    from ratectl.runtime.accounts import Account
    from ratectl.runtime.trust import UntrustedError


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInfo:
    """What is known of a file without opening it; links are followed."""

    owner: int
    """The owner's number; 0 on Windows."""
    mode: int
    """Kind and permissions as ``stat`` has them."""
    size: int = 0


class Reader(Protocol):
    """The only eyes of a backend."""

    def read(self, path: Path) -> bytes | None:
        """Return the bytes of *path*, or None where there is no such file."""

    def names(self, folder: Path) -> tuple[str, ...]:
        """Return the sorted names in *folder*, none where there is no such folder."""

    def is_folder(self, path: Path) -> bool:
        """Tell whether *path* is a folder."""

    def link(self, path: Path) -> str | None:
        """Return the target text of the symbolic link *path*, or None where it is not one."""

    def real(self, path: Path) -> Path:
        """Return *path* with all symbolic links followed, as far as it exists."""

    def is_there(self, path: Path | str) -> bool:
        """Tell whether anything is at *path*, a link that leads nowhere too."""

    def nearest(self, path: Path) -> Path:
        """Return *path* if anything is there as :meth:`is_there` tells, else the nearest folder above it of which that is true."""

    def owner(self, path: Path) -> int | None:
        """Return whose *path* is, or None where there is none, or accounts have no numbers."""

    def which(self, program: str) -> str | None:
        """Return the absolute path of *program* on the PATH of the system, or None."""

    def processes(self) -> frozenset[str]:
        """Return the base names of the programs that run now (``busybox crond`` counts as ``crond``)."""

    def query(self, argv: Sequence[str], *, stdin: bytes = b"") -> Completed:
        """Run a command that changes nothing."""

    def status(self, path: Path) -> FileInfo | None:
        """Return what is known of *path*, or None where there is nothing, or nothing that this account may see."""

    def may_read(self, path: Path) -> bool:
        """Tell whether this account may read the existing file *path*."""

    def may_write(self, path: Path) -> bool:
        """Tell whether this account may write to the existing file or folder *path*."""

    def may_run(self, path: Path) -> bool:
        """Tell whether this account may execute the existing file *path*, or enter the folder."""

    def fault(
        self,
        path: Path,
        *,
        strict: bool | None = None,
        uid: int | None = None,
        alone: bool = False,
    ) -> UntrustedError | None:
        """Return why another account could change what is at *path*; the others as in :mod:`ratectl.runtime.trust`."""

    def fault_in(self, folder: Path) -> UntrustedError | None:
        """Return why another account could change *folder* or what lies in it, one level deep."""

    def account(self, name: str) -> Account | None:
        """Return the account *name* of this machine, None where there is none."""

    def lets(self, account: Account, path: Path, wanted: int) -> bool:
        """Tell whether *account* may do with *path* what is *wanted*: READ, WRITE, ENTER of :mod:`ratectl.runtime.accounts`."""

    def free(self, path: Path) -> int | None:
        """Return how many bytes this account may still write beside the existing *path*; None: unknown."""

    def read_only(self, path: Path) -> Path | None:
        """Return where the file system of the existing *path* is mounted, if nobody may write to it; else None."""

    def clock_synchronised(self) -> bool | None:
        """Tell whether something keeps this machine's clock right; None where the system does not say."""


@functools.lru_cache(maxsize=1024)
def _folder(name: str) -> Path:
    return Path(name)


def folder_of(file: str) -> Path:
    """Return the folder of *file*: one value for the thousands of files in it, by which a :class:`OnceReader` knows it."""
    return _folder(os.path.dirname(file))  # noqa: PTH120 - the same


class OnceReader:
    """A reader that looks at each thing once: for the checks of thousands of jobs, which share folders, spec and keys."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def __getattr__(self, name: str) -> Any:
        look = functools.cache(getattr(self._reader, name))
        setattr(self, name, look)
        return look
