"""What an install, a removal or a pause does, as text and JSON. Text is for people and never parsed by us."""

from __future__ import annotations

import itertools
import shlex
from typing import TYPE_CHECKING, Any

from ratectl.backends.cron import backend as cron
from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.backends.protocol import Verb
from ratectl.backends.steps import Expect, Link, MakeFolder, RemoveFile, Settle, WriteFile
from ratectl.deploy import plan
from ratectl.wording import SWITCHED_OFF, count, listed, typed_names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from ratectl.backends.protocol import Change
    from ratectl.backends.steps import Step
    from ratectl.deploy.install import Prepared
    from ratectl.deploy.uninstall import Removal
    from ratectl.schedule.cover.triggers import Cover

_SIGNS = {
    Verb.CREATE: "+",
    Verb.UPDATE: "~",
    Verb.DELETE: "-",
    Verb.KEEP: "=",
    Verb.PAUSE: "-",
}
_LISTED = 40
"""Lines of one kind that a plan shows before it only counts."""


def plan_text(prepared: Prepared) -> str:
    """Return what an install will do: changes, then steps."""
    if prepared.empty:
        return "\n".join((f"{prepared.main.target}: nothing to do", *_warning_lines(prepared)))
    lines = _shortened(
        plan.pending(prepared.main.changes),
        lambda c: _with_keys(_change_text(c, prepared.covers), prepared.keys.get(c.job, ())),
    )
    lines += _shortened(
        [
            _with_keys(f"  ~ update {job} (its entry in the scheduler stays as it is)", keys)
            for job, keys in _recorded_only(prepared)
        ]
    )
    lines += _kept(prepared) or ([] if lines else ["  no entry is made or changed"])
    lines.insert(0, f"{prepared.main.target}:")
    for part in prepared.moves:
        lines.append(f"{part.target}, where the jobs stand now:")
        lines += _shortened([_change_text(c, {}) for c in part.changes])
    lines.append("steps:")
    lines += _few_files([f"  {text}" for text in _steps(prepared)])
    return "\n".join((*lines, *_warning_lines(prepared)))


def plan_json(prepared: Prepared) -> dict[str, Any]:
    """Return what an install will do as JSON-ready values."""
    return {
        "backend": prepared.main.target.backend.NAME,
        "scope": prepared.main.target.scope,
        "changes": [
            {
                "job": change.job,
                "change": change.verb.value,
                "why": change.why,
                "keys": list(prepared.keys.get(change.job, ())),
                "fidelity": _fidelity(prepared.covers.get(change.job)),
                "reason": _reason(prepared.covers.get(change.job)),
            }
            for change in prepared.main.changes
        ],
        "renames": dict(prepared.renames),
        "moves": [
            {"job": change.job, "backend": part.target.backend.NAME, "scope": part.target.scope}
            for part in prepared.moves
            for change in part.changes
        ],
        "steps": list(_steps(prepared)),
        "caveats": list(prepared.warnings),
    }


def installed_text(prepared: Prepared, upcoming: Mapping[str, str]) -> str:
    """Return what an install did, with the next slot of each changed job."""
    counts = _counts(prepared)
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
    lines = [f"installed in {prepared.main.target} and read back: {done or 'no entries'}"]
    lines += [
        f"  {old} is {new} now, with all that was recorded" for old, new in prepared.renames.items()
    ]
    lines += _shortened(
        [_with_keys(f"  {job}:", keys) for job, keys in sorted(prepared.keys.items())]
    )
    changed = [c.job for c in plan.pending(prepared.main.changes) if c.job in upcoming]
    lines += _shortened([f"  {job}: next {upcoming[job]}" for job in changed])
    if changed:
        first = (
            "start a cron daemon first, as `ratectl doctor` says"
            if cron.NO_DAEMON in prepared.warnings
            else "nothing else has to run"
        )
        lines += [
            f"{first}; `ratectl status` shows how each job stands",
            f"next: {_at_once(prepared, changed[0])}",
        ]
    return "\n".join(lines)


