"""``ratectl rename``: another name for an installed job, in its spec, in the record, and in the scheduler."""

from __future__ import annotations

from typing import Annotated

import typer

from ratectl.commands._shared import terminal
from ratectl.commands._shared.environment import utc_now
from ratectl.commands._shared.options import DryRunOption
from ratectl.commands._shared.planning import show_plan
from ratectl.deploy import execute, host_facts, targets
from ratectl.deploy import rename as renaming
from ratectl.deploy.install_lock import install_lock
from ratectl.errors import UsageError
from ratectl.journal.journal import Journal
from ratectl.spec.providers import LONGEST_NAME
from ratectl.spec.rename import is_name
from ratectl.views import deploy_text


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
        planned = renaming.prepare(journal, host, reader, job, new, rewrite_all=lock.interrupted)
        if not dry_run:
            renaming.apply(planned, journal, lock, reader, perform=execute.perform, clock=utc_now)
        elif planned.prepared is not None:
            show_plan(planned.prepared)
            return
    terminal.show(_told(planned, done=not dry_run))


def _check(old: str, new: str) -> None:
    if old == new:
        raise UsageError(f"rename: {old!r} has that name already")
    if not is_name(new):
        raise UsageError(
            f"rename: {new!r}: a name is at most {LONGEST_NAME} lower-case letters, digits and inner hyphens"
        )


def _told(rename: renaming.Rename, *, done: bool) -> str:
    row = rename.row
    written = row.spec if rename.text is not None else ""
    lacks = "" if rename.is_in_spec else row.spec
    return deploy_text.rename_text(
        row.job.name, rename.new, spec=written, place=targets.title(row), lacks=lacks, done=done
    )
