"""The installed jobs, as text and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.deploy.inventory import Row


def listing_text(rows: Sequence[Row]) -> str:
    """Return the installed jobs as a table for people."""
    if not rows:
        return "no jobs are installed"
    table = [("JOB", "ENGINE", "NEXT", "LAST", "TRIGGERS")]
    table += [_listed(row) for row in rows]
    widths = [max(len(line[column]) for line in table) for column in range(4)]
    lines = []
    for row, line in zip((None, *rows), table, strict=True):
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        lines.append("  ".join((*cells, line[4])).rstrip())
        lines += [f"    failing: {text}" for text in row.troubles] if row else []
        lines += [f"    drift: {text}" for text in row.drift] if row else []
    return "\n".join(lines)


def listing_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the installed jobs as the contract of ``ratectl list --json`` has it."""
    return [
        {
            "job": row.job,
            "backend": row.backend,
            "scope": row.scope,
            "triggers": list(row.triggers),
            "fidelity": row.fidelity,
            "enabled": row.enabled,
            "next": row.next.isoformat() if row.next else None,
            "drift": list(row.drift),
            "last": {
                "slot": row.last.slot.isoformat(),
                "outcome": row.last.outcome,
                "at": row.last.at.isoformat(),
            }
            if row.last
            else None,
        }
        | ({"paused": True} if row.paused else {})
        | ({"place": row.place} if "namespace" in row.place else {})
        | ({"troubles": list(row.troubles)} if row.troubles else {})
        for row in rows
    ]


def _listed(row: Row) -> tuple[str, str, str, str, str]:
    triggers = row.triggers[0] if row.triggers else "-"
    if len(row.triggers) > 1:
        triggers += f" and {len(row.triggers) - 1} more"
    if row.triggers and row.fidelity == "guarded":
        triggers += " (guarded)"
    return (
        row.job,
        row.place or f"{row.backend} ({row.scope})",
        "paused" if row.paused else f"{row.next:%Y-%m-%d %H:%M:%S %Z}" if row.next else "-",
        f"{row.last.outcome or 'at work'} {row.last.slot:%Y-%m-%d %H:%M %Z}" if row.last else "-",
        triggers,
    )
