"""What jobs run in on Kubernetes: frozen values of a job that only those name which a cluster fires."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Toleration:
    """A taint of nodes that a pod puts up with, in the words of Kubernetes; what is empty is not said."""

    key: str = ""
    operator: str = ""
    """Equal or Exists."""
    value: str = ""
    effect: str = ""
    """NoSchedule, PreferNoSchedule or NoExecute; empty means all of them."""
    toleration_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What jobs run in on Kubernetes, and where."""

    image: str
    """With a tag or a digest, never ``:latest``."""
    namespace: str = "default"
    context: str = ""
    """Of the user's own kubeconfig; empty is the current one."""
    secret: str = ""
    """Name of the Secret whose keys become environment variables; empty where none is needed."""
    cpu: str = "50m"
    """What a pod is promised, as Kubernetes spells it."""
    memory: str = "128Mi"
    """What a pod may take at most, likewise."""
    image_pull_secrets: tuple[str, ...] = ()
    """Names of Secrets with the logins of registries, ordered."""
    service_account: str = ""
    """Whose name the pods have; empty is the namespace's own."""
    node_selector: tuple[tuple[str, str], ...] = ()
    """Labels that a node must have, by name; ordered, as the next ones are."""
    tolerations: tuple[Toleration, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    """Further ones of CronJobs, Jobs and pods."""
    annotations: tuple[tuple[str, str], ...] = ()
    """Likewise."""


def from_plain(plain: dict[str, Any]) -> Cluster:
    """Return the cluster of a plain form, also of one that an earlier version wrote, which said less."""
    values = dict(plain)
    for field in ("node_selector", "labels", "annotations"):
        values[field] = tuple((name, value) for name, value in plain.get(field, ()))
    values["image_pull_secrets"] = tuple(plain.get("image_pull_secrets", ()))
    values["tolerations"] = tuple(Toleration(**one) for one in plain.get("tolerations", ()))
    return Cluster(**values)
