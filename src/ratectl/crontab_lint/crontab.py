"""The bytes of a foreign crontab -> what in it does not do what it looks like; pure.

Bytes are read as Latin-1, so that one character is one byte and no encoding can
fail. Each claim was seen with the real daemons; a line that is fine says nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ratectl.backends.cron.backend import LONGEST_COMMAND, MOST_LINES
from ratectl.crontab_lint.fields import FIELDS, flaws_of
from ratectl.crontab_lint.problem import (
    BLANKS,
    SHOWN,
    Problem,
    error,
    phrase_time,
    printable,
    say,
    warning,
)
from ratectl.crontab_lint.settings import in_setting
from ratectl.crontab_lint.sundays import without_seven
from ratectl.schedule.language.advice.cron_text import mended, torn_fields
from ratectl.schedule.language.cron import DAY_NAMES, MACROS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SETTING = re.compile(r"""(?:"([^"]*)"|'([^']*)'|([^ \t"'=]+))[ \t]*=[ \t]*(.*)""", re.DOTALL)
PERCENT = re.compile(r"(?<!\\)%")
DAYS = "|".join(DAY_NAMES)
WEEKDAY_LIKE = re.compile(
    rf"[*?][-/0-9]*|[0-9]{{1,2}}([-,/][0-9]+)*|({DAYS})([-,]({DAYS}))*", re.IGNORECASE
)
EVERY = re.compile(r"([0-9]{1,6})(s|m|h)")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}
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
NEVER_PROGRAMS = frozenset({"root", "nobody", "www-data", "_apt", "messagebus", "ec2-user"})
"""Accounts whose name alone is no command: either no program has it, or, as ``root``, one to talk with."""


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


def _in_line(line: str, users: int) -> Iterator[Problem]:
    if setting := SETTING.fullmatch(line):
        quoted, other, plain, value = setting.groups()
        yield from in_setting(quoted or other or plain or "", value.rstrip(" \t"))
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
        line = line[1:]
    if line.startswith("@"):
        yield from _in_macro(BLANKS.split(line, maxsplit=1), users)
    elif torn := torn_fields(BLANKS.split(line)):
        count = len(" ".join(torn).split())
        command = "".join(BLANKS.split(line, maxsplit=count)[count:])
        yield from _in_torn(torn, command, users)
    else:
        yield from _in_entry(BLANKS.split(line, maxsplit=5), users)


def _in_macro(words: Sequence[str], users: int) -> Iterator[Problem]:
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
        yield error(
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
        yield error("seconds-field", *_SIX_STARS)
        return
    for flaw in flaws_of(words[:5]):
        yield Problem(
            severity=flaw.severity,
            code=flaw.code,
            message=printable(flaw.message),
            instead=printable(flaw.instead),
        )
    yield from _in_command(command, users)


def _in_torn(fields: Sequence[str], command: str, users: int) -> Iterator[Problem]:
    """Yield that blanks stand within *fields*, and what is wrong with the line without them."""
    whole = [mended(field) for field in fields]
    whole[4] = without_seven(whole[4])
    others = tuple(_in_entry([*whole, command], users))
    clean = not flaws_of(whole) and all(flaw.code != "seconds-field" for flaw in others)
    torn = (
        f"{place.name} `{field}`"
        for place, field in zip(FIELDS, fields, strict=True)
        if " " in field
    )
    yield error(
        "blank-in-field",
        f"{' and '.join(torn)}: a blank ends a field, so cron takes what is behind it for the next field, or for "
        "the command",
        f"`{' '.join(whole)}` and the command" if clean else "the field without the blank",
    )
    yield from others


_SIX_STARS = (
    "a sixth field that begins with `*`: cron has no seconds, Debian's and cronie reject the tab",
    "five fields and a command",
)


def _seconds(six: Sequence[str]) -> Problem:
    rejected = six[5].startswith("*")
    fate = "rejects the tab" if rejected else f"takes `{six[5]}` for the command"
    return error(
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
    flawed = flaws_of(five.split(" ")) or not five.isprintable()
    return "five fields and a command" if flawed else f"`{five}` and the command"


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
    word, behind = [*BLANKS.split(command.strip(), maxsplit=1), ""][:2]
    if not users and word in NEVER_PROGRAMS and not behind:
        yield error(
            "account-in-user-tab",
            f"`{word}`: an account and no command; only /etc/crontab and /etc/cron.d name an account, here cron "
            f"starts a program called {word}",
            f"a command in the place of `{word}`",
        )
    if not users and word in ACCOUNTS and ACCOUNTS[word].match(behind):
        yield error(
            "account-in-user-tab",
            f"`{word}`: only /etc/crontab and /etc/cron.d name an account; here cron starts a program "
            f"called {word}",
            f"the line without `{word}`",
        )
    if not command:
        yield warning(
            "no-command",
            "no command: Debian's cron accepts the line, cronie rejects the tab",
            "a command, or no line",
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


def _missing_account() -> Problem:
    return error(
        "user-field",
        "the account is missing, which stands before the command in a system tab; Debian's cron ignores "
        "the whole file",
        "`root` or another account, and a command",
    )


def _no_account(word: str) -> Problem:
    return error(
        "user-field",
        f"`{word}` stands where a system tab names the account; Debian's cron ignores the whole file",
        f"`root` or another account before `{word}`",
    )
