"""Whether each engine holds what was installed and no more, and whether what it would start can be started."""

from __future__ import annotations

import stat
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ratectl.backends import BACKENDS
from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.backends.systemd import backend as systemd
from ratectl.deploy import remedies, targets
from ratectl.deploy.checks import elsewhere, serving
from ratectl.deploy.inventory import SpecState, serving_again
from ratectl.doctor.clock import has_zone
from ratectl.doctor.finding import FAULT, WARNING, Finding, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ratectl.backends.protocol import InstalledEntry
    from ratectl.deploy.targets import Target
    from ratectl.doctor.observations import Observations
    from ratectl.journal.journal import Installed


def drift(observed: Observations, target: Target, entry: InstalledEntry) -> Iterator[Finding]:
    """Find what the engine lost or somebody undid: a stopped or masked timer, a line above our block, a setting."""
    row = observed.row(entry.job)
    fix = observed.by_install(row) if row else observed.reinstall_command
    for text in entry.drift:
        message = f"{target}: {text}"
        yield Finding(check="entry-drifted", job=entry.job, text=message, fix=fix)
    asleep = row is not None and row.paused and target.backend.SUSPENDS
    for text in () if asleep else entry.overrides:
        yield Finding(
            check="entry-overridden",
            job=entry.job,
            text=f"{text}, and it wakes at other times" if entry.rescheduled else text,
            fix=_revert(target, entry),
            severity=FAULT if entry.rescheduled else WARNING,
        )


def _revert(target: Target, entry: InstalledEntry) -> str:
    if target.host.cluster is not None:
        return remedies.typed(target.host, *kubernetes.waking(target.host.cluster, entry.job))
    if target.backend is not systemd:
        return "ratectl install"
    user = ("--user",) if target.scope == "user" else ()
    systemctl = partial(remedies.typed, target.host, "systemctl", *user)
    units = (f"ratectl-{entry.job}.timer", f"ratectl-{entry.job}.service")
    reverting = systemctl("revert", *units)  # first, since it takes links to nothing away, too
    if not entry.masks:
        return reverting
    folders = dict.fromkeys(str(Path(mask).parent) for mask in entry.masks)
    masking = [
        remedies.typed(target.host, "mkdir", "-p", *folders),
        *(remedies.typed(target.host, "ln", "-sf", "/dev/null", mask) for mask in entry.masks),
    ]
    return " && ".join((reverting, *masking, systemctl("daemon-reload")))


def ownership(observed: Observations, target: Target, entry: InstalledEntry) -> Iterator[Finding]:
    """Find entries that the journal does not know, that it has elsewhere, or that should be off."""
    row = observed.row(entry.job)
    if row is None and target.host.cluster is not None:
        yield warning(
            check="entry-unknown",
            job=entry.job,
            text=f"{target} wakes it, and the journal of this machine does not know it: a colleague, or "
            "another machine, may have installed it",
            fix=remedies.typed(
                observed.host, *kubernetes.describing(target.host.cluster, entry.job)
            ),
        )
    elif row is None:
        known = observed.journal_error is None and not observed.unreadable
        if known and not elsewhere.state_dir(target, entry):
            yield _unknown(observed, target, entry)
    elif row.paused and target.backend.SUSPENDS and not entry.enabled:
        return
    elif row.paused:
        text = f"paused, but {target} still wakes it"
        fix = remedies.typed(observed.host, "ratectl", "pause", entry.job)
        yield warning(check="entry-left-over", job=entry.job, text=text, fix=fix)
    elif not observed.is_awake(row):
        text = f"switched off, but {target} still wakes it"
        fix = observed.by_install(row)
        yield warning(check="entry-left-over", job=entry.job, text=text, fix=fix)


def _unknown(observed: Observations, target: Target, entry: InstalledEntry) -> Finding:
    """Return that the journal has lost a job: its spec takes it up again, and a removal is for what nobody needs."""
    spec = observed.spec_of(entry.job)
    known = "" if spec else ": install the spec that it came from again"
    remove = remedies.typed(observed.host, "ratectl", "remove", entry.job)
    return Finding(
        check="entry-unknown",
        job=entry.job,
        text=f"{target} wakes it, and the journal does not know it, so nothing is recorded{known}; "
        f"`{remove}` is only for a job that nobody needs any more",
        fix=remedies.typed(observed.host, "ratectl", "install", spec or "SPEC"),
    )


def duplicates(observed: Observations, row: Installed) -> Iterator[Finding]:
    """Find a job that two engines, or one in both scopes, hold at once."""
    name = row.job.name
    places = observed.targets_of.get(name, ())
    misplaced = [target for target in places if target != observed.target_of(row)]
    if misplaced and (len(places) > 1 or row.backend not in BACKENDS):
        others = " and ".join(map(str, misplaced))
        command = remedies.install(observed.host, row)
        if row.backend in BACKENDS:
            command += f" --backend {row.backend} --scope {row.scope}"
        yield Finding(
            check="installed-twice",
            job=name,
            text=f"installed in {targets.title(row)}, and {others} holds it too",
            fix=f"{remedies.typed(observed.host, 'ratectl', 'remove', name)} && {command}",
        )


