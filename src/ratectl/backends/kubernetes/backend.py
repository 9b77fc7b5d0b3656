"""Kubernetes: one CronJob ``ratectl-JOB`` for each job, spoken to by the user's own kubectl.

Server-side apply by the manager ``ratectl``: what others set is a conflict that is shown, and taken
back only when asked. A job has one schedule in one zone, and its record is in PostgreSQL, as
nothing else outlives a pod. Pausing suspends the CronJob; as one that is awake again at once runs
what it missed, its pods are then told from when on slots count.
"""

from __future__ import annotations

import datetime as dt
import json
import shlex
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ratectl.backends.kubernetes import cron, differences, kubectl, manifest
from ratectl.backends.kubernetes import requirements as needs
from ratectl.backends.kubernetes import runs as observed
from ratectl.backends.protocol import (
    Artefact,
    Change,
    EngineAbsentError,
    Found,
    InstalledEntry,
    Runs,
    Verb,
    cover_for,
    no_steps,
    separate_files,
)
from ratectl.backends.steps import Run, Step
from ratectl.errors import ConfigError, EngineError
from ratectl.schedule.cover import clock_changes
from ratectl.schedule.cover.triggers import (
    EVERY_MINUTE,
    CalendarTrigger,
    Capabilities,
    Cover,
    Fidelity,
)
from ratectl.wording import count, listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from ratectl.backends.host import ClusterTarget, Host
    from ratectl.backends.reader import Reader
    from ratectl.model.job import Job
    from ratectl.schedule.cover.triggers import Trigger

NAME = "kubernetes"
CAPABILITIES = Capabilities(gap="skip", fold="both", one_line=True)
"""In the zone that ``timeZone`` names, which stands for the host's."""
SCOPES: tuple[str, ...] = ("user",)
REPORTS_NEXT_RUN = False
SANDBOXES = False
SUSPENDS = True
LISTS_ALL = True

PAUSER = "ratectl-pause"
"""The field manager of what a pause says, so that it is no word of the manifest."""


def detect(reader: Reader, host: Host, scope: str) -> str:
    """Return why no cluster can be asked."""
    del scope
    if host.cluster is None:
        return f"kubernetes: {needs.NO_TABLE}"
    return "" if reader.which("kubectl") else kubectl.ABSENT


def warnings(_reader: Reader, _host: Host, _scope: str) -> tuple[str, ...]:
    """Return nothing: a cluster needs nobody to be logged in."""
    return ()


enable_linger = no_steps
difference = differences.in_words
server_url = kubectl.server_url
WAY_OUT, CONTEXTS = kubectl.WAY_OUT, kubectl.CONTEXTS


def located(reader: Reader, cluster: ClusterTarget) -> ClusterTarget:
    """Return *cluster* with the server that it means and a context that leads there. Raises EngineError where none does."""
    return kubectl.kubeconfig(reader, cluster).located(cluster)


def inspect(reader: Reader, host: Host, scope: str) -> Found:
    """Return the CronJobs with our label in the namespace that *host* is about."""
    del scope
    cluster = host.cluster
    if cluster is None:
        raise EngineAbsentError("no job stands in a cluster")
    whose = f"--selector={manifest.SELECTOR}"
    answer = reader.query(kubectl.argv(cluster, *_EVERYTHING, whose))
    if answer.code:
        raise kubectl.failure(answer, cluster)
    entries = {
        entry.job: entry for item in _items(answer.stdout, cluster) for entry in _entry(item)
    }
    where = cluster.server or cluster.context
    return Found(entries=entries, raw={"place": f"{where}/{cluster.namespace}".encode()})


_EVERYTHING = ("get", kubectl.KIND, "--output=json", "--show-managed-fields")
"""Every CronJob of the namespace, with who set what."""


def _items(stdout: bytes, cluster: ClusterTarget) -> list[dict[str, Any]]:
    try:
        items: list[dict[str, Any]] = json.loads(stdout)["items"]
    except (ValueError, KeyError, TypeError) as error:
        name = kubectl.described(cluster)
        raise EngineError(f"kubernetes, {name}: kubectl gave no list of CronJobs") from error
    return items


def _entry(live: Mapping[str, Any]) -> Iterator[InstalledEntry]:
    """Yield the entry of one *live* object, unless it is not ours in spite of its label."""
    metadata, spec = live["metadata"], live["spec"]
    job = metadata["labels"].get(manifest.INSTANCE, "")
    if metadata["name"] != manifest.object_name(job):
        return
    suspended = bool(spec.get("suspend"))
    yield InstalledEntry(
        job=job,
        triggers=(f"{spec['schedule']} {spec.get('timeZone', '')}".strip(),),
        artefacts=(_artefact(job, manifest.ours(live)),),
        enabled=not suspended,
        overrides=("somebody suspended it, and it is left so",) if suspended else (),
        runs=_runs(metadata, live.get("status") or {}),
    )


