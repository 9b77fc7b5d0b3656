"""Which jobs a ``ratectl serve`` wakes now: each has a lock that the process holds as long as it lives, however it ends."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ratectl import paths
from ratectl.runtime import locks

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from ratectl.journal.journal import Installed

BACKEND, SCOPE = "serve", "foreground"
"""What the journal has of a job that no scheduler wakes."""


class Held:
    """The locks of one process that serves jobs of *state_dir*."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._held: dict[str, contextlib.ExitStack] = {}

    def hold(self, names: Collection[str]) -> frozenset[str]:
        """Hold the locks of *names* and no others, and return those that are held; one that another process has is tried again with the next call."""
        for name in self._held.keys() - set(names):
            self._held.pop(name).close()
        for name in set(names) - self._held.keys():
            stack = contextlib.ExitStack()
            if stack.enter_context(locks.acquire(_path(self._state_dir, name), until=None)):
                self._held[name] = stack
            else:
                stack.close()
        return frozenset(self._held)

    def close(self) -> None:
        """Give all of them back."""
        self.hold(())


def unserved(state_dir: Path, rows: Sequence[Installed]) -> frozenset[str]:
    """Return the jobs of *rows* that are for ``serve`` to wake, and that no such process is at work on."""
    waiting = [
        row.job.name
        for row in rows
        if row.backend == BACKEND and row.job.enabled and not row.paused
    ]
    return frozenset(name for name in waiting if not _is_held(_path(state_dir, name)))


def _is_held(path: Path) -> bool:
    if not paths.exists(path):
        return False
    with locks.acquire(path, until=None) as got:
        return not got


def _path(state_dir: Path, name: str) -> Path:
    return state_dir / "locks" / f"serve-{name}.lock"
