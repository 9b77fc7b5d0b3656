"""What the doctor found, as text and JSON."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ratectl.doctor.finding import FAULT
from ratectl.wording import count, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.doctor.finding import Finding

_TOGETHER = 3
"""Jobs that are named before those with the same finding are only counted."""


def doctor_text(findings: Sequence[Finding], jobs: int) -> str:
    """Return *findings* for people: a line each, below it the command that fixes it, and the count at the end."""
    checked = f"{count(jobs, 'job')} checked" if jobs else "no jobs are installed"
    if not findings:
        return f"all well: {checked}"
    alike: dict[Finding, list[str]] = {}
    for finding in findings:
        alike.setdefault(replace(finding, job=""), []).append(finding.job)
    lines = []
    for finding, names in alike.items():
        about = f"{named}: " if (named := listed(names, _TOGETHER)) else ""
        text = finding.text.replace("\n", "\n    ")
        lines += [
            f"{finding.severity}: {finding.check}: {about}{text}",
            f"    fix: {finding.fix}",
        ]
    faults = sum(finding.severity == FAULT for finding in alike)  # as many as there are lines
    unread = any(finding.check.startswith("journal-") for finding in alike)  # nobody knows then
    where = f" in {count(jobs, 'job')}" if jobs else "" if unread else "; no jobs are installed"
    totals = f"{count(faults, 'fault')} · {count(len(alike) - faults, 'warning')}{where}"
    return "\n".join((*lines, totals))


def doctor_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return *findings* as the contract of ``ratectl doctor --json`` has it."""
    return [
        {key: getattr(finding, key) for key in ("check", "severity", "job", "text")}
        | {"mend": finding.fix}
        for finding in findings
    ]
