"""``ratectl init``: writes a starter spec that is right as it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ratectl import machine, spec, templates
from ratectl.commands.install import SpecArgument, default_spec
from ratectl.errors import CannotCreateError, UsageError


def init(
    spec_path: SpecArgument = None,
    *,
    pair: Annotated[str, typer.Option(help="BASE/QUOTE, ISO 4217 codes.")] = "USD/INR",
    schedule: Annotated[str, typer.Option(help="A phrase or a cron line.")] = "every day at 10:30",
    output: Annotated[str, typer.Option(help="File to append to.")] = "~/rates/output.txt",
) -> None:
    """Write a starter spec.

    \b
    Examples:
      ratectl init
      ratectl init --pair EUR/USD --schedule "every weekday at 16:30"
    """
    place = (spec_path or default_spec()).expanduser().absolute()
    if place.exists():
        raise UsageError(f"{place}: exists already and is left as it is; name another file")
    zone = machine.zone().key
    text = templates.fill(
        "starter.toml.j2",
        job=pair.lower().replace("/", "-"),
        pair=_quoted(pair),
        schedule=_quoted(schedule),
        output=_quoted(output),
        timezone=_quoted(zone),
    )
    spec.loads(text.encode(), path=place, host_timezone=zone)
    _create(place, text)
    typer.echo(f"wrote {place}")
    typer.echo(
        f"next: ratectl check{'' if spec_path is None else f' {place}'}, then ratectl install"
    )


def _quoted(value: str) -> str:
    """Return *value* as a TOML basic string. Raises UsageError on a line break or control character."""
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise UsageError(f"{value!r}: expected one line")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _create(place: Path, text: str) -> None:
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with place.open("x", encoding="utf-8") as file:
            place.chmod(0o600)
            file.write(text)
    except OSError as error:
        raise CannotCreateError(f"{place}: cannot be written: {error.strerror}") from error
