"""Writes the page anew after a firing: whole, in the background of nothing, and once for many firings that end together."""

from __future__ import annotations

import hashlib
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ratectl.errors import RefusedError
from ratectl.journal.journal import Journal
from ratectl.page import whole
from ratectl.page.whole import Wanted
from ratectl.runtime import locks, made_files
from ratectl.runtime.deadline import Deadline, within
from ratectl.runtime.drafts import Drafts

if TYPE_CHECKING:
    import datetime as dt

PATIENCE = 60.0
"""Seconds that a firing gives to the page, when everything else is done."""


def publish(state_dir: Path, path: str, *, host_timezone: str, now: dt.datetime) -> str:
    """Write the page of the journal in *state_dir* to *path*; return why that did not work, empty where it did.

    Of firings that end together only one waits while another writes; the others leave theirs to it,
    since it begins to read after their rates are in the journal.
    """
    folder = state_dir / "locks"
    name = hashlib.sha256(path.encode()).hexdigest()[:16]

    def work() -> None:
        with ExitStack() as waiting:
            turn = waiting.enter_context(
                locks.acquire(folder / f"page-{name}-next.lock", until=None)
            )
            if not turn:
                return
            with locks.acquire(folder / f"page-{name}.lock", until=Deadline(PATIENCE)) as got:
                waiting.close()  # who fires from now on waits for a page of its own
                if got:
                    _write(state_dir, Path(path), host_timezone, now)

    try:
        within(PATIENCE, work)
    except Exception as error:  # noqa: BLE001 - whatever it is, the firing is done and well
        return f"report: {path} was not written: {error or type(error).__name__}"
    return ""


def _write(state_dir: Path, path: Path, host_timezone: str, now: dt.datetime) -> None:
    if why := made_files.fault(path, made_files.PAGE):
        raise RefusedError(why.removeprefix(f"{path}: "))
    with Journal(state_dir) as journal:
        text, _left_out = whole.page(
            journal, Wanted(now=now, zone=ZoneInfo(host_timezone or "UTC"))
        )
    with Drafts() as drafts:
        drafts.write(path, text.encode(), _mode(), lambda _descriptor: None)
        drafts.put_in_place()
        drafts.sync()


def _mode() -> int:
    """Return the rights of a new file under this process's umask."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
