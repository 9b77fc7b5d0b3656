"""What is to be done, as a backend decides it: steps that ``deploy/execute.py`` performs in order; and how a command ended."""

from __future__ import annotations

import codecs
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ratectl.errors import RatectlError


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteFile:
    """Replace the file at *path* with *data*, atomically and durably."""

    path: Path
    data: bytes
    mode: int = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Make *path* a symbolic link to *target*, in place of whatever stood there."""

    path: Path
    target: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFile:
    """Delete the file at *path*; one that is already gone is fine."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeFolder:
    """Make the folder *path*, which is not there, for the account *owner* (empty: for us), and those above it."""

    path: Path
    owner: str = ""
    mode: int = 0o755


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Run *argv* (no shell) with *stdin*; another exit code than 0 raises EngineError unless *may_fail*."""

    argv: tuple[str, ...]
    stdin: bytes = b""
    why: str = ""
    """What the step is for, in the words of a plan."""
    may_fail: bool = False
    """True where the state afterwards is read back anyway, such as unloading what may be unloaded already."""
    again_on: frozenset[int] = frozenset()
    """Exit codes that time mends: it is run again, for half a minute."""
    meaning: Callable[[Completed], RatectlError] | None = field(default=None, compare=False)
    """What its failure means, where the engine's own words tell more than the exit code."""
    shortcut: tuple[str, ...] = ()
    """A command that comes to the same sooner, tried first; where it fails, *argv* is run, which says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """Wait until the second in which *path* last changed is over; one that cannot be looked at is fine."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """See that *argv*, which only looks, still prints *stdout* (None: still fails); else raise EngineError with *problem*."""

    argv: tuple[str, ...]
    stdout: bytes | None
    problem: str
    within: float = 0.0
    """Seconds in which it may still come true."""


Step = MakeFolder | WriteFile | Link | RemoveFile | Run | Settle | Expect


def console_text(data: bytes) -> str:
    """Return what a command printed: UTF-16 on some of Windows' programs, UTF-8, or the console's code page."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    if b"\0" in data[:4]:
        return data.decode("utf-16-be" if data.startswith(b"\0") else "utf-16-le", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("oem" if sys.platform == "win32" else "utf-8", "replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How a read-only command ended."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def said(self) -> str:
        """The command's complaint as one line of text."""
        return " ".join(console_text(self.stderr or self.stdout).split())
