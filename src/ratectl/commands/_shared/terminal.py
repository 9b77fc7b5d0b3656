"""The terminal that somebody looks at: its width, whether it shows colour, whose clocks are beside it."""

from __future__ import annotations

import os
import re
import shutil
import sys
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer

from ratectl.deploy import host_facts
from ratectl.runtime.visible import behind
from ratectl.wording import wrapped

if TYPE_CHECKING:
    import datetime as dt

    from rich.console import Console
    from rich.text import Text

PIPED = 1_000
"""Columns where nothing is shown on a screen: nothing is left out for want of room."""
NARROWEST = 40


def width() -> int:
    """Return how many columns standard output has."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return PIPED
    return screen_width()


def screen_width() -> int:
    """Return how many columns the terminal has, whatever standard output is."""
    return max(NARROWEST, shutil.get_terminal_size().columns)


def console() -> Console:
    """Return what writes styled text on standard output; plain in a pipe and under ``NO_COLOR``.

    Lines are never broken: a terminal does that itself, and a pipe wants them whole.
    """
    from rich.console import Console  # noqa: PLC0415 - a tenth of a look, which plain text need not pay for

    return Console(soft_wrap=True, highlight=False, markup=False, emoji=False)


SIGNS = {
    r"^  (\+) ": "green",
    r"^  (~) ": "yellow",
    r"^  (-) ": "red",
    r"^(fault:)": "bold red",
    r"^(warning:)": "yellow",
}
"""What a line may begin with, and its colour on a terminal."""


TYPED = re.compile(r" *(fix:|next:|run |see that |instead:)")
"""How lines begin that a person may copy to type them: the terminal breaks these itself."""


def folded(text: str, columns: int) -> str:
    """Return *text* with its lines broken at *columns* and set in below where they began; commands stay whole."""
    return "\n".join(_folded(line, columns) for line in text.split("\n"))


def _folded(line: str, columns: int) -> str:
    if len(line) <= columns or TYPED.match(line):
        return line
    begin = " " * (len(line) - len(line.lstrip()))
    return "\n".join(wrapped(line.lstrip(), columns, first=begin, further=f"{begin}    "))


def show(text: str) -> None:
    """Print *text*; on a terminal its lines fit the width, and what they begin with is coloured, nothing else."""
    if not sys.stdout.isatty():
        typer.echo(text)
        return
    from rich.text import Text  # noqa: PLC0415 - for a terminal only

    text = folded(text, width())
    styled = Text(text)
    for pattern, style in SIGNS.items():
        for found in re.finditer(pattern, text, re.MULTILINE):
            styled.stylize(style, *found.span(1))
    console().print(styled)


def show_styled(text: Text) -> None:
    """Print *text*, whose colours are for a terminal, and for a pipe that is to have them (``FORCE_COLOR``)."""
    if sys.stdout.isatty() or os.environ.get("FORCE_COLOR"):
        console().print(text)
    else:
        typer.echo(text.plain)


def complain(text: str) -> None:
    """Print *text* on standard error; where that is a terminal its lines fit the width."""
    typer.echo(folded(text, screen_width()) if sys.stderr.isatty() else text, err=True)


def full_screen() -> Console:
    """Return the same for what takes the whole screen, and shows visible text alone."""
    from rich.console import Console  # noqa: PLC0415 - the same

    stream = behind(sys.stdout)
    return Console(file=stream, soft_wrap=True, highlight=False, markup=False, emoji=False)


def viewer_zone() -> dt.tzinfo:
    """Return the zone of whoever looks: ``TZ`` where it names one, else the machine's."""
    try:
        return ZoneInfo(os.environ.get("TZ", "").removeprefix(":"))
    except (ValueError, OSError, LookupError):
        return host_facts.zone()
