"""Files that a person asked for by name: whole or not at all, with the rights that the umask gives."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ratectl.backends.protocol import WriteFile
from ratectl.deploy import execute
from ratectl.errors import CannotCreateError

if TYPE_CHECKING:
    from pathlib import Path


def replace(path: Path, text: str) -> Path:
    """Make the file at *path* hold *text*, atomically, and return its absolute path."""
    target = path.expanduser().absolute()
    if target.is_dir():
        raise CannotCreateError(f"{target}: is a folder; name a file")
    mask = os.umask(0)
    os.umask(mask)
    execute.perform((WriteFile(path=target, data=text.encode(), mode=0o666 & ~mask),))
    return target
