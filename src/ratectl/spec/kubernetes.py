"""The ``[kubernetes]`` table of a spec -> in what, and where in a cluster, jobs run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ratectl.model import Cluster
from ratectl.spec import values

if TYPE_CHECKING:
    from ratectl.spec.reading import Readers, Reading

_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"((?:[A-Za-z0-9][A-Za-z0-9.-]*(?::\d+)?/)?{_PART}(?:/{_PART})*)"
    r"(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(@sha256:[0-9a-f]{64})?"
)
"""Registry and repository, tag, digest: the grammar of distribution/reference."""
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_CPU = re.compile(r"(\d{1,6})(m?)")
_MEMORY = re.compile(r"(\d{1,6})([KMG]i)")
_POWERS = {"Ki": 0, "Mi": 1, "Gi": 2}
LEAST_MEMORY = 64
"""MiB that a pod is promised, and so may take at the least."""


def image(value: Any) -> str:
    """The name of an image with a tag that is not "latest", or with a digest."""
    name = values.text(value)
    told = _IMAGE.fullmatch(name)
    if told is None:
        raise ValueError(
            'expected an image such as "registry.example/ratectl:0.1.0" or "...@sha256:" and 64 '
            f"digits, found {values.shown(value)}"
        )
    if told[2] == "latest":
        raise ValueError(
            f"{values.shown(value)}: what :latest is changes under a job; name a version or a digest"
        )
    if not told[2] and not told[3]:
        raise ValueError(
            f"{values.shown(value)}: without a tag or digest that is :latest, which changes under a "
            f'job; write "{name}:0.1.0", or its digest'
        )
    return name


def label(value: Any) -> str:
    """A name in lower case, as Kubernetes wants it for namespaces."""
    name = values.text(value)
    if not _LABEL.fullmatch(name) or len(name) > 63:
        raise ValueError(
            "expected at most 63 lower-case letters, digits and inner hyphens, "
            f"found {values.shown(value)}"
        )
    return name


def secret(value: Any) -> str:
    """The name of a Secret, never what is in it."""
    name = values.text(value)
    if len(name) > 253 or not all(_LABEL.fullmatch(part) for part in name.split(".")):
        raise ValueError(
            f'expected the name of a Secret such as "ratectl-keys", found {values.shown(value)}; '
            "what is in it must not stand in the spec"
        )
    return name


def context(value: Any) -> str:
    """The name of a context of the user's kubeconfig."""
    name = values.text(value)
    if not name or name != name.strip():
        raise ValueError(f"expected the name of a context, found {values.shown(value)}")
    return name


def cpu(value: Any) -> str:
    """A share of a processor, spelled as Kubernetes gives it back: 1000m is 1."""
    told = _CPU.fullmatch(value) if isinstance(value, str) else None
    thousandths = int(told[1]) * (1 if told[2] else 1000) if told else 0
    if not thousandths:
        raise ValueError(
            f'expected a share of a processor such as "50m" or "1", found {values.shown(value)}'
        )
    return f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000)


def memory(value: Any) -> str:
    """An amount of memory, spelled as Kubernetes gives it back: 1024Mi is 1Gi."""
    told = _MEMORY.fullmatch(value) if isinstance(value, str) else None
    amount = int(told[1]) * 1024 ** _POWERS[told[2]] if told else 0
    if amount < LEAST_MEMORY * 1024:
        raise ValueError(
            f'expected "{LEAST_MEMORY}Mi" or more, such as "128Mi", found {values.shown(value)}'
        )
    for unit in ("Ki", "Mi"):
        if amount % 1024:
            return f"{amount}{unit}"
        amount //= 1024
    return f"{amount}Gi"


KUBERNETES_READERS: Readers = {
    "image": image,
    "namespace": label,
    "context": context,
    "secret": secret,
    "cpu": cpu,
    "memory": memory,
}
REQUIRED = ("image",)


def read_kubernetes(reading: Reading, *, wanted: bool) -> Cluster | None:
    """Return what the table says; None where there is none, which is an issue only where one is *wanted*."""
    key = ("kubernetes",)
    table = reading.table(key)
    if not table:
        if wanted:
            reading.issue(
                ("ratectl", "backend"),
                'backend = "kubernetes" needs a table [kubernetes] with image = '
                '"registry.example/ratectl:0.1.0"',
            )
        return None
    fields = reading.read_each(key, table, KUBERNETES_READERS)
    for name in REQUIRED:
        if name not in table:
            reading.issue(key, f'"{name}" is missing')
    return Cluster(**fields) if "image" in fields else None
