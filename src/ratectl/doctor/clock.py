"""Whether the clock is kept right, and whether the zones are those that the entries were made for."""

from __future__ import annotations

import zoneinfo
from pathlib import Path
from typing import TYPE_CHECKING

from ratectl.backends import BACKENDS
from ratectl.deploy import host_facts, remedies, targets
from ratectl.doctor.finding import Finding, warning
from ratectl.model.job import GET_ZONE
from ratectl.runtime import zones

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ratectl.doctor.observations import Observations
    from ratectl.journal.journal import Installed

NAME = Path("/etc/timezone")


def synchronisation(observed: Observations) -> Iterator[Finding]:
    """Find that nothing keeps the clock right, which is the host's business in a container."""
    if observed.reader.clock_synchronised() is False:
        text = "nothing keeps this machine's clock right; slots come early or late as it drifts"
        fix = remedies.keep_clock(observed.host, observed.reader)
        yield warning(check="clock-unsynchronised", text=text, fix=fix)


def names_of_the_zone(observed: Observations) -> Iterator[Finding]:
    """Find that ``/etc/timezone`` names another zone than the daemons take: that of ``/etc/localtime``, or UTC without it."""
    text = observed.reader.read(NAME) if observed.host.platform == "linux" else None
    name = (text or b"").decode("utf-8", "replace").strip()
    held = observed.host.zone.key
    if name and name != held and zones.data(name) != zones.data(held):
        told = f"{NAME} says {name}, and daemons take {held}, {host_facts.zone_source()}"
        fix = remedies.set_zone(observed.host, observed.reader, held)
        yield warning(check="zone-names-differ", text=told, fix=fix)


def host_zone(observed: Observations, row: Installed) -> Iterator[Finding]:
    """Find that the machine moved to another zone, while its engine still holds times of the old one."""
    now = observed.host.zone.key
    if row.host_timezone != now and row.backend in BACKENDS and _goes_by_it(observed, row):
        yield Finding(
            check="host-zone-changed",
            job=row.job.name,
            text=f"the machine's zone is {now}, and was {row.host_timezone} at the installation",
            fix=observed.by_install(row),
        )


def _goes_by_it(observed: Observations, row: Installed) -> bool:
    """Tell whether what the engine holds for *row* would be other text in the machine's zone of now: timers with a zone of their own do not care."""
    target = observed.target_of(row)
    if target is None or not observed.is_awake(row) or row.job.fault:
        return observed.is_awake(row)
    cover = target.backend.check(row.job, target.host.zone)
    entry = observed.found_at[target].entries.get(row.job.name)
    return entry is None or targets.render(target, row.job, cover) != entry.artefacts


def zone_data(_observed: Observations, row: Installed) -> Iterator[Finding]:
    """Find that the data of the job's zone is gone, so that no firing can tell its slots."""
    if not has_zone(row.job.timezone):
        yield Finding(
            check="zone-data-missing",
            job=row.job.name,
            text=f"this machine has no zone data for {row.job.timezone!r}",
            fix=GET_ZONE,
        )


def has_zone(name: str) -> bool:
    """Tell whether this machine knows the zone *name*."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
