"""Writes the manual page ratectl(1), templates/man/ratectl.1, out of the help of the commands.

What stands in no help stands here: description, files and environment. The test suite
fails when the page differs from what this writes.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratectl import __version__, cli
from ratectl.commands._shared import help as help_groups
from ratectl.errors import EXIT_CODES
from scripts.docs import command_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PAGE = Path(__file__).resolve().parents[2] / "templates" / "man" / "ratectl.1"
DATE = "2026-11-24"
"""Of the words in this file: the page names a day and must not change with the calendar."""

NAME = "record exchange rates unattended, on the system's own schedules"
DESCRIPTION = (
    (
        "A spec says which currency pairs are wanted, when, and where they go. `ratectl install` turns "
        "it into the operating system's own schedule: crontab lines, systemd timers, launchd agents or "
        "Windows tasks. Nothing stays resident: the system starts `ratectl-fetch`, which fetches the "
        "rates, appends them durably, and exits."
    ),
    (
        "Each moment at which a schedule wants a rate is a slot. A wakeup settles the slots that are due "
        "and not yet settled, so waking twice, late, by hand or at boot does no harm: each slot is "
        "recorded once."
    ),
)
FILES = {
    "~/.config/ratectl/jobs.toml": (
        "The spec that commands read when none is named. On macOS it lies in "
        "`~/Library/Application Support/ratectl`, on Windows in `%LOCALAPPDATA%\\ratectl`."
    ),
    "~/.local/state/ratectl/journal.sqlite3": (
        "The journal: what is installed, which slots are settled, and every rate that was recorded. "
        "On macOS and Windows it lies beside the spec."
    ),
    "/etc/cron.d/ratectl": (
        "The lines of root's jobs on cron. Those of other accounts stand in a block of their crontab; "
        "what lies outside it is never touched."
    ),
    "~/.config/systemd/user/ratectl-JOB.service, ratectl-JOB.timer": (
        "The units of a job on systemd. Those of root's jobs lie in `/etc/systemd/system`."
    ),
    "~/Library/LaunchAgents/ratectl.JOB.plist": (
        "The agent of a job on macOS. Those of root's jobs lie in `/Library/LaunchDaemons`."
    ),
}
ENVIRONMENT = {
    "RATECTL_CONFIG_DIR": "The folder of `jobs.toml`, in place of the usual one.",
    "RATECTL_STATE_DIR": (
        "The folder of the journal, in place of the usual one. What is installed while it is set "
        "goes on using that folder."
    ),
    "NO_COLOR": "If it is set, nothing is shown in colour.",
}
EXIT_STATUS = "`ratectl` and `ratectl-fetch` exit with one of these:"
SEE_ALSO = (
    ("crontab", 1),
    ("crontab", 5),
    ("cron", 8),
    ("systemd.timer", 5),
    ("loginctl", 1),
    ("launchd.plist", 5),
)

WIDTH = 79
"""Columns of the page's source; how it is shown is up to the reader's program."""

GLYPHS = {
    "\\": "\\e",
    "-": "\\-",
    "'": "\\(aq",
    "`": "\\(ga",
    "^": "\\(ha",
    "~": "\\(ti",
    '"': "\\(dq",
}
"""Characters that roff takes for its own, or for a typographer's, by what prints them as they are."""
BETWEEN_SENTENCES = re.compile(r"(?<=[.:?]) (?=[A-Z`])")


def page() -> str:
    """Return the whole page."""
    return "\n".join((*_head(), *_options(), *_commands(), *_surroundings(), ""))


def _head() -> Iterator[str]:
    yield f'.TH RATECTL 1 {DATE} "ratectl {__version__}" "User Commands"'
    yield ".nh"  # a flag or a path that was hyphenated cannot be copied
    yield ".SH NAME"
    yield f"ratectl \\- {literal(NAME)}"
    yield ".SH SYNOPSIS"
    yield f"{bold('ratectl')} {italic('COMMAND')} [{italic('OPTION')}]... [{italic('ARGUMENT')}]..."
    for flag in ("--help", "--version"):
        yield ".br"
        yield bold(f"ratectl {flag}")
    yield ".SH DESCRIPTION"
    _, *usage = cli.INTRODUCTION.strip().split("\n\n")
    yield from _paragraphs((*DESCRIPTION, *(" ".join(text.split()) for text in usage)))


