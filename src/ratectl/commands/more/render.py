"""``ratectl render``: the native texts of a spec as files, for any engine on any machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ratectl import spec
from ratectl.commands._shared import write_file
from ratectl.commands._shared.options import SpecArgument, default_spec
from ratectl.deploy import execute, host_facts, install, select_backend, targets
from ratectl.errors import UsageError
from ratectl.runtime import zones
from ratectl.wording import count

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo


def render(
    spec_path: SpecArgument = None,
    *,
    backend: Annotated[
        str, typer.Option(help="The scheduler: cron, systemd, launchd, windows or kubernetes.")
    ],
    out: Annotated[
        Path, typer.Option(readable=False, help="Folder to write to; made where there is none.")
    ],
    host_timezone: Annotated[
        str, typer.Option(help="Zone of the machine that the texts are for; by default this one's.")
    ] = "",
    scope: Annotated[
        str, typer.Option(help="Whose scheduler the texts are for: user or system.")
    ] = "user",
    program: Annotated[
        str,
        typer.Option(help="The ratectl-fetch that the texts call; by default this installation's."),
    ] = "",
) -> None:
    """Write the texts of a scheduler into a folder.

    \b
    Examples:
      ratectl render --backend windows --out tasks
      ratectl render --backend cron --host-timezone Asia/Tokyo --out tabs
    """
    engine = select_backend.named(backend)
    if scope not in engine.SCOPES:
        raise UsageError(f"--scope {scope}: {backend} has {' and '.join(engine.SCOPES)}")
    zone = _zone(host_timezone) if host_timezone else host_facts.zone()
    target = host_facts.target(engine, zone, program)
    loaded = spec.load(spec_path or default_spec(), host_timezone=zone.key, fired_here=False)
    where = targets.Target(backend=engine, scope=scope, host=target, reader=execute.SystemReader())
    files = install.files(where, loaded.jobs)
    _write(out, files)
    typer.echo(f"{count(len(files), 'file')} for {backend} in {out}")
    if not program and not host_facts.is_native(engine):
        typer.echo(
            f"note: made for another system, where {target.fetch[0]} is assumed; --program names the real one",
            err=True,
        )


def _zone(name: str) -> ZoneInfo:
    try:
        return zones.named(name)
    except ValueError as error:
        raise UsageError(f"--host-timezone {name!r}: {error}, such as Europe/Berlin") from error


def _write(out: Path, files: Mapping[str, bytes]) -> None:
    write_file.replace_all({out / name: data for name, data in files.items()})
