"""Where entries stand: one engine in one scope on one host, what it holds of ours, and what is to happen there."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ratectl.backends import BACKENDS
from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.backends.protocol import ClusterTarget, EngineAbsentError
from ratectl.backends.systemd import sandbox
from ratectl.deploy import plan
from ratectl.errors import RatectlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ratectl.backends.protocol import Artefact, Backend, Change, Found, Host, Reader, Step
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

    site: Target
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

    Raises EngineError where one holds something of ours that must not be touched, unless *refused* is to hear it.
    """
    holds: dict[Target, Found] = {}
    places = set()
    for site in _everywhere(host, reader, clusters):
        try:
            site = located(site)  # noqa: PLW2901 - the same one, and how to get there
            found = site.backend.inspect(reader, site.host, site.scope)
        except EngineAbsentError:
            continue
        except RatectlError as error:
            if refused is None:
                raise
            refused(site, error)
            continue
        place = (site.backend.NAME, found.raw.get("place", site.scope.encode()))
        if place not in places:  # root's crontab may serve both scopes
            places.add(place)
            holds[site] = found
    return holds


def _everywhere(host: Host, reader: Reader, clusters: Sequence[ClusterTarget]) -> Iterator[Target]:
    """Yield every site at which entries of this account could stand."""
    for backend in BACKENDS.values():
        if backend is kubernetes:
            for cluster in clusters:
                there = replace(host, cluster=cluster)
                yield Target(backend=backend, scope="user", host=there, reader=reader)
        elif host.platform in backend.PLATFORMS:
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
        return ClusterTarget(**json.loads(row.place))
    there = row.job.kubernetes
    return ClusterTarget(context=there.context, namespace=there.namespace) if there else None


def clusters(rows: Iterable[Standing]) -> tuple[ClusterTarget, ...]:
    """Return where in Kubernetes the jobs of *rows* stand: nowhere else is a cluster asked."""
    places = map(cluster_of, rows)
    return tuple(dict.fromkeys(place for place in places if place is not None))


def recorded_target(row: Standing, host: Host, reader: Reader) -> Target:
    """Return where the journal says that the job of *row* stands."""
    there = replace(host, cluster=cluster_of(row)) if row.backend == kubernetes.NAME else host
    return Target(backend=BACKENDS[row.backend], scope=row.scope, host=there, reader=reader)


def title(row: Standing) -> str:
    """Return how people call the place where the job of *row* stands."""
    return _called(row.backend, row.scope, cluster_of(row))


def located(site: Target) -> Target:
    """Return *site* with the way to it as it is now. Raises EngineError where there is none."""
    if site.host.cluster is None:
        return site
    there = kubernetes.located(site.reader, site.host.cluster)
    return replace(site, host=replace(site.host, cluster=there))


def stands_at(site: Target, row: Standing) -> bool:
    """Tell whether the journal has the job of *row* at *site*: in a cluster the server and the namespace count."""
    if (row.backend, row.scope) != (site.backend.NAME, site.scope):
        return False
    here, there = site.host.cluster, cluster_of(row)
    if here is None or there is None or here.namespace != there.namespace:
        return here is there
    if row.place:
        return here.server == there.server
    return there.context in {here.said, here.context}


def stage(site: Target, found: Found, changes: tuple[Change, ...]) -> TargetPlan:
    """Return what *changes* take at *site*, where *found* stands."""
    steps = site.backend.stage(plan.pending(changes), found, site.host, site.scope)
    return TargetPlan(site=site, changes=changes, steps=steps, found=found)


def same_target(one: Target, held: Found, other: Target, found: Found) -> bool:
    """Tell whether both sites are one place: root's crontab may serve both scopes."""
    places = {
        held.raw.get("place", one.scope.encode()),
        found.raw.get("place", other.scope.encode()),
    }
    return one.backend is other.backend and len(places) == 1


def render(site: Target, job: Job, cover: Cover) -> tuple[Artefact, ...]:
    """Return the native texts of *job* for this very machine: whose its files are counts, too."""
    host = _with_ownership(site, job) if site.backend.SANDBOXES else site.host
    return site.backend.render(job, cover, host, site.scope)


def _with_ownership(site: Target, job: Job) -> Host:
    """Return the host with what *job* finds on it: where its outputs really lie, and whether all is the account's own.

    What is not there yet will be made by the account.
    """
    outputs = [site.reader.real(Path(path)) for path in sandbox.files(job)]
    folders = tuple(dict.fromkeys(path.parent for path in outputs))
    own = (*outputs, *folders, *map(Path, sandbox.reads(job)))
    leaves = {path.parent for path in (*own, *map(Path, site.host.fetch))}
    on_the_way = leaves.union(*(path.parents for path in leaves))
    foreign = not (
        {site.reader.owner(path) for path in own} <= {site.host.uid, None}
        and {site.reader.owner(path) for path in on_the_way} <= {site.host.uid, 0, None}
    )
    return replace(site.host, folders=tuple(map(str, folders)), foreign=foreign)
