"""A job's snapshot as one JSON text, for a firing on a machine that has no journal to read it from.

Whatever is wrong with it is named by its place in the text; what passes is a job that can be fired.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from ratectl.errors import ConfigError
from ratectl.model.cluster import Cluster, Toleration
from ratectl.model.job import OUTPUT_KINDS, Job, Output, Pair, Provider
from ratectl.model.providers import PROVIDER_KINDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

LIKE = Job(
    name="",
    pairs=(Pair(base="", quote=""),),
    schedule_texts=("",),
    timezone="",
    providers=(Provider(name="", kind=""),),
    outputs=(Output(kind="", target=""),),
    notify=("",),
    tags=("",),
    kubernetes=Cluster(
        image="",
        image_pull_secrets=("",),
        node_selector=(("", ""),),
        tolerations=(Toleration(toleration_seconds=0),),
        labels=(("", ""),),
        annotations=(("", ""),),
    ),
)
"""What a value is to be like: its types are those of every job."""
CALLED = {str: "a text", int: "a whole number", bool: "true or false"}


def job_in(text: str) -> Job:
    """Return the job whose plain form *text* is. Raises ConfigError with everything that is wrong with it."""
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"--snapshot: not JSON ({error})") from error
    problems = list(_unlike(plain, LIKE, ""))
    if not problems:
        try:
            job = Job.from_plain(plain)
        except (ValueError, ArithmeticError) as error:
            raise ConfigError(f"--snapshot: {error}") from error
        problems = [
            *_unknown("providers", [provider.kind for provider in job.providers], PROVIDER_KINDS),
            *_unknown("outputs", [output.kind for output in job.outputs], OUTPUT_KINDS),
            *(f"{field} is empty" for field in ("pairs", "providers") if not plain[field]),
        ]
    if problems:
        raise ConfigError(
            f"--snapshot: {'; '.join(problems)}; `ratectl install` of this version makes one that fits"
        )
    return job


def _unlike(found: Any, like: Any, path: str) -> Iterator[str]:
    """Yield how *found* differs in its types from *like*, each with its place in the text."""
    if is_dataclass(like):
        yield from _fields_unlike(found, like, path)
    elif isinstance(like, tuple):
        if not isinstance(found, list):
            yield f"{path} is {found!r}, expected a list"
            return
        for number, item in enumerate(found):
            yield from _unlike(item, like[0], f"{path}[{number}]")
    else:
        kind = type(like) if type(like) in CALLED else str  # enums and decimals are texts
        if type(found) is not kind:
            yield f"{path} is {found!r}, expected {CALLED[kind]}"


def _fields_unlike(found: Any, like: Any, path: str) -> Iterator[str]:
    if not isinstance(found, dict):
        yield f"{path or 'it'} is {found!r:.80}, expected an object"
        return
    wanted = {field.name: field for field in fields(like)}
    within = f"{path}." if path else ""
    for key in sorted(found.keys() - wanted.keys()):
        yield f"{within}{key} is not known here"
    for name, field in wanted.items():
        if name in found and found[name] is None and field.default is None:
            continue
        if name in found:
            yield from _unlike(found[name], getattr(like, name), f"{within}{name}")
        elif field.default is MISSING:
            yield f"{within}{name} is missing"


def _unknown(field: str, kinds: list[str], known: Collection[str]) -> Iterator[str]:
    for number, kind in enumerate(kinds):
        if kind not in known:
            yield f"{field}[{number}].kind is {kind!r}, expected one of {', '.join(known)}"
