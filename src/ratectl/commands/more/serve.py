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

from ratectl import paths, schedule, spec
from ratectl.commands._shared.environment import utc_now
from ratectl.commands._shared.options import default_spec
from ratectl.commands._shared.rows import jobs_of
from ratectl.deploy import execute, host_facts, inventory
from ratectl.deploy.checks import other_accounts, other_specs, serving, writable
from ratectl.deploy.checks.serving import BACKEND, SCOPE
from ratectl.deploy.install_lock import install_lock
from ratectl.errors import ConfigError, RatectlError, TryLaterError, UsageError
from ratectl.journal.journal import Journal
from ratectl.runtime import accounts, own_places
from ratectl.views.format import clock
from ratectl.wording import count, listed, typed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ratectl.journal.journal import Installed
    from ratectl.model.job import Job

NAP = 5.0
"""Seconds after which the journal is looked at again: jobs may be installed, renamed or removed meanwhile."""
LONGEST_NAP = 60.0
"""The same where a look takes so long, at thousands of jobs, that it would be more than a hundredth of the time."""
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
            help="End after so many firings, the first at the start where a slot is due; "
            "each records all slots of its minute; 0 is never.",
        ),
    ] = 0,
) -> None:
    """Run jobs in the foreground, where no scheduler exists.

    A rename, pause, resume or removal counts within seconds; what is edited in a spec counts
    from the next start on.

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
            loop.catch_up(count)
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


class _Watch:
    """The jobs that are served, look by look: says what became of those that somebody renamed, removed, paused or edited."""

    def __init__(self, names: frozenset[str]) -> None:
        self.all = not names
        """Of whichever are installed; else of those names."""
        self.names = set(names)
        self._paused: set[str] = set()
        self._faulty: set[str] = set()
        self._digests: dict[str, tuple[str, str]] = {}
        """Of each spec: what it was when that was last told, and at the last look."""

    def look(self, journal: Journal) -> list[Installed]:
        """Return the jobs to wake, of those that the journal has now."""
        installed = journal.installed()
        self._follow(journal, {row.job.name for row in installed})
        rows = [
            row
            for row in installed
            if row.enabled and not accounts.is_foreign(row.job.user) and row.job.name in self.names
        ]
        self._tell_pauses(rows)
        self._tell_edits(journal, rows)
        for row in rows:
            if row.job.fault and row.job.name not in self._faulty:
                self._faulty.add(row.job.name)
                _say(f"{row.job.fault}; the others are served")
        return [row for row in rows if not row.paused]

    def _follow(self, journal: Journal, installed: set[str]) -> None:
        """Go on with renamed jobs under their new names, and without those that were removed."""
        for name in sorted(self.names - installed):
            self.names.remove(name)
            if (now := journal.current_name(name)) in installed:
                self.names.add(now)
                _say(f"{name} is {now} now, and is served under that name")
            else:
                _say(f"{name} was removed, and is served no more{self._what_then()}")
        if self.all:
            self.names |= installed

    def _what_then(self) -> str:
        """Return what comes once no job is left, an empty text where one is."""
        if self.names:
            return ""
        if self.all:
            return "; no job is left, and this waits until one is installed (Ctrl-C ends it)"
        return "; no job is left to serve, so this ends"

    def _tell_pauses(self, rows: Sequence[Installed]) -> None:
        paused = {row.job.name for row in rows if row.paused}
        for name in sorted(paused - self._paused):
            _say(f"{name} is paused: nothing wakes it until `ratectl resume {name}`")
        for name in sorted((self._paused & self.names) - paused):
            _say(f"{name} is paused no more")
        self._paused = paused

    def _tell_edits(self, journal: Journal, rows: Sequence[Installed]) -> None:
        """Say of jobs that their spec was edited since it was last told; one that two looks find the same, since a rename is about to write both."""
        reader = execute.SystemReader()
        for path in sorted({row.spec for row in rows if row.backend == BACKEND}):
            try:
                digest = inventory.digest_of(reader, path)
            except RatectlError:
                continue
            told, before = self._digests.get(path, (digest, digest))
            if digest != told and digest == before:
                told = digest
                _tell_edit(journal, path, [row for row in rows if row.spec == path])
            self._digests[path] = (told, digest)


def _tell_edit(journal: Journal, path: str, rows: Sequence[Installed]) -> None:
    """Say what the edited spec at *path* has of its jobs *rows* by now, and that a start takes it up."""
    difference = inventory.SpecDrift(
        lambda name: inventory.digest_of(execute.SystemReader(), name),
        jobs_of,
        journal.readable(),
        journal.known(),
    )
    known = {row.job.name for row in journal.readable()}
    for row in rows:
        if found := difference(row):
            _say(f"{row.job.name}: {found.text}")
            known.add(found.renamed)
    try:
        new = [job.name for job in jobs_of(path, rows[0].host_timezone) if job.name not in known]
    except RatectlError:
        return  # which is told of each job
    if new:
        again = typed("ratectl", "serve", path)
        _say(f"{listed(new)}: new in {path}; `{again}`, started again, takes that up")


def _say(text: str) -> None:
    typer.echo(f"ratectl: {text}", err=True)


class _Loop:
    """Wakes each job at its slots; *failed* is the exit code of the last firing that was not 0."""

    def __init__(self, state_dir: Path, names: frozenset[str], stop: _Stop) -> None:
        self.state_dir = state_dir
        self.watch = _Watch(names)
        self.stop = stop
        self.held = serving.Held(state_dir)
        self.failed = 0
        self.fired = 0
        self._begun = utc_now()
        self._seen: dict[str, dt.datetime] = {}
        self._ours: frozenset[str] = frozenset()
        self._told: set[str] = set()
        """Jobs that another process wakes, as was said."""
        self._firings: list[threading.Thread] = []
        self._children = execute.Children()

    def run(self, count: int) -> None:
        """Wake until *count* firings (0: until told to stop) or no job is left, then wait for those at work."""
        while not self.stop.asked and not self._is_enough(count):
            begun = time.monotonic()
            wakes = self._wakes()
            nap = min(LONGEST_NAP, max(NAP, 100 * (time.monotonic() - begun)))
            if not (self.watch.names or self.watch.all):
                break
            now = utc_now()
            if not wakes or min(wakes.values()) > now:
                naps = [(wake - now).total_seconds() for wake in wakes.values()]
                self.stop.rest(min([nap, *naps]))
                continue
            for name in sorted(name for name, wake in wakes.items() if wake <= now):
                if self._is_enough(count):
                    break
                self.fired += 1
                self._start(name)
        self._finish()

    def _is_enough(self, count: int) -> bool:
        return bool(count) and self.fired >= count

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

    def catch_up(self, count: int = 0) -> None:
        """Wake every job once: slots may have passed while nothing served them. Firings count that have a slot by the end of their minute, up to *count* (0: all)."""
        for row in self._rows():
            slot = next(schedule.after(row.job.schedule, row.job.zone, row.settled_until), None)
            if slot is not None and slot <= _end_of_minute(utc_now()):
                if self._is_enough(count):
                    continue
                self.fired += 1
            self._start(row.job.name)

    def told_first(self) -> str:
        """Return what is served and when it is woken next, for whoever watches the foreground."""
        wakes = self._wakes()
        if not wakes:
            return f"serving nothing {'yet' if self._told else 'that has a further slot'}"
        name, first = min(wakes.items(), key=lambda wake: wake[1])
        return f"serving {count(len(wakes), 'job')}; next {name} at {clock(first)}; Ctrl-C ends it"

    def _wakes(self) -> dict[str, dt.datetime]:
        """Return when each job is to be woken next."""
        latest = _end_of_minute(utc_now())  # a clock that was put back must not hold up any job
        found: dict[str, dt.datetime] = {}
        for row in self._rows():
            job = row.job
            seen = min(latest, max(self._seen.get(job.name, self._begun), row.settled_until))
            slot = next(schedule.after(job.schedule, job.zone, seen), None)
            again = row.retry_at if row.retry_at is not None and row.retry_at > seen else None
            moments = [moment for moment in (slot, again) if moment is not None]
            if moments:
                found[job.name] = min(moments)
        return found

    def _rows(self) -> tuple[Installed, ...]:
        with Journal(self.state_dir) as journal:
            served = self.watch.look(journal)
        names = {row.job.name for row in served}
        ours = self.held.hold(names)
        for name in ours - self._ours:
            self._seen.pop(name, None)  # what was paused, or another's, goes on within its minute
        if elsewhere := sorted(names - ours - self._told):
            _say(
                f"{listed(elsewhere)}: another `ratectl serve` wakes that, and this one does when it ends"
            )
        self._ours, self._told = ours, names - ours
        return tuple(row for row in served if row.job.name in ours and not row.job.fault)

    def _start(self, name: str) -> None:
        self._seen[name] = _end_of_minute(utc_now())  # it walks the slots of its minute itself
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
        if code == ConfigError.exit_code and self._is_gone(name):
            code = 0  # renamed or removed since it was woken, which the next look tells
        self.failed = code or self.failed

    def _is_gone(self, name: str) -> bool:
        with Journal(self.state_dir) as journal:
            return all(row.job.name != name for row in journal.readable())


def _names(state_dir: Path, what: list[str]) -> tuple[str, ...]:
    """Return the jobs to serve (none named: all); of a spec, after recording them."""
    specs = [word for word in what if "." in word or "/" in word or "\\" in word]
    if specs and len(what) > 1:
        raise UsageError("serve: name installed jobs, or one SPEC")
    with Journal(state_dir) as journal:
        if specs:
            return _record(journal, Path(specs[0]))
        if not what and not journal.installed():
            usual = default_spec()
            first = "" if paths.exists(usual) else ", once `ratectl init` has written it"
            raise ConfigError(
                "serve: no job is installed; name a spec to serve, such as "
                f"`{typed('ratectl', 'serve', str(usual))}`{first}"
            )
        return tuple(journal.installed_job(name).job.name for name in what)


def _record(journal: Journal, path: Path) -> tuple[str, ...]:
    zone = host_facts.zone().key
    other_accounts.refuse_spec(execute.SystemReader(), path, "serve")
    reader, loaded = execute.SystemReader(), spec.load(path, host_timezone=zone)
    names = tuple(job.name for job in loaded.jobs)
    _refuse_accounts(loaded.jobs)
    for text in _unwritable(loaded.jobs):
        _say(text)
    with install_lock(journal.state_dir):
        known = {row.job.name: row for row in journal.readable()}
        other_specs.refuse(reader, loaded.jobs, loaded.path, known)
        for row in known.values():
            if row.job.name in names and row.backend != BACKEND:
                raise UsageError(
                    f"serve: {row.job.name} is already woken by {row.backend}; `ratectl remove` it first"
                )
        journal.record_jobs(
            loaded.jobs,
            spec=loaded.path,
            digest=inventory.digest_of(reader, loaded.path),
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
        _say(f"{name} is gone from {path} and is served no more; its record stays")


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
