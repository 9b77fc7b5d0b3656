"""Remove, pause and resume: what takes wakeups out of the engines, and what brings them back.

The engine forgets a job before the journal does, so a removal that is cut short anywhere
leaves nothing that fires without a snapshot, and the next one converges.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ratectl import plan
from ratectl.backends import BACKENDS
from ratectl.deploy import Source
from ratectl.errors import EngineError
from ratectl.sites import Part, Site, cluster_of, home, part_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from ratectl.backends.base import Found, Host, Reader, Step
    from ratectl.firing.journal import Installed
    from ratectl.undertaking import Undertaking


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Everything that a remove or pause will do, as values."""

    parts: tuple[Part, ...]
    forget: tuple[str, ...]
    """Of those, what the journal knows."""
    jobs: tuple[str, ...] = field(default=())
    """The jobs meant, whether or not any engine holds them."""


def prepare(
    held: Mapping[Site, Found], installed: Sequence[Installed], names: Collection[str] | None
) -> Removal:
    """Return what a remove of the jobs *names* (None: of all) will do, given a :func:`sites.survey`."""
    recorded = {row.job.name for row in installed}
    known = recorded.union(*(found.entries for found in held.values()))
    meant = known if names is None else set(names) & known
    parts = tuple(
        part
        for site, found in held.items()
        if (part := part_of(site, found, plan.removals(found.entries, meant))).changes
    )
    return Removal(parts=parts, forget=tuple(sorted(meant & recorded)), jobs=tuple(sorted(meant)))


def apply(
    removal: Removal,
    undertaking: Undertaking,
    *,
    perform: Callable[[Sequence[Step]], None],
    note: Callable[[Iterable[str]], None],
) -> None:
    """Perform *removal*, look whether the entries are gone, then let the journal *note* it.

    Raises EngineError where an entry is still there.
    """
    undertaking.begin()
    for part in removal.parts:
        perform(part.steps)
        site = part.site
        left = site.backend.inspect(site.reader, site.host, site.scope).entries
        if stay := sorted(set(left) & {change.job for change in part.changes}):
            raise EngineError(
                f"{site}: still holds {', '.join(stay)} after the removal; run it again"
            )
    note(removal.jobs)
    undertaking.done()


def paused_sources(
    rows: Sequence[Installed], host: Host, reader: Reader
) -> Iterator[tuple[Site, Source]]:
    """Yield where jobs stood before they were paused, with their snapshots as what to install there.

    Jobs that no engine of ours woke (those of ``serve``) are left out.
    """
    place = _place_of
    for _, group in itertools.groupby(sorted(rows, key=place), place):
        first, *_ = together = list(group)
        if first.backend in BACKENDS:
            jobs = tuple(row.job for row in together)
            source = Source(jobs=jobs, path=first.spec, digest=first.digest)
            yield home(first, host, reader), source


def _place_of(row: Installed) -> tuple[object, ...]:
    return row.backend, row.scope, cluster_of(row.job) or (), row.spec, row.digest
