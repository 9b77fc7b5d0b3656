"""What a person reads who asks a command for help: a word for everything, and examples that hold."""

import pytest

from ratectl import cli
from scripts.docs import command_line

WIDEST = 80
"""Columns of a terminal that nobody made wider."""

BY_VERB = pytest.mark.parametrize("verb", cli.COMMANDS)


@BY_VERB
def test_examples(verb):
    """Every help shows one to three command lines, each of the command itself."""
    examples = command_line.examples(verb)

    assert 1 <= len(examples) <= 3
    assert all(example.startswith(f"ratectl {verb}") for example in examples)


@BY_VERB
def test_examples_parse(verb):
    """Every example is taken by the command as it is typed; nothing is run."""
    for example in command_line.examples(verb):
        program, first, *others = command_line.words(example)

        assert (program, first) == ("ratectl", verb)
        assert command_line.command(verb).make_context(verb, others).params


@BY_VERB
def test_every_parameter_is_explained(verb):
    """Each argument and option has a text of its own that begins like a sentence and ends like one."""
    for parameter in command_line.command(verb).params:
        text = parameter.help or ""

        assert text.endswith("."), (parameter.name, text)
        assert "  " not in text


@BY_VERB
@pytest.mark.parametrize("columns", [WIDEST, 200])
def test_help_fits(verb, columns, monkeypatch, capsys):
    """Help is not wider than the terminal, and shows the examples as lines of their own."""
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit):
        cli.main((verb, "--help"))
    lines = capsys.readouterr().out.splitlines()

    assert max(map(len, lines)) <= columns
    assert {line.strip() for line in lines} >= {"Examples:", *command_line.examples(verb)}
