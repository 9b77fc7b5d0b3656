"""A bar on a terminal's stderr for work that takes longer than a second; silent in a pipe."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING, Any

import typer

from ratectl.runtime.visible import behind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOON = 1.0
"""Seconds that work may take before it shows how far it is."""


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
            elif sys.stderr.isatty() and time.monotonic() - begun >= SOON:
                bar = bars.enter_context(
                    typer.progressbar(length=total, label=label, file=behind(sys.stderr))
                )
                bar.update(done)

        yield advance
