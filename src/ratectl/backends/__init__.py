"""One module per engine, the same verbs: detect, caveats, inspect (look); check, render, bundle, stage (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.backends import cron, launchd, systemd, windows

if TYPE_CHECKING:
    from ratectl.backends.base import Backend

BACKENDS: dict[str, Backend] = {
    "cron": cron,
    "launchd": launchd,
    "systemd": systemd,
    "windows": windows,
}
"""Every engine by the name that ``--backend`` takes."""
