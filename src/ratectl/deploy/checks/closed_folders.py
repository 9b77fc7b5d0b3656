"""Folders that macOS closes to whatever nobody is sitting in front of, until a person allows the very program.

There a scheduled firing gets "Operation not permitted", or hangs behind a dialog, while the same command works in a
terminal. Source: Apple, "Controlling app access to files in macOS"; which folders, by the names that Finder gives them.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ratectl.backends.host import Host
    from ratectl.backends.reader import Reader
    from ratectl.model.job import Job

IN_A_HOME = {
    "Documents": "Documents",
    "Desktop": "Desktop",
    "Downloads": "Downloads",
    "Library/Mobile Documents": "iCloud Drive",
    "Library/CloudStorage": "a cloud's folder",
}
VOLUMES = PurePosixPath("/Volumes")
SETTINGS = "System Settings, Privacy & Security, Full Disk Access"


def warnings(jobs: Sequence[Job], host: Host, reader: Reader) -> Iterator[str]:
    """Yield a warning for each file of *jobs*, and for the program itself, that lies in such a folder."""
    if host.platform != "darwin":
        return
    for what, path in dict.fromkeys(_used(jobs, host)):
        closed = _closed(PurePosixPath(path), host)
        if closed:
            better = PurePosixPath(host.home.as_posix(), "rates", PurePosixPath(path).name)
            yield (
                f"{what} {path} lies in {closed}, which macOS closes to scheduled programs: they fail, or hang "
                f"behind a question. Move it, for example to {better}, or allow {_program(host, reader)} under "
                f"{SETTINGS}"
            )


def _used(jobs: Sequence[Job], host: Host) -> Iterator[tuple[str, str]]:
    yield from (("the program", word) for word in host.fetch if word.startswith("/"))
    yield "the state directory", host.state_dir.as_posix()
    for job in jobs:
        for output in job.outputs:
            if output.kind != "postgresql":
                yield f"{job.name}: the output", output.target
        named = [*(provider.api_key for provider in job.providers), *job.notify]
        for name in named:
            if name.startswith("file:"):
                yield f"{job.name}: the file", name.removeprefix("file:")
        if job.ca_bundle:
            yield f"{job.name}: the file", job.ca_bundle


def _closed(path: PurePosixPath, host: Host) -> str:
    """Return the name of the closed folder in which *path* lies; an empty text for none."""
    for folder, name in IN_A_HOME.items():
        if path.is_relative_to(PurePosixPath(host.home.as_posix(), folder)):
            return name
    if path.is_relative_to(VOLUMES) and path != VOLUMES:
        return "another volume"
    return ""


def _program(host: Host, reader: Reader) -> str:
    """Return the program that a person would have to allow: the interpreter itself, not a link to it."""
    return reader.real(Path(host.fetch[0])).as_posix()
