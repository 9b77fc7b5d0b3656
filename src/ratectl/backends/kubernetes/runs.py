"""What became of the runs of CronJobs: which did not succeed, and why, by their Jobs, pods and events.

Whether a run succeeded stands in the CronJob itself; the reason takes further rights, and is left out
where they are missing.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ratectl.backends.kubernetes import kubectl, manifest
from ratectl.errors import EXIT_CODES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from ratectl.backends.protocol import ClusterTarget, Host, InstalledEntry, Reader, Runs

    Item = Mapping[str, Any]

STARTING = frozenset({"ContainerCreating", "PodInitializing"})
"""Reasons for which a container waits that are no trouble."""
LONGEST = 300
"""Characters of a reason that are shown."""
BEGINNING = dt.datetime.min.replace(tzinfo=dt.UTC)


class Made(NamedTuple):
    """What the controllers made of our CronJobs, as far as it may be seen."""

    jobs: Sequence[Item]
    pods: Sequence[Item]
    events: Sequence[Item]


def troubles(
    reader: Reader, host: Host, entries: Collection[InstalledEntry]
) -> dict[str, tuple[str, ...]]:
    """Return, by job, why the runs since the last that succeeded came to nothing."""
    cluster = host.cluster
    told = {entry.job: entry.runs for entry in entries if entry.enabled and entry.runs is not None}
    suspects = {job: runs for job, runs in told.items() if _is_suspect(runs)}
    if cluster is None or not suspects:
        return {}
    ran = any(runs.woken for runs in suspects.values())
    ours = f"--selector={manifest.SELECTOR}"
    made = Made(
        jobs=_listed(reader, cluster, "jobs.batch", ours) if ran else (),
        pods=_listed(reader, cluster, "pods", ours) if ran else (),
        events=_listed(reader, cluster, "events", "--field-selector=type=Warning"),
    )
    found = {job: tuple(_troubles(job, runs, made)) for job, runs in suspects.items()}
    return {job: texts for job, texts in found.items() if texts}


def _is_suspect(runs: Runs) -> bool:
    return runs.woken is None or runs.succeeded is None or runs.succeeded < runs.woken


def _listed(reader: Reader, cluster: ClusterTarget, kind: str, which: str) -> tuple[Item, ...]:
    """Return the objects of a *kind*; none where they may not be seen."""
    answer = reader.query(kubectl.argv(cluster, "get", kind, which, "--output=json"))
    try:
        return () if answer.code else tuple(json.loads(answer.stdout)["items"])
    except (ValueError, KeyError, TypeError):
        return ()


def _troubles(job: str, runs: Runs, made: Made) -> Iterator[str]:
    since = runs.succeeded or BEGINNING
    reasons = list(dict.fromkeys(_reasons(job, since, made)))
    if reasons:
        about = f"the run of {runs.woken:%Y-%m-%d %H:%M}Z" if runs.woken else "a run"
        yield from (f"{about} did not succeed: {_short(reason)}" for reason in reasons)
    elif runs.woken is not None and not runs.active:
        yield f"the run of {runs.woken:%Y-%m-%d %H:%M}Z did not succeed, and no reason is to be seen"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}..."


def _reasons(job: str, since: dt.datetime, made: Made) -> Iterator[str]:
    """Yield what kept pods of *job* from starting or let them fail after *since*, the telling ones first."""
    for pod in _newest_first(_of(job, made.pods)):
        if _time(pod["metadata"].get("creationTimestamp")) > since:
            yield from _of_a_pod(pod)
    name = re.compile(rf"{re.escape(manifest.object_name(job))}(-\d{{8}}|-by-hand)?(-[a-z0-9]+)?")
    for event in made.events:
        about = event.get("involvedObject") or {}
        ours = event.get("reason") == "FailedCreate" and name.fullmatch(about.get("name", ""))
        if ours and _time(event.get("lastTimestamp") or event.get("eventTime")) > since:
            yield f"FailedCreate: {event.get('message', '')}"
    for mapping in _newest_first(_of(job, made.jobs)):
        if _time(mapping["metadata"].get("creationTimestamp")) > since:
            yield from _of_a_job(mapping)


def _of(job: str, items: Iterable[Item]) -> list[Item]:
    return [
        item
        for item in items
        if (item["metadata"].get("labels") or {}).get(manifest.INSTANCE) == job
    ]


def _newest_first(items: Iterable[Item]) -> list[Item]:
    return sorted(
        items, key=lambda item: item["metadata"].get("creationTimestamp") or "", reverse=True
    )


def _time(text: str | None) -> dt.datetime:
    """Return when something happened; what has no time counts as new."""
    return dt.datetime.fromisoformat(text) if text else dt.datetime.max.replace(tzinfo=dt.UTC)


def _of_a_job(job: Item) -> Iterator[str]:
    for one in (job.get("status") or {}).get("conditions") or ():
        if (one.get("type"), one.get("status")) == ("Failed", "True"):
            yield _joined(one.get("reason", "Failed"), one.get("message", ""))


def _of_a_pod(pod: Item) -> Iterator[str]:
    status = pod.get("status") or {}
    for one in status.get("conditions") or ():
        if (one.get("type"), one.get("status")) == ("PodScheduled", "False"):
            yield _joined(one.get("reason", "Unschedulable"), one.get("message", ""))
    for container in status.get("containerStatuses") or ():
        state = container.get("state") or {}
        waits, ended = state.get("waiting") or {}, state.get("terminated") or {}
        if waits and waits.get("reason") not in STARTING:
            yield _joined(waits.get("reason", "waiting"), waits.get("message", ""))
        if code := ended.get("exitCode", 0):
            meaning = EXIT_CODES.get(code, "")
            yield _joined(f"{ended.get('reason', 'Error')}, exit code {code}", meaning)


def _joined(reason: str, message: str) -> str:
    return f"{reason}: {message}" if message else reason


MENDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        r"secret \"?(?P<name>[a-z0-9.-]+)\"? not found",
        ("create", "secret", "generic", "{name}", "--from-env-file=FILE"),
    ),
    (r"couldn't find key \S+ in Secret \S+?/(?P<name>[a-z0-9.-]+)", ("edit", "secret", "{name}")),
    (r"exceeded quota", ("describe", "quota")),
    (r"Image|image", ()),
    (r"Unschedulable", ("describe", "pods", "--selector={job}")),
    (
        r"exit code|BackoffLimitExceeded|DeadlineExceeded|OOMKilled",
        ("logs", "--selector={job}", "--tail=20", "--prefix"),
    ),
)
"""By what a trouble says: what mends it, or shows what to mend; nothing is a new install of the corrected spec."""


def mending(cluster: ClusterTarget, job: str, trouble: str) -> tuple[str, ...]:
    """Return the command of kubectl for a *trouble* of *job*; none where the spec is to be corrected and installed."""
    selector = f"{manifest.SELECTOR},{manifest.INSTANCE}={job}"
    for said, words in MENDS:
        if found := re.search(said, trouble):
            told = found.groupdict() | {"job": selector}
            return kubectl.typed(cluster, *(word.format(**told) for word in words)) if words else ()
    return kubectl.typed(cluster, "describe", kubectl.KIND, manifest.object_name(job))