def _options() -> Iterator[str]:
    yield ".SH OPTIONS"
    group = command_line.group("")
    for parameter in group.params:
        yield from _entry(bold(command_line.flag(parameter)), parameter.help)
    yield from _entry(
        f"{bold('-h')}, {bold('--help')}",
        "Show the commands and exit; after a command, show its options and examples.",
    )


def _commands() -> Iterator[str]:
    yield ".SH COMMANDS"
    for verb in (verb for verbs in help_groups.GROUPS.values() for verb in verbs):
        parameters = command_line.command(verb).params
        yield f".SS {literal(verb)}"
        yield _usage(verb, parameters)
        yield ".PP"
        yield from _paragraphs((cli.COMMANDS[verb], *command_line.paragraphs(verb)))
        for parameter in parameters:
            yield from _entry(_term(parameter), _explained(parameter))
        yield from _examples(verb)


def _usage(verb: str, parameters: Iterable[Any]) -> str:
    """Return the form of a command, with the options that it cannot do without."""
    own = [each for each in parameters if command_line.is_argument(each)]
    needed = [each for each in parameters if each.required and each not in own]
    words = [bold(f"ratectl {verb}"), *map(_term, needed), f"[{italic('OPTION')}]..."]
    return " ".join((*words, *map(_place, own)))


def _place(argument: Any) -> str:
    value = command_line.value(argument)
    optional = not argument.required and not value.startswith("[")
    return f"[{italic(value)}]" if optional else italic(value)


def _term(parameter: Any) -> str:
    value = italic(command_line.value(parameter))
    if command_line.is_argument(parameter):
        return value
    flag = bold(command_line.flag(parameter))
    return flag if parameter.is_flag else f"{flag} {value}"


def _explained(parameter: Any) -> str:
    default = parameter.default
    if isinstance(default, str | int) and default not in {"", False}:
        return f"{parameter.help} The default is `{default}`."
    return str(parameter.help)


def _examples(verb: str) -> Iterator[str]:
    yield ".PP"
    yield "Examples:"
    yield ".PP"
    yield ".RS 2"
    yield ".nf"
    yield from (_line(literal(example)) for example in command_line.examples(verb))
    yield ".fi"
    yield ".RE"


def _surroundings() -> Iterator[str]:
    yield ".SH FILES"
    for path, text in FILES.items():
        yield from _entry(italic(path), text)
    yield ".SH ENVIRONMENT"
    for name, text in ENVIRONMENT.items():
        yield from _entry(bold(name), text)
    yield ".SH EXIT STATUS"
    yield from _paragraphs((EXIT_STATUS,))
    for code, meaning in EXIT_CODES.items():
        yield from _entry(bold(str(code)), f"{meaning[0].upper()}{meaning[1:]}.")
    yield ".SH SEE ALSO"
    yield ",\n".join(f"{bold(name)}({section})" for name, section in SEE_ALSO)


def _entry(term: str, text: str) -> Iterator[str]:
    """Yield a term with what it means beside or below it."""
    yield ".TP"
    yield _line(term)
    yield from _sentences(text)


def _paragraphs(texts: Iterable[str]) -> Iterator[str]:
    for place, text in enumerate(texts):
        if place:  # after a heading the first one needs no sign
            yield ".PP"
        yield from _sentences(text)


def _sentences(text: str) -> Iterator[str]:
    """Yield a line for each sentence, as roff wants them; what stands in backticks is bold."""
    for sentence in BETWEEN_SENTENCES.split(text):
        parts = re.split(r"`([^`]+)`", sentence)
        written = "".join((literal, bold)[place % 2](part) for place, part in enumerate(parts))
        yield from map(_line, textwrap.wrap(written, WIDTH, break_on_hyphens=False))


def _line(text: str) -> str:
    """Return *text* as a line that roff does not take for a request."""
    return f"\\&{text}" if text.startswith(".") else text


def literal(text: str) -> str:
    """Return *text* in roff, so that it comes out, and is copied, as it stands here."""
    return "".join(GLYPHS.get(character, character) for character in text)


def bold(text: str) -> str:
    """Return *text* in roff, as something to type."""
    return f"\\fB{literal(text)}\\fR"


def italic(text: str) -> str:
    """Return *text* in roff, as something to put a value for."""
    return f"\\fI{literal(text)}\\fR"


def main(_words: list[str]) -> int:
    """Rewrite the manual page."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    print(f"wrote {PAGE}")
    return 0
