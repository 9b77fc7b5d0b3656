"""Accounts in a crontab: one stands before each command of a system tab, and none in a user's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ratectl.crontab_lint.problem import BLANKS, SHOWN, Problem, error, printable, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ratectl.crontab_lint.machine import Machine

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
NAME = re.compile(
    r"""[^\x00-\x20/=()\[\]{}<>|&;$"'`~#!*?%,+-][^\x00-\x20/=()\[\]{}<>|&;"'`~#!*?%]*"""
)
"""What may name an account: no path, and no sign that a shell acts on."""


def of_system_tab(text: str, machine: Machine) -> Iterator[Problem]:
    """Yield the flaws of the account that begins *text*, the part of a line behind its time."""
    account = BLANKS.split(text, maxsplit=1)[0]
    said = printable(account[:SHOWN])
    if not account:
        yield error(
            "user-field",
            "the account is missing, which stands before the command in a system tab; Debian's cron ignores "
            "the whole file",
            "`root` or another account, and a command",
        )
    elif NAME.fullmatch(account) is None:
        yield error(
            "user-field",
            f"`{said}` stands where a system tab names the account; Debian's cron ignores the whole file",
            f"`root` or another account before `{said}`",
        )
    elif not machine.has_account(printable(account)):
        yield warning(
            "unknown-account",
            f"`{said}` stands where a system tab names the account, and this machine has none of that name; where "
            "there is none, Debian's cron ignores the whole file",
            f"an account that exists, or `root` before `{said}` if that is the command",
        )


def in_own_tab(command: str) -> Iterator[Problem]:
    """Yield that the *command* of a user's tab begins with an account, where a command stands behind it.

    Many such names are programs, too: `mail -s done me` and `backup /home` are commands of their own.
    """
    word, behind = [*BLANKS.split(command.strip(), maxsplit=1), ""][:2]
    if word in NEVER_PROGRAMS and not behind:
        yield error(
            "account-in-user-tab",
            f"`{word}`: an account and no command; only /etc/crontab and /etc/cron.d name an account, here cron "
            f"starts a program called {word}",
            f"a command in the place of `{word}`",
        )
    if word in ACCOUNTS and ACCOUNTS[word].match(behind):
        yield error(
            "account-in-user-tab",
            f"`{word}`: only /etc/crontab and /etc/cron.d name an account; here cron starts a program "
            f"called {word}",
            f"the line without `{word}`",
        )
