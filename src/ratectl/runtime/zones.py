"""Names of time zones: which ones a spec may have, what data they stand for, and what was meant.

Zone folders hold more than zones: ``right/...`` counts leap seconds, and ``posixrules``,
``localtime`` and ``Factory`` are files of the system.
"""

from __future__ import annotations

import difflib
import zoneinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DEFAULT_TIMEZONE = "local"
"""What a job has that names no zone: this machine's when the spec is read."""
NO_ZONES = frozenset({"posixrules", "localtime", "Factory", "posix", "right"})
THIS_MACHINE = frozenset({"localtime", "Local", "LOCAL", "system", "host"})
PLACES = {
    **dict.fromkeys(
        ("bombay", "mumbai", "delhi", "new_delhi", "bangalore", "chennai"), "Asia/Kolkata"
    ),
    **dict.fromkeys(("beijing", "shenzhen"), "Asia/Shanghai"),
    **dict.fromkeys(("uk", "britain", "england", "bst", "united_kingdom"), "Europe/London"),
    **dict.fromkeys(("frankfurt", "munich", "hamburg", "germany"), "Europe/Berlin"),
    **dict.fromkeys(
        ("washington", "boston", "miami", "eastern", "eastern_time", "edt"), "America/New_York"
    ),
    **dict.fromkeys(("dallas", "houston", "central_time", "cst", "cdt"), "America/Chicago"),
    **dict.fromkeys(("mountain_time", "mdt"), "America/Denver"),
    **dict.fromkeys(
        ("san_francisco", "seattle", "pacific_time", "pst", "pdt"), "America/Los_Angeles"
    ),
    "jst": "Asia/Tokyo",
    "cest": "Europe/Berlin",
    "aest": "Australia/Sydney",
}
"""Places and words of people that are no names of zones, in small letters."""
CUTOFF = 0.8
TABLES = ("zone1970.tab", "zone.tab")
"""Tables of the zones that have a name of their own today, not only an older name, in the order of trust."""
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
    """Return ' (did you mean "..."?)' for the zone that *name* is near to, lies in, or was called before; else an empty text.

    A zone that the system lists without having its data is never offered, nor the word that was refused.
    """
    zone = near(name) if isinstance(name, str) else ""
    return f' (did you mean "{zone}"?)' if zone else ""


def near(name: str) -> str:
    """Return the zone that *name*, which is none, was probably meant for; nothing where none is near."""
    plain = name.removeprefix("right/").removeprefix("posix/")
    if plain in THIS_MACHINE:
        return "local"
    zone = _present_name(plain) or _nearest(plain.strip().lower().replace(" ", "_"))
    return "" if zone == name or data(zone) is None else zone


def _present_name(old: str) -> str:
    """Return what the zone of the name *old* is called today, and an empty text where *old* is no such name."""
    lines = (data("tzdata.zi") or b"").decode("utf-8", "replace").splitlines()
    links = (line.split() for line in lines if line.startswith("L "))
    return next((link[1] for link in links if link[2:] == [old]), "")


def _nearest(name: str) -> str:
    """Return the zone of that name or city, or of the only one of that country; nothing for an offset."""
    known = {zone.lower(): zone for zone in sorted(zoneinfo.available_timezones(), key=_unusual)}
    known = {lower: zone for lower, zone in known.items() if is_usable(zone)}
    cities = {zone.rsplit("/", 1)[-1]: known[zone] for zone in reversed(known)}
    if name in known:
        return known[name]
    if any(character in "+0123456789" for character in name) or name in NO_ZONES:
        return ""
    found = PLACES.get(name) or cities.get(name) or _only_zone_in(name)
    if found:
        return found
    for names in (known, cities):
        if near := difflib.get_close_matches(name, names, n=1, cutoff=CUTOFF):
            return names[near[0]]
    return ""


def _only_zone_in(country: str) -> str:
    """Return the zone of a *country* that has only one."""
    codes = {row[1].lower().replace(" ", "_"): row[0] for row in _rows("iso3166.tab")}
    code = codes.get(country, "")
    found = [row[2] for row in _rows("zone.tab") if row[0] == code]
    return found[0] if len(found) == 1 else ""


def _rows(table: str) -> list[list[str]]:
    """Return the rows of a table of the zone folders, none where there is no such table."""
    lines = (data(table) or b"").decode("utf-8", "replace").splitlines()
    return [line.split("\t") for line in lines if "\t" in line and not line.startswith("#")]


def data(name: str) -> bytes | None:
    """Return the data of the zone *name* as this machine has them, None where it has none."""
    if not is_usable(name) or ".." in name or name.startswith("/"):
        return None
    for folder in zoneinfo.TZPATH:
        try:
            return Path(folder, name).read_bytes()
        except OSError:
            continue
    import importlib.resources  # noqa: PLC0415 - for a machine without zone data of its own

    try:
        return importlib.resources.files("tzdata.zoneinfo").joinpath(name).read_bytes()
    except (ImportError, OSError):
        return None


def with_data(wanted: bytes) -> list[str]:
    """Return the names of all zones that have the data *wanted*: UTC first, then those that zones have today."""
    names = (name for name in zoneinfo.available_timezones() if is_usable(name))
    found = [name for name in names if data(name) == wanted]
    tables = [{row[2] for row in _rows(table) if len(row) > 2} for table in TABLES]
    return sorted(
        found, key=lambda name: (name != "UTC", *(name not in table for table in tables), name)
    )


def _unusual(name: str) -> tuple[bool, bool, str]:
    return name != "UTC", "/" not in name or name.startswith(OLD), name
