"""Drop-ins that change our units, wherever they lie: beside the unit, for all timers, for a prefix of names, in another folder.

What lies beside the unit counts though the manager has not read it yet; all else is asked of the manager itself.
See systemd.unit(5) for the folders and for which of two files of one name counts.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from ratectl.backends.reader import Reader

MASKED = "/dev/null"
"""Where the link leads that forbids a unit or a drop-in."""
RUNTIME = (Path("/run/systemd"), Path("/run/user"))
ONCE = 250
"""Units in one call."""
_WAKES = re.compile(
    rb"^\s*(On[A-Z]\w*|Persistent|RandomizedDelaySec|FixedRandomDelay|AccuracySec|Unit)\s*=",
    re.MULTILINE,
)
"""What of a timer decides when it wakes, and whom, see systemd.timer(5)."""


class DropIn(NamedTuple):
    """A file that changes one unit."""

    unit: str
    path: Path
    wakes: bool
    """It lets a timer wake at other times, or something else."""

    @property
    def is_own(self) -> bool:
        """It is for this unit alone."""
        return self.path.parent.name == f"{self.unit}.d"

    def is_reverted(self, folder: Path) -> bool:
        """Tell whether ``systemctl revert`` takes it away, for units that stand in *folder*."""
        places = (folder.parent, *RUNTIME)
        return self.is_own and any(self.path.is_relative_to(place) for place in places)

    def mask(self, folder: Path) -> Path:
        """Return the link to nothing, beside the unit in *folder*, by which it no longer counts for that unit."""
        return folder / f"{self.unit}.d" / self.path.name


def of_jobs(
    reader: Reader, folder: Path, call: Sequence[str], jobs: Collection[str]
) -> dict[str, tuple[DropIn, ...]]:
    """Return, by job, the drop-ins of its units that stand in *folder*; *call* begins each command to their manager."""
    units = [f"ratectl-{job}.{kind}" for job in sorted(jobs) for kind in ("timer", "service")]
    names = frozenset(reader.names(folder))
    loaded = _loaded(reader, call, units)
    found: dict[str, list[DropIn]] = {job: [] for job in jobs}
    for unit in units:
        beside = _beside(reader, folder / f"{unit}.d") if f"{unit}.d" in names else ()
        for path in dict.fromkeys((*beside, *loaded.get(unit, ()))):
            if reader.link(path) == MASKED:
                continue
            drop_in = DropIn(unit, path, _is_rescheduling(reader, unit, path))
            if _counts(drop_in):
                found[unit.removeprefix("ratectl-").rpartition(".")[0]].append(drop_in)
    return {job: tuple(drop_ins) for job, drop_ins in found.items()}


def _counts(drop_in: DropIn) -> bool:
    """Tell whether somebody meant our unit, or lets it wake at other times; distributions lay harmless ones for all services."""
    return drop_in.is_own or drop_in.wakes or drop_in.path.parent.name.startswith("ratectl-")


def _is_rescheduling(reader: Reader, unit: str, path: Path) -> bool:
    return unit.endswith(".timer") and _WAKES.search(reader.read(path) or b"") is not None


def _beside(reader: Reader, folder: Path) -> Iterator[Path]:
    for name in reader.names(folder):
        if name.endswith(".conf"):
            yield folder / name


def _loaded(
    reader: Reader, call: Sequence[str], units: Sequence[str]
) -> Mapping[str, tuple[Path, ...]]:
    """Return the drop-ins of *units* that the manager goes by; none where it does not tell."""
    found: dict[str, tuple[Path, ...]] = {}
    for at in range(0, len(units), ONCE):
        argv = (*call, "show", "--property=Id,DropInPaths", *units[at : at + ONCE])
        answer = reader.query(argv)
        for paragraph in answer.stdout.decode("utf-8", "replace").strip().split("\n\n"):
            told = dict(line.partition("=")[::2] for line in paragraph.splitlines())
            paths = told.get("DropInPaths", "").split()
            found[told.get("Id", "")] = tuple(map(Path, paths))
    return found
