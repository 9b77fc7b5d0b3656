"""Jobs of another spec file: a name is one job's on this account, whichever file it stands in."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from ratectl.errors import ConfigError, RatectlError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ratectl.backends.reader import Reader
    from ratectl.journal.journal import Installed
    from ratectl.model.job import Job


def refuse(
    reader: Reader, jobs: Iterable[Job], spec: str, installed: Mapping[str, Installed]
) -> None:
    """Raise ConfigError where one of *jobs*, of the file *spec*, is installed from another file that still has it."""
    for job in jobs:
        row = installed.get(job.name)
        if row is not None and row.spec != spec and _has_job(reader, row.spec, job.name):
            raise ConfigError(
                f"{job.name!r} is a job of {row.spec}, and {spec} has one of the same name; rename one "
                f"of them, or take it out of the other file and `ratectl remove {job.name}`"
            )


def _has_job(reader: Reader, path: str, name: str) -> bool:
    """Tell whether the spec at *path* has a job *name*, as far as it can be read."""
    try:
        data = reader.read(Path(path))
        found = {} if data is None else tomllib.loads(data.decode("utf-8-sig"))
    except (RatectlError, ValueError):
        return True
    jobs = found.get("jobs")
    return isinstance(jobs, dict) and name in jobs
