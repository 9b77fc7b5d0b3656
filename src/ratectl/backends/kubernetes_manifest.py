"""The CronJob of one job, as values and as YAML; and what of a live object is ours.

One shape says which fields we set, in which order. What the API server returns is cut down to it,
so that an object nobody touched gives back the very bytes that were applied.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ratectl.backends import kubernetes_cron as cron

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ratectl.model import Cluster, Job
    from ratectl.schedule.triggers import Trigger

MANAGER = "ratectl"
MANAGED_BY = "app.kubernetes.io/managed-by"
INSTANCE = "app.kubernetes.io/instance"
MADE_BY = "ratectl/made-by"
ACCOUNT = 65532
"""User and group of the container: "nonroot" in the usual base images."""
LATEST_START = 3600
"""Seconds after which a missed run is left to the next one; the firing then catches up by the job's own rule."""
MARGIN = 120
"""Seconds for the image to be pulled and for a slot with seconds to be waited for."""
STATE = "/tmp/ratectl"  # noqa: S108 - an emptyDir of the pod's own
MEMORY_REQUEST = "64Mi"

LABELS = {"app.kubernetes.io/name": None, INSTANCE: None, MANAGED_BY: None}
METADATA = {"labels": LABELS}
CONTAINER: dict[str, Any] = {
    "name": None,
    "image": None,
    "command": None,
    "args": None,
    "env": [
        {
            "name": None,
            "value": None,
            "valueFrom": {
                "fieldRef": {"fieldPath": None},
                "secretKeyRef": {"name": None, "key": None, "optional": None},
            },
        }
    ],
    "resources": {"requests": {"cpu": None, "memory": None}, "limits": {"memory": None}},
    "securityContext": {
        "allowPrivilegeEscalation": None,
        "readOnlyRootFilesystem": None,
        "capabilities": {"drop": None},
    },
    "volumeMounts": [{"name": None, "mountPath": None}],
}
POD: dict[str, Any] = {
    "restartPolicy": None,
    "automountServiceAccountToken": None,
    "securityContext": {
        "runAsNonRoot": None,
        "runAsUser": None,
        "runAsGroup": None,
        "fsGroup": None,
        "seccompProfile": {"type": None},
    },
    "containers": [CONTAINER],
    "volumes": [{"name": None, "emptyDir": {}}],
}
SHAPE: dict[str, Any] = {
    "apiVersion": None,
    "kind": None,
    "metadata": {
        "name": None,
        "namespace": None,
        "labels": LABELS,
        "annotations": {MADE_BY: None},
    },
    "spec": {
        "schedule": None,
        "timeZone": None,
        "startingDeadlineSeconds": None,
        "concurrencyPolicy": None,
        "successfulJobsHistoryLimit": None,
        "failedJobsHistoryLimit": None,
        "jobTemplate": {
            "metadata": METADATA,
            "spec": {
                "backoffLimit": None,
                "activeDeadlineSeconds": None,
                "template": {"metadata": METADATA, "spec": POD},
            },
        },
    },
}
"""Every field that we set, in the order in which it is written; ``suspend`` is the operator's."""


