"""One module per engine, the same verbs: detect, caveats, inspect, rehearse (look); check, render, bundle, stage, wakes (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.backends import cron, kubernetes, launchd, systemd, windows

if TYPE_CHECKING:
    from ratectl.backends.base import Backend

BACKENDS: dict[str, Backend] = {
    "cron": cron,
    "kubernetes": kubernetes,
    "launchd": launchd,
    "systemd": systemd,
    "windows": windows,
}
"""Every engine by the name that ``--backend`` takes."""
