"""Which file a zone's rules come from, and its stamp: a changed stamp makes stored instants untrusted."""

from __future__ import annotations

import importlib.util
import zoneinfo
from pathlib import Path


def zone_file(key: str) -> str:
    """Return the path of the rules of zone *key*; empty when they are where we cannot watch them."""
    for root in (*zoneinfo.TZPATH, *_package()):
        path = Path(root, *key.split("/"))
        if path.is_file():
            return str(path)
    return ""


def stamp(path: str) -> str:
    """Return what changes whenever the file at *path* does; empty when there is none.

    ``firing/command_line.py`` spells the same thing out, since it cannot afford this import.
    """
    try:
        status = Path(path).stat()
    except OSError:
        return ""
    return f"{status.st_mtime_ns}:{status.st_size}"


def _package() -> tuple[str, ...]:
    """Return where the package tzdata keeps its zones, for systems that have none of their own."""
    spec = importlib.util.find_spec("tzdata")
    if spec is None or spec.origin is None:
        return ()
    return (str(Path(spec.origin).with_name("zoneinfo")),)
