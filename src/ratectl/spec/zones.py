"""Names of time zones: which ones a spec may have, what data they stand for, and what was meant.

Zone folders hold more than zones: ``right/...`` counts leap seconds, and ``posixrules``,
``localtime`` and ``Factory`` are files of the system.
"""

from __future__ import annotations

import importlib.resources
import zoneinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ratectl.spec.readers import did_you_mean

NO_ZONES = frozenset({"posixrules", "localtime", "Factory", "posix", "right"})
OLD = ("Etc/", "SystemV/", "US/", "Brazil/", "Canada/", "Chile/", "Mexico/")
"""Where names live that a machine should rather not be shown with."""


def is_usable(name: str) -> bool:
    """Tell whether *name* is that of a zone, and no other file in the zone folders."""
    first = name.split("/", 1)[0]
    return bool(name) and first not in NO_ZONES


def named(name: str) -> ZoneInfo:
    """Return the zone *name*. Raises ValueError, which says what was probably meant."""
    if isinstance(name, str) and is_usable(name):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    raise ValueError(f"no such IANA zone{meant(name)}")


def meant(name: object) -> str:
    """Return ' (did you mean "..."?)' for the nearest zone, or an empty text."""
    if not isinstance(name, str):
        return ""
    known = [timezone for timezone in zoneinfo.available_timezones() if is_usable(timezone)]
    plain = name.removeprefix("right/").removeprefix("posix/")
    if plain != name and plain in known:
        return f' (did you mean "{plain}"?)'
    if near := did_you_mean(plain, known):
        return near
    cities = {one.rsplit("/", 1)[-1]: one for one in sorted(known)}
    near = did_you_mean(plain.replace(" ", "_"), cities)
    return next((f' (did you mean "{cities[c]}"?)' for c in cities if f'"{c}"' in near), "")


def data(name: str) -> bytes | None:
    """Return the data of the zone *name* as this machine has them, None where it has none."""
    if not is_usable(name) or ".." in name or name.startswith("/"):
        return None
    for folder in zoneinfo.TZPATH:
        try:
            return Path(folder, name).read_bytes()
        except OSError:
            continue
    try:
        return importlib.resources.files("tzdata.zoneinfo").joinpath(name).read_bytes()
    except (ImportError, OSError):
        return None


def with_data(wanted: bytes) -> list[str]:
    """Return the names of all zones that have the data *wanted*, the most usual one first."""
    names = (name for name in zoneinfo.available_timezones() if is_usable(name))
    return sorted((name for name in names if data(name) == wanted), key=_unusual)


def _unusual(name: str) -> tuple[bool, bool, str]:
    return name != "UTC", "/" not in name or name.startswith(OLD), name
