"""``ratectl manual``: the pages that explain things, in a terminal, through a pager, or as text in a pipe."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import sys
from contextlib import nullcontext
from typing import Annotated

import typer

from ratectl import manual as pages
from ratectl.commands._shared import help as help_groups
from ratectl.commands._shared import terminal
from ratectl.errors import UsageError
from ratectl.runtime.visible import behind
from ratectl.spec.readers import did_you_mean
from ratectl.views import manual as views

WIDEST = 100
"""Columns of prose at most: longer lines are hard to read, whatever the screen has."""
CODE = "github-dark"
"""How code looks: its comments, too, have contrast, and it brings its own background."""
PIPED = 80
"""Columns of a page in a pipe, where there is no screen that says how many fit."""


def manual(
    topic: Annotated[
        str, typer.Argument(metavar="TOPIC", help="What to read about; without it, the list.")
    ] = "",
) -> None:
    """Show a page of the manual, or the list of its topics.

    In a terminal a page goes through your pager; in a pipe it is text.

    \b
    Examples:
      ratectl manual
      ratectl manual schedules
    """
    if not topic:
        typer.echo(views.topics(terminal.width()))
        return
    topic = pages.ALIASES.get(topic, topic)
    if topic not in pages.TOPICS:
        raise UsageError(_unknown(topic))
    text = views.readable(topic)
    if sys.stdout.isatty():
        _in_terminal(text)
    else:
        typer.echo(_plain(text), nl=False)


def _unknown(topic: str) -> str:
    """Return what to say to somebody who asks for a *topic* that is none."""
    if any(topic in verbs for verbs in help_groups.GROUPS.values()):
        return (
            f"manual: {topic} is a command: `ratectl {topic} --help` explains it, "
            "and `ratectl manual commands` all of them"
        )
    near = did_you_mean(topic, pages.TOPICS)
    return f'manual: there is no topic "{topic}"{near}; `ratectl manual` lists all of them'


def _plain(text: str) -> str:
    """Return Markdown as text for a pipe: its lines and tables fit a terminal's usual width."""
    from rich.console import Console  # noqa: PLC0415 - rich, which other commands need not pay for

    from ratectl.commands._shared.markdown import PlainPage  # noqa: PLC0415 - the same

    width = min(terminal.width(), PIPED)
    console = Console(file=io.StringIO(), width=width, emoji=False, color_system=None)
    page, links = views.numbered(text)
    with console.capture() as shown:
        console.print(PlainPage(page), crop=False)
    lines = "".join(f"{line.rstrip()}\n" for line in shown.get().splitlines())
    return f"{lines}\n{links}" if links else lines


def _in_terminal(text: str) -> None:
    """Show Markdown as it is meant; through the pager where it is longer than the screen."""
    from rich.console import Console  # noqa: PLC0415 - rich, which other commands need not pay for

    from ratectl.commands._shared.markdown import LOOK, Page  # noqa: PLC0415 - the same

    width = min(terminal.width(), WIDEST)
    console = Console(file=behind(sys.stdout), width=width, emoji=False, theme=LOOK)
    markdown, links = views.numbered(text)
    page = Page(markdown, hyperlinks=False, code_theme=CODE)
    lines = console.render_lines(page, pad=False)
    fits = len(lines) + links.count("\n") < shutil.get_terminal_size().lines
    with nullcontext() if fits or not _pager() else console.pager(styles=_shows_colours()):
        console.print(page)
        if links:  # whole, however long: a terminal that makes them links needs them so
            console.print(f"\n{links}", soft_wrap=True, markup=False, highlight=False, end="")


def _pager() -> list[str]:
    """Return the pager's command line, if there is one: that of the account, else `less`."""
    words = shlex.split(os.environ.get("PAGER", "less"), posix=os.name == "posix")
    return words if words and shutil.which(words[0]) else []


def _shows_colours() -> bool:
    """Tell whether the pager shows colours; `less` is asked to, unless the account has options of its own for it."""
    os.environ.setdefault("LESS", "FRX")
    os.environ.setdefault("PAGER", "less")
    return "R" in os.environ["LESS"] or "cat" in os.environ["PAGER"]