def _runs(metadata: Mapping[str, Any], status: Mapping[str, Any]) -> Runs:
    return Runs(
        created=_moment(metadata.get("creationTimestamp")),
        woken=_moment(status.get("lastScheduleTime")),
        succeeded=_moment(status.get("lastSuccessfulTime")),
        active=bool(status.get("active")),
    )


def _moment(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None


def _artefact(job: str, values: Mapping[str, Any]) -> Artefact:
    return Artefact(job=job, name=f"{job}.yaml", data=manifest.text(values))


def argv(_entry: InstalledEntry, _scope: str) -> tuple[str, ...]:
    """Return nothing: what a pod starts is no program of this machine."""
    return ()


def check(job: Job, host_zone: ZoneInfo) -> Cover:
    """Return how a CronJob can wake *job*, or why it cannot run in a pod."""
    del host_zone
    reasons = tuple(needs.unmet(job))
    if reasons:
        return Cover(fidelity=Fidelity.REFUSED, reason="; ".join(reasons))
    own, utc = _cover(job, job.zone), _cover(job, cron.UTC)
    fits = cron.is_portable(job.zone.key) and cron.is_regular(own.triggers[0], job.zone)
    return min([own, utc] if fits else [utc], key=_looseness)


def _cover(job: Job, zone: ZoneInfo) -> Cover:
    """Return the cover of *job* by one line in the time of *zone*."""
    found = cover_for(job, zone, CAPABILITIES)
    (trigger,) = found.triggers
    if isinstance(trigger, CalendarTrigger):
        trigger = CalendarTrigger(calendar=trigger.calendar, zone=zone.key)
    return Cover(fidelity=found.fidelity, reason=found.reason, triggers=(trigger,))


def _looseness(cover: Cover) -> tuple[bool, float]:
    (trigger,) = cover.triggers
    return cover.fidelity is not Fidelity.EXACT, cron.wakeups_a_year(trigger)


def render(job: Job, cover: Cover, host: Host, scope: str) -> tuple[Artefact, ...]:
    """Return the CronJob of *job*."""
    del host, scope
    assert job.kubernetes is not None, job  # as check saw
    (trigger,) = cover.triggers
    return (_artefact(job.name, manifest.of(job, trigger, job.kubernetes)),)


output_files = separate_files


def dry_run(reader: Reader, changes: Sequence[Change], host: Host, scope: str) -> tuple[str, ...]:
    """Return what the server warns of when it is asked to try *changes*; it keeps nothing.

    Raises EngineError for what it refuses, conflicts among them, RefusedError for a missing right,
    and ConfigError for a Secret that is not there or a name that somebody else's CronJob has.
    """
    del scope
    texts = list(_texts(changes))
    unchanged = [a.data for c in changes if c.verb is Verb.KEEP for a in c.artefacts]
    if not texts:
        _check_secrets(reader, host.cluster, unchanged)
        return ()
    cluster = _cluster(host)
    _refuse_foreign(reader, cluster, [c.job for c in changes if c.verb is Verb.CREATE])
    trial = (*_apply(cluster), "--dry-run=server")
    answer = reader.query(kubectl.argv(cluster, *trial), stdin=_documents(texts))
    if answer.code:
        variables = " ".join(f"{name}-" for name in _variables_set(changes))
        raise kubectl.failure(answer, cluster, "patch", variables=variables or "VARIABLE-")
    _check_secrets(reader, cluster, (*texts, *unchanged))
    return kubectl.warnings(answer)


def _variables_set(changes: Iterable[Change]) -> tuple[str, ...]:
    """Return the variables that somebody set in the first object of *changes* in which there are any."""
    pairs = ((c.artefacts, c.entry.artefacts) for c in changes if c.entry is not None)
    return next(filter(None, (differences.variables_set(*pair) for pair in pairs)), ())


def unsetting(
    cluster: ClusterTarget, job: str, wanted: Sequence[Artefact], found: Sequence[Artefact]
) -> tuple[str, ...]:
    """Return the command that takes out the variables that somebody set in *found*; none where there are none."""
    names = [f"{name}-" for name in differences.variables_set(wanted, found)]
    what = ("set", "env", f"cronjob/{manifest.object_name(job)}", *names)
    return kubectl.typed(cluster, *what) if names else ()


def _refuse_foreign(reader: Reader, cluster: ClusterTarget, new: Sequence[str]) -> None:
    """Raise ConfigError where a CronJob stands that ratectl did not make, and that one of the *new* jobs would take over."""
    if not new:
        return
    answer = reader.query(kubectl.argv(cluster, *_EVERYTHING))
    if answer.code:
        raise kubectl.failure(answer, cluster)
    names = {manifest.object_name(job) for job in new}
    live = {item["metadata"]["name"]: item for item in _items(answer.stdout, cluster)}
    taken = [name for name in sorted(names & live.keys()) if not manifest.is_ours(live[name])]
    if taken:
        command = shlex.join(kubectl.typed(cluster, "describe", kubectl.KIND, taken[0]))
        raise ConfigError(
            f"kubernetes, {kubectl.described(cluster)}: {listed(taken)}: stands there already and was "
            f"not made by ratectl, so it is left alone (`{command}` shows it); name another namespace under "
            "[kubernetes], or give the job another name"
        )


def _check_secrets(reader: Reader, cluster: ClusterTarget | None, texts: Iterable[bytes]) -> None:
    """Raise ConfigError for the first Secret that is surely not there."""
    if cluster is None:
        return
    for name, making in missing_secrets(reader, cluster, texts):
        command = shlex.join(making)
        raise ConfigError(
            f'kubernetes, {kubectl.described(cluster)}: secrets "{name}" not found; correct the name under '
            f"[kubernetes], or `{command}` makes it"
        )


def missing_secrets(
    reader: Reader, cluster: ClusterTarget, texts: Iterable[bytes]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each Secret that manifests name and that is surely not there, and the command that makes it.

    Many may not look; pods then tell.
    """
    named = [manifest.secrets(text) for text in texts]
    for names, kind in (
        (frozenset[str]().union(*(one for one, _ in named)), _OF_VARIABLES),
        (frozenset[str]().union(*(one for _, one in named)), _OF_A_REGISTRY),
    ):
        for name in sorted(names):
            answer = reader.query(kubectl.argv(cluster, "get", "secret", name, "--output=name"))
            if answer.code and b'secrets "' in answer.stderr and b"NotFound" in answer.stderr:
                yield name, kubectl.typed(cluster, "create", "secret", kind[0], name, *kind[1:])


_OF_VARIABLES = ("generic", "--from-env-file=FILE")
_OF_A_REGISTRY = (
    *("docker-registry", "--docker-server=HOST"),
    *("--docker-username=USER", "--docker-password=PASSWORD"),
)
"""The kind of a Secret, and what it is made of."""


def stage(changes: Sequence[Change], found: Found, host: Host, scope: str) -> tuple[Step, ...]:
    """Return the steps of *changes*: one deletion by name, one apply, then one that suspends."""
    del found, scope
    gone = [manifest.object_name(c.job) for c in changes if c.verb is Verb.DELETE]
    asleep = [c.job for c in changes if c.verb is Verb.PAUSE]
    texts = list(_texts(changes))
    steps: list[Step] = []
    if gone:
        delete = ("delete", kubectl.KIND, *gone, "--ignore-not-found")
        why = "delete them, with their pods"
        steps.append(_step(_cluster(host), delete, "delete", why, of_spec=False))
    if texts:
        cluster = _cluster(host)
        why = f"apply {count(len(texts), 'CronJob')}"
        steps.append(_step(cluster, _apply(cluster), "patch", why, stdin=_documents(texts)))
    if asleep:
        cluster = _cluster(host)
        wanted = [_partly(job, cluster, {"suspend": True}) for job in asleep]
        why = f"suspend {count(len(asleep), 'CronJob')}"
        steps.append(
            _step(cluster, _PAUSING, "patch", why, stdin=_documents(wanted), of_spec=False)
        )
    return tuple(steps)


def resuming(
    entries: Collection[InstalledEntry], since: Mapping[str, str], host: Host
) -> tuple[Step, ...]:
    """Return the step that ends what a pause said; somebody else's suspension stays.

    A job in *since* missed a slot, which the cluster will run at once: its pods are told to leave it out.
    """
    asleep = [entry.job for entry in entries if not entry.enabled]
    if not asleep:
        return ()
    cluster = _cluster(host)
    wanted = [_partly(job, cluster, _counting_from(since.get(job, ""))) for job in asleep]
    why = f"let {count(len(asleep), 'CronJob')} run again"
    return (_step(cluster, _PAUSING, "patch", why, stdin=_documents(wanted), of_spec=False),)


def _counting_from(since: str) -> dict[str, Any]:
    if not since:
        return {}
    metadata = {"annotations": {manifest.SINCE: since}}
    return {"jobTemplate": {"spec": {"template": {"metadata": metadata}}}}


def _partly(job: str, cluster: ClusterTarget, spec: dict[str, Any]) -> bytes:
    """Return what a pause or its end says of the CronJob of *job*, and no more."""
    metadata = {"name": manifest.object_name(job), "namespace": cluster.namespace}
    head = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata}
    return json.dumps(head | ({"spec": spec} if spec else {})).encode() + b"\n"


def _step(
    cluster: ClusterTarget,
    words: tuple[str, ...],
    verb: str,
    why: str,
    *,
    stdin: bytes = b"",
    of_spec: bool = True,
) -> Run:
    """Return the step that does *words*, for which one needs the right to *verb*; *of_spec*: it applies what the spec says."""
    meaning = partial(kubectl.failure, cluster=cluster, verb=verb, of_spec=of_spec)
    return Run(argv=kubectl.argv(cluster, *words), stdin=stdin, why=why, meaning=meaning)


def _apply(cluster: ClusterTarget) -> tuple[str, ...]:
    force = ("--force-conflicts",) if cluster.force else ()
    manager = f"--field-manager={manifest.MANAGER}"
    return ("apply", "--server-side", manager, *force, "--filename=-")


_PAUSING = (
    *("apply", "--server-side", f"--field-manager={PAUSER}"),
    *("--force-conflicts", "--filename=-"),
)
"""A person asked for it, so it holds whoever said something else before."""


def _texts(changes: Iterable[Change]) -> Iterator[bytes]:
    for change in changes:
        if change.verb in {Verb.CREATE, Verb.UPDATE}:
            yield from (artefact.data for artefact in change.artefacts)


def _documents(texts: Iterable[bytes]) -> bytes:
    return b"---\n".join(texts)


def waking(cluster: ClusterTarget, job: str) -> tuple[str, ...]:
    """Return the command by which a person ends that *job* is suspended."""
    awake = '--patch={"spec":{"suspend":false}}'
    return kubectl.typed(cluster, "patch", kubectl.KIND, manifest.object_name(job), awake)


def trying(cluster: ClusterTarget, job: str) -> tuple[str, ...]:
    """Return the command by which a person runs *job* at once, in a pod as the cluster would."""
    name = manifest.object_name(job)
    return kubectl.typed(cluster, "create", "job", f"--from=cronjob/{name}", f"{name}-by-hand")


def looking(cluster: ClusterTarget) -> tuple[str, ...]:
    """Return the command by which a person sees our CronJobs, or why nobody can."""
    return kubectl.typed(cluster, "get", kubectl.KIND, f"--selector={manifest.SELECTOR}")


def describing(cluster: ClusterTarget, job: str) -> tuple[str, ...]:
    """Return the command by which a person sees what the cluster has to say of *job*."""
    return kubectl.typed(cluster, "describe", kubectl.KIND, manifest.object_name(job))


troubles = observed.troubles
mending = observed.mending
WHEN = observed.WHEN


def missing_rights(reader: Reader, cluster: ClusterTarget) -> tuple[str, ...]:
    """Return what of the least Role the person in hand surely lacks at *cluster*."""
    return tuple(verb for verb in kubectl.RIGHTS if _is_denied(reader, cluster, verb))


def role(cluster: ClusterTarget) -> tuple[str, ...]:
    """Return the command by which whoever runs the cluster makes the least Role."""
    verbs = f"--verb={','.join(kubectl.RIGHTS)}"
    return kubectl.typed(cluster, "create", "role", "ratectl", verbs, f"--resource={kubectl.KIND}")


def _is_denied(reader: Reader, cluster: ClusterTarget, verb: str) -> bool:
    answer = reader.query(kubectl.argv(cluster, "auth", "can-i", verb, kubectl.KIND))
    return answer.code != 0 and answer.stdout.split()[:1] == [b"no"]


def _cluster(host: Host) -> ClusterTarget:
    assert host.cluster is not None, host  # or inspect would have raised
    return host.cluster


def covers_slot(entry: InstalledEntry, slot: dt.datetime) -> bool:
    """Tell whether the schedule and zone that the cluster holds surely wake us for *slot*."""
    (line,) = entry.triggers
    schedule, _, zone = line.rpartition(" ")
    try:
        trigger: Trigger = cron.read(schedule, zone)
    except ValueError:
        return False
    if schedule == "* * * * *":
        trigger = EVERY_MINUTE
    return clock_changes.surely_fires(trigger, slot.replace(second=0), ZoneInfo(zone), CAPABILITIES)
