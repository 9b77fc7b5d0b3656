"""Files that a person asked for by name: whole or not at all, with the rights that the umask gives."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ratectl import paths
from ratectl.backends.steps import WriteFile
from ratectl.deploy import execute
from ratectl.errors import CannotCreateError, RefusedError, StorageError
from ratectl.runtime import made_files, trust

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ratectl.journal.journal import Journal
    from ratectl.runtime.made_files import Made


def replace(path: Path, text: str) -> Path:
    """Make the file at *path* hold *text*, atomically, and return its absolute path."""
    return replace_all({path: text.encode()})[0]


def require_replaceable(path: Path, made: Made, journal: Journal) -> None:
    """Raise RefusedError where *path* is a file that an installed job needs, or any other that is not one of the sort *made*."""
    target = paths.typed(path)
    if why := _kept(target, journal):
        raise RefusedError(f"{target}: {why}, which {made.name} would replace; name another file")
    if why := made_files.fault(target, made):
        raise RefusedError(why)


def _kept(target: str, journal: Journal) -> str:
    """Return what the file *target* is to ratectl or to an installed job; an empty text where it is nothing."""
    if paths.lies_in(target, str(journal.state_dir)):
        return f"lies in ratectl's own state directory {journal.state_dir}"
    identity = paths.identity(target)
    return next((why for path, why in _needed(journal) if paths.identity(path) == identity), "")


def _needed(journal: Journal) -> Iterator[tuple[str, str]]:
    """Yield the files that installed jobs read or append to, each with what it is."""
    for row in journal.readable():
        yield row.spec, f"is the spec of {row.job.name}"
        for output in row.job.outputs:
            if output.kind != "postgresql":
                yield output.target, f"is an output of {row.job.name}"


def replace_all(files: Mapping[Path, bytes]) -> list[Path]:
    """Make each of *files* hold its bytes, atomically, and return their absolute paths."""
    targets = [Path(paths.typed(path)) for path in files]
    for target in targets:
        if paths.is_folder(target):
            raise CannotCreateError(f"{target}: is a folder; name a file")
        if why := made_files.irreplaceable(target):
            raise RefusedError(f"{target}: {why}")
    mask = os.umask(0)
    os.umask(mask)
    mode = 0o666 & ~mask
    writes = zip(targets, files.values(), strict=True)
    try:
        execute.perform([WriteFile(path=path, data=data, mode=mode) for path, data in writes])
    except trust.UntrustedError:
        raise
    except (CannotCreateError, RefusedError, StorageError) as error:
        raise error.saying(f"{error}; name another file") from error
    return targets
