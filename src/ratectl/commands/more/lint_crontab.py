"""``ratectl lint-crontab``: which lines of any crontab do not do what they look like. It only reads."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ratectl import crontab_lint
from ratectl.backends.cron import backend as cron
from ratectl.commands._shared import terminal
from ratectl.commands._shared.options import JsonOption
from ratectl.deploy import execute, host_facts
from ratectl.errors import DataError, StorageError
from ratectl.runtime import accounts, zones
from ratectl.views.format import as_json
from ratectl.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ratectl.crontab_lint import LintFinding

SYSTEM_TAB = Path("/etc/crontab")
SYSTEM_FOLDER = Path("/etc/cron.d")
READ_BY_CRON = re.compile(r"[A-Za-z0-9_-]+")
"""Names in /etc/cron.d that Debian's cron reads; see cron(8)."""


def lint_crontab(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="A crontab, or - for stdin; by default this account's."
        ),
    ] = "",
    *,
    system: Annotated[
        bool,
        typer.Option(
            "--system",
            help="Lines name an account, as in /etc/crontab and /etc/cron.d (which are read without FILE).",
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Find crontab lines that do not do what they look like.

    Measured by Debian's cron, with what other crons make of the line. Exit code 65
    when a line never fires, is rejected or would be misread; 0 with warnings only.

    \b
    Examples:
      ratectl lint-crontab
      ratectl lint-crontab ./old-crontab
      ratectl lint-crontab --system --json
    """
    lint = crontab_lint.lint_system if system else crontab_lint.lint
    found = [
        (name, finding)
        for name, tab in _tabs(file, system=system)
        for finding in lint(tab, THIS_MACHINE)
    ]
    if json:
        typer.echo(as_json([_fact(name, finding) for name, finding in found]))
    else:
        for name, finding in found:
            terminal.show(_text(name, finding))
        typer.echo(_count([finding for _, finding in found]))
    if any(finding.flaw.severity == "error" for _, finding in found):
        raise typer.Exit(DataError.exit_code)


def _has_account(name: str) -> bool:
    """Tell whether this machine has the account *name*; where it has no root, it has no accounts that cron knows."""
    return accounts.find(name) is not None or accounts.find(accounts.ROOT) is None


def _zone_meant(name: str) -> str:
    """Return the zone *name* where there is one, else the nearest, else nothing."""
    try:
        return zones.named(name).key
    except ValueError:
        return zones.near(name)


THIS_MACHINE = crontab_lint.Machine(has_account=_has_account, zone_meant=_zone_meant)


def _tabs(file: str, *, system: bool) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of each tab to read."""
    reader = execute.SystemReader()
    if file == "-":
        yield "stdin", sys.stdin.buffer.read()
    elif file:
        yield file, _read(reader, Path(file))
    elif system:
        names = [name for name in reader.names(SYSTEM_FOLDER) if READ_BY_CRON.fullmatch(name)]
        for path in (SYSTEM_TAB, *(SYSTEM_FOLDER / name for name in names)):
            if (tab := reader.read(path)) is not None:
                yield str(path), tab
    else:
        host = host_facts.current()
        listing = cron.listing(reader, host)
        yield f"{host.user}'s crontab", crontab_lint.as_stored(listing or b"")


def _read(reader: execute.SystemReader, path: Path) -> bytes:
    tab = reader.read(path)
    if tab is None:
        raise StorageError(f"{path}: no such file; `ratectl lint-crontab -` reads stdin")
    return tab


def _fact(name: str, finding: LintFinding) -> dict[str, Any]:
    flaw = finding.flaw
    return {
        "file": name,
        "line": finding.line,
        "severity": flaw.severity,
        "code": flaw.code,
        "message": flaw.message,
        "instead": flaw.instead,
    }


def _text(name: str, finding: LintFinding) -> str:
    flaw = finding.flaw
    return (
        f"{name}:{finding.line}: {flaw.severity}: {flaw.code}: {flaw.message}\n"
        f"    instead: {flaw.instead}"
    )


def _count(findings: list[LintFinding]) -> str:
    errors = sum(finding.flaw.severity == "error" for finding in findings)
    return f"{count(errors, 'error')}, {count(len(findings) - errors, 'warning')}"
