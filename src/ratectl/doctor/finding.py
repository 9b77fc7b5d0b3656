"""What the doctor finds: one reason why something may silently not run, and the command that fixes it."""

from __future__ import annotations

from dataclasses import dataclass

FAULT = "fault"
"""Keeps a job from running, or will; the exit code tells."""
WARNING = "warning"
"""Worth knowing; nothing fails of it by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong."""

    check: str
    """What was looked at, a stable word for programs, such as ``daemon-not-running``."""
    text: str
    """What was found, one sentence without the job's name."""
    fix: str
    """The command that fixes it, as it is typed into a shell."""
    job: str = ""
    """The job that it is about; empty where all of them are."""
    severity: str = FAULT


def warning(*, check: str, text: str, fix: str, job: str = "") -> Finding:
    """Return a finding that does not make the exit code."""
    return Finding(check=check, text=text, fix=fix, job=job, severity=WARNING)
