"""Which engine and scope an install goes to: a flag, else the spec, else what this machine really runs.

``auto`` stays where the jobs already are while that engine can be used; it prefers
an engine whose entries fire without anybody being logged in.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ratectl.backends import BACKENDS, ENGINES
from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.deploy.targets import Target, located
from ratectl.errors import EngineError, RefusedError, UsageError
from ratectl.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.backends.host import Host
    from ratectl.backends.protocol import Backend
    from ratectl.backends.reader import Reader
    from ratectl.journal.journal import Installed

AUTO = "auto"
SCOPES = (AUTO, "user", "system")
PREFERENCE = ("systemd", "launchd", "cron", "windows")
DESPITE_WARNINGS = frozenset({"launchd"})
"""Taken before another that has none: macOS lets cron into Documents and the like only after a person allowed it."""


def select(
    host: Host, reader: Reader, installed: Sequence[Installed], *, backend: str, scope: str
) -> Target:
    """Return where to install. Raises UsageError, RefusedError, or EngineError where no engine runs."""
    wanted_scope = scope_of(host, scope)
    if backend != AUTO:
        chosen = named(backend)
        if chosen.SCOPES == ("user",) and scope == AUTO:
            wanted_scope = "user"
        if wanted_scope not in chosen.SCOPES:
            raise UsageError(
                f"--scope {wanted_scope}: {backend} has only {', '.join(chosen.SCOPES)}"
            )
        return _site(chosen, wanted_scope, host, reader)
    recorded = {(row.backend, row.scope) for row in installed}
    if len(recorded) == 1:
        name, known_scope = recorded.pop()
        known = BACKENDS.get(name)
        fits = scope in {AUTO, known_scope} and (known_scope == "user" or host.root)
        if known is not None and fits and not known.detect(reader, host, known_scope):
            return _site(known, known_scope, host, reader)
    return _running(host, reader, wanted_scope)


def _site(backend: Backend, scope: str, host: Host, reader: Reader) -> Target:
    """Return the site of *backend*, which only for Kubernetes is in a cluster."""
    if backend is kubernetes:
        return located(Target(backend=backend, scope=scope, host=host, reader=reader))
    return Target(backend=backend, scope=scope, host=replace(host, cluster=None), reader=reader)


def named(backend: str) -> Backend:
    """Return the engine that ``--backend`` names. Raises UsageError for an unknown one."""
    if backend in BACKENDS:
        return BACKENDS[backend]
    hint = did_you_mean(backend, BACKENDS)
    raise UsageError(
        f"--backend {backend}: no such scheduler (there are {', '.join(BACKENDS)}){hint}"
    )


def scope_of(host: Host, scope: str) -> str:
    """Return the scope that *scope* means for this account. Raises RefusedError without the right to it."""
    if scope not in SCOPES:
        raise UsageError(f"--scope {scope}: there are {', '.join(SCOPES)}")
    if scope == AUTO:
        return "system" if host.root else "user"
    if scope == "system" and not host.root and host.platform != "win32":
        raise RefusedError(
            "--scope system: only root may install for the whole system; use --scope user"
        )
    return scope


def _running(host: Host, reader: Reader, scope: str) -> Target:
    reasons, usable = [], []
    here = (name for name in PREFERENCE if host.platform in ENGINES[name])
    for backend in (BACKENDS[name] for name in here):
        fitting = scope if scope in backend.SCOPES else "user"
        if problem := backend.detect(reader, host, fitting):
            reasons.append(problem)
            continue
        found = _site(backend, fitting, host, reader)
        warnings = backend.warnings(reader, host, fitting)
        if not warnings or backend.NAME in DESPITE_WARNINGS:
            return found
        usable.append(found)
    if usable:
        return usable[0]
    looked = "; ".join(reasons) or f"no scheduler that ratectl knows exists on {host.platform}"
    raise EngineError(
        f"no scheduler of the operating system runs here ({looked}). "
        "`ratectl serve SPEC` runs the jobs in the foreground instead, as in a container; "
        "--backend NAME forces one."
    )
