"""One module per engine, the same verbs: detect, warnings, inspect and dry_run look; check, render, output_files, stage and covers_slot are pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.runtime.lazy_modules import LazyModules

if TYPE_CHECKING:
    from ratectl.backends.protocol import Backend

ENGINES: dict[str, tuple[str, ...]] = {
    "cron": ("linux", "darwin", "freebsd"),
    "kubernetes": ("linux", "darwin", "win32"),
    "launchd": ("darwin",),
    "systemd": ("linux",),
    "windows": ("win32",),
}
"""Every engine by its name, and the systems that have it or reach it, as ``sys.platform`` spells them."""
BACKENDS: LazyModules[Backend] = LazyModules(
    __name__, {name: f"{name}.backend" for name in ENGINES}
)
"""Every engine by the name that ``--backend`` takes; its module is loaded when it is asked for."""
if TYPE_CHECKING:  # holds each module to what a backend offers
    from ratectl.backends.cron import backend as cron
    from ratectl.backends.kubernetes import backend as kubernetes
    from ratectl.backends.launchd import backend as launchd
    from ratectl.backends.systemd import backend as systemd
    from ratectl.backends.windows import backend as windows

    CHECKED: tuple[Backend, ...] = (cron, kubernetes, launchd, systemd, windows)
