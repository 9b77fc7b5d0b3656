"""A command at another hour and in another host zone, with all that it starts; nothing else notices.

The wall clock moves by a library that is loaded before all others, monotonic clocks stay real. The host's zone
is a link in ``/etc``, which root can lay another over in a mount namespace; others can only set ``TZ``.
"""

from __future__ import annotations

import datetime as dt
import subprocess
from typing import TYPE_CHECKING

from scripts.environment import ROOT, VENV, SetupError, is_root

if TYPE_CHECKING:
    from collections.abc import Sequence

SOURCE = ROOT / "tests" / "faults" / "wallclock.c"
LIBRARY = VENV / "engines" / "wallclock.so"
MOMENTS = {
    "after-midnight": "2026-12-02T00:03+00:00",
    "saturday": "2026-12-05T11:00+00:00",
    "new-year": "2026-12-31T23:58+00:00",
    "clock-change": "2027-03-28T00:57+00:00",
    "leap-day": "2028-02-28T23:58+00:00",
}
"""Hours at which tests failed that count on the calendar: a name, and the time when the command begins."""
ZONES = ("Asia/Kolkata", "America/New_York", "Pacific/Apia")
OVER_ETC = """
work=$(mktemp -d); trap 'umount --lazy "$work"; rmdir "$work"' EXIT
mount -t tmpfs tmpfs "$work"; mkdir "$work/upper" "$work/work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$work/upper,workdir=$work/work" /etc
ln -sfn "/usr/share/zoneinfo/$0" /etc/localtime; echo "$0" > /etc/timezone
"$@"
"""


def at(moment: str) -> dict[str, str]:
    """Return the variables that let a command begin at one of the :data:`MOMENTS`. Raises SetupError."""
    LIBRARY.parent.mkdir(parents=True, exist_ok=True)
    argv = ("gcc", "-O1", "-shared", "-fPIC", "-o", str(LIBRARY), str(SOURCE), "-ldl")
    try:
        subprocess.run(argv, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise SetupError("moving the clock needs gcc and the C headers (libc6-dev)") from error
    except subprocess.CalledProcessError as error:
        raise SetupError(f"the moved clock cannot be compiled: {error.stderr}") from error
    apart = dt.datetime.fromisoformat(MOMENTS[moment]) - dt.datetime.now(dt.UTC)
    return {"LD_PRELOAD": str(LIBRARY), "WALL_OFFSET": str(round(apart.total_seconds()))}


def in_zone(zone: str, argv: Sequence[str]) -> tuple[str, ...]:
    """Return the command line that runs *argv* on a host in *zone*."""
    if not is_root():
        return ("env", f"TZ={zone}", *argv)
    apart = ("unshare", "--mount", "--propagation", "private")
    return (*apart, "env", "-u", "TZ", "sh", "-eu", "-c", OVER_ETC, zone, *argv)
