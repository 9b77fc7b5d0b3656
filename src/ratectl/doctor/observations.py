"""Everything that the checks look at, gathered once: what the journal knows and what the engines hold.

Gathering cannot fail: what a look runs into is kept beside what it found.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ratectl.backends import BACKENDS
from ratectl.backends.cron import backend as cron
from ratectl.deploy import remedies, targets
from ratectl.deploy.checks import other_accounts, serving
from ratectl.deploy.inventory import SpecState

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Mapping, Sequence

    from ratectl.backends.host import ClusterTarget, Host
    from ratectl.backends.protocol import Found, InstalledEntry
    from ratectl.backends.reader import Reader
    from ratectl.deploy.inventory import SpecDifference
    from ratectl.deploy.targets import Target
    from ratectl.errors import RatectlError
    from ratectl.journal.journal import Firing, Installed


@dataclass(frozen=True, kw_only=True)
class Observations:
    """One account on one machine, seen once."""

    host: Host
    reader: Reader
    now: dt.datetime
    jobs: tuple[Installed, ...]
    """The installed jobs that are asked about."""
    found_at: Mapping[Target, Found]
    refused: Mapping[Target, RatectlError]
    """The engines that do not let us look."""
    names: frozenset[str] | None = None
    """The jobs that are asked about; None: all."""
    journal_error: RatectlError | None = None
    """Why the journal tells nothing."""
    unreadable: str = ""
    """Why some installed jobs cannot be read, though others can."""
    planned: ClusterTarget | None = None
    """Where the spec would have its jobs, if that is in a cluster and none is installed yet."""
    interrupted: bool = False
    """An install or remove was cut short."""
    last: Mapping[str, Firing] = field(default_factory=dict)
    """The newest firing of each job that has one."""
    out_of_reach: Collection[str] = ()
    """Jobs whose record lies in a database that did not answer."""
    unserved: frozenset[str] = frozenset()
    """Jobs that are for ``serve`` to wake, while no such process is at work on them."""
    held: Collection[str] = ()
    """Jobs of which answers wait for somebody to accept or reject them."""
    lost: Collection[str] = ()
    """Jobs that the account which they run as does not have."""
    specs: tuple[str, ...] = ()
    """The specs of all installed jobs, also of those that are not asked about, or whose snapshots cannot be read."""
    spec_of: Callable[[str], str] = lambda _job: ""
    """Returns the spec that has a job which the journal does not know, as far as one is known; else an empty text."""
    spec_drift: Callable[[Installed], SpecDifference | None] = lambda _row: None
    shell: Mapping[str, str] = field(default_factory=dict)
    """The environment of the shell that the doctor was called in."""
    started: dict[tuple[str, ...], tuple[str, str] | None] = field(default_factory=dict)
    """What came of starting each program once, for the thousands of entries that share it."""

    @cached_property
    def entries(self) -> tuple[tuple[Target, InstalledEntry], ...]:
        """Every entry of ours that an engine holds of the jobs asked about."""
        return tuple(
            (target, entry)
            for target, found in self.found_at.items()
            for job, entry in sorted(found.entries.items())
            if self.names is None or job in self.names
        )

    @cached_property
    def awake(self) -> tuple[Installed, ...]:
        """The jobs that are meant to run."""
        return tuple(row for row in self.jobs if row.enabled and row.job.enabled and not row.paused)

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        """The engines that are to wake a job, or hold an entry of ours."""
        found = {self._meant(row) for row in self.awake if row.backend in BACKENDS}
        found |= {target for target, _ in self.entries}
        return tuple(sorted(found, key=_order_of))

    def _meant(self, row: Installed) -> Target:
        """Return the engine that is to hold the job of *row*: as it was looked into, if it was."""
        seen = (
            target for target in (*self.found_at, *self.refused) if targets.stands_at(target, row)
        )
        return next(seen, None) or targets.recorded_target(row, self.host, self.reader)

    @cached_property
    def troubles(self) -> Mapping[Target, Mapping[str, tuple[str, ...]]]:
        """What each engine tells of why what it started came to nothing, by job."""
        held: dict[Target, list[InstalledEntry]] = {}
        for target, entry in self.entries:
            held.setdefault(target, []).append(entry)
        return {s: s.backend.troubles(self.reader, s.host, some) for s, some in held.items()}

    def target_of(self, row: Installed) -> Target | None:
        """Return the engine that is to hold the job of *row*, None where it cannot be looked into.

        Root's crontab serves both scopes where cron has no folder of its own.
        """
        exact = [target for target in self.found_at if targets.stands_at(target, row)]
        same = [target for target in self.found_at if row.backend == target.backend.NAME]
        return next(iter(exact or (same if row.backend == cron.NAME else ())), None)

    @cached_property
    def targets_of(self) -> Mapping[str, tuple[Target, ...]]:
        """Where each job stands."""
        found: dict[str, tuple[Target, ...]] = {}
        for target, entry in self.entries:
            found[entry.job] = (*found.get(entry.job, ()), target)
        return found

    @cached_property
    def _rows(self) -> Mapping[str, Installed]:
        return {row.job.name: row for row in self.jobs}

    @cached_property
    def _awake_names(self) -> frozenset[str]:
        return frozenset(row.job.name for row in self.awake)

    def row(self, job: str) -> Installed | None:
        """Return what the journal knows of *job*."""
        return self._rows.get(job)

    def is_awake(self, row: Installed) -> bool:
        """Tell whether the job of *row* is meant to run."""
        return row.job.name in self._awake_names

    def as_account(self, row: Installed) -> Observations:
        """Return the same as the account sees it that the job of *row* runs as: whose rights count where a firing writes and reads."""
        host = targets.host_of(self.host, row.job)
        if not host.account:
            return self
        return replace(
            self, host=host, reader=other_accounts.reader_for(self.host, self.reader, row.job)
        )

    def by_install(self, row: Installed) -> str:
        """Return what puts the job of *row* in place again: an install, unless its spec no longer says how, or is to be mended first."""
        install = remedies.install(self.host, row)
        removal = remedies.typed(self.host, "ratectl", "remove", row.job.name)
        drift = self.spec_drift(row)
        if drift is not None and drift.state is SpecState.RENAMED:
            return remedies.take_along(row, drift.renamed)
        if drift is None or drift.state.installs:
            return install
        if drift.state is SpecState.LEFT_OUT:
            return removal
        if drift.state is SpecState.MISSING:
            verb = "serve" if row.backend == serving.BACKEND else "install"
            return f"put {row.spec} back, or `ratectl {verb} NEW-PATH` where it lies now"
        check = remedies.typed(self.host, "ratectl", "check", row.spec)
        return f"mend what `{check}` names, then `{install}`"

    @property
    def reinstall_command(self) -> str:
        """The command that installs every job again, of whichever specs they are."""
        return self.reinstall()

    def reinstall(self, *flags: str) -> str:
        """Return :attr:`reinstall_command` with *flags*."""
        specs = self.specs or tuple(dict.fromkeys(row.spec for row in self.jobs))
        named: list[tuple[str, ...]] = [(spec,) for spec in specs] or [()]
        return " && ".join(
            remedies.typed(self.host, "ratectl", "install", *spec, *flags) for spec in named
        )


def _order_of(target: Target) -> tuple[object, ...]:
    return target.backend.NAME, target.scope, target.host.cluster or ()


def survey(
    host: Host, reader: Reader, installed: Sequence[Installed]
) -> tuple[dict[Target, Found], dict[Target, RatectlError]]:
    """Return what each engine holds, and which do not let us look."""
    refused: dict[Target, RatectlError] = {}
    asked = targets.clusters(installed)
    found_at = targets.inspect_all(host, reader, refused.__setitem__, clusters=asked)
    return found_at, refused


def chosen(rows: Sequence[Installed], names: frozenset[str] | None) -> tuple[Installed, ...]:
    """Return those of *rows* that are asked about."""
    return tuple(row for row in rows if names is None or row.job.name in names)
