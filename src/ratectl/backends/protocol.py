"""What every backend takes and gives: artefacts, what was found, changes, steps; of the host it is told by ``host.py``.

A backend is a module with the verbs of :class:`Backend`. It decides and touches
nothing: looking goes through a ``Reader``, doing is a tuple of steps that
``execute.py`` performs in order.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ratectl import schedule
from ratectl.errors import EngineError
from ratectl.schedule.cover.cover import cover

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from ratectl.backends.host import Host
    from ratectl.backends.reader import Reader
    from ratectl.backends.steps import Step
    from ratectl.model.job import Job
    from ratectl.schedule.cover.triggers import Capabilities, Cover


class EngineAbsentError(EngineError):
    """This machine has no such engine, so it holds nothing of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """A native text of *job* that we own: *name* is relative to ``render --out``, *data* its exact bytes."""

    job: str
    name: str
    data: bytes


class Runs(NamedTuple):
    """What an engine tells of the runs of an entry; times are aware."""

    created: dt.datetime | None = None
    woken: dt.datetime | None = None
    """For which moment it last started something."""
    succeeded: dt.datetime | None = None
    """When something that it started last ended well."""
    active: bool = False
    """Something that it started has not ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledEntry:
    """One job of ours as the engine holds it."""

    job: str
    triggers: tuple[str, ...]
    """The native texts: cron fields, OnCalendar values, ..."""
    artefacts: tuple[Artefact, ...]
    """What is installed, in the form that ``render`` would give it, to be compared byte by byte."""
    enabled: bool = True
    next: dt.datetime | None = None
    """The engine's own next run, where it can tell (aware); None where it cannot."""
    running: bool = False
    """It runs right now; some engines tell their next run only afterwards."""
    drift: tuple[str, ...] = ()
    """What the engine lost on its own and an install mends: a masked unit, a timer that is not active, ..."""
    overrides: tuple[str, ...] = ()
    """What somebody put over it and we leave alone: a drop-in, ..."""
    rescheduled: bool = False
    """One of these makes it wake at other times than the job has slots."""
    masks: tuple[str, ...] = ()
    """Links to nothing that would take those of the overrides away which the scheduler's own command leaves."""
    runs: Runs | None = field(default=None, compare=False)
    """None where the engine keeps no account of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one engine holds in one scope: *entries* by job, and the raw texts that staging splices into."""

    entries: Mapping[str, InstalledEntry]
    raw: Mapping[str, bytes]
    """Backend's own keys, e.g. the whole crontab; absent key = no such text."""


class Verb(Enum):
    """What a change does to one job's entry in the engine."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    KEEP = "keep"
    PAUSE = "pause"
    """It stays where it is, asleep; only of engines that have such a state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one job's entry becomes: its *artefacts* afterwards (none after a delete)."""

    verb: Verb
    job: str
    artefacts: tuple[Artefact, ...] = ()
    entry: InstalledEntry | None = None
    """What the engine holds now."""
    why: str = ""
    """The reason in the words of a plan, where there is more to say than the verb."""


