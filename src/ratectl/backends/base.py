"""What every backend takes and gives: host facts, artefacts, what was found, steps to perform.

A backend is a module with the verbs of :class:`Backend`. It decides and touches
nothing: looking goes through a :class:`Reader`, doing is a tuple of steps that
``host.py`` performs in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from ratectl.model import Job
    from ratectl.schedule.cover import Abilities, Cover


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The facts of the machine and account that artefacts are made for, as values."""

    platform: str
    """As ``sys.platform`` spells it: linux, darwin, win32."""
    zone: ZoneInfo
    """The zone in which the engine reads local times."""
    fetch: tuple[str, ...]
    """The argv that starts ratectl-fetch; the job name is appended."""
    state_dir: Path
    state_is_default: bool
    """False: artefacts carry ``--state DIR``, since an unattended start would look elsewhere."""
    user: str
    home: Path
    root: bool

    def argv(self, job: str) -> tuple[str, ...]:
        """Return the command line that an artefact of *job* calls."""
        state = () if self.state_is_default else ("--state", str(self.state_dir))
        return (*self.fetch, job, *state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """A native text we own: *name* is relative to ``render --out``, *data* its exact bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteFile:
    """Replace the file at *path* with *data*, atomically and durably."""

    path: Path
    data: bytes
    mode: int = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFile:
    """Delete the file at *path*; one that is already gone is fine."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Run *argv* (no shell) with *stdin*; another exit code than 0 raises EngineError."""

    argv: tuple[str, ...]
    stdin: bytes = b""
    why: str = ""
    """What the step is for, in the words of a plan."""


Step = WriteFile | RemoveFile | Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How a read-only command ended."""

    code: int
    stdout: bytes
    stderr: bytes


class Reader(Protocol):
    """The only eyes of a backend."""

    def read(self, path: Path) -> bytes | None:
        """Return the bytes of *path*, or None where there is no such file."""

    def names(self, folder: Path) -> tuple[str, ...]:
        """Return the sorted names in *folder*, none where there is no such folder."""

    def which(self, program: str) -> str | None:
        """Return the absolute path of *program* on the PATH of the system, or None."""

    def query(self, argv: Sequence[str], *, stdin: bytes = b"") -> Completed:
        """Run a command that changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One job of ours as the engine holds it."""

    job: str
    triggers: tuple[str, ...]
    """The native texts: cron fields, OnCalendar values, ..."""
    artefacts: tuple[Artefact, ...]
    """What is installed, in the form that ``render`` would give it, to be compared byte by byte."""
    enabled: bool = True
    next: dt.datetime | None = None
    """The engine's own next run, where it can tell (aware); None where it cannot."""
    drift: tuple[str, ...] = ()
    """What the engine lost on its own: a masked unit, a timer that is not active, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one engine holds in one scope: *entries* by job, and the raw texts that staging splices into."""

    entries: Mapping[str, Entry]
    raw: Mapping[str, bytes]
    """Backend's own keys, e.g. the whole crontab; absent key = no such text."""


class Backend(Protocol):
    """The verbs of a backend module. *scope* is "user" or "system"."""

    NAME: str
    ABILITIES: Abilities
    SCOPES: tuple[str, ...]

    def detect(self, reader: Reader, host: Host, scope: str) -> str:
        """Return why this engine cannot be used here, or an empty text when it can."""

    def inspect(self, reader: Reader, host: Host, scope: str) -> Found:
        """Return what the engine holds of ours. Raises EngineError on a block that we must not touch."""

    def check(self, job: Job, host_zone: ZoneInfo) -> Cover:
        """Return how this engine can wake *job*."""

    def render(self, jobs: Sequence[Job], host: Host, scope: str) -> tuple[Artefact, ...]:
        """Return every native text of *jobs*, in a stable order."""
