"""Root's commands on jobs of another account: done by a process of that account, whose words are passed on as text."""

from __future__ import annotations

import threading
from typing import IO, TYPE_CHECKING

import typer

from ratectl.runtime import accounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.journal.journal import Journal


LONGEST = 65_536
"""Bytes that are passed on at once, however far off the end of a line is."""


def hand_over(journal: Journal, job: str, words: Sequence[str]) -> None:
    """Where *job* runs as another account, let that one do ``ratectl`` *words*, and exit as it does; else return.

    Raises ConfigError where the account is gone.
    """
    if user := journal.account_of(job):
        journal.__exit__(None, None, None)  # it may wait for a person, or for a provider
        raise typer.Exit(command(user, words))


def command(user: str, words: Sequence[str]) -> int:
    """Run ``ratectl`` *words* as the account *user* and pass on what it says; return its exit code."""
    process = accounts.commanding(accounts.known(user), words)
    process.stdin.close()  # type: ignore[union-attr]  # it has a pipe
    errors = threading.Thread(target=_pass_on, args=(process.stderr, True))
    errors.start()
    _pass_on(process.stdout, False)
    errors.join()
    return process.wait()


def _pass_on(stream: IO[bytes] | None, err: bool) -> None:
    """Show what comes out of *stream*, line by line, through the door for text from outside."""
    while stream is not None and (line := stream.readline(LONGEST)):
        typer.echo(line.decode("utf-8", "replace"), nl=False, err=err)
