"""A ``NAME=value`` of a foreign crontab -> what in it does not do what it looks like.

Source of the form: ``load_env`` in Vixie cron's ``env.c``, which Debian's cron and cronie have alike.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ratectl.crontab_lint.problem import BLANKS, SHOWN, Problem, error, printable, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ratectl.crontab_lint.machine import Machine

SETTING = re.compile(r"""("[^"=]*"|'[^'=]*'|(?!["'])[^\s=]*)\s*=\s*(.*)""", re.DOTALL | re.ASCII)
"""A line that cron reads as a name and a value, which may still be wrong; a quote within a name belongs to it."""
QUOTES = ("'", '"')
READABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
VARIABLE = re.compile(r"\$\{?[A-Za-z_]")
LONGEST_NAME = 996
"""Bytes of an environment variable's name that Debian's crontab takes."""
FOLDER = "the folder in full"
SHELLS_OF_BIN = frozenset({"bash", "dash", "ksh", "sh", "zsh"})


def in_setting(name: str, value: str, machine: Machine) -> Iterator[Problem]:
    """Yield the flaws of the setting *name* on *machine*; both texts have their quotes still."""
    name, value = name[1:-1] if name[:1] in QUOTES else name, value.rstrip(" \t\v\f\r")
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
    if READABLE.fullmatch(name) is None:
        yield _odd_name(printable(name[:SHOWN]))
    if value[0] in QUOTES and value.find(value[0], 1) != len(value) - 1:
        yield _wrong_quotes(name, value)
        return
    bare = value.strip("\"'")
    if name in {"CRON_TZ", "TZ", "RANDOM_DELAY"}:
        yield _clock(name, printable(bare[:SHOWN]), machine)
    if name == "SHELL":
        yield from _shell(bare.strip())
    elif name == "HOME":
        yield from _home(bare)
    else:
        yield from _not_expanded(name, bare)
    if " #" in value and value[0] not in QUOTES:
        yield warning(
            "comment-in-value",
            f"`{printable(name[:SHOWN])}`: cron has no comment after a value, the `#` belongs to it",
            "the comment on a line of its own",
        )


def _odd_name(name: str) -> Problem:
    said = f"`{name}` as a name" if name else "no name before the `=`"
    return warning(
        "odd-name",
        f"{said}: Debian's cron and cronie take the line, and no shell can read such a variable",
        "a name of letters, digits and `_`",
    )


def _wrong_quotes(name: str, value: str) -> Problem:
    """Return the flaw of a *value* whose first quote is not closed, or closed before its end."""
    quote, said = value[0], printable(name[:SHOWN])
    inner, closed, rest = value[1:].partition(quote)
    rejected = "Debian's cron and cronie reject the tab"
    if not closed:
        message = f"`{said}={quote}`: the quote is not closed; {rejected}"
        return error("open-quote", message, _quoted(said, inner.strip("\"'"), quote))
    shown = printable(rest.strip()[:SHOWN])
    message = f"`{said}`: `{shown}` stands behind the closed quote; {rejected}"
    if rest.lstrip().startswith("#"):
        return error("text-after-quote", message, "the comment on a line of its own")
    return error("text-after-quote", message, _quoted(said, f"{inner}{rest}", quote))


def _quoted(name: str, value: str, quote: str) -> str:
    """Return the setting with *value* in one pair of *quote*, if it holds no such sign that must stay."""
    text = f"{name}={quote}{printable(value.replace(quote, ''))}{quote}"
    clear = len(text) <= SHOWN and f"\\{quote}" not in value and text.isprintable()
    return f"`{text}`" if clear else "the whole value in one pair of quotes"


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


def _clock(name: str, value: str, machine: Machine) -> Problem:
    meant = value if name == "RANDOM_DELAY" else machine.zone_meant(value.removeprefix(":"))
    in_spec = (
        f'in a ratectl spec: `timezone = "{meant}"`'
        if meant
        else "in a ratectl spec: `timezone` with the name of a zone"
    )
    unknown = "" if meant == value.removeprefix(":") else f"; no zone has the name `{value}`"
    if name == "CRON_TZ":
        return error(
            "cron-tz",
            f"`CRON_TZ`: cronie schedules in this zone; Debian's cron, busybox, bcron and systemd-cron in the machine's{unknown}",
            in_spec,
        )
    if name == "TZ":
        return warning(
            "tz",
            f"`TZ`: Debian's cron, cronie and bcron hand it to the commands and schedule without it; busybox ignores it{unknown}",
            in_spec,
        )
    delay = value if value.isdecimal() else "5"
    return warning(
        "random-delay",
        "`RANDOM_DELAY`: Debian's cron, busybox and bcron ignore it; cronie draws one delay when it starts, "
        "systemd-cron makes it RandomizedDelaySec",
        f'in a ratectl spec: `jitter = "{delay}m"`',
    )
