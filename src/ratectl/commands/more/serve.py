"""``ratectl serve``: the foreground scheduler for places that have none, such as a container.

It only wakes, as an operating system would: each firing is a ratectl-fetch process
of its own, and the journal decides what is due.
"""

from __future__ import annotations

import datetime as dt
import select
import signal
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer

from ratectl import schedule, spec
from ratectl.commands._shared.environment import utc_now
from ratectl.commands._shared.options import default_spec
from ratectl.deploy import execute, host_facts, inventory
from ratectl.deploy.checks import other_accounts, serving, writable
from ratectl.deploy.checks.serving import BACKEND, SCOPE
from ratectl.deploy.install_lock import install_lock
from ratectl.errors import ConfigError, RatectlError, TryLaterError, UsageError
from ratectl.journal.journal import Journal
from ratectl.runtime import accounts, own_places
from ratectl.views.format import clock
from ratectl.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ratectl.journal.journal import Installed
    from ratectl.model.job import Job

LONGEST_NAP = 60.0
"""Seconds after which the journal is looked at again: jobs may be installed meanwhile."""
GRACE = 3.0
"""Seconds that firings at work are given when told to stop; containers are killed after ten."""
POLL = 0.2
"""Seconds between two looks at firings at work."""


def serve(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="JOB... | SPEC",
            help="Installed jobs (by default all), or a spec whose jobs are recorded first.",
        ),
    ] = None,
    *,
    count: Annotated[
        int,
        typer.Option(
            min=0,
            help="End after so many firings, each of which records all slots of its minute; 0 is never.",
        ),
    ] = 0,
) -> None:
    """Run jobs in the foreground, where no scheduler exists.

    \b
    Examples:
      ratectl serve ./jobs.toml
      ratectl serve usd-inr --count 1
    """
    state_dir = own_places.state_dir()
    names = frozenset(_names(state_dir, what or []))
    with _Stop() as stop:
        stop.listen()
        loop = _Loop(state_dir, names, stop)
        typer.echo(f"ratectl: {loop.told_first()}", err=True)
        try:
            loop.catch_up()
            loop.run(count)
        finally:
            loop.held.close()
    if loop.failed:
        raise typer.Exit(loop.failed)


class _Stop:
    """Whether somebody wants us to end, and a sleep that does not outlast that.

    The kernel may hand a signal to any thread, and Python's own handler runs in the main thread alone, once that is awake.
    So whichever thread gets it writes into a pair of sockets, and the main thread sleeps on the other end.
    """

    def __init__(self) -> None:
        self.asked = False
        self._listens = False
        self._awake, self._ring = socket.socketpair()
        for end in (self._awake, self._ring):
            end.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._listens:
            signal.set_wakeup_fd(-1)
        self._awake.close()
        self._ring.close()

    def listen(self) -> None:
        """Take SIGINT and SIGTERM as the wish; in the main thread only."""
        signal.set_wakeup_fd(self._ring.fileno(), warn_on_full_buffer=False)
        self._listens = True
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.ask())

    def ask(self) -> None:
        """Have it end."""
        self.asked = True

    def rest(self, seconds: float) -> None:
        """Sleep so long, or less when asked to end."""
        if not self.asked and select.select([self._awake], [], [], max(seconds, 0))[0]:
            self._awake.recv(4096)


