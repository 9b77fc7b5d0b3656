"""The installed jobs, as text and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ratectl.views.format import clock, relative_time
from ratectl.wording import typed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from ratectl.deploy.inventory import Row


NOTHING = "no jobs are installed"


def nothing_text(spec: str, served: str) -> str:
    """Return that no job is installed, and what to type: *spec* is the usual one where it is there, *served* where ``serve`` runs it, as no scheduler does."""
    start = typed("ratectl", "serve", served) if served else "ratectl install"
    does = "runs its jobs, as no scheduler does here" if served else "installs its jobs"
    if spec:
        return f"{NOTHING}; {spec} is there: `{start}` {does}"
    done = "runs its jobs, as no scheduler does here" if served else "installs it"
    return f"{NOTHING}; `ratectl init` writes a spec, `{start}` {done}"


def listing_text(rows: Sequence[Row], now: dt.datetime, width: int, nothing: str = NOTHING) -> str:
    """Return the installed jobs for people, a line each: name, next run, how the last slot went, scheduler and triggers.

    Where that is wider than *width*, scheduler and triggers stand on a line of their own, then what is before them, too.
    Where there are none, it is *nothing*.
    """
    if not rows:
        return nothing
    table = [_listed(row, now) for row in rows]
    widths = [max(len(line[column]) for line in table) for column in range(5)]
    kept = next((n for n in (5, 3, 2) if sum(widths[:n]) + 2 * (n - 1) <= width), 1)
    lines = []
    for row, line in zip(rows, table, strict=True):
        cells = [cell.ljust(length) for cell, length in zip(line, widths, strict=True)]
        lines.append("  ".join(cells[:kept]).rstrip())
        if below := "  ".join(filter(None, line[kept:])):
            lines.append(f"    {below}")
        lines += [f"    failing: {text}" for text in row.troubles]
        lines += [f"    {text if row.foreign else f'drift: {text}'}" for text in row.drift]
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
        | ({"switched_off": True} if row.switched_off else {})
        | ({"place": row.place} if "namespace" in row.place else {})
        | ({"troubles": list(row.troubles)} if row.troubles else {})
        for row in rows
    ]


def _listed(row: Row, now: dt.datetime) -> tuple[str, str, str, str, str]:
    triggers = row.triggers[0] if row.triggers else ""
    if len(row.triggers) > 1:
        triggers += f" and {len(row.triggers) - 1} more"
    if row.triggers and row.fidelity == "guarded":
        triggers += " (guarded)"
    resting = (
        (row.paused, "paused"),
        (row.foreign, "not known here"),
        (row.switched_off, "switched off in the spec"),
    )
    following = next((text for is_so, text in resting if is_so), "nothing ahead")
    if row.next and not row.paused:
        following = f"{clock(row.next)}, {relative_time(row.next, now)}"
    last, never = row.last, "" if row.foreign else "not yet run"
    ended = f"{last.outcome or 'at work'} {relative_time(last.slot, now)}" if last else never
    return (row.job, following, ended, row.place or f"{row.backend} ({row.scope})", triggers)
