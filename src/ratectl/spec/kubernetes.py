"""The ``[kubernetes]`` table of a spec -> in what, and where in a cluster, jobs run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ratectl.model.cluster import Cluster, Toleration
from ratectl.spec import readers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ratectl.spec.issues import Readers, Reading
    from ratectl.spec.key_lines import KeyPath

_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"((?:[A-Za-z0-9][A-Za-z0-9.-]*(?::\d+)?/)?{_PART}(?:/{_PART})*)"
    r"(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(@sha256:[0-9a-f]{64})?"
)
"""Registry and repository, tag, digest: the grammar of distribution/reference."""
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_NAME_PART = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
"""The name of a label without its prefix, and what a label may say: 63 characters at most."""
OURS = (
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "ratectl/made-by",
    "ratectl/since",
)
"""By which our own objects are known."""
OUR_PREFIX = "ratectl/"
CLUSTER_SETS = (
    "job-name",
    "controller-uid",
    "batch.kubernetes.io/job-name",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/cronjob-scheduled-timestamp",
)
"""What the cluster itself writes on Jobs and pods: it refuses them with another text, and no pod would run."""
MOST_ANNOTATED = 200 * 1024
"""Bytes of all annotations; the server takes 256 KiB, its own among them."""
OPERATORS = ("Equal", "Exists")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_CPU = re.compile(r"(\d{1,6})(m?)")
_MEMORY = re.compile(r"(\d{1,6})([KMG]i)")
_POWERS = {"Ki": 0, "Mi": 1, "Gi": 2}
LEAST_MEMORY = 64
"""MiB that a pod is promised, and so may take at the least."""


def image(value: Any) -> str:
    """The name of an image with a tag that is not "latest", or with a digest."""
    name = readers.text(value)
    match = _IMAGE.fullmatch(name)
    if match is None:
        raise ValueError(
            'expected an image such as "registry.example/ratectl:1.0.0" or "...@sha256:" and 64 '
            f"digits, found {readers.quoted(value)}"
        )
    if match[2] == "latest":
        raise ValueError(
            f"{readers.quoted(value)}: what :latest is changes under a job; name a version or a digest"
        )
    if not match[2] and not match[3]:
        raise ValueError(
            f"{readers.quoted(value)}: without a tag or digest that is :latest, which changes under a "
            f'job; write "{name}:1.0.0", or its digest'
        )
    return name


def label(value: Any) -> str:
    """A name in lower case, as Kubernetes wants it for namespaces."""
    name = readers.text(value)
    if not _LABEL.fullmatch(name) or len(name) > 63:
        raise ValueError(
            "expected at most 63 lower-case letters, digits and inner hyphens, "
            f"found {readers.quoted(value)}"
        )
    return name


def secret(value: Any) -> str:
    """The name of a Secret, never what is in it."""
    name = readers.text(value)
    if len(name) > 253 or not all(_LABEL.fullmatch(part) for part in name.split(".")):
        raise ValueError(
            f'expected the name of a Secret such as "ratectl-keys", found {readers.quoted(value)}; '
            "what is in it must not stand in the spec"
        )
    return name


def context(value: Any) -> str:
    """The name of a context of the user's kubeconfig."""
    name = readers.text(value)
    if not name or name != name.strip():
        raise ValueError(f"expected the name of a context, found {readers.quoted(value)}")
    return name


def cpu(value: Any) -> str:
    """A share of a processor, spelled as Kubernetes gives it back: 1000m is 1."""
    match = _CPU.fullmatch(value) if isinstance(value, str) else None
    thousandths = int(match[1]) * (1 if match[2] else 1000) if match else 0
    if not thousandths:
        raise ValueError(
            f'expected a share of a processor such as "50m" or "1", found {readers.quoted(value)}'
        )
    return f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000)


def memory(value: Any) -> str:
    """An amount of memory, spelled as Kubernetes gives it back: 1024Mi is 1Gi."""
    match = _MEMORY.fullmatch(value) if isinstance(value, str) else None
    amount = int(match[1]) * 1024 ** _POWERS[match[2]] if match else 0
    if amount < LEAST_MEMORY * 1024:
        raise ValueError(
            f'expected "{LEAST_MEMORY}Mi" or more, such as "128Mi", found {readers.quoted(value)}'
        )
    for unit in ("Ki", "Mi"):
        if amount % 1024:
            return f"{amount}{unit}"
        amount //= 1024
    return f"{amount}Gi"


def account(value: Any) -> str:
    """The name of a ServiceAccount."""
    return _subdomain(value, 'the name of a ServiceAccount such as "ratectl"')


def pull_secret(value: Any) -> str:
    """The name of a Secret with the login of a registry."""
    return _subdomain(value, 'the name of a Secret such as "registry-login"')


def _subdomain(value: Any, expected: str) -> str:
    name = readers.text(value)
    if len(name) > 253 or not all(_LABEL.fullmatch(part) for part in name.split(".")):
        raise ValueError(f"expected {expected}, found {readers.quoted(value)}")
    return name


def qualified(name: str) -> str:
    """The name of a label or annotation: an optional prefix, which is a host's, a slash and a word."""
    prefix, slash, word = name.rpartition("/")
    host = len(prefix) <= 253 and all(_LABEL.fullmatch(part) for part in prefix.split("."))
    if not _NAME_PART.fullmatch(word) or (slash and not host):
        raise ValueError(
            'expected a name such as "team" or "example.org/team", with at most 63 letters, digits, '
            f'"-", "_" or "." after the slash, found {readers.quoted(name)}'
        )
    return name


