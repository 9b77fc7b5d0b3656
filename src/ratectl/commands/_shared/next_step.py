"""The one thing to do next, as commands that set something up end with it: a line to copy, and what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.commands._shared.options import default_spec
from ratectl.deploy import execute, host_facts, remedies, select_backend
from ratectl.deploy.checks import no_scheduler, other_specs
from ratectl.errors import RatectlError
from ratectl.journal.journal import Journal
from ratectl.runtime import own_places
from ratectl.views.inventory import nothing_text
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


def nothing_installed() -> str:
    """Return that no job is installed, and what to type on this machine to have one."""
    path, reader = default_spec(), execute.SystemReader()
    is_there = reader.status(path) is not None
    chooses = other_specs.scheduler(reader, str(path))[0] in {"", select_backend.AUTO}
    unwoken = chooses and no_scheduler.why(host_facts.here(host_facts.zone()))
    serves = str(path) if unwoken else ""
    return nothing_text(str(path) if is_there else "", serves)


def way_back(job: str) -> str:
    """Return what follows that *job* was removed: the command that brings it back; an empty text where none does."""
    try:
        host = host_facts.here(host_facts.zone())
        with Journal(own_places.state_dir()) as journal:
            row, others = journal.remembered(job), journal.readable()
        again = remedies.bring_back(host, execute.SystemReader(), [row], others)
    except RatectlError:
        return ""
    return f"; `{again}` brings it back" if again else ""
