"""An oracle: what the API server refuses in a CronJob, in the server's own words.

A schema knows spelling and types; these are the rules that it lets pass (measured on 1.36).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ratectl.backends.kubernetes import cron

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LONGEST_NAME = 52
"""A Job's name is that of its CronJob, a hyphen and ten digits: 63 in all."""
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_ZONE_PART = re.compile(r"[A-Za-z._+0-9-]{1,14}")
_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_ID = range(2**31)
POLICIES = ("Allow", "Forbid", "Replace")
COUNTS = ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit")


def faults(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the CronJob *manifest*: ``path: reason``."""
    spec = manifest["spec"]
    yield from _name(manifest["metadata"]["name"])
    yield from _labels(manifest["metadata"], "metadata")
    yield from _when(spec)
    if spec["concurrencyPolicy"] not in POLICIES:
        yield f"spec.concurrencyPolicy: {_unsupported(spec['concurrencyPolicy'], POLICIES)}"
    yield from (
        f"spec.{name}: must be greater than or equal to 0"
        for name in COUNTS
        if spec.get(name, 0) < 0
    )
    yield from _run(spec["jobTemplate"])


def _unsupported(found: str, known: tuple[str, ...]) -> str:
    shown = ", ".join(f'"{word}"' for word in known)
    return f'Unsupported value: "{found}": supported values: {shown}'


def _name(name: str) -> Iterator[str]:
    if len(name) > LONGEST_NAME:
        yield f"metadata.name: must be no more than {LONGEST_NAME} characters"
    if "." in name:
        yield "metadata.name: a DNS label is recommended, so no dots"
    elif not _SUBDOMAIN.fullmatch(name):
        yield (
            "metadata.name: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
            "characters, '-' or '.', and must start and end with an alphanumeric character"
        )


def _labels(metadata: Mapping[str, Any], place: str) -> Iterator[str]:
    for key, value in metadata.get("labels", {}).items():
        if len(value) > 63 or not _LABEL.fullmatch(value):
            yield (
                f"{place}.labels: {key}: a valid label must be an empty string or consist of "
                "alphanumeric characters, '-', '_' or '.', 63 at most"
            )


def _when(spec: Mapping[str, Any]) -> Iterator[str]:
    zone = spec.get("timeZone", "")
    yield from (f"spec.timeZone: {fault}" for fault in _zone(zone))
    if not spec.get("schedule"):
        yield "spec.schedule: Required value"
        return
    try:
        cron.read(spec["schedule"], zone)
    except ValueError as error:
        yield f"spec.schedule: {error}"


def _zone(name: str) -> Iterator[str]:
    if not name or name.lower() == "local":
        yield "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        return
    if not all(_ZONE_PART.fullmatch(part) for part in name.split("/")):
        yield f"unknown time zone {name}"
        return
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield f"unknown time zone {name}"


def _run(template: Mapping[str, Any]) -> Iterator[str]:
    run = template["spec"]
    yield from _labels(template.get("metadata", {}), "spec.jobTemplate.metadata")
    yield from _labels(run["template"].get("metadata", {}), "template.metadata")
    yield from (
        f"spec.jobTemplate.spec.{name}: must be greater than or equal to 0"
        for name in ("backoffLimit", "activeDeadlineSeconds")
        if run.get(name, 0) < 0
    )
    pod = run["template"]["spec"]
    if pod.get("restartPolicy") not in {"OnFailure", "Never"}:
        yield 'template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'
    yield from (
        f"template.spec.securityContext.{name}: must be between 0 and 2147483647, inclusive"
        for name in ("runAsUser", "runAsGroup", "fsGroup")
        if pod.get("securityContext", {}).get(name, 0) not in _ID
    )
    volumes = {volume["name"] for volume in pod.get("volumes", ())}
    for container in pod["containers"]:
        yield from _container(container, volumes)


def _container(container: Mapping[str, Any], volumes: set[str]) -> Iterator[str]:
    for number, mount in enumerate(container.get("volumeMounts", ())):
        if mount["name"] not in volumes:
            yield f'volumeMounts[{number}].name: Not found: "{mount["name"]}"'
    for number, variable in enumerate(container.get("env", ())):
        if not _VARIABLE.fullmatch(variable["name"]):
            yield (
                f"env[{number}].name: a valid environment variable name must consist of alphabetic "
                "characters, digits, '_', '-', or '.', and must not start with a digit"
            )