def of(job: Job, trigger: Trigger, cluster: Cluster) -> dict[str, Any]:
    """Return the CronJob that wakes *job* at *trigger*."""
    schedule, zone = cron.spell(trigger)
    labels = {"app.kubernetes.io/name": "ratectl", INSTANCE: job.name, MANAGED_BY: "ratectl"}
    interval = cron.shortest_interval(trigger)
    template = {"metadata": {"labels": labels}, "spec": _pod(job, cluster)}
    run = {
        "backoffLimit": 2,
        "activeDeadlineSeconds": job.jitter + job.timeout + MARGIN,
        "template": template,
    }
    spec = {
        "schedule": schedule,
        "timeZone": zone,
        "startingDeadlineSeconds": max(60, min(interval // 2, LATEST_START)),
        "concurrencyPolicy": "Forbid",
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 3,
        "jobTemplate": {"metadata": {"labels": labels}, "spec": run},
    }
    metadata = {
        "name": object_name(job.name),
        "namespace": cluster.namespace,
        "labels": labels,
        "annotations": {MADE_BY: "ratectl install; change the spec and install it again"},
    }
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": spec}


def object_name(job: str) -> str:
    """Return the name of the CronJob of *job*: 48 characters at most, of the 52 that there may be."""
    return f"ratectl-{job}"


def _pod(job: Job, cluster: Cluster) -> dict[str, Any]:
    container = {
        "name": "ratectl-fetch",
        "image": cluster.image,
        "command": ["ratectl-fetch"],
        "args": [job.name, "--snapshot", _literal(_snapshot(job))],
        "env": list(_environment(job, cluster)),
        "resources": {
            "requests": {"cpu": cluster.cpu, "memory": MEMORY_REQUEST},
            "limits": {"memory": cluster.memory},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - in the pod
    }
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": ACCOUNT,
            "runAsGroup": ACCOUNT,
            "fsGroup": ACCOUNT,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }


def _snapshot(job: Job) -> str:
    """Return the job as a firing needs it: what it runs in is no business of its own."""
    plain = replace(job, kubernetes=None).to_plain()
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _literal(text: str) -> str:
    """Return *text* as an argument that Kubernetes, which replaces ``$(NAME)``, hands on as it stands."""
    return text.replace("$", "$$")


def _environment(job: Job, cluster: Cluster) -> Iterator[dict[str, Any]]:
    yield {"name": "RATECTL_STATE_DIR", "value": STATE}
    label = {"fieldPath": "metadata.labels['batch.kubernetes.io/job-name']"}
    yield {"name": "RATECTL_JOB_NAME", "valueFrom": {"fieldRef": label}}
    if cluster.secret:
        password = {"name": cluster.secret, "key": "PGPASSWORD", "optional": True}
        yield {"name": "PGPASSWORD", "valueFrom": {"secretKeyRef": password}}
    for name in sorted(references(job) - {"PGPASSWORD"}):
        key = {"name": cluster.secret, "key": name}
        yield {"name": name, "valueFrom": {"secretKeyRef": key}}


def references(job: Job) -> frozenset[str]:
    """Return the environment variables that *job* refers to as ``env:NAME``."""
    written = (*(provider.api_key for provider in job.providers), *job.notify)
    return frozenset(text.removeprefix("env:") for text in written if text.startswith("env:"))


def ours(live: Mapping[str, Any]) -> dict[str, Any]:
    """Return of the *live* object what :func:`of` would have said, in the same order."""
    found: dict[str, Any] = _cut(live, SHAPE)
    return found | {"apiVersion": "batch/v1", "kind": "CronJob"}


def _cut(value: Any, shape: Any) -> Any:
    if isinstance(shape, dict) and shape and isinstance(value, dict):
        return {key: _cut(value[key], inner) for key, inner in shape.items() if key in value}
    if isinstance(shape, list) and isinstance(value, list):
        return [_cut(one, shape[0]) for one in value]
    return value


def text(manifest: Mapping[str, Any]) -> bytes:
    """Return *manifest* as YAML: the same bytes for the same values."""
    import yaml  # noqa: PLC0415 - 15 ms, which nobody without a cluster need pay

    class Plain(yaml.SafeDumper):
        """Repeats what stands twice, and never breaks a line."""

        def ignore_aliases(self, _data: Any) -> bool:
            return True

    dumped: str = yaml.dump(
        _cut(manifest, SHAPE),
        Dumper=Plain,
        sort_keys=False,
        allow_unicode=True,
        width=float("inf"),
    )
    return dumped.encode()


def load(data: bytes) -> dict[str, Any]:
    """Return the manifest that :func:`text` gave *data* for."""
    import yaml  # noqa: PLC0415 - see text

    loaded: dict[str, Any] = yaml.safe_load(data)
    return loaded
