"""The one thing to do next, as commands that set something up end with it: a line to copy, and what it does."""

from __future__ import annotations

import shlex
import sys
from subprocess import list2cmdline


def next_step(*argv: str, does: str) -> str:
    """Return the line that names *argv*, as it is typed into a shell of this system, and what it *does*."""
    typed = list2cmdline(argv) if sys.platform == "win32" else shlex.join(argv)
    return f"next: {typed}   # {does}"
