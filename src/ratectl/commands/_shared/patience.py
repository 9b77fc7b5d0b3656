"""One line on stderr for a person who waits for a firing: what it waits for, and for how long at most."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from ratectl.commands._shared import terminal
from ratectl.runtime.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ratectl.model.job import Job

SOON = 3.0
"""Seconds that a firing may take before it says what it waits for."""


@contextlib.contextmanager
def patience(job: Job) -> Iterator[Callable[[str], None]]:
    """Give a function to call with what stands in the way; the last such text is shown, once, if the block takes long."""
    known = [f"no answer yet from {', '.join(provider.name for provider in job.providers)}"]

    def show() -> None:
        text = (
            f"{job.name}: {known[-1]}; it is tried for {job.timeout} s at most, and Ctrl-C ends it"
        )
        with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
            terminal.complain(f"ratectl: {visible(text)}")

    timer = threading.Timer(SOON, show)
    timer.daemon = True
    timer.start()
    try:
        yield known.append
    finally:
        timer.cancel()
        timer.join(1)
