"""How typed words become values: the short way gives what typer's own gives, and spares what typer loads for it."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer

from ratectl import cli
from ratectl.commands._shared.typed_values import on_the_short_way

WORDS = (None, "", "text", "a b/c.toml", "-", "3", "-1", "1e400", "list", "é\udcff")
LISTS = (None, (), ("usd-inr",), ["a", ""], ("é\udcff", "b"))
LOOKS = (
    ("list",),
    ("list", "--json"),
    ("status", "--tag", "mine"),
    ("check", "absent.toml"),
    ("plan",),
    ("next", "every day", "--timezone", "UTC"),
    ("history", "usd-inr", "--since", "2026-01-01"),
    ("rate", "usd-inr"),
    ("pause", "usd-inr", "eur-usd"),
)


def converted(parameter, value, context):
    """Return what *value* becomes, or how it is refused."""
    try:
        return parameter.process_value(context, value)
    except typer.BadParameter as error:
        return str(error)


@pytest.mark.parametrize("verb", cli.COMMANDS)
def test_same_value(verb):
    """Each parameter of each command makes the same value of the same words, of the same type, or refuses them alike."""
    ours, own = ({p.name: p for p in _parameters(verb)} for _ in range(2))
    on_the_short_way(list(ours.values()))
    context = typer.main.get_command(cli.application(verb)).make_context("ratectl", [verb])

    for name, parameter in ours.items():
        several = parameter.multiple or parameter.nargs == -1
        for value in (*(LISTS if several else WORDS), parameter.default):
            parameter.callback = own[name].callback = None
            expected = converted(own[name], value, context)
            found = converted(parameter, value, context)
            assert (type(found), found) == (type(expected), expected), (name, value)


def _parameters(verb):
    program = typer.main.get_command(cli.application(verb))
    return [*program.params, *program.commands[verb].params]


@pytest.mark.network
@pytest.mark.parametrize("words", LOOKS, ids=" ".join)
def test_loads_no_converters(words):
    """A command that is given names, paths and flags does not load what typer converts values with."""
    argv = (sys.executable, "-X", "importtime", "-m", "ratectl", *words)

    done = subprocess.run(argv, capture_output=True, text=True, check=False)

    loaded = {row.rpartition("|")[2].strip() for row in done.stderr.splitlines()}
    assert "typer.core" in loaded
    assert "pydantic" not in loaded