def _at_once(prepared: Prepared, job: str) -> str:
    """Return the command that tries *job* without waiting for its next slot, and what it does."""
    cluster = prepared.main.target.host.cluster
    if cluster is None or prepared.main.target.backend is not kubernetes:
        return f"ratectl run {job} --force   # records a rate right now"
    return f"{shlex.join(kubernetes.trying(cluster, job))}   # runs it at once, in a pod"


def rename_text(
    old: str, new: str, *, spec: str, place: str, lacks: str = "", done: bool = True
) -> str:
    """Return what a rename did, or would do; *spec* is the file that it writes, if any, *lacks* the one that has not this job."""
    renamed, written = ("is {} now", "is") if done else ("would be {}", "would be")
    everywhere = f"in {place} and in the journal, with all that was recorded"
    lines = [f"{old} {renamed.format(new)}, {everywhere}"]
    if spec:
        lines.append(f"{spec}: the name {written} changed there, too")
    if lacks:
        lines.append(f"{lacks}: has no job of either name; `ratectl remove {new}` ends it")
    return "\n".join(lines)


def removal_text(removal: Removal) -> str:
    """Return what a remove does or did."""
    if not removal.parts and not removal.forget:
        return "nothing to remove"
    lines = []
    for part in removal.parts:
        lines.append(f"removed from {part.target}:")
        lines += _shortened([f"  - {change.job}" for change in part.changes])
    jobs = {change.job for part in removal.parts for change in part.changes}
    if only := [name for name in removal.forget if name not in jobs]:
        why = (
            f"left where {'it stands' if len(only) == 1 else 'they stand'}"
            if removal.unseen
            else f"no scheduler held {'it' if len(only) == 1 else 'them'}"
        )
        lines.append(f"marked as removed in the journal, {why}: {', '.join(only)}")
    return "\n".join(lines)


def stays_text(jobs: int, again: str) -> str:
    """Return what stays of so many *jobs* that were removed, and what to type to have them *again*, empty where their spec is gone."""
    if not again:
        return "the outputs and the record stay"
    them = "it" if jobs == 1 else "them"
    return f"the spec, outputs and record stay; `{again}` brings {them} back"


def pause_text(removal: Removal, off: Collection[str] = ()) -> str:
    """Return what a pause did; the jobs *off* are switched off in their specs, and rest after it, too."""
    lines = [f"paused in {part.target}:" for part in removal.parts[:1]] or ["paused:"]
    lines += _shortened(
        [f"  {job}" + (f", {SWITCHED_OFF} anyway" if job in off else "") for job in removal.jobs]
    )
    command = f"`ratectl resume {typed_names(removal.jobs)}`"
    if set(removal.jobs) <= set(off):
        return "\n".join((*lines, f"{command} ends the pause alone"))
    them = "it" if len(removal.jobs) == 1 else "them"
    return "\n".join((*lines, f"{command} lets {them} run again; slots until then are left out"))


def purge_question(own: Sequence[str], shared: Mapping[str, str]) -> str:
    """Return what to ask before the record of jobs is deleted: that of *own*, and of *shared* ones, by their URLs, what is here."""
    parts = []
    if own:
        parts.append(f"Delete what the journal recorded for {', '.join(own)}?")
    if shared:
        parts.append(f"Forget {', '.join(shared)} here? What hosts recorded together stays.")
    return " ".join((*parts, "Output files and specs stay."))


def purge_text(own: Sequence[str], shared: Mapping[str, str]) -> str:
    """Return what was deleted of the record of jobs."""
    lines = [f"deleted what the journal recorded for {', '.join(own)}"] if own else []
    lines += [
        f"forgot {name} here; what hosts recorded together stays in {url}"
        for name, url in shared.items()
    ]
    return "\n".join(lines)


def steps_text(removal: Removal, purged: Sequence[str] = ()) -> str:
    """Return the steps of *removal* as a dry run shows them; then the record of *purged* jobs is deleted."""
    if not removal.parts and not removal.forget and not purged:
        return "nothing to remove"
    lines = [f"  {_step(step)}" for part in removal.parts for step in part.steps]
    if removal.forget:
        lines.append(f"  {_marking(removal.forget)}")
    if purged:
        lines.append(f"  delete what the journal recorded for {', '.join(purged)}")
    return "\n".join(["steps:", *_few_files(lines)])


