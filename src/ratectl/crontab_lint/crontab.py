"""The bytes of a foreign crontab -> what in it does not do what it looks like; pure.

Bytes are read as Latin-1, so that one character is one byte and no encoding can
fail. Each claim was seen with the real daemons; a line that is fine says nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ratectl.backends.cron.backend import LONGEST_COMMAND, MOST_LINES
from ratectl.crontab_lint.fields import flaws_of
from ratectl.crontab_lint.problem import Problem, phrase_time, say
from ratectl.crontab_lint.sundays import without_seven
from ratectl.schedule.language.cron import DAY_NAMES, MACROS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SETTING = re.compile(r"""(?:"([^"]*)"|'([^']*)'|([^ \t"'=]+))[ \t]*=[ \t]*(.*)""", re.DOTALL)
BLANKS = re.compile(r"[ \t]+")
PERCENT = re.compile(r"(?<!\\)%")
VARIABLE = re.compile(r"\$\{?[A-Za-z_]")
DAYS = "|".join(DAY_NAMES)
WEEKDAY_LIKE = re.compile(
    rf"[*?][-/0-9]*|[0-9]{{1,2}}([-,/][0-9]+)*|({DAYS})([-,]({DAYS}))*", re.IGNORECASE
)
EVERY = re.compile(r"([0-9]{1,6})(s|m|h)")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}
LONGEST_NAME = 996
"""Bytes of an environment variable's name that Debian's crontab takes."""
ANY_WORD = re.compile(r"(?![0-9]*[<>])[^-&|;#]")
ANY_PATH = re.compile(r"/")
PROGRAM_PATH = re.compile(r"/(\S*/)?(s?bin|libexec|games|cron\.[a-z]+)/\S")
ACCOUNTS = {
    **dict.fromkeys(
        (
            *("root", "nobody", "www-data", "_apt", "bin", "sys", "games", "postgres", "apache"),
            *("redis", "messagebus", "syslog", "adm", "ubuntu", "debian", "pi"),
            *("ec2-user", "vagrant", "admin"),
        ),
        ANY_WORD,
    ),
    **dict.fromkeys(
        ("daemon", "man", "mail", "news", "irc", "ftp", "mysql", "nginx", "git"), ANY_PATH
    ),
    **dict.fromkeys(("backup", "list", "lp", "operator", "proxy", "uucp"), PROGRAM_PATH),
}
"""Names of accounts, Debian's and those of usual services -> what behind them begins a command.

No program has the names before a word; none that has the names before a path is told a path to work
on; and those before a program's path may be programs that are, as ``lp`` prints a file.
"""
SHOWN = 100
"""Characters of a command that advice repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LintFinding:
    """A flaw and the 1-based line that has it."""

    line: int
    flaw: Problem


def lint(tab: bytes) -> tuple[LintFinding, ...]:
    """Return the findings of an account's crontab, by line."""
    return tuple(
        sorted(
            (*_lines(tab, users=0), *_whole(tab), *_inner_returns(tab), *_too_many(tab)),
            key=_by_line,
        )
    )


def lint_system(tab: bytes) -> tuple[LintFinding, ...]:
    """Return the findings of a tab like ``/etc/crontab``, where an account stands before the command."""
    return tuple(sorted((*_lines(tab, users=1), *_whole(tab), *_inner_returns(tab)), key=_by_line))


def as_stored(listing: bytes) -> bytes:
    r"""Return the tab behind *listing*, in which Debian's ``crontab -l`` prints a carriage return as ``\r``."""
    return listing.replace(b"\\r\n", b"\r\n")


def printable(text: str) -> str:
    """Return Latin-1 *text* as UTF-8 where it is, with nothing that a terminal would act on."""
    decoded = text.encode("latin-1").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in decoded)


def _by_line(finding: LintFinding) -> int:
    return finding.line


def _lines(tab: bytes, users: int) -> Iterator[LintFinding]:
    """Yield the findings of the single lines; *users* is how many words stand before the command."""
    for number, raw in enumerate(tab.decode("latin-1").split("\n"), 1):
        line = raw.removesuffix("\r").lstrip(" \t")
        if line and not line.startswith("#"):
            for flaw in _in_line(line, users):
                yield LintFinding(line=number, flaw=flaw)


