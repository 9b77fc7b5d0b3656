"""Wanted x found -> changes. Pure.

Artefacts are compared byte by byte. Nothing is deleted unless asked for (prune,
remove) or switched off in the spec. Applying a plan makes the next one empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.backends.protocol import Change, Verb, no_words

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from ratectl.backends.protocol import Artefact, InstalledEntry


def changes(
    wanted: Mapping[str, tuple[Artefact, ...]],
    found: Mapping[str, InstalledEntry],
    *,
    inactive: Mapping[str, str] | None = None,
    prune: Collection[str] = (),
    rewrite_all: bool = False,
    difference: Callable[[Sequence[Artefact], Sequence[Artefact]], str] = no_words,
) -> tuple[Change, ...]:
    """Return one change for each job of *wanted* and *found*, ordered by job name.

    *inactive* jobs get no wakeups, each for its reason; those of *prune* are deleted. *rewrite_all* puts everything in
    place again, since an earlier run was interrupted at an unknown step. *difference* tells how two
    texts differ.
    """
    reasons = inactive or {}
    return tuple(
        _change(job, wanted[job], found.get(job), difference, rewrite_all=rewrite_all)
        if job in wanted
        else _left_over(found[job], inactive=reasons.get(job, ""), prune=job in prune)
        for job in sorted({*wanted, *found})
    )


def restoring(
    before: Mapping[str, InstalledEntry],
    now: Mapping[str, InstalledEntry],
    names: Collection[str],
    *,
    lists_all: bool = True,
) -> tuple[Change, ...]:
    """Return what brings the jobs *names* from *now* back to *before*, ordered by job name.

    Without *lists_all* what was put there goes although it is not seen in *now*.
    """
    back = []
    for job in sorted(names):
        was, stands = before.get(job), now.get(job)
        if was is None and (stands is not None or not lists_all):
            back.append(Change(verb=Verb.DELETE, job=job, entry=stands))
        elif was is not None and was != stands:
            verb = Verb.UPDATE if stands else Verb.CREATE
            back.append(Change(verb=verb, job=job, artefacts=was.artefacts, entry=stands))
    return tuple(back)


def pauses(found: Mapping[str, InstalledEntry], names: Collection[str]) -> tuple[Change, ...]:
    """Return that each job of *names* that the engine holds awake falls asleep where it is, ordered by job name."""
    return tuple(
        Change(verb=Verb.PAUSE, job=job, artefacts=found[job].artefacts, entry=found[job])
        for job in sorted(set(names) & set(found))
        if found[job].enabled
    )


def removals(found: Mapping[str, InstalledEntry], names: Collection[str]) -> tuple[Change, ...]:
    """Return the deletion of each job of *names* that the engine holds, ordered by job name."""
    return tuple(
        Change(verb=Verb.DELETE, job=job, entry=found[job])
        for job in sorted(set(names) & set(found))
    )


def pending(plan: tuple[Change, ...]) -> tuple[Change, ...]:
    """Return the changes of *plan* that change something."""
    return tuple(change for change in plan if change.verb is not Verb.KEEP)


def _left_over(entry: InstalledEntry, *, inactive: str, prune: bool) -> Change:
    """Return what becomes of *entry*, for which nothing is wanted."""
    if inactive:
        return Change(verb=Verb.DELETE, job=entry.job, entry=entry, why=inactive)
    if prune:
        return Change(verb=Verb.DELETE, job=entry.job, entry=entry, why="not in the spec")
    return Change(
        verb=Verb.KEEP,
        job=entry.job,
        artefacts=entry.artefacts,
        entry=entry,
        why="not in the spec",
    )


def _change(
    job: str,
    artefacts: tuple[Artefact, ...],
    entry: InstalledEntry | None,
    difference: Callable[[Sequence[Artefact], Sequence[Artefact]], str],
    *,
    rewrite_all: bool,
) -> Change:
    if entry is None:
        return Change(verb=Verb.CREATE, job=job, artefacts=artefacts)
    why = _difference(artefacts, entry, difference)
    if not why and rewrite_all:
        why = "an earlier install was interrupted"
    verb = Verb.UPDATE if why else Verb.KEEP
    return Change(verb=verb, job=job, artefacts=artefacts, entry=entry, why=why)


def _difference(
    artefacts: tuple[Artefact, ...],
    entry: InstalledEntry,
    difference: Callable[[Sequence[Artefact], Sequence[Artefact]], str],
) -> str:
    """Return why *entry* must be written again, or an empty text."""
    if entry.drift:
        return "; ".join(entry.drift)
    if artefacts == entry.artefacts:
        return ""
    return ": ".join(
        filter(None, ("differs from the spec", difference(artefacts, entry.artefacts)))
    )
