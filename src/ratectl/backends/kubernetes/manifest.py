"""The CronJob of one job, as values and as YAML; and what of a live object is ours.

One shape says which fields we set, in which order. What the API server returns is cut down to it, and
to the items and names that are ours, so that an object to which others only added something gives back
the very bytes that were applied.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ratectl.backends.kubernetes import cron

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from ratectl.model.cluster import Cluster, Toleration
    from ratectl.model.job import Job
    from ratectl.schedule.cover.triggers import Trigger

MANAGER = "ratectl"
MANAGED_BY = "app.kubernetes.io/managed-by"
INSTANCE = "app.kubernetes.io/instance"
SELECTOR = f"{MANAGED_BY}={MANAGER}"
NAME = "app.kubernetes.io/name"
MADE_BY = "ratectl/made-by"
SINCE = "ratectl/since"
"""An annotation of pods: slots up to then are not theirs to settle, since the job was paused."""
PROGRAM = "/opt/ratectl/bin/ratectl-fetch"
"""Where the image has it, whatever its PATH says."""
CONTAINER_NAME = "ratectl-fetch"
VOLUME = "tmp"
MOUNT = "/tmp"  # noqa: S108 - in the pod
ACCOUNT = 65532
"""User and group of the container: "nonroot" in the usual base images."""
LATEST_START = 3600
"""Seconds after which a missed run is left to the next one; the firing then catches up by the job's own rule."""
MARGIN = 120
"""Seconds for the image to be pulled and for a slot with seconds to be waited for."""
STATE = "/tmp/ratectl"  # noqa: S108 - an emptyDir of the pod's own
MEMORY_REQUEST = "64Mi"

LABELS = (NAME, INSTANCE, MANAGED_BY)
VARIABLES = ("RATECTL_STATE_DIR", "RATECTL_JOB_NAME", "RATECTL_SINCE", "PGPASSWORD")
METADATA: dict[str, Any] = {"labels": {}, "annotations": {}}
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
                "fieldRef": {"apiVersion": None, "fieldPath": None},
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
    "serviceAccountName": None,
    "automountServiceAccountToken": None,
    "imagePullSecrets": [{"name": None}],
    "nodeSelector": {},
    "tolerations": [
        {"key": None, "operator": None, "value": None, "effect": None, "tolerationSeconds": None}
    ],
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
        **METADATA,
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
TEMPLATE = ("spec", "jobTemplate", "spec", "template")
POD_PLACE = (*TEMPLATE, "spec")
METADATA_PLACES: tuple[tuple[str, ...], ...] = (
    ("metadata",),
    ("spec", "jobTemplate", "metadata"),
    (*TEMPLATE, "metadata"),
)
CHOSEN = ("serviceAccountName", "nodeSelector", "tolerations")
"""What we set in a pod only where the spec says so."""
KEYED = {
    "containers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
}
"""Lists to which others may add: the server merges them by this key."""
AMBIGUOUS = re.compile(
    r"(?i)y|yes|n|no|on|off|true|false|null|nil|~|=|<<|"
    r"[-+]?\.(?:inf|nan)|[-+.]*\d[\da-fxotz_.,:+\- ]*"
)
"""What some reader of YAML takes for something other than a text, or may: words, numbers, times."""


def of(job: Job, trigger: Trigger, cluster: Cluster) -> dict[str, Any]:
    """Return the CronJob that wakes *job* at *trigger*."""
    schedule, zone = cron.spell(trigger)
    labels = {NAME: "ratectl", INSTANCE: job.name, MANAGED_BY: "ratectl", **dict(cluster.labels)}
    annotations = dict(cluster.annotations)
    inner = {"labels": labels} | ({"annotations": annotations} if annotations else {})
    interval = cron.shortest_interval(trigger)
    template = {"metadata": inner, "spec": _pod(job, cluster)}
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
        "jobTemplate": {"metadata": inner, "spec": run},
    }
    metadata = {
        "name": object_name(job.name),
        "namespace": cluster.namespace,
        "labels": labels,
        "annotations": {
            MADE_BY: "ratectl install; change the spec and install it again",
            **annotations,
        },
    }
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": spec}


def object_name(job: str) -> str:
    """Return the name of the CronJob of *job*: 48 characters at most, of the 52 that there may be."""
    return f"ratectl-{job}"


def _pod(job: Job, cluster: Cluster) -> dict[str, Any]:
    container = {
        "name": CONTAINER_NAME,
        "image": cluster.image,
        "command": [PROGRAM],
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
        "volumeMounts": [{"name": VOLUME, "mountPath": MOUNT}],
    }
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        **_chosen(cluster),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": ACCOUNT,
            "runAsGroup": ACCOUNT,
            "fsGroup": ACCOUNT,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": VOLUME, "emptyDir": {}}],
    }


