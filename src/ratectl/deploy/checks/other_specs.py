"""Jobs of another spec file: a name is one job's on this account, whichever file it stands in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ratectl.errors import ConfigError, RatectlError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from ratectl.backends.reader import Reader
    from ratectl.journal.journal import Installed
    from ratectl.model.job import Job


def refuse(
    reader: Reader, jobs: Iterable[Job], spec: str, installed: Mapping[str, Installed]
) -> None:
    """Raise ConfigError where one of *jobs*, of the file *spec*, is installed from another file that still has it."""
    for job in jobs:
        row = installed.get(job.name)
        if row is not None and row.spec != spec and has_jobs(reader, row.spec, {job.name}):
            raise ConfigError(
                f"{job.name!r} is a job of {row.spec}, and {spec} has one of the same name; rename one "
                f"of them, or take it out of the other file and `ratectl remove {job.name}`"
            )


def has_jobs(reader: Reader, path: str, names: AbstractSet[str]) -> bool:
    """Tell whether the spec at *path* has all jobs *names*, as far as it can be read."""
    try:
        jobs = _tables(reader, path).get("jobs")
    except (RatectlError, ValueError):
        return True
    return isinstance(jobs, dict) and names <= jobs.keys()


def scheduler(reader: Reader, path: str) -> tuple[str, str]:
    """Return the ``backend`` and the ``scope`` that the spec at *path* asks for; empty texts where it does not, or cannot be read."""
    try:
        general = _tables(reader, path).get("ratectl")
    except (RatectlError, ValueError):
        return "", ""
    asked = general if isinstance(general, dict) else {}
    return str(asked.get("backend", "")), str(asked.get("scope", ""))


def _tables(reader: Reader, path: str) -> dict[str, object]:
    import tomllib  # noqa: PLC0415 - a look at what is installed reads no spec

    data = reader.read(Path(path))
    return {} if data is None else tomllib.loads(data.decode("utf-8-sig"))
