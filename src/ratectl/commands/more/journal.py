"""``ratectl journal``: makes the shared record, or brings what was recorded from one journal to another."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ratectl import paths
from ratectl.commands._shared.environment import utc_now
from ratectl.commands._shared.options import JsonOption
from ratectl.commands._shared.progress import progress
from ratectl.errors import ConfigError, DataError, UsageError
from ratectl.journal import copy as copying
from ratectl.journal.journal import Journal
from ratectl.runtime import own_places
from ratectl.runtime.postgres import redacted
from ratectl.spec import outputs
from ratectl.views.format import as_json
from ratectl.wording import count, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.journal.copy import Copied, Jobs, JournalFile
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
        if len(names) != 2:
            raise UsageError("journal copy: name two journals, from where and to where")
        _refuse_same(mine, *names)
        target = _store(mine, names[1])
        if _is_file(names[0]):
            with copying.from_file(Path(paths.typed(names[0]))) as source:
                copies, faults = _of_file(source, target, job or ())
        else:
            store = _store(mine, names[0])
            copies, faults = _copy(store, target, _jobs(mine, store, job or ())), []
    faults = [*(fault for copied in copies for fault in copied.faults()), *faults]
    if copies or json:
        typer.echo(as_json([_as_json(copied) for copied in copies]) if json else _text(copies))
    if faults:
        raise DataError("\n".join(faults))


def _of_file(
    source: JournalFile, target: Database, wanted: Sequence[str]
) -> tuple[list[Copied], list[str]]:
    """Copy what the file *source* has of the jobs *wanted*, or of all; return also what is wrong with the file as a whole."""
    damage, found = source.is_damaged, copying.jobs_in(source)
    for name in wanted:
        if name not in found.names and (found.whole or not damage):
            hint = did_you_mean(name, found.names, otherwise="; without --job all are copied")
            raise ConfigError(f"{source.shown}: holds nothing of a job {name!r}{hint}")
    copies = [copied for copied in _copy(source, target, wanted or found.names) if not copied.empty]
    if not damage:
        if not copies:
            raise ConfigError(f"{source.shown}: no job is recorded in it, so nothing was copied")
        return copies, []
    return copies, [_told(source, copies, found)]


def _told(source: JournalFile, copies: Sequence[Copied], found: Jobs) -> str:
    """Return what the damage of the file has taken, beside what is told of each job."""
    if not found.names:
        return (
            f"{source.shown}: damaged, and nothing of its record could be read, so nothing was copied; "
            "restore it from a backup, where there is one"
        )
    if not found.whole:
        return f"{source.shown}: damaged; of jobs whose names could not be read nothing was copied"
    lost = sum(bool(copied.unread) for copied in copies)
    if lost:
        others = "" if lost == len(copies) else "; of the other jobs everything could be read"
        return f"{source.shown}: damaged, and read as far as that goes{others}"
    return (
        f"{source.shown}: damaged, and all that it has of these jobs could be read and was copied"
    )


def _create(mine: Journal, names: Sequence[str]) -> None:
    if len(names) != 1 or names[0] == HERE:
        raise UsageError("journal create: name the PostgreSQL URL of one journal")
    _store(mine, names[0]).clock(utc_now())
    typer.echo(f"{redacted(names[0])}: the journal is there")


def _refuse_same(mine: Journal, source: str, target: str) -> None:
    """Raise UsageError where both names are those of one journal."""
    own = str(mine.database.path)
    of_file = target == HERE and _is_file(source)
    if source == target or (of_file and paths.identity(paths.typed(source)) == paths.identity(own)):
        raise UsageError(
            f"journal copy: {redacted(source)} and {redacted(target)} are the same journal; name two journals, from"
            " where and to where"
        )


def _is_file(name: str) -> bool:
    """Tell whether *name* is a path: neither this machine's journal nor a URL, nor the beginning of one."""
    is_url = "://" in name or name.partition(":")[0] in outputs.POSTGRES_SCHEMES
    return name != HERE and not is_url


def _store(mine: Journal, name: str) -> Database:
    """Return what *name* means. Raises UsageError for what is no journal, or holds a secret."""
    shown = redacted(name)
    folder = paths.current_folder(shown) if "?" in name else "/"  # where files of its options lie
    try:
        url = outputs.journal(name, Path(folder))
    except ValueError as error:
        raise UsageError(f"journal: {error}") from error
    return mine.store_at(url).database


def _jobs(mine: Journal, source: Database, names: Sequence[str]) -> Sequence[str]:
    """Return the jobs *names*, or all. Raises ConfigError for one that neither this machine knows nor *source* has."""
    known = mine.known() | mine.copied_here()
    for name in names:
        if name not in known and not copying.has(source, name):
            hint = did_you_mean(name, known, otherwise="; `ratectl list` shows what is installed")
            raise ConfigError(f"journal copy: there is no record of a job {name!r}{hint}")
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
    more = "; more could not be read" if copied.unread else ""
    return f"{copied.job}: {done} copied; {same} compared, the same in both{more}"


def _as_json(copied: Copied) -> dict[str, Any]:
    return {
        "job": copied.job,
        "written": copied.written,
        "verified": copied.verified,
        "differing": copied.differing,
        "unread": copied.unread,
    }
