"""Arguments and options that several commands share, so that they read and mean the same in each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ratectl import paths

SpecArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="SPEC",
        help="By default jobs.toml in the configuration directory.",
        readable=False,  # whether it can be read is no matter of usage, and told where it is read
    ),
]
BackendOption = Annotated[
    str,
    typer.Option(
        help="cron, systemd, launchd, windows, kubernetes, or auto: what this machine runs."
    ),
]
ScopeOption = Annotated[str, typer.Option(help="user, system, or auto: system as root.")]
PruneOption = Annotated[
    bool, typer.Option("--prune", help="Remove our entries that the spec lacks.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show the steps, perform none.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print facts for programs.")]


def default_spec() -> Path:
    """Return the spec that commands read when none is named."""
    return Path(paths.config_dir()) / "jobs.toml"


JobsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="JOB...", show_default=False, help="Installed jobs.")
]
