"""``ratectl rename``: another name for an installed job, in its spec, in the record, and in the scheduler."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ratectl import spec
from ratectl.backends import BACKENDS
from ratectl.backends.steps import WriteFile
from ratectl.commands._shared.environment import utc_now
from ratectl.commands._shared.options import DryRunOption
from ratectl.commands._shared.planning import show_plan
from ratectl.deploy import execute, host_facts, install, renames, targets
from ratectl.deploy.install_lock import install_lock
from ratectl.errors import ConfigError, RatectlError, SpecError, UsageError
from ratectl.journal.journal import Journal
from ratectl.spec.providers import LONGEST_NAME
from ratectl.spec.rename import is_name, renamed
from ratectl.views import deploy_text

if TYPE_CHECKING:
    from ratectl.backends.protocol import Host
    from ratectl.backends.reader import Reader
    from ratectl.deploy.install_lock import InstallLock
    from ratectl.journal.journal import Installed


def rename(
    job: Annotated[str, typer.Argument(metavar="OLD", help="An installed job.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="What it is to be called.")],
    *,
    dry_run: DryRunOption = False,
) -> None:
    """Give a job another name, and take its record along.

    The name is changed in the spec, unless it stands there already. Nothing is due again
    and nothing is left out; what was cut short is finished by the same command.

    \b
    Examples:
      ratectl rename usd-inr dollar
      ratectl rename usd-inr dollar --dry-run
    """
    _check(job, new)
    host, reader = host_facts.current(), execute.SystemReader()
    with install_lock(host.state_dir) as lock, Journal(host.state_dir) as journal:
        row = _row(journal, job, new)
        text = _spec_text(reader, host, row, new)
        if row.backend not in BACKENDS:
            if not dry_run:
                _write(reader, row, text)
                with renames.at_rest(host.state_dir, (row.job.name, new)):
                    journal.rename_jobs({row.job.name: new})
                    journal.end_renames((row.job.name,))
            typer.echo(_done(row, new, text))
            return
        prepared = _prepared(journal, host, reader, row, new, rewrite_all=lock.interrupted)
        if dry_run:
            show_plan(prepared)
            return
        _perform(prepared, journal, lock, reader=reader, row=row, text=text)
    typer.echo(_done(row, new, text))


def _check(old: str, new: str) -> None:
    if old == new:
        raise UsageError(f"rename: {old!r} has that name already")
    if not is_name(new):
        raise UsageError(
            f"rename: {new!r}: a name is at most {LONGEST_NAME} lower-case letters, digits and inner hyphens"
        )


def _row(journal: Journal, old: str, new: str) -> Installed:
    """Return what is installed as *old*; where an earlier rename was cut short, as *new*."""
    if journal.renamed().get(old) == new:
        return journal.installed_job(new)
    row = journal.installed_job(old)
    renames.refuse_account(row.job.user, old)
    renames.refuse_taken(journal, new)
    return row


def _spec_text(reader: Reader, host: Host, row: Installed, new: str) -> bytes | None:
    """Return what the spec is to hold; None where it has the new name already. Raises ConfigError where that is for a person to do."""
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
        if new in names and (old not in names or old == new):
            return None
        text = renamed(data, old, new, path=path, host_timezone=row.host_timezone)
    except SpecError as error:
        raise ConfigError(f"rename: {by_hand}: {error}") from error
    place = reader.real(path)
    status = reader.status(place)
    writable = reader.may_write(place) and (status is None or status.owner == host.uid)
    if new in names or text is None or not writable:
        raise ConfigError(f"rename: {by_hand}; nothing was changed")
    return text


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


def _perform(
    prepared: install.Prepared,
    journal: Journal,
    lock: InstallLock,
    *,
    reader: Reader,
    row: Installed,
    text: bytes | None,
) -> None:
    """Write the spec first: where that is all that comes to pass, the next install or rename goes on from it."""
    before = reader.read(Path(row.spec))
    _write(reader, row, text)
    try:
        install.apply(prepared, journal, lock, perform=execute.perform, clock=utc_now)
    except RatectlError:
        _write(reader, row, before if text is not None else None)
        raise


def _write(reader: Reader, row: Installed, text: bytes | None) -> None:
    if text is None:
        return
    path = reader.real(Path(row.spec))
    status = reader.status(path)
    mode = 0o644 if status is None else status.mode & 0o7777
    execute.perform([WriteFile(path=path, data=text, mode=mode)])


def _done(row: Installed, new: str, text: bytes | None) -> str:
    return deploy_text.rename_text(
        row.job.name, new, spec=row.spec if text is not None else "", place=targets.title(row)
    )
