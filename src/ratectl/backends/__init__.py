"""One module per engine, the same verbs: detect, warnings, inspect and dry_run look; check, render, output_files, stage and covers_slot are pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.backends.cron import backend as cron
from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.backends.launchd import backend as launchd
from ratectl.backends.systemd import backend as systemd
from ratectl.backends.windows import backend as windows

if TYPE_CHECKING:
    from ratectl.backends.protocol import Backend

BACKENDS: dict[str, Backend] = {
    "cron": cron,
    "kubernetes": kubernetes,
    "launchd": launchd,
    "systemd": systemd,
    "windows": windows,
}
"""Every engine by the name that ``--backend`` takes."""
