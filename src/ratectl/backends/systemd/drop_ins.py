"""Drop-ins that change our units, wherever they lie: beside the unit, for all timers, for a prefix of names, in another folder.

The manager names the folders that it reads; what lies there counts though it has not been read yet. To ask for the
drop-ins of each unit instead would make the manager work out all that it knows of a thousand units. See systemd.unit(5)
for which files are of which unit, and for which of two of one name counts.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from ratectl.backends.reader import Reader

MASKED = "/dev/null"
"""Where the link leads that forbids a unit or a drop-in."""
RUNTIME = (Path("/run/systemd"), Path("/run/user"))
_FOLDER = re.compile(r"(^|\.)(timer|service)\.d$")
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
    present = _present(reader, dict.fromkeys((*_searched(reader, call), folder)))
    found: dict[str, tuple[DropIn, ...]] = {}
    for job in jobs:
        units = [f"ratectl-{job}.{kind}" for kind in ("timer", "service")] if present else []
        drop_ins = (DropIn(*each) for unit in units for each in _of_unit(reader, present, unit))
        found[job] = tuple(filter(_counts, drop_ins))
    return found


def _searched(reader: Reader, call: Sequence[str]) -> list[Path]:
    """Return the folders that the manager reads, the first one counting most; none where it does not tell."""
    answer = reader.query((*call, "show", "--property=UnitPath"))
    value = answer.stdout.decode("utf-8", "surrogateescape").strip().removeprefix("UnitPath=")
    return [Path(part) for part in re.split(" (?=/)", value) if part.startswith("/")]


def _present(reader: Reader, places: Iterable[Path]) -> dict[Path, frozenset[str]]:
    """Return the names of the folders of drop-ins that there are in each of *places*."""
    found = ((place, frozenset(filter(_FOLDER.search, reader.names(place)))) for place in places)
    return {place: names for place, names in found if names}


def _of_unit(
    reader: Reader, present: Mapping[Path, Collection[str]], unit: str
) -> Iterator[tuple[str, Path, bool]]:
    """Yield the drop-ins of *unit*; of one file name only what counts, unless that is a link to nothing."""
    stem, _, kind = unit.rpartition(".")
    parts = stem.split("-")
    prefixes = ["-".join(parts[:number]) + "-" for number in range(len(parts) - 1, 0, -1)]
    by_name = [f"{name}.{kind}.d" for name in (stem, *prefixes)]
    folders = [
        place / name
        for names in (by_name, [f"{kind}.d"])
        for place, there in present.items()
        for name in names
        if name in there
    ]
    counting: dict[str, Path] = {}
    for folder in folders:
        for name in reader.names(folder):
            if name.endswith(".conf"):
                counting.setdefault(name, folder / name)
    for _, path in sorted(counting.items()):
        if reader.link(path) != MASKED:
            yield unit, path, _is_rescheduling(reader, unit, path)


def _counts(drop_in: DropIn) -> bool:
    """Tell whether somebody meant our unit, or lets it wake at other times; distributions lay harmless ones for all services."""
    return drop_in.is_own or drop_in.wakes or drop_in.path.parent.name.startswith("ratectl-")


def _is_rescheduling(reader: Reader, unit: str, path: Path) -> bool:
    return unit.endswith(".timer") and _WAKES.search(reader.read(path) or b"") is not None
