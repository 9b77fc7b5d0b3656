"""What became of the runs of CronJobs: which did not succeed, and why, by their Jobs, pods and events.

Whether a run succeeded stands in the CronJob itself; the reason takes further rights, and is left out
where they are missing.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ratectl.backends.kubernetes import kubectl, manifest
from ratectl.errors import EXIT_CODES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from ratectl.backends.host import ClusterTarget, Host
    from ratectl.backends.protocol import InstalledEntry, Runs
    from ratectl.backends.reader import Reader

    Item = Mapping[str, Any]

STARTING = frozenset({"ContainerCreating", "PodInitializing"})
"""Reasons for which a container waits that are no trouble."""
LONGEST = 300
"""Characters of a reason that are shown."""
WHEN = "%Y-%m-%d %H:%MZ"
"""How the slot of a run is written."""
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
    runs_of = {
        entry.job: entry.runs for entry in entries if entry.enabled and entry.runs is not None
    }
    suspects = {job: runs for job, runs in runs_of.items() if _is_suspect(runs)}
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
    """Yield one sentence for each different reason, of the newest run that has it."""
    about: dict[str, str] = {}
    for name, reason in _reasons(job, runs.succeeded or BEGINNING, made):
        about.setdefault(_short(reason), _called(name, job, runs))
    if about:
        yield from (f"{run} did not succeed: {reason}" for reason, run in about.items())
    elif runs.woken is not None and not runs.active:
        yield f"the run of {runs.woken:{WHEN}} did not succeed, and no reason is to be seen"


def _called(name: str, job: str, runs: Runs) -> str:
    """Return how people call the run of the Job *name*, whose number is its slot in minutes."""
    number = name.removeprefix(f"{manifest.object_name(job)}-")
    if re.fullmatch(r"\d{8}", number):
        return f"the run of {dt.datetime.fromtimestamp(int(number) * 60, dt.UTC):{WHEN}}"
    if name:
        return f"the Job {name}"
    return f"the run of {runs.woken:{WHEN}}" if runs.woken else "a run"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}..."


def _reasons(job: str, since: dt.datetime, made: Made) -> Iterator[tuple[str, str]]:
    """Yield the Job, where it is known, and the reason of each run of *job* that came to nothing after *since*, newest first."""
    jobs, pods = (_after(since, _of(job, items)) for items in (made.jobs, made.pods))
    events = list(_of_events(job, since, made.events))
    own = {item["metadata"].get("name", ""): item for item in jobs}
    names = dict.fromkeys((*own, *map(_job_of, pods), *(name for name, _ in events)))
    for name in sorted(names, reverse=True):
        reasons = itertools.chain(
            *(_of_a_pod(pod) for pod in pods if _job_of(pod) == name),
            (reason for about, reason in events if about == name),
            _of_a_job(own.get(name, {})),
        )
        for reason in itertools.islice(reasons, 1):
            yield name, reason


def _of_events(job: str, since: dt.datetime, events: Iterable[Item]) -> Iterator[tuple[str, str]]:
    """Yield why pods of *job*, or Jobs, were not made after *since*; such events stand on the Job or the CronJob."""
    cron_job = manifest.object_name(job)
    name = re.compile(rf"(?P<job>{re.escape(cron_job)}(?:-\d{{8}}|-by-hand)?)(-[a-z0-9]+)?")
    for event in events:
        about = name.fullmatch((event.get("involvedObject") or {}).get("name", ""))
        when = _time(event.get("lastTimestamp") or event.get("eventTime"))
        if about and event.get("reason") == "FailedCreate" and when > since:
            of_a_run = about["job"] if about["job"] != cron_job else ""
            yield of_a_run, f"FailedCreate: {event.get('message', '')}"


def _job_of(pod: Item) -> str:
    label: str = (pod["metadata"].get("labels") or {}).get("batch.kubernetes.io/job-name", "")
    return label


def _after(since: dt.datetime, items: Iterable[Item]) -> list[Item]:
    """Return those of *items* that were made after *since*, newest first."""
    made = [i for i in items if _time(i["metadata"].get("creationTimestamp")) > since]
    return sorted(
        made, key=lambda item: item["metadata"].get("creationTimestamp") or "", reverse=True
    )


def _of(job: str, items: Iterable[Item]) -> list[Item]:
    return [
        item
        for item in items
        if (item["metadata"].get("labels") or {}).get(manifest.INSTANCE) == job
    ]


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
            if ended.get("reason") == "OOMKilled":
                meaning = "it needs more memory than it may take: write a larger memory under [kubernetes]"
            yield _joined(f"{ended.get('reason', 'Error')}, exit code {code}", meaning)


def _joined(reason: str, message: str) -> str:
    return f"{reason}: {message}" if message else reason


MENDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        r"secret \"?(?P<name>[a-z0-9.-]+)\"? not found",
        ("create", "secret", "generic", "{name}", "--from-env-file=FILE"),
    ),
    (r"couldn't find key \S+ in Secret \S+?/(?P<name>[a-z0-9.-]+)", ("edit", "secret", "{name}")),
    (r"exceeded quota|failed quota", ("describe", "quota")),
    (
        r"FailedCreate",
        ("describe", f"jobs.batch,{kubectl.KIND}", "--selector={job}"),
    ),
    (r"OOMKilled", ()),
    (r"Image|image", ()),
    (r"Unschedulable", ("describe", "pods", "--selector={job}")),
    (
        r"exit code|BackoffLimitExceeded|DeadlineExceeded",
        ("logs", "--selector={job}", "--tail=20", "--prefix"),
    ),
)
"""By what a trouble says: what mends it, or shows what to mend; nothing is a new install of the corrected spec."""


def mending(cluster: ClusterTarget, job: str, trouble: str) -> tuple[str, ...]:
    """Return the command of kubectl for a *trouble* of *job*; none where the spec is to be corrected and installed."""
    selector = f"{manifest.SELECTOR},{manifest.INSTANCE}={job}"
    for said, words in MENDS:
        if found := re.search(said, trouble):
            parts = found.groupdict() | {"job": selector}
            return (
                kubectl.typed(cluster, *(word.format(**parts) for word in words)) if words else ()
            )
    return kubectl.typed(cluster, "describe", kubectl.KIND, manifest.object_name(job))
