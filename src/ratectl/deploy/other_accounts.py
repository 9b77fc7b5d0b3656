"""What an install would let another account change: outputs, spec, keys, and for root the program that it starts.

An ordinary account is only told of links and files that others laid at its outputs; root may touch nothing
that anybody else can change. The same is looked at by each firing (outputs, state) and by the doctor.
"""

from __future__ import annotations

import site
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.backends.systemd import sandbox
from ratectl.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ratectl.backends.protocol import Host, Reader
    from ratectl.deploy.targets import Target
    from ratectl.model.job import Job
    from ratectl.runtime.trust import UntrustedError

MOST_NAMED = 20
"""Faults that one refusal lists."""
GLOBAL = "pipx install --global ratectl"


class Danger(NamedTuple):
    """Something that another account could change."""

    what: str
    """What we use it as, such as ``usd-inr: output /srv/rates.txt``."""
    fault: UntrustedError


def refuse(target: Target, jobs: Sequence[Job], spec: str) -> None:
    """Raise RefusedError where installing *jobs* of the file *spec* would trust what others can change."""
    if target.backend is kubernetes:
        return  # its outputs are databases, and the program is in an image
    found = [danger for job in jobs for danger in of_outputs(target.reader, job)]
    if target.host.root:
        found += [danger for job in jobs for danger in of_inputs(target.reader, job, spec)]
        found += of_program(target.reader, target.host)
    told = [f"  {danger.what}: {danger.fault}" for danger in dict.fromkeys(found)]
    if not told:
        return
    more = [f"  and {len(told) - MOST_NAMED} more"] if len(told) > MOST_NAMED else []
    way_out = (
        "Name places that only root can change, or install as the account whose they are."
        if target.host.root
        else "Name a place where nobody else lays links."
    )
    raise RefusedError(
        "\n".join(
            (
                "another account could change what these jobs use, so nothing was installed:",
                *told[:MOST_NAMED],
                *more,
                way_out,
            )
        )
    )


def of_outputs(reader: Reader, job: Job) -> Iterator[Danger]:
    """Yield the outputs of *job* at which another account could lead its firings elsewhere."""
    for output in job.outputs:
        if output.kind != "postgresql":
            by_name = True if output.kind == "sqlite" else None  # as SQLite opens its files
            fault = reader.fault(Path(output.target), strict=by_name)
            if fault is not None:
                yield Danger(f"{job.name}: output {output.target}", fault)


def of_inputs(reader: Reader, job: Job, spec: str) -> Iterator[Danger]:
    """Yield what *job* of the file *spec* is made of or reads, and others may write to."""
    named = {"the spec": spec} | {f"{job.name}: {path}": path for path in sandbox.reads(job)}
    for what, path in named.items():
        fault = reader.fault(Path(path).expanduser())
        if fault is not None:
            yield Danger(what, fault)


def open_secrets(target: Target, jobs: Sequence[Job]) -> Iterator[str]:
    """Yield a warning for each file of keys or addresses that other accounts may read."""
    if target.host.platform == "win32":
        return
    for path in dict.fromkeys(path for job in jobs for path in sandbox.secret_files(job)):
        status = target.reader.status(Path(path).expanduser())
        if status is not None and status.mode & 0o077:
            yield f"{path}: other accounts may read it, and it holds a secret: `chmod 600 {path}`"


def of_program(reader: Reader, host: Host) -> Iterator[Danger]:
    """Yield the first part of the program that others may write to: interpreter, packages, and each folder above."""
    command = (path for path in map(Path, host.fetch) if path.is_absolute())
    for path in (*command, *_environment()):
        fault = reader.fault(path)
        if fault is not None:
            yield Danger("the program", type(fault)(fault.place, fault.why, GLOBAL))
            return


def _environment() -> Iterator[Path]:
    """Yield the folders and files that this interpreter takes its modules from, one level deep, and all of our own."""
    own = Path(__file__).parents[1]
    folders = [Path(sysconfig.get_path("stdlib")), *map(Path, site.getsitepackages())]
    for folder in folders:
        if folder.is_dir():
            yield folder
            yield from sorted(folder.iterdir())
    yield own
    yield from sorted(path for path in own.rglob("*") if path.is_dir() or path.suffix == ".py")