def missing(observed: Observations, row: Installed) -> Iterator[Finding]:
    """Find a job that is to run and that its engine does not hold."""
    target = observed.target_of(row)
    if target is None or not observed.is_awake(row):
        return
    if target not in observed.targets_of.get(row.job.name, ()):
        yield Finding(
            check="entry-missing",
            job=row.job.name,
            text=f"gone from {target}, and woken by nothing",
            fix=observed.by_install(row),
        )


def unserved(observed: Observations, row: Installed) -> Iterator[Finding]:
    """Find a job that is for ``serve`` to wake while no such process is at work on it."""
    if row.job.name in observed.unserved:
        fix = serving_again(row, observed.spec_drift(row))
        text = "not being served, and woken by nothing"
        yield Finding(check="not-served", job=row.job.name, text=text, fix=fix)


def spec(observed: Observations, row: Installed) -> Iterator[Finding]:
    """Find that the spec says something else by now, or nothing."""
    drift = observed.spec_drift(row)
    if drift is None:
        return
    text = drift.text.partition(": `")[0]
    if drift.state is SpecState.CHANGED:
        text = "said otherwise in the spec than it was installed"
    elif drift.state is SpecState.MISSING:
        text += MOVED.format(verb="serve" if row.backend == serving.BACKEND else "install")
    fix = observed.by_install(row)
    yield Finding(check=SPEC_CHECKS[drift.state], job=row.job.name, text=text, fix=fix)


MOVED = (
    "; what is installed goes on as it is: `ratectl {verb} NEW-PATH` where the file was moved, "
    "`ratectl remove JOB` where the job shall end"
)
"""What to do about a spec file that is gone, which only a person can know."""
SPEC_CHECKS: dict[SpecState, str] = {
    SpecState.CHANGED: "spec-changed",
    SpecState.RENAMED: "spec-changed",
    SpecState.LEFT_OUT: "spec-left-out",
    SpecState.MISSING: "spec-unusable",
    SpecState.UNUSABLE: "spec-unusable",
}
"""Which check a difference is of."""


def as_rendered(observed: Observations, target: Target, entry: InstalledEntry) -> Iterator[Finding]:
    """Find an entry whose text is another one than an install would write now."""
    row = observed.row(entry.job)
    if row is None or not observed.is_awake(row) or entry.drift or not has_zone(row.job.timezone):
        return
    if row.host_timezone != target.host.zone.key or target != observed.target_of(row):
        return  # which other checks tell
    if row.job.fault:
        return
    cover = target.backend.check(row.job, target.host.zone)
    wanted = targets.render(target, row.job, cover)
    if entry.artefacts == wanted:
        return
    fix = remedies.install(observed.host, row)
    start = _start(target, entry)
    as_it_calls = replace(target, host=replace(target.host, fetch=start))
    if target.host.cluster is not None:
        fix += " --force-conflicts"  # whoever set the field holds it
        unset = kubernetes.unsetting(target.host.cluster, entry.job, wanted, entry.artefacts)
        fix = f"{remedies.typed(target.host, *unset)} && {fix}" if unset else fix
    if start and entry.artefacts == targets.render(as_it_calls, row.job, cover):
        text = (
            f"{target} calls another ratectl than this one: {remedies.typed(target.host, *start)}"
        )
        yield warning(check="entry-of-another-ratectl", job=entry.job, text=text, fix=fix)
        return
    told = target.backend.difference(wanted, entry.artefacts)
    text = f"{target} holds something else than would be installed now{told and f': {told}'}"
    yield Finding(check="entry-differs", job=entry.job, text=text, fix=fix)


def program(observed: Observations, target: Target, entry: InstalledEntry) -> Iterator[Finding]:
    """Find that what the engine would start is gone, not executable, or does not come up."""
    row = observed.row(entry.job)
    start = _start(target, entry)
    if not start:
        return
    if start not in observed.started:
        observed.started[start] = _obstacle(observed, start)
    if failure := observed.started[start]:
        check, text = failure
        fix = observed.by_install(row) if row else observed.reinstall_command
        yield Finding(check=check, job=entry.job, text=f"{target}: {text}", fix=fix)


def _start(target: Target, entry: InstalledEntry) -> tuple[str, ...]:
    """Return what starts ratectl-fetch for *entry*: its command line without the job and what follows it."""
    argv = target.backend.argv(entry, target.scope)
    return argv[: argv.index(entry.job)] if entry.job in argv else ()


def _obstacle(observed: Observations, start: tuple[str, ...]) -> tuple[str, str] | None:
    """Return why the command *start* cannot be started: a check's word and a sentence."""
    reader = observed.reader
    path = Path(start[0])
    status = reader.status(path)
    if status is None:
        return "program-missing", f"the program it calls is gone: {path}"
    if not stat.S_ISREG(status.mode) or not reader.may_run(path):
        return "program-not-executable", f"the program it calls cannot be executed: {path}"
    for word in start[1:]:
        if Path(word).is_absolute() and reader.status(Path(word)) is None:
            return "program-missing", f"the script it calls is gone: {word}"
    answer = reader.query((*start, "--version"))
    if answer.code:
        why = answer.said or f"exit code {answer.code}"
        return "program-broken", f"the program it calls does not come up: {path}: {why}"
    return None
