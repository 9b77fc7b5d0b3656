"""Kubernetes: one CronJob ``ratectl-JOB`` for each job, spoken to by the user's own kubectl.

Server-side apply by the manager ``ratectl``: what others set is a conflict that is shown, and taken
back only when asked. A job has one schedule in one zone, and its record is in PostgreSQL, as
nothing else outlives a pod. Pausing deletes the CronJob: one that ceases to be suspended would at
once run what it missed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ratectl.backends import kubernetes_cron as cron
from ratectl.backends import kubernetes_kubectl as kubectl
from ratectl.backends import kubernetes_manifest as manifest
from ratectl.backends import kubernetes_needs as needs
from ratectl.backends import kubernetes_rules as rules
from ratectl.backends.base import (
    Artefact,
    Change,
    EngineAbsentError,
    Entry,
    Found,
    Host,
    Place,
    Reader,
    Run,
    Step,
    Verb,
    cover_for,
    nothing_to_do,
    separate_files,
)
from ratectl.errors import ConfigError, EngineError
from ratectl.schedule import clocks
from ratectl.schedule.triggers import EVERY_MINUTE, Abilities, Cover, Fidelity, Line

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ratectl.model import Job
    from ratectl.schedule.triggers import Trigger

NAME = "kubernetes"
ABILITIES = Abilities(gap="skip", fold="both", one_line=True)
"""In the zone that ``timeZone`` names, which stands for the host's."""
SCOPES: tuple[str, ...] = ("user",)
PLATFORMS: tuple[str, ...] = ("linux", "darwin", "win32")
TELLS_NEXT = False
CONFINES = False

_OURS = f"{manifest.MANAGED_BY}={manifest.MANAGER}"


def detect(reader: Reader, host: Host, scope: str) -> str:
    """Return why no cluster can be asked."""
    del scope
    if host.cluster is None:
        return f"kubernetes: {needs.NO_TABLE}"
    return "" if reader.which("kubectl") else kubectl.ABSENT


def caveats(_reader: Reader, _host: Host, _scope: str) -> tuple[str, ...]:
    """Return nothing: a cluster needs nobody to be logged in."""
    return ()


keep_awake = nothing_to_do


def inspect(reader: Reader, host: Host, scope: str) -> Found:
    """Return the CronJobs with our label in the namespace that *host* is about."""
    del scope
    place = host.cluster
    if place is None:
        raise EngineAbsentError("no job stands in a cluster")
    listing = ("get", kubectl.KIND, f"--selector={_OURS}", "--output=json")
    answer = reader.query(kubectl.argv(place, *listing))
    if answer.code:
        raise kubectl.failure(answer, place)
    entries = {entry.job: entry for item in _items(answer.stdout, place) for entry in _entry(item)}
    return Found(entries=entries, raw={"place": f"{place.context}/{place.namespace}".encode()})


def _items(stdout: bytes, place: Place) -> list[dict[str, Any]]:
    try:
        items: list[dict[str, Any]] = json.loads(stdout)["items"]
    except (ValueError, KeyError, TypeError) as error:
        shown = kubectl.shown(place)
        raise EngineError(f"kubernetes, {shown}: kubectl gave no list of CronJobs") from error
    return items


def _entry(live: Mapping[str, Any]) -> Iterator[Entry]:
    """Yield the entry of one *live* object, unless it is not ours in spite of its label."""
    metadata, spec = live["metadata"], live["spec"]
    job = metadata["labels"].get(manifest.INSTANCE, "")
    if metadata["name"] != manifest.object_name(job):
        return
    suspended = bool(spec.get("suspend"))
    yield Entry(
        job=job,
        triggers=(f"{spec['schedule']} {spec.get('timeZone', '')}".strip(),),
        artefacts=(_artefact(job, manifest.ours(live)),),
        enabled=not suspended,
        overrides=("somebody suspended it, and it is left so",) if suspended else (),
    )


def _artefact(job: str, values: Mapping[str, Any]) -> Artefact:
    return Artefact(job=job, name=f"{job}.yaml", data=manifest.text(values))


def argv(_entry: Entry, _scope: str) -> tuple[str, ...]:
    """Return nothing: what a pod starts is no program of this machine."""
    return ()


def check(job: Job, host_zone: ZoneInfo) -> Cover:
    """Return how a CronJob can wake *job*, or why it cannot run in a pod."""
    del host_zone
    reasons = tuple(needs.unmet(job))
    if reasons:
        return Cover(fidelity=Fidelity.REFUSED, reason="; ".join(reasons))
    own, utc = _cover(job, job.zone), _cover(job, cron.UTC)
    fitting = [
        one for one in (own, utc) if one is utc or cron.is_regular(one.triggers[0], job.zone)
    ]
    return min(fitting, key=_looseness)


