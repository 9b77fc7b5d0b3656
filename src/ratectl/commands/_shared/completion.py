"""What a shell's Tab offers for values: jobs, engines, scopes, zones and providers, by the parameter's name.

Only the shells' scripts ask for it, through the environment, so no command pays for
it. It reads, and where something stands in the way it offers nothing.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import typer

from ratectl import manual, paths
from ratectl.backends import BACKENDS
from ratectl.deploy import select_backend
from ratectl.journal import job_names
from ratectl.model.providers import PROVIDER_KINDS
from ratectl.outputs.formats import FILES
from ratectl.runtime import own_places

Completer = Callable[[typer.Context], Iterable[str]]


def refuse_home() -> None:
    """Raise RefusedError where the shell's files that a completion is written to are another account's."""
    own_places.refuse_home()


def verb(environment: Mapping[str, str]) -> str:
    """Return the first word after the program of the line that a shell's script hands over.

    Bash says it in ``COMP_WORDS``, the others in ``_TYPER_COMPLETE_ARGS``. It may be half
    a word, which is no command yet.
    """
    line = environment.get("COMP_WORDS") or environment.get("_TYPER_COMPLETE_ARGS", "")
    return "".join(line.split()[1:2])


def attach(program: typer.Typer, verb: str) -> None:
    """Let the parameters of the command *verb* of *program* be completed by what :func:`completer` has."""
    for command in program.registered_commands:
        if command.name == verb and command.callback is not None:
            command.callback.__annotations__ = _completed(verb, command.callback)


def completer(verb: str, parameter: str) -> Completer | None:
    """Return what knows the values of *parameter* of the command *verb*, if anything does."""
    return OF_ONE_COMMAND.get((verb, parameter)) or COMPLETERS.get(parameter)


def installed(context: typer.Context) -> Iterable[str]:
    """Return the installed jobs."""
    return job_names.installed(_state_dir(context))


def known(context: typer.Context) -> Iterable[str]:
    """Return the jobs that something may be recorded for, removed ones included."""
    return job_names.known(_state_dir(context))


COMPLETERS: dict[str, Completer] = {
    "job": installed,
    "jobs": installed,
    "what": installed,
    "backend": lambda _: (select_backend.AUTO, *BACKENDS),
    "scope": lambda _: select_backend.SCOPES,
    "timezone": lambda _: sorted(zoneinfo.available_timezones()),
    "host_timezone": lambda _: sorted(zoneinfo.available_timezones()),
    "provider": lambda _: PROVIDER_KINDS,
    "providers": lambda _: PROVIDER_KINDS,
    "form": lambda _: FILES,
}
"""What knows the values of a parameter, which has the same name in every command."""

OF_ONE_COMMAND: dict[tuple[str, str], Completer] = {
    ("chart", "job"): known,
    ("history", "job"): known,
    ("manual", "topic"): lambda _: manual.TOPICS,
    ("render", "backend"): lambda _: BACKENDS,
    ("render", "scope"): lambda _: [
        scope for scope in select_backend.SCOPES if scope != select_backend.AUTO
    ],
}
"""Where one command takes more or less than the others."""


def _completed(verb: str, function: Callable[..., Any]) -> dict[str, Any]:
    """Return the annotations of *function*, with what completes them."""
    hints = get_type_hints(function, include_extras=True)
    for name, hint in hints.items():
        knows = completer(verb, name)
        if knows is not None:
            kind, information = get_args(hint)
            information = copy(information)
            information.autocompletion = _offer(knows)
            hints[name] = Annotated[kind, information]
    return hints


def _offer(knows: Completer) -> Callable[[typer.Context], list[str]]:
    def offered(context: typer.Context) -> list[str]:
        """Return the values without those that the line has already."""
        try:
            return [value for value in knows(context) if value not in _given(context)]
        except Exception:  # noqa: BLE001 - nobody can do anything about it with half a line typed
            return []

    return offered


def _given(context: typer.Context) -> set[object]:
    lists = (value for value in context.params.values() if isinstance(value, list | tuple))
    return {one for several in lists for one in several}


def _state_dir(context: typer.Context) -> Path:
    return Path(context.params.get("state") or paths.state_dir())