def _whole(tab: bytes) -> Iterator[LintFinding]:
    lines = tab.split(b"\n")
    if lines[-1]:
        flaw = _error(
            "no-final-newline",
            f"the last line, `{printable(lines[-1].decode('latin-1'))[:SHOWN]}`, has no line end; Debian's cron and "
            "cronie reject the tab, busybox and bcron take it",
            "end the file with a newline",
        )
        yield LintFinding(line=len(lines), flaw=flaw)
    if numbers := [number for number, line in enumerate(lines, 1) if line.endswith(b"\r")]:
        others = f" (and {len(numbers) - 1} lines more)" if len(numbers) > 1 else ""
        flaw = _error(
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
            flaw = _warning(
                "inner-carriage-return",
                "a carriage return within the line; cron hands it to the command, and editors hide it",
                r"the line without it: `sed -i 's/\r//g' FILE`; where it is meant, `printf '\r'`",
            )
            yield LintFinding(line=number, flaw=flaw)


def _too_many(tab: bytes) -> Iterator[LintFinding]:
    if (count := tab.count(b"\n")) > MOST_LINES:
        flaw = _error(
            "too-many-lines",
            f"{count} lines; Debian's crontab takes {MOST_LINES}, comments included",
            "fewer lines: one that calls a script, or files in /etc/cron.d",
        )
        yield LintFinding(line=MOST_LINES + 1, flaw=flaw)


def _in_line(line: str, users: int) -> Iterator[Problem]:
    if setting := SETTING.fullmatch(line):
        quoted, other, plain, value = setting.groups()
        yield from _in_setting(quoted or other or plain or "", value.rstrip(" \t"))
        return
    if line.startswith("export "):
        entry = printable(BLANKS.sub(" ", line).removeprefix("export "))[:SHOWN]
        yield _error(
            "export",
            "`export`: a crontab is no shell script, Debian's crontab rejects it",
            f"`{entry}`",
        )
        return
    if line.startswith("-"):
        yield _error(
            "leading-dash",
            'a leading `-`: Debian\'s crontab rejects the tab; cronie takes it as "do not log"; '
            "busybox cannot parse the line",
            "the line without the `-`",
        )
        line = line[1:]
    words = BLANKS.split(line, maxsplit=1 if line.startswith("@") else 5)
    yield from _in_macro(words, users) if line.startswith("@") else _in_entry(words, users)


def _in_setting(name: str, value: str) -> Iterator[Problem]:
    if len(name) > LONGEST_NAME:
        message = f"a name of {len(name)} bytes; Debian's crontab takes {LONGEST_NAME}"
        yield _error("name-too-long", message, "a shorter name")
    if not value:
        yield _error(
            "empty-value",
            f"`{printable(name[:SHOWN])}=` without a value: Debian 12's crontab rejects the tab, others take it",
            f'`{printable(name[:SHOWN])}=""`',
        )
        return
    bare = value.strip("\"'")
    if name in {"CRON_TZ", "TZ", "RANDOM_DELAY"}:
        yield _clock_setting(name, printable(bare[:SHOWN]))
    if name == "SHELL" and BLANKS.search(bare.strip()):
        yield _error(
            "shell-arguments",
            f"`SHELL={printable(bare[:SHOWN])}`: cron starts a program of that whole name, so no line runs",
            f"`SHELL={printable(BLANKS.split(bare.strip())[0])}`, and `set` in the command",
        )
    if bare == "~" or bare.startswith("~/") or (name == "PATH" and ":~" in bare):
        yield _tilde_in_value(name, printable(bare[:SHOWN]))
    if VARIABLE.search(value):
        yield _warning(
            "variable",
            f"`{printable(name[:SHOWN])}`: cron does not expand variables in a value, the `$` stays as it is",
            "the value written out, or set inside the command",
        )
    if " #" in value and value[0] not in "\"'":
        yield _warning(
            "comment-in-value",
            f"`{printable(name[:SHOWN])}`: cron has no comment after a value, the `#` belongs to it",
            "the comment on a line of its own",
        )


def _tilde_in_value(name: str, value: str) -> Problem:
    message = f"`{name}={value}`: cron does not know `~`, it stays as it is"
    if name == "HOME":
        return _error(
            "tilde-in-value", f"{message}, and no line runs in such a folder", "the folder in full"
        )
    return _warning("tilde-in-value", message, "the folder in full")


def _clock_setting(name: str, value: str) -> Problem:
    if name == "CRON_TZ":
        return _error(
            "cron-tz",
            "`CRON_TZ`: cronie schedules in this zone; Debian's cron, busybox, bcron and systemd-cron in the machine's",
            f'in a ratectl spec: `timezone = "{value}"`',
        )
    if name == "TZ":
        return _warning(
            "tz",
            "`TZ`: Debian's cron, cronie and bcron hand it to the commands and schedule without it; busybox ignores it",
            f'in a ratectl spec: `timezone = "{value}"`',
        )
    delay = value if value.isdecimal() else "5"
    return _warning(
        "random-delay",
        "`RANDOM_DELAY`: Debian's cron, busybox and bcron ignore it; cronie draws one delay when it starts, "
        "systemd-cron makes it RandomizedDelaySec",
        f'in a ratectl spec: `jitter = "{delay}m"`',
    )


def _in_macro(words: Sequence[str], users: int) -> Iterator[Problem]:
    macro, command = words[0], words[1] if len(words) > 1 else ""
    if macro == "@reboot" and re.search(r" \S*ratectl\S* --sweep\b", command):
        return  # what `ratectl install` writes, where the daemon knows the word
    if macro == "@reboot":
        yield _warning(
            "reboot",
            "`@reboot`: when the cron daemon starts, not at a time; bcron skips the line, busybox's daemon "
            "(1.35) crashes on it, Kubernetes knows none",
            "a service of the init system; a ratectl job catches up at boot by itself",
        )
    elif macro not in MACROS:
        yield _error(
            "unknown-macro",
            f"`{printable(macro[:SHOWN])}`: Debian's cron rejects the tab"
            + ("; of the others only Kubernetes knows it" if macro == "@every" else ""),
            _for_macro(macro, command),
        )
    yield from _in_command(command, users)


def _for_macro(macro: str, command: str) -> str:
    if macro.lower() in MACROS:
        return f"`{macro.lower()}`"
    match = EVERY.match(command)
    if macro == "@every" and match and int(match[1]):
        return say(f"every {int(match[1])} {UNITS[match[2]]}")
    return f"one of {', '.join(MACROS)}"


def _in_entry(words: Sequence[str], users: int) -> Iterator[Problem]:
    if len(words) < 5:
        yield _error(
            "too-few-fields",
            f"{len(words)} of the five time fields; Debian's cron rejects the tab",
            "`minute hour day month weekday command`, or `NAME=value`",
        )
        return
    command = words[5] if len(words) > 5 else ""
    sixth, _, rest = command.partition(" ")
    if rest.strip() and WEEKDAY_LIKE.fullmatch(sixth):
        yield _seconds([*words[:5], sixth])
        return
    if sixth.startswith("*"):
        yield _error("seconds-field", *_SIX_STARS)
        return
    for flaw in flaws_of(words[:5]):
        yield Problem(
            severity=flaw.severity,
            code=flaw.code,
            message=printable(flaw.message),
            instead=printable(flaw.instead),
        )
    yield from _in_command(command, users)


_SIX_STARS = (
    "a sixth field that begins with `*`: cron has no seconds, Debian's and cronie reject the tab",
    "five fields and a command",
)


def _seconds(six: Sequence[str]) -> Problem:
    rejected = six[5].startswith("*")
    fate = "rejects the tab" if rejected else f"takes `{six[5]}` for the command"
    return _error(
        "seconds-field",
        f"six time fields: cron has no seconds; Debian's cron reads them as five and {fate}",
        _for_seconds(six),
    )


def _for_seconds(six: Sequence[str]) -> str:
    plain = ["*" if field == "?" else field for field in six[1:]]
    five = " ".join([*plain[:4], without_seven(plain[4])])
    step = re.fullmatch(r"\*/([1-9][0-9]?)", six[0])
    if step and five == "* * * * *":
        return say(f"every {step[1]} seconds")
    at = phrase_time(six[1:])
    if at and re.fullmatch(r"[1-5]?[1-9]|[1-5]0", six[0]) and five.endswith(" * * *"):
        return say(f"every day{at}:{int(six[0]):02}")
    return printable(f"`{five}` and the command")


def _in_command(text: str, users: int) -> Iterator[Problem]:
    """Yield the flaws of what stands behind the time: an account, if *users*, and the command.

    Without *users* a first word that is an account's name is a flaw where a command begins behind it.
    Many such names are programs, too: `mail -s done me` and `backup /home` are commands of their own.
    """
    command = text
    if users:
        account, *rest = BLANKS.split(text, maxsplit=users)
        if not account:
            yield _missing_account()
            return
        if "/" in account:
            yield _no_account(printable(account[:SHOWN]))
            return
        command = rest[0] if rest else ""
    word, behind = [*BLANKS.split(command, maxsplit=1), ""][:2]
    if not users and word in ACCOUNTS and ACCOUNTS[word].match(behind):
        yield _error(
            "account-in-user-tab",
            f"`{word}`: only /etc/crontab and /etc/cron.d name an account; here cron starts a program "
            f"called {word}",
            f"the line without `{word}`",
        )
    if not command:
        yield _warning(
            "no-command",
            "no command: Debian's cron accepts the line, cronie rejects the tab",
            "a command, or no line",
        )
    if len(command) > LONGEST_COMMAND:
        yield _error(
            "command-too-long",
            f"a command of {len(command)} bytes; Debian's cron takes {LONGEST_COMMAND}, others more",
            "a script that holds the command",
        )
    if PERCENT.search(command):
        escaped = printable(PERCENT.sub(r"\\%", command))
        yield _error(
            "percent",
            "an unescaped `%`: Debian's cron and cronie end the command there and feed it the rest as "
            "input, busybox and bcron pass it on",
            f"`{escaped}`" if len(escaped) <= SHOWN else r"`\%` for each `%`",
        )


def _missing_account() -> Problem:
    return _error(
        "user-field",
        "the account is missing, which stands before the command in a system tab; Debian's cron ignores "
        "the whole file",
        "`root` or another account, and a command",
    )


def _no_account(word: str) -> Problem:
    return _error(
        "user-field",
        f"`{word}` stands where a system tab names the account; Debian's cron ignores the whole file",
        f"`root` or another account before `{word}`",
    )


def _error(code: str, message: str, instead: str) -> Problem:
    return Problem(severity="error", code=code, message=message, instead=instead)


def _warning(code: str, message: str, instead: str) -> Problem:
    return Problem(severity="warning", code=code, message=message, instead=instead)
