"""Files that a person asked for by name: whole or not at all, with the rights that the umask gives."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ratectl.backends.steps import WriteFile
from ratectl.deploy import execute
from ratectl.errors import CannotCreateError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def replace(path: Path, text: str) -> Path:
    """Make the file at *path* hold *text*, atomically, and return its absolute path."""
    return replace_all({path: text.encode()})[0]


def replace_all(files: Mapping[Path, bytes]) -> list[Path]:
    """Make each of *files* hold its bytes, atomically, and return their absolute paths."""
    targets = [path.expanduser().absolute() for path in files]
    for target in targets:
        if target.is_dir():
            raise CannotCreateError(f"{target}: is a folder; name a file")
    mask = os.umask(0)
    os.umask(mask)
    mode = 0o666 & ~mask
    writes = zip(targets, files.values(), strict=True)
    execute.perform([WriteFile(path=path, data=data, mode=mode) for path, data in writes])
    return targets
