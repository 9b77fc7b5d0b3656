"""The one thing to do next, as commands that set something up end with it: a line to copy, and what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.deploy import host_facts
from ratectl.deploy.checks import no_scheduler
from ratectl.wording import typed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def next_step(*argv: str, does: str) -> str:
    """Return the line that names *argv*, as it is typed into a shell of this system, and what it *does*."""
    return f"next: {typed(*argv)}   # {does}"


def after_setting_up(spec: Path, named: Iterable[str], does: str) -> str:
    """Return the next step with a *spec* that is right: an install, which takes it as *named* and *does* that, or where no scheduler runs, to serve it."""
    if no_scheduler.why(host_facts.here(host_facts.zone())):
        return next_step(
            "ratectl", "serve", str(spec), does="runs its jobs, as no scheduler does here"
        )
    return next_step("ratectl", "install", *named, does=does)
