"""A ``NAME=value`` of a foreign crontab -> what in it does not do what it looks like."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ratectl.crontab_lint.problem import BLANKS, SHOWN, Problem, error, printable, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = re.compile(r"\$\{?[A-Za-z_]")
LONGEST_NAME = 996
"""Bytes of an environment variable's name that Debian's crontab takes."""
FOLDER = "the folder in full"
SHELLS_OF_BIN = frozenset({"bash", "dash", "ksh", "sh", "zsh"})


def in_setting(name: str, value: str) -> Iterator[Problem]:
    """Yield the flaws of the setting *name*, whose *value* has its quotes still and no blanks around it."""
    if len(name) > LONGEST_NAME:
        message = f"a name of {len(name)} bytes; Debian's crontab takes {LONGEST_NAME}"
        yield error("name-too-long", message, "a shorter name")
    if not value:
        yield error(
            "empty-value",
            f"`{printable(name[:SHOWN])}=` without a value: Debian 12's crontab rejects the tab, others take it",
            _for_nothing(name),
        )
        return
    bare = value.strip("\"'")
    if name in {"CRON_TZ", "TZ", "RANDOM_DELAY"}:
        yield _clock(name, printable(bare[:SHOWN]))
    if name == "SHELL":
        yield from _shell(bare.strip())
    elif name == "HOME":
        yield from _home(bare)
    else:
        yield from _not_expanded(name, bare)
    if " #" in value and value[0] not in "\"'":
        yield warning(
            "comment-in-value",
            f"`{printable(name[:SHOWN])}`: cron has no comment after a value, the `#` belongs to it",
            "the comment on a line of its own",
        )


def _for_nothing(name: str) -> str:
    """Return what to write for a *name* without a value; a shell and a folder cannot be empty texts."""
    if name == "SHELL":
        return _absolute("")
    return FOLDER if name == "HOME" else f'`{printable(name[:SHOWN])}=""`'


def _shell(path: str) -> Iterator[Problem]:
    """Yield that no line runs: cron starts the file of this name, and looks for it nowhere."""
    program, *arguments = BLANKS.split(path)
    said = f"`SHELL={printable(path[:SHOWN])}`"
    by_env = arguments and program.rpartition("/")[2] == "env"
    advice = _absolute(arguments[-1] if by_env else program)
    if arguments:
        message = f"{said}: cron starts a program of that whole name, so no line runs"
        yield error("shell-arguments", message, f"{advice}, and `set` in the command")
    elif "$" in path or path.startswith("~"):
        message = f"{said}: cron expands neither variables nor `~`, so there is no such program and no line runs"
        yield error("shell-path", message, advice)
    elif not path.startswith("/"):
        message = (
            f"{said}: cron looks for it below the home folder and not in PATH, so no line runs"
        )
        yield error("shell-path", message, advice)


def _absolute(program: str) -> str:
    """Return the advice to write the whole path of the shell *program*."""
    name = program.rpartition("/")[2]
    if program.startswith("/") and "$" not in program:
        return f"`SHELL={printable(program[:SHOWN])}`"
    if name in SHELLS_OF_BIN or not name:
        return f"`SHELL=/bin/{name or 'sh'}`"
    return f"the shell's path in full, which `command -v {printable(name[:SHOWN])}` tells"


def _home(folder: str) -> Iterator[Problem]:
    """Yield that the *folder* is none: cron expands nothing, and starts where it stands itself."""
    known = ""
    if folder.startswith("~"):
        code, known = "tilde-in-value", "cron does not know `~`, it stays as it is"
    elif VARIABLE.search(folder):
        code, known = "variable", "cron does not expand variables, the `$` stays as it is"
    elif not folder.startswith("/"):
        code, known = "relative-home", "no absolute path"
    if known:
        yield error(
            code,
            f"`HOME={printable(folder[:SHOWN])}`: {known}; Debian's cron runs the lines in its own folder then, "
            "/var/spool/cron, cronie runs none",
            FOLDER,
        )


def _not_expanded(name: str, bare: str) -> Iterator[Problem]:
    if bare == "~" or bare.startswith("~/") or (name == "PATH" and ":~" in bare):
        yield warning(
            "tilde-in-value",
            f"`{printable(name[:SHOWN])}={printable(bare[:SHOWN])}`: cron does not know `~`, it stays as it is",
            FOLDER,
        )
    if VARIABLE.search(bare):
        yield warning(
            "variable",
            f"`{printable(name[:SHOWN])}`: cron does not expand variables in a value, the `$` stays as it is",
            "the value written out, or set inside the command",
        )


def _clock(name: str, value: str) -> Problem:
    if name == "CRON_TZ":
        return error(
            "cron-tz",
            "`CRON_TZ`: cronie schedules in this zone; Debian's cron, busybox, bcron and systemd-cron in the machine's",
            f'in a ratectl spec: `timezone = "{value}"`',
        )
    if name == "TZ":
        return warning(
            "tz",
            "`TZ`: Debian's cron, cronie and bcron hand it to the commands and schedule without it; busybox ignores it",
            f'in a ratectl spec: `timezone = "{value}"`',
        )
    delay = value if value.isdecimal() else "5"
    return warning(
        "random-delay",
        "`RANDOM_DELAY`: Debian's cron, busybox and bcron ignore it; cronie draws one delay when it starts, "
        "systemd-cron makes it RandomizedDelaySec",
        f'in a ratectl spec: `jitter = "{delay}m"`',
    )