class _Loop:
    """Wakes each job at its slots; *failed* is the exit code of the last firing that was not 0."""

    def __init__(self, state_dir: Path, names: frozenset[str], stop: _Stop) -> None:
        self.state_dir = state_dir
        self.names = names
        self.stop = stop
        self.held = serving.Held(state_dir)
        self.failed = 0
        self.fired = 0
        self._begun = utc_now()
        self._seen: dict[str, dt.datetime] = {}
        self._firings: list[threading.Thread] = []
        self._children = execute.Children()
        self._faulty: set[str] = set()

    def run(self, count: int) -> None:
        """Wake until *count* firings (0: until told to stop), then wait for those at work."""
        while not self.stop.asked and (not count or self.fired < count):
            wakes = self._wakes()
            now = utc_now()
            if not wakes or min(wakes.values()) > now:
                naps = [(wake - now).total_seconds() for wake in wakes.values()]
                self.stop.rest(min([LONGEST_NAP, *naps]))
                continue
            for name in sorted(name for name, wake in wakes.items() if wake <= now):
                if count and self.fired >= count:
                    break
                self.fired += 1
                # a firing walks the slots of its minute itself
                self._seen[name] = _end_of_minute(now)
                self._start(name)
        self._finish()

    def _finish(self) -> None:
        """Wait for the firings at work; once told to stop, for a moment only: they can be killed anywhere."""
        while any(firing.is_alive() for firing in self._firings) and not self.stop.asked:
            self.stop.rest(POLL)
        last = time.monotonic() + GRACE
        for firing in self._firings:
            firing.join(max(0, last - time.monotonic()))
        self._children.end()
        for firing in self._firings:
            firing.join()

    def catch_up(self) -> None:
        """Wake every job once: slots may have passed while nothing served them."""
        for row in self._rows():
            self._seen[row.job.name] = _end_of_minute(utc_now())
            self._start(row.job.name)

    def told_first(self) -> str:
        """Return what is served and when it is woken next, for whoever watches the foreground."""
        wakes = self._wakes()
        if not wakes:
            return "serving nothing that has a further slot"
        name, first = min(wakes.items(), key=lambda wake: wake[1])
        return f"serving {count(len(wakes), 'job')}; next {name} at {clock(first)}; Ctrl-C ends it"

    def _wakes(self) -> dict[str, dt.datetime]:
        """Return when each job is to be woken next."""
        latest = _end_of_minute(utc_now())  # a clock that was put back must not hold up any job
        found: dict[str, dt.datetime] = {}
        for row in self._rows():
            job = row.job
            seen = min(latest, self._seen.get(job.name, self._begun))
            slot = next(schedule.after(job.schedule, job.zone, seen), None)
            again = row.retry_at if row.retry_at is not None and row.retry_at > seen else None
            moments = [moment for moment in (slot, again) if moment is not None]
            if moments:
                found[job.name] = min(moments)
        return found

    def _rows(self) -> tuple[Installed, ...]:
        with Journal(self.state_dir) as journal:
            rows = journal.installed()
        served = [
            row
            for row in rows
            if row.enabled
            and not row.paused
            and not accounts.is_foreign(row.job.user)
            and (not self.names or row.job.name in self.names)
        ]
        for row in served:
            if row.job.fault and row.job.name not in self._faulty:
                self._faulty.add(row.job.name)
                typer.echo(f"ratectl: {row.job.fault}; the others are served", err=True)
        self.held.hold([row.job.name for row in served])
        return tuple(row for row in served if not row.job.fault)

    def _start(self, name: str) -> None:
        firing = threading.Thread(target=self._fire, args=(name,))
        firing.start()
        self._firings = [thread for thread in self._firings if thread.is_alive()] + [firing]

    def _fire(self, name: str) -> None:
        try:
            code = self._children.run(
                (*host_facts.fetch_argv(), name, "-v", "--attended", "--state", str(self.state_dir))
            )
        except RatectlError as error:
            typer.echo(f"ratectl: {name}: {error}", err=True)
            code = error.exit_code
        if code < 0:  # a signal, such as a terminal sends to all of us; what was due stays so
            code = 0 if self.stop.asked else TryLaterError.exit_code
        self.failed = code or self.failed


def _names(state_dir: Path, what: list[str]) -> tuple[str, ...]:
    """Return the jobs to serve (none named: all); of a spec, after recording them."""
    specs = [word for word in what if "." in word or "/" in word or "\\" in word]
    if specs and len(what) > 1:
        raise UsageError("serve: name installed jobs, or one SPEC")
    with Journal(state_dir) as journal:
        if specs:
            return _record(journal, Path(specs[0]))
        if not what and not journal.installed():
            raise ConfigError(
                "serve: no job is installed; name a spec to serve, such as "
                f"`ratectl serve {default_spec()}`"
            )
        return tuple(journal.installed_job(name).job.name for name in what)


def _record(journal: Journal, path: Path) -> tuple[str, ...]:
    zone = host_facts.zone().key
    other_accounts.refuse_spec(execute.SystemReader(), path, "serve")
    loaded = spec.load(path, host_timezone=zone)
    names = tuple(job.name for job in loaded.jobs)
    _refuse_accounts(loaded.jobs)
    for text in _unwritable(loaded.jobs):
        typer.echo(f"ratectl: {text}", err=True)
    with install_lock(journal.state_dir):
        for row in journal.readable():
            if row.job.name in names and row.backend != BACKEND:
                raise UsageError(
                    f"serve: {row.job.name} is already woken by {row.backend}; `ratectl remove` it first"
                )
        journal.record_jobs(
            loaded.jobs,
            spec=loaded.path,
            digest=inventory.digest_of(execute.SystemReader(), loaded.path),
            backend=BACKEND,
            scope=SCOPE,
            host_timezone=zone,
            now=utc_now(),
        )
        _forget(journal, loaded.path, names)
    return names


def _forget(journal: Journal, path: str, names: Sequence[str]) -> None:
    """Take out the jobs that were served from the spec *path* and are not in it any more, as after a new name: nobody wakes them."""
    rows = [row for row in journal.readable() if (row.spec, row.backend) == (path, BACKEND)]
    gone = [row.job.name for row in rows if row.job.name not in names]
    journal.forget_jobs(gone)
    for name in gone:
        text = f"{name} is gone from {path} and is served no more; its record stays"
        typer.echo(f"ratectl: {text}", err=True)


def _unwritable(jobs: Sequence[Job]) -> Iterator[str]:
    """Yield which outputs cannot be written here, each with the way out; a volume may still be mounted, so they are served."""
    here, reader = host_facts.here(host_facts.zone()), execute.SystemReader()
    for job in jobs:
        if job.enabled:
            yield from writable.told(here, reader, job)


def _refuse_accounts(jobs: Sequence[Job]) -> None:
    """Raise ConfigError where one of *jobs* is to run as another account, which only a scheduler can do."""
    for job in jobs:
        if accounts.is_foreign(job.user):
            raise ConfigError(
                f'serve: {job.name} has user = "{job.user}", and serve runs all jobs as whoever starts it: '
                f"start it as {job.user} (`sudo -u {job.user} ratectl serve ...`), or leave user out"
            )


def _end_of_minute(moment: dt.datetime) -> dt.datetime:
    return moment.replace(second=59, microsecond=0)
