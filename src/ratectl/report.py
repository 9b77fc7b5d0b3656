"""Values -> text and JSON. Pure; text is for people and never parsed by us."""

from __future__ import annotations

import itertools
import json
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.backends.protocol import Expect, Link, RemoveFile, Settle, Verb, WriteFile
from ratectl.deploy import plan
from ratectl.doctor.finding import FAULT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ratectl.backends.protocol import Change, Step
    from ratectl.deploy.install import Prepared
    from ratectl.deploy.inventory import Row
    from ratectl.deploy.targets import Part
    from ratectl.deploy.uninstall import Removal
    from ratectl.doctor.finding import Finding
    from ratectl.schedule.cover.triggers import Cover

_SIGNS = {
    Verb.CREATE: "+",
    Verb.UPDATE: "~",
    Verb.DELETE: "-",
    Verb.KEEP: "=",
    Verb.PAUSE: "-",
}
_TOGETHER = 3
"""Jobs that are named before those with the same finding are only counted."""
_LISTED = 40
"""Lines of one kind that a plan shows before it only counts."""


def as_json(value: Any) -> str:
    """Return JSON-ready *value* as the text that ``--json`` prints."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def plan_text(prepared: Prepared) -> str:
    """Return what an install will do: changes, then steps."""
    if prepared.empty:
        return "\n".join((f"{prepared.main.site}: nothing to do", *_caveats(prepared)))
    lines = [f"{prepared.main.site}:"]
    lines += _shortened(
        [_change_text(c, prepared.covers) for c in plan.pending(prepared.main.changes)]
    )
    lines += _kept(prepared)
    for part in prepared.moves:
        lines.append(f"{part.site}, where the jobs stand now:")
        lines += _shortened([_change_text(c, {}) for c in part.changes])
    lines.append("steps:")
    lines += _few_files([f"  {text}" for text in _steps(prepared)])
    return "\n".join((*lines, *_caveats(prepared)))


def plan_json(prepared: Prepared) -> dict[str, Any]:
    """Return what an install will do as JSON-ready values."""
    return {
        "backend": prepared.main.site.backend.NAME,
        "scope": prepared.main.site.scope,
        "changes": [
            {
                "job": change.job,
                "change": change.verb.value,
                "why": change.why,
                "fidelity": _fidelity(prepared.covers.get(change.job)),
                "reason": _reason(prepared.covers.get(change.job)),
            }
            for change in prepared.main.changes
        ],
        "moves": [
            {"job": change.job, "backend": part.site.backend.NAME, "scope": part.site.scope}
            for part in prepared.moves
            for change in part.changes
        ],
        "steps": list(_steps(prepared)),
        "caveats": list(prepared.caveats),
    }


def installed_text(prepared: Prepared, upcoming: Mapping[str, str]) -> str:
    """Return what an install did, with the next slot of each changed job."""
    counts = dict.fromkeys(Verb, 0)
    for change in prepared.main.changes:
        counts[change.verb] += 1
    done = ", ".join(
        f"{count} {word}"
        for verb, word in (
            (Verb.CREATE, "created"),
            (Verb.UPDATE, "updated"),
            (Verb.DELETE, "deleted"),
            (Verb.KEEP, "unchanged"),
        )
        if (count := counts[verb])
    )
    lines = [f"installed in {prepared.main.site} and read back: {done or 'no entries'}"]
    changed = [c.job for c in plan.pending(prepared.main.changes) if c.job in upcoming]
    lines += _shortened([f"  {job}: next {upcoming[job]}" for job in changed])
    if changed:
        lines += [
            "nothing else has to run: the scheduler wakes each job, and `ratectl status` shows how it stands",
            f"({_at_once(prepared, changed[0])})",
        ]
    return "\n".join(lines)


def _at_once(prepared: Prepared, job: str) -> str:
    """Return how *job* is tried without waiting for its next slot."""
    cluster = prepared.main.site.host.cluster
    if cluster is None or prepared.main.site.backend is not kubernetes:
        return f"`ratectl run {job} --force` records a rate right now"
    return f"`{shlex.join(kubernetes.trying(cluster, job))}` runs it at once, in a pod"


def removal_text(removal: Removal) -> str:
    """Return what a remove does or did."""
    if not removal.parts and not removal.forget:
        return "nothing to remove"
    lines = []
    for part in removal.parts:
        lines.append(f"removed from {part.site}:")
        lines += _shortened([f"  - {change.job}" for change in part.changes])
    held = {change.job for part in removal.parts for change in part.changes}
    if only := [name for name in removal.forget if name not in held]:
        lines.append(f"removed from the journal, no scheduler held them: {', '.join(only)}")
    return "\n".join(lines)


def pause_text(removal: Removal) -> str:
    """Return what a pause did."""
    lines = [f"paused in {part.site}:" for part in removal.parts[:1]] or ["paused:"]
    lines += _shortened([f"  {job}" for job in removal.jobs])
    return "\n".join(
        (*lines, "`ratectl resume` lets them run again; slots until then are left out")
    )


def steps_text(parts: Sequence[Part]) -> str:
    """Return the steps of *parts* as a dry run shows them."""
    return "\n".join(["steps:", *_few_files([f"  {_step(s)}" for p in parts for s in p.steps])])


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


def doctor_text(findings: Sequence[Finding], jobs: int) -> str:
    """Return *findings* for people: a line each, below it the command that mends it, and the count at the end."""
    checked = f"{_count(jobs, 'job')} checked" if jobs else "no jobs are installed"
    if not findings:
        return f"all well: {checked}"
    alike: dict[Finding, list[str]] = {}
    for finding in findings:
        alike.setdefault(replace(finding, job=""), []).append(finding.job)
    lines = []
    for finding, names in alike.items():
        shown = ", ".join(names[:_TOGETHER])
        more = f" and {len(names) - _TOGETHER} more" if len(names) > _TOGETHER else ""
        about = f"{shown}{more}: " if shown else ""
        text = finding.text.replace("\n", "\n    ")
        lines += [
            f"{finding.severity}: {finding.check}: {about}{text}",
            f"    mend: {finding.mend}",
        ]
    faults = sum(finding.severity == FAULT for finding in findings)
    told = ", ".join((_count(faults, "fault"), _count(len(findings) - faults, "warning")))
    return "\n".join((*lines, f"{told}; {checked}"))


def doctor_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return *findings* as the contract of ``ratectl doctor --json`` has it."""
    return [
        {key: getattr(finding, key) for key in ("check", "severity", "job", "text", "mend")}
        for finding in findings
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


def _change_text(change: Change, covers: Mapping[str, Cover]) -> str:
    text = f"  {_SIGNS[change.verb]} {change.verb.value} {change.job}"
    if change.why:
        text += f" ({change.why})"
    if reason := _reason(covers.get(change.job)):
        text += f"\n      guarded: {reason}"
    return text


def _kept(prepared: Prepared) -> list[str]:
    kept = sum(change.verb is Verb.KEEP for change in prepared.main.changes)
    return [f"  = {kept} unchanged"] if kept else []


def _steps(prepared: Prepared) -> Iterator[str]:
    """Yield everything an install does, in order, one line each."""
    if prepared.record:
        yield f"record {_count(len(prepared.record), 'job')} in the journal"
    for part in (*prepared.moves, prepared.main):
        yield from (_step(step) for step in part.steps)
    yield from map(_step, prepared.after)
    if prepared.forget:
        yield f"mark {_count(len(prepared.forget), 'job')} as removed in the journal"


def _step(step: Step) -> str:
    if isinstance(step, WriteFile):
        return f"write {step.path} ({len(step.data)} bytes)"
    if isinstance(step, Link):
        return f"link {step.path} to {step.target}"
    if isinstance(step, RemoveFile):
        return f"remove {step.path}"
    if isinstance(step, Expect):
        shown = f"`{shlex.join(step.argv)}`"
        return (
            f"wait until {shown} fails" if step.within else f"see that {shown} prints what it did"
        )
    if isinstance(step, Settle):
        return f"wait until {step.path} has not changed in the current second"
    shown = shlex.join(step.argv[:12])
    if len(step.argv) > 12:
        shown += f" ... ({len(step.argv) - 12} more)"
    return f"run {shown}" + (f"   # {step.why}" if step.why else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _shortened(lines: list[str]) -> list[str]:
    if len(lines) <= _LISTED:
        return lines
    return [*lines[:_LISTED], f"  ... and {len(lines) - _LISTED} more"]


def _few_files(lines: list[str]) -> list[str]:
    """Return the lines of steps with long stretches of files cut; every other step stays."""
    kept: list[str] = []
    for of_files, group in itertools.groupby(lines, lambda line: not line.startswith("  run ")):
        stretch = list(group)
        kept += _shortened(stretch) if of_files else stretch
    return kept


def _caveats(prepared: Prepared) -> list[str]:
    return [f"note: {text}" for text in prepared.caveats]


def _fidelity(cover: Cover | None) -> str:
    return cover.fidelity.value if cover else ""


def _reason(cover: Cover | None) -> str:
    return cover.reason if cover else ""
