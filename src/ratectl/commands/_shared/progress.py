"""What somebody sees on stderr who waits: how far work of many pieces is, or that a firing has no answer yet."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import typer

from ratectl.commands._shared import terminal
from ratectl.runtime.visible import behind, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ratectl.model.job import Job

BAR_AFTER = 1.0
"""Seconds that work may take before it shows, on a terminal, how far it is."""
TOLD_AFTER = 3.0
"""Seconds that a firing may take before it says what it waits for."""


@contextlib.contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give a function to call with the number of pieces just completed, of *total*; the bar appears once a second has passed."""
    begun, done = time.monotonic(), 0
    with contextlib.ExitStack() as bars:
        bar: Any = None

        def advance(count: int) -> None:
            nonlocal bar, done
            done += count
            if bar is not None:
                bar.update(count)
            elif sys.stderr.isatty() and time.monotonic() - begun >= BAR_AFTER:
                bar = bars.enter_context(
                    typer.progressbar(length=total, label=label, file=behind(sys.stderr))
                )
                bar.update(done)

        yield advance


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

    timer = threading.Timer(TOLD_AFTER, show)
    timer.daemon = True
    timer.start()
    try:
        yield known.append
    finally:
        timer.cancel()
        timer.join(1)