def label_value(value: Any) -> str:
    """What a label says."""
    found = readers.text(value)
    if found and not _NAME_PART.fullmatch(found):
        raise ValueError(
            'expected at most 63 letters, digits, "-", "_" or ".", the first and last a letter or '
            f"digit, found {readers.quoted(value)}"
        )
    return found


def annotation_value(value: Any) -> str:
    """What an annotation says: any text."""
    if not isinstance(value, str):
        raise ValueError(f"expected a text in quotes, found {readers.quoted(value)}")
    return value


def seconds(value: Any) -> int:
    """How long a taint is tolerated."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"expected a whole number of seconds, found {readers.quoted(value)}")
    return value


WORDS: Readers = {
    "image": image,
    "namespace": label,
    "context": context,
    "secret": secret,
    "cpu": cpu,
    "memory": memory,
    "service_account": account,
}
LISTS: Readers = {"image_pull_secrets": pull_secret}
"""Keys with a list of names."""
TEXTS: Readers = {
    "node_selector": label_value,
    "labels": label_value,
    "annotations": annotation_value,
}
"""Keys with a table of texts, and what reads one of those."""
TOLERATION_READERS: Readers = {
    "key": lambda value: qualified(readers.text(value)),
    "operator": readers.word(*OPERATORS),
    "value": label_value,
    "effect": readers.word(*EFFECTS),
    "toleration_seconds": seconds,
}
KUBERNETES_READERS: Readers = {**WORDS, **LISTS, **TEXTS, "tolerations": dict}
"""Every key, and what reads its value, or one item of that."""
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
                '"registry.example/ratectl:1.0.0"',
            )
        return None
    reading.refuse_unknown(key, table, tuple(KUBERNETES_READERS))
    plain = {name: value for name, value in table.items() if name in WORDS}
    fields = reading.read_each(key, plain, WORDS)
    for name in LISTS.keys() & table.keys():
        fields[name] = _names(reading, (*key, name), table[name], LISTS[name])
    for name in TEXTS.keys() & table.keys():
        fields[name] = _texts(reading, (*key, name), table[name], TEXTS[name])
    if "tolerations" in table:
        fields["tolerations"] = tuple(_tolerations(reading, (*key, "tolerations"), table))
    for name in REQUIRED:
        if name not in table:
            reading.issue(key, f'"{name}" is missing')
    return Cluster(**fields) if "image" in fields else None


def _names(
    reading: Reading, key: KeyPath, found: Any, reader: Callable[[Any], Any]
) -> tuple[str, ...]:
    """Return the names in the list *found* at *key*, in order."""
    if not isinstance(found, list):
        example = '["registry-login"]'
        reading.issue(
            key, f"expected a list of names such as {example}, found {readers.quoted(found)}"
        )
        return ()
    return tuple(sorted(dict.fromkeys(reading.list(key, found, reader))))


def _reserved(name: str) -> str:
    """Return why no label or annotation may be called *name*; nothing where it may."""
    if name in OURS or name.startswith(OUR_PREFIX):
        return "by this name ratectl knows its own objects; choose another"
    if name in CLUSTER_SETS:
        return "the cluster itself sets this on Jobs and pods; choose another"
    return ""


def _texts(
    reading: Reading, key: KeyPath, found: Any, reader: Callable[[Any], Any]
) -> tuple[tuple[str, str], ...]:
    """Return the names and texts of the table *found* at *key*, ordered by name."""
    if not isinstance(found, dict):
        reading.issue(key, f"expected a table of texts, found {readers.quoted(found)}")
        return ()
    for name in found:
        why = _reserved(name) if key[-1] != "node_selector" else ""
        if why:
            reading.issue((*key, name), why)
        else:
            reading.read((*key, name), name, qualified)
    good = {name: reading.read((*key, name), value, reader) for name, value in found.items()}
    texts = {name: value for name, value in good.items() if isinstance(value, str)}
    size = sum(len(f"{name}{value}".encode()) for name, value in texts.items())
    if size > MOST_ANNOTATED:
        reading.issue(key, f"expected at most {MOST_ANNOTATED} bytes together, found {size}")
    return tuple(sorted(texts.items()))


def _tolerations(reading: Reading, key: KeyPath, table: dict[str, Any]) -> Iterator[Toleration]:
    rows = table["tolerations"]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        example = '[{ key = "dedicated", value = "rates", effect = "NoSchedule" }]'
        reading.issue(
            key, f"expected a list of tables such as {example}, found {readers.quoted(rows)}"
        )
        return
    for number, row in enumerate(rows):
        issues, place = len(reading.issues), (*key, str(number))
        found = reading.read_each(place, row, TOLERATION_READERS)
        for problem in _contradictions(found) if len(reading.issues) == issues else ():
            reading.issue(place, problem)
        yield Toleration(**found)


def _contradictions(row: dict[str, Any]) -> Iterator[str]:
    """Yield what the server would refuse in a toleration whose every word is right."""
    exists = row.get("operator") == "Exists"
    if exists and row.get("value"):
        yield f'operator = "Exists" asks for no value, found {readers.quoted(row["value"])}'
    if not row.get("key") and not exists:
        yield 'without a key it tolerates every taint, which is to be said by operator = "Exists"'
    if "toleration_seconds" in row and row.get("effect") != "NoExecute":
        yield 'toleration_seconds goes with effect = "NoExecute"'
