"""A rename by command: the name in the spec, the record, and the entry where it stands. What was cut short is finished by the same command.

The spec is written first: where that is all that comes to pass, the next install or rename goes on from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ratectl import spec
from ratectl.backends import BACKENDS
from ratectl.backends.steps import WriteFile
from ratectl.deploy import install, renames, targets
from ratectl.errors import ConfigError, RatectlError, SpecError
from ratectl.spec.rename import renamed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from ratectl.backends.host import Host
    from ratectl.backends.reader import Reader
    from ratectl.backends.steps import Step
    from ratectl.deploy.install_lock import InstallLock
    from ratectl.journal.journal import Installed, Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """Everything that a rename will do, as values."""

    row: Installed
    """The job as it is installed."""
    new: str
    text: bytes | None
    """What the spec is to hold; None where it has the new name already."""
    is_in_spec: bool
    """The spec has the job, by the one name or the other."""
    prepared: install.Prepared | None
    """What happens in the engine; None for a job that ``serve`` wakes."""


def prepare(
    journal: Journal, host: Host, reader: Reader, old: str, new: str, *, rewrite_all: bool
) -> Rename:
    """Return what gives the job *old* the name *new*. Looks, and changes nothing."""
    row = _row(journal, old, new)
    names, text = _spec_text(reader, host, row, new)
    served = row.backend not in BACKENDS
    prepared = (
        None if served else _prepared(journal, host, reader, row, new, rewrite_all=rewrite_all)
    )
    is_in_spec = bool(names & {old, new})
    return Rename(row=row, new=new, text=text, is_in_spec=is_in_spec, prepared=prepared)


def apply(
    rename: Rename,
    journal: Journal,
    lock: InstallLock,
    reader: Reader,
    *,
    perform: Callable[[Sequence[Step]], None],
    clock: Callable[[], dt.datetime],
) -> None:
    """Write the spec, then do the rest; where that is refused, the spec is as it was."""
    old, path = rename.row.job.name, Path(rename.row.spec)
    if rename.prepared is None:
        with renames.at_rest(
            journal.state_dir, (old, rename.new)
        ):  # Ctrl-C meanwhile leaves all as it was
            _write(reader, path, rename.text, perform)
            journal.rename_jobs({old: rename.new})
            journal.end_renames((old,))
        return
    before = reader.read(path)
    _write(reader, path, rename.text, perform)
    try:
        install.apply(rename.prepared, journal, lock, perform=perform, clock=clock)
    except RatectlError:
        _write(reader, path, before if rename.text is not None else None, perform)
        raise


def _row(journal: Journal, old: str, new: str) -> Installed:
    """Return what is installed as *old*; where an earlier rename was cut short, as *new*."""
    if journal.renamed().get(old) == new:
        return journal.installed_job(new)
    row = journal.installed_job(old)
    renames.refuse_account(row.job.user, old)
    renames.refuse_taken(journal, new)
    return row


def _spec_text(
    reader: Reader, host: Host, row: Installed, new: str
) -> tuple[set[str], bytes | None]:
    """Return the jobs of the spec, and what it is to hold; None where it stays. Raises ConfigError where that is for a person to do."""
    old, path = row.job.name, Path(row.spec)
    data = reader.read(path)
    by_hand = (
        f"write the name {new!r} for {old!r} into {path} by hand, and type the same command again"
    )
    if data is None:
        raise ConfigError(
            f"rename: {path}, the spec of {old!r}, is gone; put it back with the name {new!r} in it"
        )
    try:
        names = {
            job.name for job in spec.loads(data, path=path, host_timezone=row.host_timezone).jobs
        }
        if old not in names or (new in names and old == new):
            return names, None
        text = renamed(data, old, new, path=path, host_timezone=row.host_timezone)
    except SpecError as error:
        raise ConfigError(f"rename: {by_hand}: {error}") from error
    place = reader.real(path)
    status = reader.status(place)
    writable = reader.may_write(place) and (status is None or status.owner == host.uid)
    if new in names or text is None or not writable:
        raise ConfigError(f"rename: {by_hand}; nothing was changed")
    return names, text


def _prepared(
    journal: Journal, host: Host, reader: Reader, row: Installed, new: str, *, rewrite_all: bool
) -> install.Prepared:
    """Return what brings the entry of *row* to its new name where it stands: as it was installed, whatever else the spec says by now."""
    target = targets.located(targets.recorded_target(row, host, reader))
    source = install.SpecSource(
        jobs=(replace(row.job, name=new),), path=row.spec, digest=row.digest, whole=False
    )
    mapping = {} if row.job.name == new else {row.job.name: new}
    return install.prepare(target, source, journal, rewrite_all=rewrite_all, renames=mapping)


def _write(
    reader: Reader, spec_path: Path, text: bytes | None, perform: Callable[[Sequence[Step]], None]
) -> None:
    if text is None:
        return
    path = reader.real(spec_path)
    status = reader.status(path)
    mode = 0o644 if status is None else status.mode & 0o7777
    perform([WriteFile(path=path, data=text, mode=mode)])
