"""What came of the last wakeups: slots that nobody was woken for, and firings that keep failing."""

from __future__ import annotations

import datetime as dt
import errno
import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ratectl import schedule
from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.backends.systemd import backend as systemd
from ratectl.deploy import remedies
from ratectl.deploy.checks import closed_folders
from ratectl.doctor.clock import has_zone
from ratectl.doctor.finding import Finding, warning
from ratectl.views.format import clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ratectl.doctor.observations import Observations
    from ratectl.journal.journal import Installed
    from ratectl.model.job import Job

PATIENCE = dt.timedelta(minutes=10)
"""How long after its slot a wakeup may come, jitter and timeout aside."""
SHORTEST = dt.timedelta(minutes=2)
"""The same for a job that is due each minute: two wakeups that did not come are no accident."""
UPTIME = Path("/proc/uptime")


def unwoken(observed: Observations, row: Installed) -> Iterator[Finding]:
    """Find a slot that passed and that no firing has so much as tried: the engine did not wake us."""
    job = row.job
    if (
        not observed.is_awake(row)
        or job.name in observed.out_of_reach
        or not has_zone(job.timezone)
    ):
        return
    allowed = _patience(job, observed.now) + dt.timedelta(seconds=job.jitter + job.timeout)
    slot = next(schedule.before(job.schedule, job.zone, observed.now - allowed), None)
    if slot is None or slot <= row.settled_until or slot <= row.installed_at:
        return
    last = observed.last.get(job.name)
    if last is not None and (last.slot >= slot or last.at >= slot):
        return
    if _just_started(observed, allowed):
        return  # what passed while the machine was off is caught up in a moment
    home = observed.target_of(row)
    if home is not None and observed.troubles.get(home, {}).get(job.name):
        return  # it was woken, and that came to nothing
    when = clock(slot.astimezone(job.zone))
    fix = remedies.typed(observed.host, "ratectl", "run", job.name)
    if home is not None and home.host.cluster is not None:
        fix = remedies.typed(observed.host, *kubernetes.describing(home.host.cluster, job.name))
    text = f"no firing took up its slot of {when}, although it is installed in {row.backend}"
    yield Finding(check="not-woken", job=job.name, text=text, fix=fix)


def _patience(job: Job, now: dt.datetime) -> dt.timedelta:
    """Return how long to wait for a wakeup: less where the next ones are due every few minutes and did not come either."""
    slots = list(itertools.islice(schedule.before(job.schedule, job.zone, now), 2))
    if len(slots) < 2:
        return PATIENCE
    return min(PATIENCE, max(SHORTEST, 2 * (slots[0] - slots[1])))


def _just_started(observed: Observations, allowed: dt.timedelta) -> bool:
    text = observed.reader.read(UPTIME) if observed.host.platform == "linux" else None
    return text is not None and dt.timedelta(seconds=float(text.split()[0])) < allowed


def runs(observed: Observations, row: Installed) -> Iterator[Finding]:
    """Find that what the engine started for a job came to nothing before a firing could tell of it."""
    home = observed.target_of(row)
    if home is None or not observed.is_awake(row):
        return
    if home.host.cluster is None:
        for text in observed.troubles.get(home, {}).get(row.job.name, ()):
            fix = _another_run(observed, row)
            yield Finding(check="runs-failing", job=row.job.name, text=text, fix=fix)
        return
    for text in observed.troubles.get(home, {}).get(row.job.name, ()):
        if _is_recorded(observed, row, text):
            continue
        words = kubernetes.mending(home.host.cluster, row.job.name, text)
        fix = (
            remedies.typed(observed.host, *words) if words else remedies.install(observed.host, row)
        )
        yield Finding(check="runs-failing", job=row.job.name, text=text, fix=fix)


def _another_run(observed: Observations, row: Installed) -> str:
    """Return what puts the unit in place again and starts it at once: its failure stands until it ran once more."""
    install = remedies.install(observed.host, row)
    if row.backend != systemd.NAME:
        return install
    user = ("--user",) if row.scope == "user" else ()
    start = remedies.typed(
        observed.host, "systemctl", *user, "start", f"ratectl-{row.job.name}.service"
    )
    return f"{install} && {start}"


def _is_recorded(observed: Observations, row: Installed, trouble: str) -> bool:
    """Tell whether *trouble* is a firing that recorded by itself that it failed, which :func:`failing` tells with its reason."""
    last = observed.last.get(row.job.name)
    if last is None or not row.failures or ": Error, exit code " not in trouble:
        return False
    return f" {last.slot.astimezone(dt.UTC):{kubernetes.WHEN}} " in trouble


def _next_try(row: Installed, zone: dt.tzinfo) -> str:
    if row.retry_at is None:
        return ""
    return f", tried again from {clock(row.retry_at.astimezone(zone))} on"


def _privacy(observed: Observations, row: Installed, why: str) -> str:
    """Return what stands behind macOS' "Operation not permitted", which a missing right never gives."""
    if os.strerror(errno.EPERM) not in why:
        return ""
    closed = tuple(closed_folders.warnings([row.job], observed.host, observed.reader))
    return f"; {closed[0]}" if closed else ""


def failing(observed: Observations, row: Installed) -> Iterator[Finding]:
    """Tell of firings that failed in a row, with the reason of the last and up to where all is well."""
    if not row.failures or not observed.is_awake(row):
        return
    count = "the last firing" if row.failures == 1 else f"the last {row.failures} firings"
    last = observed.last.get(row.job.name)
    why = f": {last.detail}" if last is not None and last.detail else ""
    zone = row.job.zone if has_zone(row.job.timezone) else observed.host.zone
    until = f" (settled up to {clock(row.settled_until.astimezone(zone))})"
    fix = remedies.typed(observed.host, "ratectl", "run", row.job.name)
    if row.job.name in observed.held:
        fix = remedies.typed(observed.host, "ratectl", "review", "--job", row.job.name)
    home = observed.target_of(row)
    if home is not None and home.host.cluster is not None:
        until = ""  # which this machine's journal does not know of pods
        fix = remedies.typed(observed.host, *kubernetes.trying(home.host.cluster, row.job.name))
    text = f"{count} failed{until}{_next_try(row, zone)}{why}{_privacy(observed, row, why)}"
    yield warning(check="firings-failing", job=row.job.name, text=text, fix=fix)
