"""``ratectl check``: each job as a sentence, its next slots, and what each scheduler makes of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ratectl import paths, spec
from ratectl.commands._shared import terminal
from ratectl.commands._shared.environment import utc_now
from ratectl.commands._shared.next_step import next_step
from ratectl.commands._shared.options import JsonOption, SpecArgument, default_spec
from ratectl.deploy import host_facts
from ratectl.doctor import spec_check
from ratectl.errors import SpecError
from ratectl.views import spec_check as views
from ratectl.views.format import as_json

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

STDIN = Path("-")
CALLED = "standard input"
"""What stands in the place of its name."""


def check(spec_path: SpecArgument = None, *, json: JsonOption = False) -> None:
    """Say what a spec means and what each scheduler makes of it.

    What install would refuse on this machine is a warning: a spec may be for another one.

    \b
    Examples:
      ratectl check
      ratectl check ./jobs.toml --json
      ratectl check - < jobs.toml
    """
    path, zone = spec_path or default_spec(), host_facts.zone()
    try:
        checked = _checked(path, zone)
    except SpecError as fault:
        error = fault if path != STDIN else SpecError(CALLED, fault.issues)
        if json:
            typer.echo(as_json({"jobs": [], "issues": views.issues_json(error)}))
            raise typer.Exit(error.exit_code) from fault
        raise error from fault
    if json:
        typer.echo(as_json(views.check_json(checked)))
    else:
        source = host_facts.zone_source()
        clocks = f"this machine's clocks: {zone.key}, {source} (TZ is not asked)"
        for line in views.check_lines(checked, clocks, terminal.width()):
            terminal.show(line)
    if checked.problems.issues:
        raise typer.Exit(checked.problems.exit_code)
    if json or checked.refused_here or path == STDIN:
        return
    named = () if spec_path is None else (str(spec_path),)
    if checked.no_scheduler:
        typer.echo(next_step("ratectl", "serve", str(path), does="runs the jobs in the foreground"))
    else:
        typer.echo(next_step("ratectl", "install", *named, does="puts that into the scheduler"))


def _checked(path: Path, zone: ZoneInfo) -> spec_check.SpecCheck:
    """Return what the spec at *path* means, which may come on the standard input."""
    if path == STDIN:
        data = sys.stdin.buffer.read()
        loaded = spec.loads(data, path=Path(paths.typed("stdin")), host_timezone=zone.key)
    else:
        data = spec.read(path)
        loaded = spec.loads(data, path=Path(paths.typed(path)), host_timezone=zone.key)
    written = data.decode("utf-8-sig")
    checked = spec_check.check(loaded, written, zone, utc_now())
    if path != STDIN:
        return checked
    return checked._replace(problems=SpecError(CALLED, checked.problems.issues))