def _chosen(cluster: Cluster) -> dict[str, Any]:
    """Return what the spec says of pods beyond what every one of ours has."""
    said: dict[str, Any] = {
        "serviceAccountName": cluster.service_account,
        "imagePullSecrets": [{"name": name} for name in cluster.image_pull_secrets],
        "nodeSelector": dict(cluster.node_selector),
        "tolerations": [_toleration(toleration) for toleration in cluster.tolerations],
    }
    return {name: value for name, value in said.items() if value}


def _toleration(toleration: Toleration) -> dict[str, Any]:
    words = {
        "key": toleration.key,
        "operator": toleration.operator,
        "value": toleration.value,
        "effect": toleration.effect,
    }
    seconds = toleration.toleration_seconds
    return {name: word for name, word in words.items() if word} | (
        {} if seconds is None else {"tolerationSeconds": seconds}
    )


def _snapshot(job: Job) -> str:
    """Return the job as a firing needs it: what it runs in is no business of its own."""
    plain = replace(job, kubernetes=None).to_plain()
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _literal(text: str) -> str:
    """Return *text* as an argument that Kubernetes, which replaces ``$(NAME)``, hands on as it stands."""
    return text.replace("$", "$$")


def _environment(job: Job, cluster: Cluster) -> Iterator[dict[str, Any]]:
    yield {"name": "RATECTL_STATE_DIR", "value": STATE}
    for name, place in (
        ("RATECTL_JOB_NAME", "metadata.labels['batch.kubernetes.io/job-name']"),
        ("RATECTL_SINCE", f"metadata.annotations['{SINCE}']"),
    ):
        # the version is the server's default: left out, it would conflict with what a plain apply made
        field = {"apiVersion": "v1", "fieldPath": place}
        yield {"name": name, "valueFrom": {"fieldRef": field}}
    keys = references(job) - {"PGPASSWORD"}
    if cluster.secret:
        # optional only beside keys that are not: a Secret that is named must exist
        optional = {"optional": True} if keys else {}
        password = {"name": cluster.secret, "key": "PGPASSWORD", **optional}
        yield {"name": "PGPASSWORD", "valueFrom": {"secretKeyRef": password}}
    for name in sorted(keys):
        key = {"name": cluster.secret, "key": name}
        yield {"name": name, "valueFrom": {"secretKeyRef": key}}


def references(job: Job) -> frozenset[str]:
    """Return the environment variables that *job* refers to as ``env:NAME``."""
    written = (*(provider.api_key for provider in job.providers), *job.notify)
    return frozenset(text.removeprefix("env:") for text in written if text.startswith("env:"))


def ours(live: Mapping[str, Any]) -> dict[str, Any]:
    """Return of the *live* object what :func:`of` would have said, in the same order."""
    owned = _owned(live)
    found: dict[str, Any] = _cut(live, SHAPE)
    for place in METADATA_PLACES:
        _keep_names(_at(found, place), owned, place)
    pod = _at(found, POD_PLACE)
    for name in CHOSEN:
        if not _owns(owned, (*POD_PLACE, name)):
            pod.pop(name, None)
    if "nodeSelector" in pod:
        pod["nodeSelector"] = _ordered(pod["nodeSelector"], ())
    logins = sorted(one["name"] for one in pod.get("imagePullSecrets") or ())
    listed = (*POD_PLACE, "imagePullSecrets")
    mine = [name for name in logins if _owns(owned, (*listed, ("name", name)))]
    _keep_items(pod, "imagePullSecrets", mine)
    _keep_items(pod, "containers", [CONTAINER_NAME])
    _keep_items(pod, "volumes", [VOLUME])
    for container in pod.get("containers", ()):
        _keep_items(container, "volumeMounts", [MOUNT])
        _keep_items(container, "env", _variables(container.get("env", ())))
    return found | {"apiVersion": "batch/v1", "kind": "CronJob"}


def is_ours(live: Mapping[str, Any]) -> bool:
    """Tell whether ratectl made the *live* object, or a person by what ``ratectl render`` wrote."""
    labels = live["metadata"].get("labels") or {}
    return labels.get(MANAGED_BY) == MANAGER or _owned(live) is not None


