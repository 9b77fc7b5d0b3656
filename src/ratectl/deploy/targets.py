"""Where entries stand: one engine in one scope on one host, what it holds of ours, and what is to happen there."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ratectl.backends import BACKENDS, ENGINES
from ratectl.backends.host import ClusterTarget
from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.backends.protocol import EngineAbsentError
from ratectl.backends.systemd import sandbox
from ratectl.deploy import plan
from ratectl.errors import EngineError, RatectlError
from ratectl.runtime import accounts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ratectl.backends.host import Host
    from ratectl.backends.protocol import Artefact, Backend, Change, Found
    from ratectl.backends.reader import Reader
    from ratectl.backends.steps import Step
    from ratectl.model.job import Job
    from ratectl.schedule.cover.triggers import Cover


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One engine in one scope on one host: where entries stand."""

    backend: Backend
    scope: str
    host: Host
    reader: Reader

    def __str__(self) -> str:
        return _called(self.backend.NAME, self.scope, self.host.cluster)

    @property
    def place(self) -> str:
        """What the journal keeps of where in the world this is, beyond engine and scope."""
        there = self.host.cluster
        if there is None:
            return ""
        plain = {"server": there.server, "context": there.context, "namespace": there.namespace}
        return json.dumps(plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPlan:
    """What happens at one site."""

    target: Target
    changes: tuple[Change, ...]
    steps: tuple[Step, ...]
    found: Found
    """What stood there before."""


class Standing(Protocol):
    """A job as the journal has it: what, and where the last install put it."""

    @property
    def job(self) -> Job: ...  # noqa: D102 - as in Installed
    @property
    def backend(self) -> str: ...  # noqa: D102
    @property
    def scope(self) -> str: ...  # noqa: D102
    @property
    def place(self) -> str: ...  # noqa: D102


def inspect_all(
    host: Host,
    reader: Reader,
    refused: Callable[[Target, RatectlError], None] | None = None,
    *,
    clusters: Sequence[ClusterTarget] = (),
) -> dict[Target, Found]:
    """Return what every engine of this machine, and the *clusters*, hold of this account: as root the system's and root's own.

    Raises EngineError where one holds something of ours that must not be touched, unless *refused* is given, which is called with the error.
    """
    found_at: dict[Target, Found] = {}
    seen = set()
    for target in _everywhere(host, reader, clusters):
        try:
            target = located(target)  # noqa: PLW2901 - the same one, and how to get there
            found = target.backend.inspect(reader, target.host, target.scope)
        except EngineAbsentError:
            continue
        except RatectlError as error:
            if refused is None:
                raise
            refused(target, error)
            continue
        source = (target.backend.NAME, found.raw.get("place", target.scope.encode()))
        if source not in seen:  # root's crontab may serve both scopes
            seen.add(source)
            found_at[target] = found
    return found_at


def _everywhere(host: Host, reader: Reader, clusters: Sequence[ClusterTarget]) -> Iterator[Target]:
    """Yield every site at which entries of this account could stand."""
    for name, platforms in ENGINES.items():
        if name == kubernetes.NAME:
            for cluster in clusters:
                there = replace(host, cluster=cluster)
                yield Target(backend=kubernetes, scope="user", host=there, reader=reader)
        elif host.platform in platforms:
            backend = BACKENDS[name]
            for scope in ("system", "user"):
                if scope in backend.SCOPES and (scope == "user" or host.root):
                    yield Target(backend=backend, scope=scope, host=host, reader=reader)


def _called(backend: str, scope: str, cluster: ClusterTarget | None) -> str:
    """Return how people call a place."""
    if cluster is None:
        return f"{backend} ({scope})"
    context = f"context {cluster.context}" if cluster.context else "current context"
    return f"{backend} ({context}, namespace {cluster.namespace})"


def cluster_of(row: Standing) -> ClusterTarget | None:
    """Return where in Kubernetes the job of *row* stands.

    An earlier version kept no more than what the spec said, so the server is not known then.
    """
    if row.backend != kubernetes.NAME:
        return None
    if row.place:
        place = ClusterTarget(**json.loads(row.place))
        return place._replace(server=kubernetes.server_url(place.server))
    there = row.job.kubernetes
    return ClusterTarget(context=there.context, namespace=there.namespace) if there else None


def clusters(rows: Iterable[Standing]) -> tuple[ClusterTarget, ...]:
    """Return where in Kubernetes the jobs of *rows* stand: nowhere else is a cluster asked."""
    places = map(cluster_of, rows)
    return tuple(dict.fromkeys(cluster for cluster in places if cluster is not None))


def recorded_target(row: Standing, host: Host, reader: Reader) -> Target:
    """Return where the journal says that the job of *row* stands."""
    there = replace(host, cluster=cluster_of(row)) if row.backend == kubernetes.NAME else host
    return Target(backend=BACKENDS[row.backend], scope=row.scope, host=there, reader=reader)


def title(row: Standing) -> str:
    """Return how people call the place where the job of *row* stands."""
    return _called(row.backend, row.scope, cluster_of(row))


def located(target: Target) -> Target:
    """Return *target* with the way to it as it is now. Raises EngineError where there is none."""
    if target.host.cluster is None:
        return target
    there = kubernetes.located(target.reader, target.host.cluster)
    return replace(target, host=replace(target.host, cluster=there))


def with_way_out(target: Target, error: RatectlError) -> RatectlError:
    """Return *error*, for which what stands at *target* cannot be removed, with what to do where that lasts."""
    lost = isinstance(error, EngineError) or error.command == kubernetes.CONTEXTS
    absent = target.backend.detect(target.reader, target.host, target.scope)
    if target.host.cluster is None or not lost or absent or kubernetes.WAY_OUT in str(error):
        return error
    return error.saying(f"{error}; {kubernetes.WAY_OUT}")


def stands_at(target: Target, row: Standing) -> bool:
    """Tell whether the journal has the job of *row* at *target*: in a cluster the server and the namespace count."""
    if (row.backend, row.scope) != (target.backend.NAME, target.scope):
        return False
    here, there = target.host.cluster, cluster_of(row)
    if here is None or there is None or here.namespace != there.namespace:
        return here is there
    if row.place:
        return here.server == there.server
    return there.context in {here.said, here.context}


def stage(target: Target, found: Found, changes: tuple[Change, ...]) -> TargetPlan:
    """Return what *changes* take at *target*, where *found* stands."""
    steps = target.backend.stage(plan.pending(changes), found, target.host, target.scope)
    return TargetPlan(target=target, changes=changes, steps=steps, found=found)


def same_target(target: Target, standing: Found, other: Target, found: Found) -> bool:
    """Tell whether both targets are one: root's crontab may serve both scopes."""
    sources = {
        standing.raw.get("place", target.scope.encode()),
        found.raw.get("place", other.scope.encode()),
    }
    return target.backend is other.backend and len(sources) == 1


def place_of(target: Target, job: Job) -> str:
    """Return what the journal keeps of where in the world *job* stands at *target*: as which account, or in which cluster."""
    return json.dumps({"account": job.user}) if host_of(target.host, job).account else target.place


def render(target: Target, job: Job, cover: Cover) -> tuple[Artefact, ...]:
    """Return the native texts of *job* for this very machine: whose its files are counts, too."""
    host = host_of(target.host, job)
    if target.backend.SANDBOXES:
        host = _with_ownership(host, target.reader, job)
    return target.backend.render(job, cover, host, target.scope)


def host_of(host: Host, job: Job) -> Host:
    """Return *host* as it is for *job*: with the account that the job runs as, and where that has its state."""
    if job.user in {"", host.user}:
        return host
    account = accounts.find(job.user)
    return replace(
        host,
        account=job.user,
        user=job.user,
        uid=account.uid if account else -1,
        root=False,
        state_dir=Path(accounts.state_dir(job.user, host.platform)),
        state_is_default=False,
    )


def _with_ownership(host: Host, reader: Reader, job: Job) -> Host:
    """Return *host* with the job's resolved output folders and whether another account owns any of its files.

    What is not there yet will be made by the account.
    """
    outputs = [reader.real(Path(path)) for path in sandbox.files(job)]
    folders = tuple(dict.fromkeys(path.parent for path in outputs))
    if host.account:  # which has no rights over what is others', whoever they are
        return replace(host, folders=tuple(map(str, folders)))
    read = tuple(map(Path, sandbox.reads(job)))
    on_the_way = _ways(host.fetch, (*folders, *(path.parent for path in read)))
    foreign = not (
        {reader.owner(path) for path in (*outputs, *folders, *read)} <= {host.uid, None}
        and {reader.owner(path) for path in on_the_way} <= {host.uid, 0, None}
    )
    return replace(host, folders=tuple(map(str, folders)), foreign=foreign)


@functools.cache
def _ways(files: tuple[str, ...], folders: tuple[Path, ...]) -> frozenset[Path]:
    """Return *folders*, those that hold *files*, and all above them; thousands of jobs share a few."""
    ends = (*folders, *(Path(file).parent for file in files))
    return frozenset(ends).union(*(folder.parents for folder in ends))
