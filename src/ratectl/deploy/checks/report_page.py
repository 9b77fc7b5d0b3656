"""Whether a firing can write its report page, which none fails for: told by the doctor and by ``status``."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ratectl import paths
from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.backends.systemd import backend as systemd
from ratectl.backends.systemd import sandbox
from ratectl.deploy import remedies, targets
from ratectl.deploy.checks import other_accounts, writable
from ratectl.deploy.checks.writable import Obstacle
from ratectl.errors import RatectlError, RefusedError
from ratectl.runtime import made_files
from ratectl.runtime.made_files import PAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.backends.host import Host
    from ratectl.backends.reader import Reader
    from ratectl.journal.journal import Installed
    from ratectl.model.job import Job


def obstacle(host: Host, reader: Reader, row: Installed) -> Obstacle | None:
    """Return why the page of *row*'s job cannot be written; None where it can, and where it has none."""
    if not row.job.report or row.backend == kubernetes.NAME:
        return None
    host, reader = targets.host_of(host, row.job), other_accounts.reader_for(host, reader, row.job)
    path = Path(row.job.report)
    if reader.link(path) is not None:
        return Obstacle(f"{path} is a link, and the page would take its place", "")
    status = reader.status(path)
    if status is not None and not stat.S_ISREG(status.mode):
        return writable.of_file(host, reader, row.job.report)
    if fault := reader.fault(path, strict=None):
        return Obstacle(f"{fault.place}: {fault.why}", fault.fix)
    # the file is replaced as a whole, so that its own rights do not matter
    found = writable.of_folder(host, reader, path.parent) or gone(host, reader, row, row.job.report)
    return found or _of_another_file(reader, path)


def _of_another_file(reader: Reader, path: Path) -> Obstacle | None:
    """Return that what stands at *path* is no page of ours, or may not be looked at: no firing replaces it."""
    try:
        data = reader.read(path) or b""
    except RatectlError as error:
        return Obstacle(f"what stands there is not known: {error}", "")
    if made_files.is_other(data, PAGE):
        return Obstacle(f"what stands there is not {PAGE.name} of ratectl", "")
    return None


def refuse(jobs: Sequence[Job], installed: Sequence[Installed]) -> None:
    """Raise RefusedError where a page of *jobs* would replace what another installed job needs, or the other way round."""
    names = {job.name for job in jobs}
    others = [row for row in installed if row.job.name not in names]
    pages = {paths.identity(path): path for path in {job.report for job in jobs} if path}
    theirs = {paths.identity(row.job.report): row.job.name for row in others if row.job.report}
    for row in others if pages else ():
        for path in (row.spec, *_files(row.job)):
            if page := pages.get(paths.identity(path)):
                what = "the spec" if path == row.spec else "an output"
                raise RefusedError(
                    f"the report page {page} would replace {what} of {row.job.name}, so nothing was installed; "
                    "name another file for the page"
                )
    for job in jobs if theirs else ():
        for path in _files(job):
            if name := theirs.get(paths.identity(path)):
                raise RefusedError(
                    f"{job.name}: the output {path} is the report page of {name}, which would replace it, so nothing"
                    " was installed; name another file for the output"
                )


def _files(job: Job) -> tuple[str, ...]:
    return tuple(out.target for out in job.outputs if out.kind not in writable.IN_PLACES)


def gone(host: Host, reader: Reader, row: Installed, path: str) -> Obstacle | None:
    """Return that the folder of *path* is gone, where the unit may not make it: it is confined to what is there."""
    folder = reader.real(Path(path)).parent
    if row.backend != systemd.NAME or not sandbox.confined(host, row.scope):
        return None
    if reader.is_folder(folder) or reader.status(folder) is not None:
        return None
    fix = remedies.install(host, row)
    return Obstacle(f"the folder {folder} is gone, and the unit may make none", fix)