class Backend(Protocol):
    """The verbs of a backend module. *scope* is "user" or "system"."""

    NAME: str
    CAPABILITIES: Capabilities
    SCOPES: tuple[str, ...]
    REPORTS_NEXT_RUN: bool
    """The engine can be asked for its next run."""
    SANDBOXES: bool
    """Entries may touch only what they are told: whose that is must be known."""
    SUSPENDS: bool
    """A paused entry stays where it is, asleep, with all that others set on it."""
    LISTS_ALL: bool
    """What it took is in its list for sure: what is not there need not be taken back."""

    def detect(self, reader: Reader, host: Host, scope: str) -> str:
        """Return why this engine cannot be used here, or an empty text when it can."""

    def warnings(self, reader: Reader, host: Host, scope: str) -> tuple[str, ...]:
        """Return why entries could stay asleep although the engine can be used: one sentence each."""

    def enable_linger(self, reader: Reader, host: Host, scope: str) -> tuple[Step, ...]:
        """Return the steps, if there are any, that do away with :meth:`warnings`."""

    def inspect(self, reader: Reader, host: Host, scope: str) -> Found:
        """Return what the engine holds of ours.

        Raises EngineAbsentError where there is no such engine, EngineError on what we must not touch.
        """

    def argv(self, entry: InstalledEntry, scope: str) -> tuple[str, ...]:
        """Return the command line that the engine starts for *entry*; nothing where its text has none."""

    def check(self, job: Job, host_zone: ZoneInfo) -> Cover:
        """Return how this engine can wake *job*."""

    def render(self, job: Job, cover: Cover, host: Host, scope: str) -> tuple[Artefact, ...]:
        """Return every native text of *job*, in a stable order. Raises ConfigError on what cannot be written."""

    def output_files(self, artefacts: Sequence[Artefact]) -> Mapping[str, bytes]:
        """Return the files that hold *artefacts*, by name: what ``render --out`` writes."""

    def dry_run(
        self, reader: Reader, changes: Sequence[Change], host: Host, scope: str
    ) -> tuple[str, ...]:
        """Return what the engine has against *changes*, one sentence each, where it can be asked beforehand.

        Raises what it would refuse them with.
        """

    def stage(
        self, changes: Sequence[Change], found: Found, host: Host, scope: str
    ) -> tuple[Step, ...]:
        """Return the steps that turn *found* into the state after *changes*, in crash-safe order."""

    def covers_slot(self, entry: InstalledEntry, slot: dt.datetime) -> bool:
        """Tell whether what the engine holds for *entry* wakes us for *slot*; True where that is checked otherwise."""

    def difference(self, wanted: Sequence[Artefact], found: Sequence[Artefact]) -> str:
        """Return in words how *found* differs from *wanted*; empty where there is no more to say than that it does."""

    def troubles(
        self, reader: Reader, host: Host, entries: Collection[InstalledEntry]
    ) -> Mapping[str, tuple[str, ...]]:
        """Return, by job, why what the engine started for *entries* came to nothing, as far as it tells."""

    def resuming(
        self, entries: Collection[InstalledEntry], since: Mapping[str, str], host: Host
    ) -> tuple[Step, ...]:
        """Return the steps that wake paused *entries* where they are; *since* tells of some from when their slots count."""


def cover_for(job: Job, host_zone: ZoneInfo, engine: Capabilities) -> Cover:
    """Return the cover of *job*'s schedule; computed once for jobs that share a schedule and zone."""
    return _cover(job.schedule_texts, job.start, job.end, job.zone, host_zone, engine)


@functools.cache
def _cover(
    texts: tuple[str, ...],
    start: str,
    end: str,
    zone: ZoneInfo,
    host_zone: ZoneInfo,
    engine: Capabilities,
) -> Cover:
    return cover(schedule.parse(texts, start=start, end=end), zone, host_zone, engine)


def no_steps(_reader: Reader, _host: Host, _scope: str) -> tuple[Step, ...]:
    """Return no step: most engines have nothing that could be switched on for entries to run."""
    return ()


def no_warnings(
    _reader: Reader, _changes: Sequence[Change], _host: Host, _scope: str
) -> tuple[str, ...]:
    """Default dry run: no warnings; most schedulers validate only on write."""
    return ()


def always_covers(_entry: InstalledEntry, _slot: dt.datetime) -> bool:
    """Default: assume the entry covers the slot; install already compares its text and, where reported, its next run."""
    return True


def no_words(_wanted: Sequence[Artefact], _found: Sequence[Artefact]) -> str:
    """Default: no words; most entries are short enough to be compared by eye."""
    return ""


def no_troubles(
    _reader: Reader, _host: Host, _entries: Collection[InstalledEntry]
) -> dict[str, tuple[str, ...]]:
    """Default: no troubles; a firing reports itself how it went."""
    return {}


def never_paused(
    _entries: Collection[InstalledEntry], _since: Mapping[str, str], _host: Host
) -> tuple[Step, ...]:
    """Default: no steps; a paused job is gone from the engine, and an install brings it back."""
    return ()


def separate_files(artefacts: Sequence[Artefact]) -> dict[str, bytes]:
    """Default output files: one for each of *artefacts*."""
    return {artefact.name: artefact.data for artefact in artefacts}