def _cover(job: Job, zone: ZoneInfo) -> Cover:
    """Return the cover of *job* by one line in the time of *zone*."""
    found = cover_for(job, zone, ABILITIES)
    (trigger,) = found.triggers
    if isinstance(trigger, Line):
        trigger = Line(calendar=trigger.calendar, zone=zone.key)
    return Cover(fidelity=found.fidelity, reason=found.reason, triggers=(trigger,))


def _looseness(cover: Cover) -> tuple[bool, float]:
    (trigger,) = cover.triggers
    return cover.fidelity is not Fidelity.EXACT, cron.wakeups_a_year(trigger)


def render(job: Job, cover: Cover, host: Host, scope: str) -> tuple[Artefact, ...]:
    """Return the CronJob of *job*. Raises ConfigError for one that the server would refuse."""
    del host, scope
    assert job.kubernetes is not None, job  # as check saw
    (trigger,) = cover.triggers
    values = manifest.of(job, trigger, job.kubernetes)
    if wrong := list(rules.faults(values)):
        raise ConfigError(f"{job.name}: Kubernetes would refuse its CronJob: {'; '.join(wrong)}")
    return (_artefact(job.name, values),)


bundle = separate_files


def rehearse(reader: Reader, changes: Sequence[Change], host: Host, scope: str) -> tuple[str, ...]:
    """Return what the server warns of when it is asked to try *changes*; it keeps nothing.

    Raises EngineError for what it refuses, conflicts among them, and RefusedError for a missing right.
    """
    del scope
    texts = list(_texts(changes))
    if not texts:
        return ()
    place = _place(host)
    trial = (*_apply(place), "--dry-run=server")
    answer = reader.query(kubectl.argv(place, *trial), stdin=_documents(texts))
    if answer.code:
        raise kubectl.failure(answer, place)
    return kubectl.warnings(answer)


def stage(changes: Sequence[Change], found: Found, host: Host, scope: str) -> tuple[Step, ...]:
    """Return the steps of *changes*: one deletion by name, then one apply."""
    del found, scope
    gone = [manifest.object_name(c.job) for c in changes if c.verb is Verb.DELETE]
    texts = list(_texts(changes))
    if not gone and not texts:
        return ()
    place = _place(host)
    steps: list[Step] = []
    if gone:
        delete = ("delete", kubectl.KIND, *gone, "--ignore-not-found")
        steps.append(Run(argv=kubectl.argv(place, *delete), why="delete them, with their pods"))
    if texts:
        why = f"apply {len(texts)} CronJob{'' if len(texts) == 1 else 's'}"
        apply = kubectl.argv(place, *_apply(place))
        steps.append(Run(argv=apply, stdin=_documents(texts), why=why))
    return tuple(steps)


def _apply(place: Place) -> tuple[str, ...]:
    force = ("--force-conflicts",) if place.force else ()
    manager = f"--field-manager={manifest.MANAGER}"
    return ("apply", "--server-side", manager, *force, "--filename=-")


def _texts(changes: Iterable[Change]) -> Iterator[bytes]:
    for change in changes:
        if change.verb in {Verb.CREATE, Verb.UPDATE}:
            yield from (artefact.data for artefact in change.artefacts)


def _documents(texts: Iterable[bytes]) -> bytes:
    return b"---\n".join(texts)


def waking(place: Place, job: str) -> tuple[str, ...]:
    """Return the command by which a person ends that *job* is suspended."""
    awake = '--patch={"spec":{"suspend":false}}'
    return kubectl.argv(place, "patch", kubectl.KIND, manifest.object_name(job), awake)


def _place(host: Host) -> Place:
    assert host.cluster is not None, host  # or inspect would have raised
    return host.cluster


def wakes(entry: Entry, slot: dt.datetime) -> bool:
    """Tell whether the schedule and zone that the cluster holds surely wake us for *slot*."""
    (told,) = entry.triggers
    schedule, _, zone = told.rpartition(" ")
    try:
        trigger: Trigger = cron.read(schedule, zone)
    except ValueError:
        return False
    if schedule == "* * * * *":
        trigger = EVERY_MINUTE
    return clocks.surely_fires(trigger, slot.replace(second=0), ZoneInfo(zone), ABILITIES)
