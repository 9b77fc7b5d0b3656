"""Whether a firing can write its report page, which none fails for: told by the doctor and by ``status``."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.backends.systemd import backend as systemd
from ratectl.backends.systemd import sandbox
from ratectl.deploy import remedies, targets
from ratectl.deploy.checks import other_accounts, writable
from ratectl.deploy.checks.writable import Obstacle

if TYPE_CHECKING:
    from ratectl.backends.host import Host
    from ratectl.backends.reader import Reader
    from ratectl.journal.journal import Installed


def obstacle(host: Host, reader: Reader, row: Installed) -> Obstacle | None:
    """Return why the page of *row*'s job cannot be written; None where it can, and where it has none."""
    if not row.job.report or row.backend == kubernetes.NAME:
        return None
    host, reader = targets.host_of(host, row.job), other_accounts.reader_for(host, reader, row.job)
    path = Path(row.job.report)
    status = reader.status(path)
    if status is not None and not stat.S_ISREG(status.mode):
        return writable.of_file(host, reader, path)
    if fault := reader.fault(path, strict=None):
        return Obstacle(f"{fault.place}: {fault.why}", fault.fix)
    # the file is replaced as a whole, so that its own rights do not matter
    return writable.of_folder(host, reader, path.parent) or gone(host, reader, row, row.job.report)


def gone(host: Host, reader: Reader, row: Installed, path: str) -> Obstacle | None:
    """Return that the folder of *path* is gone, where the unit may not make it: it is confined to what is there."""
    folder = reader.real(Path(path)).parent
    if row.backend != systemd.NAME or not sandbox.confined(host, row.scope):
        return None
    if reader.is_folder(folder) or reader.status(folder) is not None:
        return None
    fix = remedies.install(host, row)
    return Obstacle(f"the folder {folder} is gone, and the unit may make none", fix)
