"""What a person reads who asks a command for help: a word for everything, and examples that hold."""

import pytest

from ratectl import cli, manual
from ratectl.commands._shared import help as groups
from scripts.docs import command_line

WIDEST = 80
"""Columns of a terminal that nobody made wider."""

BY_VERB = pytest.mark.parametrize("verb", cli.COMMANDS)


@pytest.fixture
def shown(monkeypatch, capsys):
    """Return the lines of the help of a command, or of the program, on a terminal of so many columns."""

    def lines(verb, columns):
        monkeypatch.setenv("COLUMNS", str(columns))
        with pytest.raises(SystemExit):
            cli.main((*filter(None, (verb,)), "--help"))
        return capsys.readouterr().out.splitlines()

    return lines


@BY_VERB
def test_examples(verb):
    """Every help shows two or three command lines, each of the command itself."""
    examples = command_line.examples(verb)

    assert 2 <= len(examples) <= 3
    assert all(example.startswith(f"ratectl {verb}") for example in examples)


@BY_VERB
def test_examples_parse(verb):
    """Every example is taken by the command as it is typed; nothing is run."""
    for example in command_line.examples(verb):
        program, first, *others = command_line.words(example)

        assert (program, first) == ("ratectl", verb)
        assert command_line.command(verb).make_context(verb, others).params


def test_every_command_has_its_group():
    """Each command stands in one group of the help, and nothing else stands there."""
    grouped = [verb for verbs in groups.GROUPS.values() for verb in verbs]

    assert sorted(grouped) == sorted(cli.COMMANDS)


def test_every_topic_has_its_page():
    """The page that a command's help names exists."""
    assert set(groups.TOPICS) <= set(cli.COMMANDS)
    assert {groups.topic(verb) for verb in cli.COMMANDS} <= set(manual.TOPICS)


@pytest.mark.parametrize("columns", [WIDEST, 120])
def test_help_in_groups(columns, shown):
    """The program's help lists the commands below the headings of their groups, each with its whole sentence."""
    lines = shown("", columns)
    places = [lines.index(f"{heading}:") for heading in groups.GROUPS]

    assert places == sorted(places)
    for heading, verbs in groups.GROUPS.items():
        below = lines[lines.index(f"{heading}:") + 1 :][: len(verbs)]
        assert [" ".join(line.split()) for line in below] == [
            f"{verb} {cli.COMMANDS[verb]}" for verb in verbs
        ]


@BY_VERB
def test_options_in_groups(verb, shown):
    """Many options stand below more than one heading, each option once, and the manual's topic comes last."""
    lines = shown(verb, WIDEST)
    headings = {line.removesuffix(":") for line in lines if line.endswith(":")}
    options = [p for p in command_line.command(verb).params if not command_line.is_argument(p)]

    if len(options) >= groups.FEW:
        assert len(headings & set(groups.OPTIONS)) > 1
    for option in options:
        flag = command_line.flag(option)
        assert len([x for x in lines if x.startswith("  -") and flag in x.split()]) == 1
    assert lines[-1] == f"  More about it: ratectl manual {groups.topic(verb)}"


def test_no_types_of_python(shown):
    """What an argument or option takes is said in capitals, in no word of Python."""
    for verb in cli.COMMANDS:
        assert [line for line in shown(verb, WIDEST) if "<str>" in line or "<path>" in line] == []


@pytest.mark.parametrize(
    ("verb", "usage"),
    [
        ("rename", "OLD NEW"),
        ("status", "[JOB...]"),
        ("review", "[ACTION] [ID...]"),
        ("journal", "ACTION JOURNAL..."),
        ("serve", "[JOB... | SPEC]"),
        ("next", 'JOB|"EXPR"'),
    ],
)
def test_usage(verb, usage, shown):
    """The usage line has the form of manual pages: what may be left out in brackets, and no other marks."""
    assert shown(verb, WIDEST)[0] == f"Usage: ratectl {verb} [OPTIONS] {usage}"


@BY_VERB
def test_usage_has_no_braces(verb, shown):
    """No usage line has braces, words in small letters, or dots twice."""
    usage = shown(verb, 200)[0].partition("[OPTIONS]")[2]

    assert not set("{}") & set(usage)
    assert usage == usage.upper()
    assert "...]..." not in usage


@BY_VERB
def test_every_parameter_is_explained(verb):
    """Each argument and option has a text of its own that begins like a sentence and ends like one."""
    for parameter in command_line.command(verb).params:
        text = parameter.help or ""

        assert text.endswith("."), (parameter.name, text)
        assert "  " not in text


@BY_VERB
@pytest.mark.parametrize("columns", [WIDEST, 120, 200])
def test_help_fits(verb, columns, shown):
    """Help is not wider than the terminal, and shows the examples as lines of their own."""
    lines = shown(verb, columns)

    assert max(map(len, lines)) <= columns
    assert {line.strip() for line in lines} >= {"Examples:", *command_line.examples(verb)}
