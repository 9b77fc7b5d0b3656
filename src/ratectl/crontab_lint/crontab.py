"""The bytes of a foreign crontab -> what in it does not do what it looks like; pure.

Bytes are read as Latin-1, so that one character is one byte and no encoding can
fail. Each claim was seen with the real daemons; a line that is fine says nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ratectl.backends.cron.backend import LONGEST_COMMAND, MOST_LINES
from ratectl.crontab_lint import accounts, characters, seconds
from ratectl.crontab_lint.debian import rejected
from ratectl.crontab_lint.fields import FIELDS, flaws_of
from ratectl.crontab_lint.machine import ANY_MACHINE, Machine
from ratectl.crontab_lint.problem import (
    BLANKS,
    SHOWN,
    Problem,
    error,
    printable,
    say,
    warning,
)
from ratectl.crontab_lint.settings import READABLE, SETTING, in_setting
from ratectl.crontab_lint.sundays import without_seven
from ratectl.schedule.language.advice.cron_text import mended, torn_fields
from ratectl.schedule.language.cron import MACROS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PERCENT = re.compile(r"(?<!\\)%")
BEGINS_ENTRY = re.compile(r"[0-9*@]")
EVERY = re.compile(r"([0-9]{1,6})(s|m|h)")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LintFinding:
    """A flaw and the 1-based line that has it."""

    line: int
    flaw: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a line of a tab is made of, and which machine it is for."""

    users: int
    """How many words stand before the command: an account in a system tab, none in a user's own."""
    machine: Machine


def lint(tab: bytes, machine: Machine = ANY_MACHINE) -> tuple[LintFinding, ...]:
    """Return the findings of an account's crontab on *machine*, by line."""
    if tab.startswith(characters.UTF_16):
        return (LintFinding(line=1, flaw=characters.utf_16()),)
    found = (*_lines(tab, Form(users=0, machine=machine)), *_whole(tab), *_inner_returns(tab))
    return tuple(sorted((*found, *_too_many(tab)), key=_by_line))


def lint_system(tab: bytes, machine: Machine = ANY_MACHINE) -> tuple[LintFinding, ...]:
    """Return the findings of a tab like ``/etc/crontab`` on *machine*, where an account stands before the command."""
    if tab.startswith(characters.UTF_16):
        return (LintFinding(line=1, flaw=characters.utf_16()),)
    found = (*_lines(tab, Form(users=1, machine=machine)), *_whole(tab), *_inner_returns(tab))
    return tuple(sorted(found, key=_by_line))


def as_stored(listing: bytes) -> bytes:
    r"""Return the tab behind *listing*, in which Debian's ``crontab -l`` prints a carriage return as ``\r``."""
    return listing.replace(b"\\r\n", b"\r\n")


def _by_line(finding: LintFinding) -> int:
    return finding.line


def _lines(tab: bytes, form: Form) -> Iterator[LintFinding]:
    """Yield the findings of the single lines; a line that an earlier one seems to go on in is read if it can be one itself."""
    continued = False
    for number, raw in enumerate(tab.decode("latin-1").split("\n"), 1):
        stripped = raw.removesuffix("\r").lstrip(" \t")
        line, hidden = characters.cleaned(stripped, users=form.users, first=number == 1)
        flaws = [hidden] if hidden else []
        goes_on = (len(line) - len(line.rstrip("\\"))) % 2 == 1
        if line and not line.startswith("#") and not (continued and not _may_begin(line)):
            flaws += [*([_continued()] if goes_on else []), *_in_line(line, form)]
        continued = goes_on and not line.startswith("#")
        yield from (LintFinding(line=number, flaw=flaw) for flaw in flaws)


def _may_begin(line: str) -> bool:
    """Tell whether *line* has the beginning of an entry, or is a setting."""
    setting = SETTING.fullmatch(line)
    named = setting is not None and READABLE.fullmatch(setting[1]) is not None
    return named or BEGINS_ENTRY.match(line) is not None


