"""What a spec means, as text and JSON."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.errors import describe
from ratectl.runtime.postgres import redacted
from ratectl.schedule.language.explain import explain
from ratectl.views.format import clock
from ratectl.wording import SWITCHED_OFF, count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ratectl.doctor.spec_check import Meaning, SpecCheck
    from ratectl.errors import SpecError


def check_json(checked: SpecCheck) -> dict[str, Any]:
    """Return *checked* as ``check --json`` has it."""
    jobs = [_job_json(meaning) for meaning in checked.meanings]
    return {"jobs": jobs, "issues": issues_json(checked.problems)}


def issues_json(error: SpecError) -> list[dict[str, Any]]:
    """Return the issues of *error* as ``check --json`` has them."""
    return [
        {
            "file": error.path,
            "line": issue.line,
            "key": issue.key,
            "message": issue.message,
            "pointer": issue.pointer,
        }
        for issue in error.issues
    ]


def _job_json(meaning: Meaning) -> dict[str, Any]:
    job = meaning.job
    return {
        "job": job.name,
        "sentence": explain(job.schedule),
        "timezone": job.timezone,
        "user": job.user,
        "journal": redacted(job.journal) if job.journal else "sqlite",
        "warnings": list(meaning.warnings),
        "enabled": job.enabled,
        "slots": [slot.isoformat() for slot in meaning.slots if job.enabled],
        "engines": {
            name: {"fidelity": cover.fidelity.value, "reason": cover.reason}
            for name, cover in meaning.covers.items()
        },
    }


def check_lines(checked: SpecCheck, clocks: str, width: int) -> Iterator[str]:
    """Yield *checked* for people, jobs in *width* columns; *clocks* says what decides this machine's zone."""
    for meaning in checked.meanings:
        yield _job_text(meaning, width)
    yield clocks
    yield from checked.remarks
    path, issues = checked.problems.path, checked.problems.issues
    refused = checked.refused_here or checked.no_scheduler
    fine = "no issues, but install refuses it here" if refused else "no issues"
    found = f"{count(len(issues), 'issue')}:" if issues else fine
    yield f"{path}: {count(len(checked.meanings), 'job')}, {found}"
    yield from map(describe, issues)


def _job_text(meaning: Meaning, width: int) -> str:
    job = meaning.job
    rows = [
        ("means", f"{explain(job.schedule).removesuffix('.')} ({job.timezone})."),
        *_next_rows(meaning),
        ("records", f"{', '.join(map(str, job.pairs))} into {', '.join(map(str, job.outputs))}"),
        *(("warning", warning) for warning in meaning.warnings),
        *((("journal", redacted(job.journal)),) if job.journal else ()),
        *((("runs as", job.user),) if job.user else ()),
        ("asks", ", then ".join(provider.name for provider in job.providers)),
        *(_engine_rows(meaning) if job.enabled else ()),
    ]
    return "\n".join([job.name, *(_row(label, text, width) for label, text in rows)])


def _next_rows(meaning: Meaning) -> list[tuple[str, str]]:
    """Return when the job fires next, or that nothing wakes it."""
    if not meaning.job.enabled:
        return [("off", f"{SWITCHED_OFF}: no scheduler gets it")]
    first, *later = [clock(slot) for slot in meaning.slots] or ["never again"]
    return [("next", first), *(("", slot) for slot in later)]


def _engine_rows(meaning: Meaning) -> Iterator[tuple[str, str]]:
    """Yield how engines can wake the job, those together that do it alike; Kubernetes only where the spec says something of it."""
    engines: dict[tuple[str, str], list[str]] = {}
    for name, cover in meaning.covers.items():
        if name != kubernetes.NAME or meaning.job.kubernetes is not None:
            engines.setdefault((cover.fidelity.value, cover.reason), []).append(name)
    for (fidelity, reason), names in engines.items():
        yield fidelity, f"{', '.join(names)}{f': {reason}' if reason else ''}"


def _row(label: str, text: str, width: int) -> str:
    """Return one row, broken at *width* and set in under its own text."""
    return textwrap.fill(
        text,
        width=max(width, 60),
        initial_indent=f"  {label:<8}  ",
        subsequent_indent=" " * 12,
        break_on_hyphens=False,
        break_long_words=False,
    )
