"""What the command line offers, read off the program itself: for the manual's tables and the man page."""

from __future__ import annotations

import inspect
import shlex
from typing import Any

import typer

from ratectl import cli

KEPT = "\b"
"""Click's marker before a paragraph whose lines stay as they are."""
BEYOND = frozenset({"|", ">", "<", "&&"})
"""Words of an example that are the shell's: the command ends there."""


def group(verb: str) -> Any:
    """Return the program with the command *verb*, or with none but its own options."""
    return typer.main.get_command(cli.application(verb))


def command(verb: str) -> Any:
    """Return the command *verb* as click has it."""
    return group(verb).commands[verb]


def paragraphs(verb: str) -> tuple[str, ...]:
    """Return what the help of *verb* says below its first line, without the examples."""
    told = (block for block in _blocks(verb)[1:] if not block.startswith(KEPT))
    return tuple(" ".join(block.split()) for block in told)


def examples(verb: str) -> tuple[str, ...]:
    """Return the command lines that the help of *verb* shows, as they are typed."""
    kept = (block for block in _blocks(verb) if block.startswith(f"{KEPT}\nExamples:\n"))
    return tuple(line.strip() for block in kept for line in block.splitlines()[2:])


def words(example: str) -> tuple[str, ...]:
    """Return the words of an *example* up to where the shell takes over."""
    typed = shlex.split(example)
    ends = [place for place, word in enumerate(typed) if word in BEYOND]
    return tuple(typed[: min(ends, default=len(typed))])


def flag(parameter: Any) -> str:
    """Return the long spelling of an option."""
    return str(max(parameter.opts, key=len))


def value(parameter: Any) -> str:
    """Return the word that stands for what an argument or option takes."""
    return str(parameter.metavar or parameter.name.upper())


def is_argument(parameter: Any) -> bool:
    """Tell whether *parameter* is known by its place."""
    return bool(parameter.param_type_name == "argument")


def _blocks(verb: str) -> list[str]:
    return inspect.cleandoc(command(verb).help).split("\n\n")