def _continued() -> Problem:
    return error(
        "continued-line",
        "a `\\` at the end of the line: cron has no continued lines, so the line ends here, and the next one is "
        "read as a line of its own",
        "all of it on one line, or a script",
    )


def _whole(tab: bytes) -> Iterator[LintFinding]:
    lines = tab.split(b"\n")
    if lines[-1]:
        flaw = error(
            "no-final-newline",
            f"the last line, `{printable(lines[-1].decode('latin-1'))[:SHOWN]}`, has no line end; Debian's cron and "
            "cronie reject the tab, busybox and bcron take it",
            "end the file with a newline",
        )
        yield LintFinding(line=len(lines), flaw=flaw)
    if numbers := [number for number, line in enumerate(lines, 1) if line.endswith(b"\r")]:
        others = f" (and {len(numbers) - 1} lines more)" if len(numbers) > 1 else ""
        flaw = error(
            "carriage-return",
            f"the line ends in a carriage return{others}; Debian's cron, cronie and busybox hand it to the "
            r"command (`> f` makes a file named `f\r`), bcron strips it; Debian's rejects an empty line with one",
            r"lines that end in a newline only: `sed -i 's/\r$//' FILE`",
        )
        yield LintFinding(line=numbers[0], flaw=flaw)


def _inner_returns(tab: bytes) -> Iterator[LintFinding]:
    """Yield the lines that hold a carriage return before their end, which no editor shows."""
    for number, line in enumerate(tab.split(b"\n"), 1):
        if b"\r" in line.removesuffix(b"\r") and not line.lstrip(b" \t").startswith(b"#"):
            flaw = warning(
                "inner-carriage-return",
                "a carriage return within the line; cron hands it to the command, and editors hide it",
                r"the line without it: `sed -i 's/\r//g' FILE`; where it is meant, `printf '\r'`",
            )
            yield LintFinding(line=number, flaw=flaw)


def _too_many(tab: bytes) -> Iterator[LintFinding]:
    if (count := tab.count(b"\n")) > MOST_LINES:
        flaw = error(
            "too-many-lines",
            f"{count} lines; Debian's crontab takes {MOST_LINES}, comments included",
            "fewer lines: one that calls a script, or files in /etc/cron.d",
        )
        yield LintFinding(line=MOST_LINES + 1, flaw=flaw)


def _in_line(line: str, form: Form) -> Iterator[Problem]:
    if setting := SETTING.fullmatch(line):
        yield from in_setting(setting[1], setting[2], form.machine)
        return
    if line.startswith("export "):
        entry = printable(BLANKS.sub(" ", line).removeprefix("export "))[:SHOWN]
        yield error(
            "export",
            "`export`: a crontab is no shell script, Debian's crontab rejects it",
            f"`{entry}`",
        )
        return
    if line.startswith("-"):
        yield error(
            "leading-dash",
            'a leading `-`: Debian\'s crontab rejects the tab; cronie takes it as "do not log"; '
            "busybox cannot parse the line",
            "the line without the `-`",
        )
        line = line[1:].lstrip(" \t")
    if line.startswith("@"):
        yield from _in_macro(BLANKS.split(line, maxsplit=1), form)
    elif torn := torn_fields(BLANKS.split(line)):
        count = len(" ".join(torn).split())
        command = "".join(BLANKS.split(line, maxsplit=count)[count:])
        yield from _in_torn(torn, command, form)
    else:
        yield from _in_entry(BLANKS.split(line, maxsplit=5), form)