def _owned(live: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return which fields our last apply said, in the form of FieldsV1; None where that is not told."""
    for entry in live["metadata"].get("managedFields") or ():
        if (entry.get("manager"), entry.get("operation")) == (MANAGER, "Apply"):
            fields: Mapping[str, Any] = entry.get("fieldsV1") or {}
            return fields
    return None


def _owns(owned: Mapping[str, Any] | None, place: tuple[Any, ...]) -> bool:
    """Tell whether *place* is ours; where that is not told, what only we or a plain apply would have set is."""
    if owned is None:
        return True
    found: Any = owned
    for step in place:
        keyed = isinstance(step, tuple)
        name = f"k:{json.dumps(dict([step]), separators=(',', ':'))}" if keyed else f"f:{step}"
        if name not in found:
            return False
        found = found[name]
    return True


def _keep_names(
    metadata: dict[str, Any], owned: Mapping[str, Any] | None, place: tuple[str, ...]
) -> None:
    """Leave in *metadata* the labels and annotations that are ours."""
    for kind, always in (("labels", LABELS), ("annotations", (MADE_BY,))):
        texts = metadata.pop(kind, None) or {}
        kept = {
            name: text
            for name, text in texts.items()
            if name in always or (owned is not None and _owns(owned, (*place, kind, name)))
        }
        if kept:
            metadata[kind] = _ordered(kept, always)


def _ordered(texts: Mapping[str, Any], first: Collection[str]) -> dict[str, Any]:
    rest = sorted(texts.keys() - set(first))
    return {name: texts[name] for name in (*first, *rest) if name in texts}


def _keep_items(parent: dict[str, Any], field: str, names: Collection[str]) -> None:
    """Leave in the list *field* of *parent* the items called *names*, in that order."""
    items = {one.get(KEYED[field]): one for one in parent.pop(field, None) or ()}
    if kept := [items[name] for name in names if name in items]:
        parent[field] = kept


def _variables(env: Collection[Mapping[str, Any]]) -> list[str]:
    """Return which variables of a container are ours: the fixed ones, and what is taken out of a Secret."""
    secret = {
        mapping["name"] for mapping in env if "secretKeyRef" in (mapping.get("valueFrom") or {})
    }
    return [*VARIABLES, *sorted(secret - set(VARIABLES))]


def _at(value: dict[str, Any], place: tuple[str, ...]) -> dict[str, Any]:
    for name in place:
        value = value.setdefault(name, {})
    return value


def _cut(value: Any, shape: Any) -> Any:
    if isinstance(shape, dict) and shape and isinstance(value, dict):
        return {key: _cut(value[key], inner) for key, inner in shape.items() if key in value}
    if isinstance(shape, list) and isinstance(value, list):
        return [_cut(one, shape[0]) for one in value]
    return dict(value) if isinstance(value, dict) else value


def text(manifest: Mapping[str, Any]) -> bytes:
    """Return *manifest* as YAML: the same bytes for the same values."""
    import yaml  # noqa: PLC0415 - 15 ms, which nobody without a cluster need pay

    class Plain(yaml.SafeDumper):
        """Repeats what stands twice, and never breaks a line."""

        def ignore_aliases(self, _data: Any) -> bool:
            return True

        def quote(self, data: str) -> yaml.ScalarNode:
            style = "'" if AMBIGUOUS.fullmatch(data) else None
            return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    Plain.add_representer(str, Plain.quote)
    dumped: str = yaml.dump(
        _cut(manifest, SHAPE),
        Dumper=Plain,
        sort_keys=False,
        allow_unicode=True,
        width=float("inf"),
    )
    return dumped.encode()


def secrets(data: bytes) -> tuple[frozenset[str], frozenset[str]]:
    """Return the Secrets that the manifest *data* names: those of variables, and logins of registries."""
    pod = _at(load(data), POD_PLACE)
    [container] = pod["containers"]
    sources = (one.get("valueFrom", {}).get("secretKeyRef") for one in container["env"])
    variables = frozenset(source["name"] for source in sources if source)
    return variables, frozenset(one["name"] for one in pod.get("imagePullSecrets", ()))


def environment(data: bytes) -> dict[str, dict[str, Any]]:
    """Return the variables of the container in the manifest *data*, by name."""
    containers = _at(load(data), POD_PLACE).get("containers", ())
    return {one["name"]: one for container in containers for one in container.get("env", ())}


def load(data: bytes) -> dict[str, Any]:
    """Return the manifest that :func:`text` gave *data* for."""
    import yaml  # noqa: PLC0415 - see text

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it was built
    loaded: dict[str, Any] = yaml.load(data, Loader=loader)  # noqa: S506 - both are safe
    return loaded
