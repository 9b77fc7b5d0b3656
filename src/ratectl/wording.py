"""How messages word what they all have: a number with its noun, a list cut short, a command, a name that was nearly right."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

SWITCHED_OFF = "switched off in the spec (enabled = false)"
"""Why nothing wakes a job that stands in a spec all the same."""


def count(number: int, noun: str) -> str:
    """Return *number* with its noun: ``1 slot``, ``3 slots``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(names: Sequence[str], most: int = 3) -> str:
    """Return the first *most* of *names*, and how many there are beside them: ``a, b, c and 4 more``."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def typed(*argv: str, platform: str = sys.platform) -> str:
    """Return *argv* as it is typed into a shell of *platform*."""
    if platform == "win32":
        from subprocess import list2cmdline  # noqa: PLC0415 - where no command is told none of this is loaded

        return list2cmdline(argv)
    import shlex  # noqa: PLC0415 - the same

    return shlex.join(argv)


def typed_names(jobs: Sequence[str], most: int = 3) -> str:
    """Return how *jobs* are named in a command that takes jobs or ``--all``."""
    return " ".join(jobs) if len(jobs) <= most else "--all"


def first_lines(lines: Sequence[str], most: int = 20) -> list[str]:
    """Return the first *most* of *lines*, each set in, and a line with how many more there are."""
    more = [f"and {len(lines) - most} more"] if len(lines) > most else []
    return [f"  {line}" for line in (*lines[:most], *more)]


def wrapped(text: str, columns: int, *, first: str = "", further: str = "") -> list[str]:
    """Return *text* in lines of *columns*, the first behind *first*, the others behind *further*; commands in backticks stay whole."""
    import re  # noqa: PLC0415 - for messages only
    import textwrap  # noqa: PLC0415 - the same

    kept = re.sub(r"`[^`]{1,200}`", lambda command: command[0].replace(" ", "\0"), text)
    lines = textwrap.wrap(
        kept,
        columns,
        initial_indent=first,
        subsequent_indent=further,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [line.replace("\0", " ") for line in lines]


def nearest(word: str, known: Collection[str]) -> str:
    """Return the one of *known* that *word* probably means, whatever its case, or an empty text."""
    import difflib  # noqa: PLC0415 - for messages only

    spelled = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), list(spelled), n=5)
    near.sort(
        key=lambda name: sorted(name) != sorted(word.lower())
    )  # letters that changed places first
    return spelled[near[0]] if near else ""


def did_you_mean(word: str, known: Collection[str], otherwise: str = "") -> str:
    """Return ``; did you mean 'b'?`` for the nearest of *known*, or *otherwise*."""
    near = nearest(word, known)
    return f"; did you mean {near!r}?" if near else otherwise
