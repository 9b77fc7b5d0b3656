"""``ratectl journal``: makes the shared record, or brings what was recorded from one journal to another."""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ratectl.commands._shared.environment import utc_now
from ratectl.commands._shared.options import JsonOption
from ratectl.commands._shared.progress import progress
from ratectl.errors import ConfigError, UsageError
from ratectl.journal import copy as copying
from ratectl.journal.journal import Journal
from ratectl.runtime import own_places
from ratectl.runtime.postgres import redacted
from ratectl.spec import outputs
from ratectl.views.format import as_json
from ratectl.wording import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.journal.copy import Copied
    from ratectl.journal.rate_store import Database

HERE = "sqlite"


class Action(enum.StrEnum):
    """What to do with journals."""

    COPY = "copy"
    CREATE = "create"


def journal(
    action: Annotated[
        Action,
        typer.Argument(
            help="copy brings a record from one journal to another; create makes a shared one."
        ),
    ],
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="JOURNAL...",
            help="For copy from where and to where, for create the one: sqlite, which is this machine's, or a PostgreSQL URL. A copy may also come from a file, such as a damaged journal.sqlite3.",
        ),
    ],
    *,
    job: Annotated[
        list[str] | None,
        typer.Option(
            metavar="JOB",
            show_default=False,
            help="Only this job; may be given again. By default all that this machine knows.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Copy a record to another journal, or make a shared one.

    A copy leaves both as they are but for what the second lacks. It may be cut short and run
    again, and every row is read back and compared; exit code 65 when one differs, or could not
    be read from a damaged file. No password stands in a URL: libpq finds it in ~/.pgpass or
    PGPASSWORD.

    \b
    Examples:
      ratectl journal copy sqlite postgresql://rates@db.example/books
      ratectl journal create postgresql://owner@db.example/books
      ratectl journal copy ~/damaged/journal.sqlite3 sqlite
    """
    with Journal(own_places.state_dir()) as mine:
        if action is Action.CREATE:
            _create(mine, names)
            return
        if len(names) != 2 or names[0] == names[1]:
            raise UsageError("journal copy: name two journals, from where and to where")
        target = _store(mine, names[1])
        if _is_file(names[0]):
            with copying.from_file(Path(names[0]).expanduser()) as source:
                copies = _copy(source, target, job or sorted(copying.jobs_in(source)))
        else:
            copies = _copy(_store(mine, names[0]), target, _jobs(mine, job or ()))
    typer.echo(as_json([_as_json(copied) for copied in copies]) if json else _text(copies))
    for error in filter(None, (copied.error() for copied in copies)):
        raise error


def _create(mine: Journal, names: Sequence[str]) -> None:
    if len(names) != 1 or names[0] == HERE:
        raise UsageError("journal create: name the PostgreSQL URL of one journal")
    _store(mine, names[0]).clock(utc_now())
    typer.echo(f"{redacted(names[0])}: the journal is there")


def _is_file(name: str) -> bool:
    """Tell whether *name* is a path: it is neither this machine's journal nor a URL."""
    return name != HERE and "://" not in name and ("/" in name or os.sep in name)


def _store(mine: Journal, name: str) -> Database:
    """Return what *name* means. Raises UsageError for what is no journal, or holds a secret."""
    try:
        url = outputs.journal(name, Path.cwd())
    except ValueError as error:
        raise UsageError(f"journal: {error}") from error
    return mine.store_at(url).database


def _jobs(mine: Journal, names: Sequence[str]) -> Sequence[str]:
    known = mine.known()
    if not (names or known):
        raise ConfigError("journal copy: this machine knows no job; name those to copy with --job")
    return names or sorted(known)


def _copy(source: Database, target: Database, jobs: Sequence[str]) -> list[Copied]:
    total = sum(copying.size(source, job) for job in jobs)
    with progress("copying", total) as on_progress:
        return [copying.copy(source, target, job, on_progress) for job in jobs]


def _text(copies: Sequence[Copied]) -> str:
    return "\n".join(map(_line, copies))


def _line(copied: Copied) -> str:
    nouns = {"quotes": "quote", "firings": "slot", "quarantine": "held answer"}
    if copied.verified["revisions"]:
        nouns["revisions"] = "earlier number"
    done = ", ".join(count(copied.written[table], noun) for table, noun in nouns.items())
    same = count(sum(copied.verified.values()), "row")
    if copied.unread:
        done += "; more could not be read"
    return f"{copied.job}: {done} copied; {same} compared, the same in both"


def _as_json(copied: Copied) -> dict[str, Any]:
    return {
        "job": copied.job,
        "written": copied.written,
        "verified": copied.verified,
        "differing": copied.differing,
        "unread": copied.unread,
    }