def _in_macro(words: Sequence[str], form: Form) -> Iterator[Problem]:
    macro, command = words[0], words[1] if len(words) > 1 else ""
    if macro == "@reboot" and re.search(r" \S*ratectl\S* --sweep\b", command):
        return  # what `ratectl install` writes, where the daemon knows the word
    if macro == "@reboot":
        yield warning(
            "reboot",
            "`@reboot`: when the cron daemon starts, not at a time; bcron skips the line, busybox's daemon "
            "(1.35) crashes on it, Kubernetes knows none",
            "a service of the init system; a ratectl job catches up at boot by itself",
        )
    elif macro not in MACROS:
        yield error(
            "unknown-macro",
            f"`{printable(macro[:SHOWN])}`: Debian's cron rejects the tab"
            + ("; of the others only Kubernetes knows it" if macro == "@every" else ""),
            _for_macro(macro, command),
        )
    yield from _in_command(command, form)


def _for_macro(macro: str, command: str) -> str:
    if macro.lower() in MACROS:
        return f"`{macro.lower()}`"
    match = EVERY.match(command)
    if macro == "@every" and match and int(match[1]):
        return say(f"every {int(match[1])} {UNITS[match[2]]}")
    return f"one of {', '.join(MACROS)}"


def _in_entry(words: Sequence[str], form: Form) -> Iterator[Problem]:
    if len(words) < 5 or not words[4]:
        yield error(
            "too-few-fields",
            f"{len([word for word in words if word])} of the five time fields; Debian's cron rejects the tab",
            "`minute hour day month weekday command`, or `NAME=value`",
        )
        return
    if flaw := seconds.too_many(words, users=form.users):
        yield flaw
        return
    for flaw in flaws_of(words[:5]):
        yield Problem(
            severity=flaw.severity,
            code=flaw.code,
            message=printable(flaw.message),
            instead=printable(flaw.instead),
        )
    yield from _in_command(words[5] if len(words) > 5 else "", form)


def _in_torn(fields: Sequence[str], command: str, form: Form) -> Iterator[Problem]:
    """Yield that blanks stand within *fields*, and what is wrong with the line without them."""
    whole = [mended(field) for field in fields]
    whole[4] = without_seven(whole[4])
    others = tuple(_in_entry([*whole, command], form))
    refused = rejected(" ".join(fields).split()[:5])
    clean = not flaws_of(whole) and all(flaw.code != "seconds-field" for flaw in others)
    torn = (
        f"{place.name} `{field}`"
        for place, field in zip(FIELDS, fields, strict=True)
        if " " in field
    )
    yield error(
        "blank-in-field",
        f"{' and '.join(torn)}: a blank ends a field, so cron takes what is behind it for the next field, or for "
        f"the command; Debian's cron {'and cronie reject the tab' if refused else 'takes the line'}",
        f"`{' '.join(whole)}` and the command" if clean else "the field without the blank",
    )
    yield from others


def _in_command(text: str, form: Form) -> Iterator[Problem]:
    """Yield the flaws of what stands behind the time: an account in a system tab, and the command."""
    command = text
    if form.users:
        for flaw in accounts.of_system_tab(text, form.machine):
            yield flaw
            if flaw.severity == "error":
                return
        command = [*BLANKS.split(text, maxsplit=1), ""][1]
    else:
        yield from accounts.in_own_tab(command)
    if not command:
        yield warning(
            "no-command",
            "no command: Debian's cron accepts the line, cronie rejects the tab",
            "a command, or no line",
        )
    if command.startswith("#"):
        yield warning(
            "comment-as-command",
            "the command is only a comment, since cron has none behind the time: it starts a shell that does nothing",
            "`#` at the beginning of the line, which turns it off",
        )
    if len(command) > LONGEST_COMMAND:
        yield error(
            "command-too-long",
            f"a command of {len(command)} bytes; Debian's cron takes {LONGEST_COMMAND}, others more",
            "a script that holds the command",
        )
    if PERCENT.search(command):
        escaped = printable(PERCENT.sub(r"\\%", command))
        yield error(
            "percent",
            "an unescaped `%`: Debian's cron and cronie end the command there and feed it the rest as "
            "input, busybox and bcron pass it on",
            f"`{escaped}`" if len(escaped) <= SHOWN else r"`\%` for each `%`",
        )
