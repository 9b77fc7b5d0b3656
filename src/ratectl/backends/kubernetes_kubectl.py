"""What kubectl is called with, and what its answers mean to a person.

Its exit code is 1 for nearly everything, so an error is told by the words of the server, which
are shown as they came, with what to do next.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ratectl.backends.base import console_text
from ratectl.errors import EngineError, RatectlError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ratectl.backends.base import Completed, Place

PATIENCE = 10
"""Seconds that one request to the server may take; kubectl asks up to five times."""
ABSENT = (
    "kubernetes: there is no `kubectl` program on the PATH; install it "
    "(https://kubernetes.io/docs/tasks/tools/), or choose another --backend"
)
KIND = "cronjobs.batch"
_NOISE = re.compile(r"^[EIWF]\d{4} ")
"""A line of kubectl's own log."""


def argv(place: Place, *words: str) -> tuple[str, ...]:
    """Return the command line of kubectl that does *words* at *place*."""
    context = (f"--context={place.context}",) if place.context else ()
    where = f"--namespace={place.namespace}"
    return ("kubectl", *context, where, f"--request-timeout={PATIENCE}s", *words)


def shown(place: Place) -> str:
    """Return *place* as a person calls it."""
    context = f" of context {place.context}" if place.context else ""
    return f"namespace {place.namespace}{context}"


def warnings(answer: Completed) -> tuple[str, ...]:
    """Return what the server warned of."""
    lines = console_text(answer.stderr).splitlines()
    told = (line.removeprefix("Warning:").strip() for line in lines if line.startswith("Warning:"))
    return tuple(f"kubernetes: the server warns: {text}" for text in dict.fromkeys(told))


def failure(answer: Completed, place: Place) -> RatectlError:
    """Return what went wrong at *place*, and what to do next."""
    if answer.code == 127:
        return EngineError(ABSENT)
    said = _said(answer)
    for words, kind, advice in _ADVICE:
        if re.search(words, said):
            step = advice.format(namespace=place.namespace, patience=PATIENCE)
            return kind(f"kubernetes, {shown(place)}: {said}; {step}")
    return EngineError(f"kubernetes, {shown(place)}: {said or f'exit code {answer.code}'}")


_ADVICE: tuple[tuple[str, type[RatectlError], str], ...] = (
    (
        r"conflict with ",
        EngineError,
        "somebody else set these fields: take that into the spec, or `ratectl install --force-conflicts` takes them back",
    ),
    (
        r"(?i)forbidden|\(Unauthorized\)|must be logged in",
        RefusedError,
        "`kubectl auth can-i patch cronjobs.batch -n {namespace}` tells whether you have the right",
    ),
    (
        r"namespaces? \"[^\"]*\" not found",
        EngineError,
        "`kubectl create namespace {namespace}` makes it",
    ),
    (
        r"context .* does not exist|no context exists",
        EngineError,
        "`kubectl config get-contexts` lists what there is",
    ),
    (
        r"(?i)timeout|deadline exceeded|timed out",
        EngineError,
        "the server did not answer within {patience} seconds; `kubectl cluster-info` looks at it, and try again later",
    ),
    (
        r"(?i)refused|unable to connect|no such host|couldn't get current server|was the cluster",
        EngineError,
        "the server is not there, or kubectl looks elsewhere: `kubectl cluster-info` tells",
    ),
)


def _said(answer: Completed) -> str:
    """Return the complaint in one line, without warnings and the log's lines."""
    lines: Iterable[str] = console_text(answer.stderr or answer.stdout).splitlines()
    lines = [line.strip() for line in lines]
    plain = [line for line in lines if line and not line.startswith("Warning:")]
    telling = [line for line in plain if not _NOISE.match(line)]
    return " ".join(dict.fromkeys(telling or plain[-1:]))
