"""``--tag``: the installed jobs that bear a tag of the spec, beside those that are named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ratectl.errors import ConfigError, UsageError
from ratectl.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ratectl.journal.journal import Journal

TagOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        metavar="TAG",
        help="The installed jobs with this tag, too; may be given again.",
        show_default=False,
    ),
]


def refuse_unclear(
    command: str, named: bool, tagged: bool, everything: bool, *, names: str = "name the jobs"
) -> None:
    """Raise UsageError where *command* is not given which jobs are meant, or is given them and all others, too."""
    if everything and (named or tagged):
        either = names if named else "give --tag"
        raise UsageError(f"{command}: {either} or give --all, not both")
    if not (named or tagged or everything):
        raise UsageError(f"{command}: {names}, or give --tag or --all")


def chosen(journal: Journal, jobs: Iterable[str] | None, tags: Iterable[str] | None) -> list[str]:
    """Return *jobs*, and after them the installed jobs that have one of *tags*. Raises ConfigError for a tag that none has."""
    named, wanted = list(jobs or ()), list(tags or ())
    if not wanted:
        return named
    rows = journal.readable()
    used = {tag for row in rows for tag in row.job.tags}
    for tag in wanted:
        if tag not in used:
            there = f"; in use: {', '.join(sorted(used))}" if used else "; none has any"
            hint = did_you_mean(tag, used, otherwise=there)
            raise ConfigError(f"--tag {tag}: no installed job has this tag{hint}")
    tagged = [row.job.name for row in rows if {*wanted} & {*row.job.tags}]
    return list(dict.fromkeys((*named, *tagged)))
