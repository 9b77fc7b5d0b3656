"""Entries of another state directory: somebody else's, though the same account's engine holds them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ratectl import paths

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ratectl.backends.protocol import Found, InstalledEntry
    from ratectl.deploy.targets import Target

JOURNAL = "journal.sqlite3"


def state_dir(target: Target, entry: InstalledEntry) -> str:
    """Return the state directory that *entry* names, where it is another than ours and has a journal; else an empty text."""
    host = target.host
    if target.host.cluster is not None:
        return ""
    argv = target.backend.argv(entry, target.scope)
    if not argv or entry.job not in argv:
        return ""
    named = argv[argv.index(entry.job) :]
    usual = paths.unattended_state_dir(str(host.home))
    said = named[named.index("--state") + 1] if "--state" in named[:-1] else usual
    same = said == str(host.state_dir) or (host.state_is_default and said == usual)
    there = not same and target.reader.status(Path(said) / JOURNAL) is not None
    return said if there else ""


def of_others(found_at: Mapping[Target, Found], known: frozenset[str]) -> dict[str, str]:
    """Return the jobs that engines hold for another state directory and our journal does not know, each with that directory."""
    return {
        job: there
        for target, found in found_at.items()
        for job, entry in found.entries.items()
        if job not in known and (there := state_dir(target, entry))
    }