def _change_text(change: Change, covers: Mapping[str, Cover]) -> str:
    text = f"  {_SIGNS[change.verb]} {change.verb.value} {change.job}"
    if change.why:
        text += f" ({change.why})"
    if reason := _reason(covers.get(change.job)):
        text += f"\n      guarded: {reason}"
    return text


def _with_keys(text: str, keys: Sequence[str]) -> str:
    """Return *text*, and below it which keys of the spec changed."""
    return "\n".join((text, *(f"      {line}" for line in keys)))


def _recorded_only(prepared: Prepared) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield jobs of which the spec says something else, and the engine's entry stays as it is."""
    entries = {change.job for change in plan.pending(prepared.main.changes)}
    for job, keys in sorted(prepared.keys.items()):
        if job not in entries:
            yield job, keys


def _kept(prepared: Prepared) -> list[str]:
    counted = _counts(prepared)[Verb.KEEP]
    return [f"  = {counted} unchanged"] if counted else []


def _counts(prepared: Prepared) -> dict[Verb, int]:
    """Return how many jobs are made, changed, taken away and left: one whose entry stays may be changed all the same."""
    recorded = {job for job, _ in _recorded_only(prepared)}
    counts = dict.fromkeys(Verb, 0)
    for change in prepared.main.changes:
        kept = change.verb is Verb.KEEP and change.job in recorded
        counts[Verb.UPDATE if kept else change.verb] += 1
    return counts


def _steps(prepared: Prepared) -> Iterator[str]:
    """Yield everything an install does, in order, one line each."""
    yield from map(_step, prepared.before)
    for old, new in prepared.renames.items():
        yield f"rename {old} to {new} in the journal, with all that is recorded"
    if prepared.record:
        yield f"record {count(len(prepared.record), 'job')} in the journal"
    for part in (*prepared.moves, prepared.main):
        yield from (_step(step) for step in part.steps)
    yield from map(_step, prepared.after)
    if prepared.forget:
        yield _marking(prepared.forget)


def _marking(jobs: Sequence[str]) -> str:
    return f"mark {count(len(jobs), 'job')} as removed in the journal: {listed(jobs, _LISTED)}"


def _step(step: Step) -> str:
    if isinstance(step, WriteFile):
        return f"write {step.path} ({len(step.data)} bytes)"
    if isinstance(step, Link):
        return f"link {step.path} to {step.target}"
    if isinstance(step, MakeFolder):
        return f"make the folder {step.path}" + (f" for {step.owner}" if step.owner else "")
    if isinstance(step, RemoveFile):
        return f"remove {step.path}"
    if isinstance(step, Expect):
        command = f"`{shlex.join(step.argv)}`"
        return (
            f"wait until {command} fails"
            if step.within
            else f"see that {command} prints what it did"
        )
    if isinstance(step, Settle):
        return f"wait until {step.path} has not changed in the current second"
    command = shlex.join(step.argv[:12])
    if len(step.argv) > 12:
        command += f" ... ({len(step.argv) - 12} more)"
    return f"run {command}" + (f"   # {step.why}" if step.why else "")


def _shortened(things: Sequence[Any], told: Callable[[Any], str] = str) -> list[str]:
    """Return the line that *told* gives for each of *things*; of thousands the first ones alone, and how many more there are."""
    lines = [told(each) for each in things[:_LISTED]]
    more = len(things) - _LISTED
    return [*lines, f"  ... and {more} more"] if more > 0 else lines


def _few_files(lines: list[str]) -> list[str]:
    """Return the lines of steps with long stretches of files cut; every other step stays."""
    shortened: list[str] = []
    for of_files, group in itertools.groupby(lines, lambda line: not line.startswith("  run ")):
        stretch = list(group)
        shortened += _shortened(stretch) if of_files else stretch
    return shortened


def _warning_lines(prepared: Prepared) -> list[str]:
    return [f"note: {text}" for text in prepared.warnings]


def _fidelity(cover: Cover | None) -> str:
    return cover.fidelity.value if cover else ""


def _reason(cover: Cover | None) -> str:
    return cover.reason if cover else ""
