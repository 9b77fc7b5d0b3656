"""How help looks: commands in groups of what one wants to do, options in groups of what they decide, the manual's topic last."""

from __future__ import annotations

import re
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from ratectl.commands._shared.typed_values import on_the_short_way

GROUPS: dict[str, tuple[str, ...]] = {
    "Set up": ("init", "check", "plan", "install"),
    "Look": ("status", "list", "next", "history", "rate", "chart", "report"),
    "Correct": ("run", "backfill", "record", "import", "review"),
    "Mend": ("doctor", "rename", "pause", "resume", "remove"),
    "More": ("providers", "render", "journal", "lint-crontab", "serve", "manual"),
}
"""Every command, by what somebody wants who looks for it; each group has a folder of ``commands``."""

TOPICS: dict[str, str] = {
    "init": "tour",
    "check": "spec",
    "install": "engines",
    "next": "schedules",
    "backfill": "living-with-it",
    "record": "living-with-it",
    "import": "living-with-it",
    "review": "living-with-it",
    "pause": "living-with-it",
    "rename": "living-with-it",
    "resume": "living-with-it",
    "remove": "living-with-it",
    "status": "monitoring",
    "doctor": "monitoring",
    "providers": "providers",
    "render": "engines",
    "journal": "several-hosts",
    "serve": "recipes",
}
"""The page of the manual that a command's help names; for all others it is that of the commands."""

WHICH, WHERE, HOW, OUTPUT = "Which ones", "Where", "How", "What is shown"
OPTIONS: dict[str, tuple[str, ...]] = {
    WHICH: (
        "--all",
        "--tag",
        "--job",
        "--pair",
        "--since",
        "--until",
        "--last",
        "--slot",
        "--spec",
    ),
    WHERE: ("--backend", "--scope", "--state", "--out", "--program", "--host-timezone"),
    HOW: (),  # what no other group has
    OUTPUT: ("--json", "--format", "--watch", "--prometheus", "--detailed-exitcode", "--help"),
}
"""What options decide, in the order in which help shows them."""
FEW = 5
"""Options that are taken in at a glance, and need no groups."""
WIDEST_NAME = 24
"""Columns of an option's name at most that stand beside its text in one column."""
TYPE = re.compile(r" <.+>$")


def topic(verb: str) -> str:
    """Return the page of the manual that says more about the command *verb*."""
    return TOPICS.get(verb, "commands")


def folder(verb: str) -> str:
    """Return the folder of the command *verb*, which has the name of its group."""
    heading = next(heading for heading, verbs in GROUPS.items() if verb in verbs)
    return heading.lower().replace(" ", "_")


class Program(TyperGroup):
    """The program, whose help lists its commands in groups, and its few options below them."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the options, ``--help`` among them."""
        return on_the_short_way(super().get_params(ctx))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, then the options."""
        self.format_commands(ctx, formatter)
        _write(formatter, {"Options": [_row(each, ctx) for each in self.get_params(ctx)]})

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write each group under its heading; what has no group comes last."""
        del ctx
        grouped = {verb for verbs in GROUPS.values() for verb in verbs}
        groups = GROUPS | {"Others": tuple(verb for verb in self.commands if verb not in grouped)}
        _write(
            formatter,
            {
                heading: [(v, self.commands[v].help or "") for v in verbs if v in self.commands]
                for heading, verbs in groups.items()
            },
        )

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write where to go on."""
        del ctx
        _write_last(formatter, "`ratectl COMMAND --help` explains one, `ratectl manual` the rest.")


TAKES_NUMBERS = frozenset({"record", "review"})
"""Commands of which some words are numbers."""
NEGATIVE = re.compile(r"-(\d[\d.,]*|[.,]\d+|nan|inf(inity)?)", re.IGNORECASE)


PLAIN_WORDS = (
    (re.compile(r"^Value error, "), ""),
    (re.compile(r"^Input should be greater than or equal to (\S+)"), r"expected \1 or more"),
    (re.compile(r"^Input should be less than or equal to (\S+)"), r"expected \1 or less"),
    (re.compile(r"^Input should be a valid integer.*"), "expected a whole number"),
    (re.compile(r"^Input should be a valid number.*"), "expected a number"),
)
"""What the library says of a value, and how we say it."""


class Command(TyperCommand):
    """A command, whose help shows its options in groups and ends with the manual's topic."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the arguments and options, ``--help`` among them."""
        return on_the_short_way(super().get_params(ctx))

    def make_context(self, *names: Any, **more: Any) -> Any:
        """Read the words of the command; what is wrong with a value is said in our words."""
        try:
            return super().make_context(*names, **more)
        except typer.BadParameter as error:
            for pattern, words in PLAIN_WORDS:
                error.message = pattern.sub(words, error.message)
            raise

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the words of the command; a negative number is none of its options, and is refused by whoever expects another number."""
        if self.name in TAKES_NUMBERS and any(NEGATIVE.fullmatch(word) for word in args):
            ctx.ignore_unknown_options = True
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words of the usage line as manual pages have them: ``JOB``, ``[SPEC]``, ``[JOB...]``."""
        pieces = [self.options_metavar] if self.options_metavar else []
        return pieces + [_usage(each) for each in self.get_params(ctx) if _is_argument(each)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, then the options by what they decide."""
        parameters = self.get_params(ctx)
        options = [each for each in parameters if each.param_type_name == "option"]
        groups = _grouped(options) if len(options) > FEW else {"Options": options}
        arguments = [each for each in parameters if _is_argument(each)]
        every = {"Arguments": arguments} | groups
        _write(formatter, {name: [_row(each, ctx) for each in every[name]] for name in every})

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write which page of the manual says more."""
        del ctx
        _write_last(formatter, f"More about it: ratectl manual {topic(self.name or '')}")


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def _usage(argument: Any) -> str:
    """Return how *argument* stands in a usage line: in brackets where it may be left out."""
    name = argument.metavar or argument.name.upper()
    return name if argument.required else f"[{name}]"


def _grouped(options: list[Any]) -> dict[str, list[Any]]:
    """Return *options* by what they decide."""
    named = {flag: heading for heading, flags in OPTIONS.items() for flag in flags}
    groups: dict[str, list[Any]] = {heading: [] for heading in OPTIONS}
    for each in options:
        groups[next((named[flag] for flag in each.opts if flag in named), HOW)].append(each)
    return groups


def _row(parameter: Any, ctx: Any) -> tuple[str, str]:
    """Return how *parameter* is given, in our words rather than those of Python's types, and what it does."""
    shown, text = parameter.get_help_record(ctx)
    if _is_argument(parameter):
        return TYPE.sub("", shown).upper(), text
    return TYPE.sub(f" {parameter.name.upper()}", shown), text


def _write(formatter: Any, groups: dict[str, list[tuple[str, str]]]) -> None:
    """Write each of *groups* that has a row, all with their texts in one column."""
    names = [name for rows in groups.values() for name, _text in rows]
    column = min(max(map(len, names), default=0), WIDEST_NAME)
    for heading, rows in groups.items():
        if rows:
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(column), text) for name, text in rows])


def _write_last(formatter: Any, text: str) -> None:
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(text)
