"""The floor of a firing: a program that does by hand what a firing must do, and imports nothing else for it.

It starts as a firing does, and loads its libraries as a firing does.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Command = tuple[str, ...]
FAST = (sys.executable, "-I", "-S", "-c")
"""As a firing starts: without ``site``."""
DATABASE = """
import datetime, gc, sys
gc.collect()
gc.disable()
sys.path += {folders!r}
import _sqlite3 as sqlite3
"""
REQUESTS = """
from ratectl.runtime.deferred_imports import deferred
with deferred():
    import requests
"""
ASKED = """
rate = requests.get({url!r}).json()["rates"]["INR"]
"""
RECORDED = """
import os
book = sqlite3.connect({folder!r} + "/by-hand.sqlite3", isolation_level=None)
book.execute("PRAGMA journal_mode = WAL")
book.execute("PRAGMA synchronous = FULL")
book.execute("CREATE TABLE IF NOT EXISTS rates (slot, pair, rate)")
for turn in range(3):
    book.execute("BEGIN IMMEDIATE")
    book.execute("INSERT INTO rates VALUES (?, ?, ?)", (turn, "USD/INR", str(rate)))
    book.execute("COMMIT")
for name in {names!r}:
    output = os.open({folder!r} + "/by-hand-" + name, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(output, f"{{rate}}\\n".encode())
    os.fsync(output)
"""
"""The least that is durable: a claim, the rate and what became of it, each committed, and a synced line in each output."""


def loading() -> str:
    """Return the program that loads what a firing stands on, and nothing of ours but how it is loaded."""
    ours = str(Path(__file__).resolve().parents[2] / "src")
    theirs = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    return DATABASE.format(folders=[ours, *theirs]) + REQUESTS


def parts(folder: Path, url: str, outputs: Sequence[str]) -> dict[str, str]:
    """Return the floor by its parts, for the rate that *url* gives: each program does what the one before it does, and more."""
    loaded = loading()
    asked = loaded + ASKED.format(url=url)
    return {
        "the interpreter": "pass",
        "_sqlite3 and datetime": loaded.removesuffix(REQUESTS),
        "requests and urllib3": loaded,
        "the request": asked,
        "commits and appends by hand": asked
        + RECORDED.format(folder=str(folder), names=tuple(outputs)),
    }


def whole(folder: Path, url: str, outputs: Sequence[str]) -> Command:
    """Return the command that does all of it in *folder*."""
    *_, program = parts(folder, url, outputs).values()
    return (*FAST, program)
