"""Root's commands on jobs of another account: done by a process of that account, whose words are passed on as text."""

from __future__ import annotations

import contextlib
import threading
from typing import IO, TYPE_CHECKING

import typer

from ratectl.runtime import accounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.journal.journal import Journal


LONGEST = 65_536
"""Bytes that are passed on at once, however far off the end of a line is."""


def hand_over(journal: Journal, job: str, words: Sequence[str], *, given: bytes = b"") -> None:
    """Where *job* runs as another account, let that one do ``ratectl`` *words*, and exit as it does; else return.

    What came on our standard input, *given*, comes on its own. Raises ConfigError where the account is gone.
    """
    if user := journal.account_of(job):
        journal.__exit__(None, None, None)  # it may wait for a person, or for a provider
        raise typer.Exit(command(user, words, given))


def command(user: str, words: Sequence[str], given: bytes = b"") -> int:
    """Run ``ratectl`` *words* as the account *user*, with *given* on its standard input, and pass on what it says; return its exit code."""
    with accounts.commanding(accounts.known(user), words) as process:
        beside = (
            threading.Thread(target=_feed, args=(process.stdin, given)),
            threading.Thread(target=_pass_on, args=(process.stderr, True)),
        )
        for thread in beside:
            thread.start()
        _pass_on(process.stdout, False)
        for thread in beside:
            thread.join()
    return process.returncode


def _feed(stream: IO[bytes] | None, given: bytes) -> None:
    """Write what is *given* to *stream* and close it; who reads may be gone before."""
    with contextlib.suppress(OSError):
        if stream is not None:
            with stream:
                stream.write(given)


def _pass_on(stream: IO[bytes] | None, err: bool) -> None:
    """Show what comes out of *stream*, line by line, through the door for text from outside."""
    while stream is not None and (line := stream.readline(LONGEST)):
        typer.echo(line.decode("utf-8", "replace"), nl=False, err=err)
