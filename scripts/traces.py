"""What a run of ratectl could leave on a machine outside its own folder, and how to see it.

Only looks, never changes; standard library only.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FOLDERS = (
    "/etc/cron.d",
    "/etc/systemd/system",
    "/etc/systemd/system/timers.target.wants",
    "/var/lib/systemd/timers",
    "/Library/LaunchDaemons",
    "~/.config/systemd/user",
    "~/.config/systemd/user/timers.target.wants",
    "~/.local/share/systemd/timers",
    "~/.config/ratectl",
    "~/.local/state/ratectl",
    "~/.cache/pip",
    "~/Library/LaunchAgents",
    "~/Library/Application Support/ratectl",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """The machine as it is: the account's crontab, and the files where ratectl could write."""

    crontab: bytes | None
    """None: the account has no crontab."""
    files: frozenset[str]

    @classmethod
    def look(cls) -> Traces:
        """Return what is there now."""
        folders = [Path(folder).expanduser() for folder in FOLDERS]
        found = {str(path) for folder in folders if folder.is_dir() for path in folder.iterdir()}
        return cls(crontab=_crontab(), files=frozenset(found))

    def beyond(self, before: Traces, folder: Path, job: str) -> list[str]:
        """Return in words what is there now, was not there *before*, and belongs to *folder* or *job*."""
        left = [f"file {path}" for path in sorted(self.files - before.files) if _ours(path, job)]
        if self.crontab != before.crontab:
            left.append("the crontab differs")
        if folder.exists():
            left.append(f"folder {folder}")
        return left + [f"process {pid}" for pid in self.processes(str(folder))]

    @staticmethod
    def processes(text: str) -> list[str]:
        """Return the ids of the processes that have *text* in their command line, with that line."""
        if sys.platform == "win32":
            return []  # a running program holds its folder, so removing the folder has told
        if not Path("/proc/self/cmdline").exists():
            listing = subprocess.run(
                ("ps", "-axo", "pid=,command="), capture_output=True, text=True, check=False
            )
            return [line.strip() for line in listing.stdout.splitlines() if text in line]
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if text in line:
                    found.append(f"{path.parent.name} {line.strip()}")
        return found


def bytecode(checkout: Path) -> set[Path]:
    """Return what Python compiled beside the sources of *checkout*, other than in its environment."""
    tops = (path for path in checkout.iterdir() if path.is_dir() and not path.name.startswith("."))
    return {path for top in tops for path in top.glob("**/__pycache__/*.pyc")}


def _ours(path: str, job: str) -> bool:
    return "ratectl" in path or job in path or ".cache/pip" in path


def _crontab() -> bytes | None:
    if shutil.which("crontab") is None:
        return None
    done = subprocess.run(("crontab", "-l"), capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None
