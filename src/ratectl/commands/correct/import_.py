"""``ratectl import``: a file of rates into the record of a job, each row once."""

from __future__ import annotations

import codecs
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from ratectl.commands._shared import as_account, complaints, date_range, terminal
from ratectl.commands._shared.environment import surroundings
from ratectl.commands._shared.options import JsonOption
from ratectl.commands._shared.progress import progress
from ratectl.errors import DataError, StorageError, TryLaterError, UsageError
from ratectl.fetch import measure
from ratectl.firing.imports import lines
from ratectl.firing.imports.doubts import Doubtful
from ratectl.firing.imports.importer import Imported, Importer
from ratectl.firing.imports.lines import Row, Wrong
from ratectl.firing.runner import Runner
from ratectl.journal.journal import Journal
from ratectl.outputs.formats import FILES
from ratectl.runtime import given, own_places
from ratectl.views.format import as_json
from ratectl.wording import count

STDIN, STDIN_NAME = Path("-"), Path("stdin")
"""The word for the standard input, and what messages call it."""


def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            readable=False,
            help="What to read, or - for stdin; the format is known by its first line.",
        ),
    ],
    *,
    job: Annotated[str, typer.Option(metavar="JOB", help="The job that it becomes part of.")],
    pair: Annotated[
        str,
        typer.Option(
            metavar="PAIR",
            help="Only the rows of one pair, which lines of text that name none are of.",
        ),
    ] = "",
    form: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=f"What the file is written in: {', '.join(FILES)}. By default it is looked at.",
        ),
    ] = "",
    decimal: Annotated[
        str,
        typer.Option(metavar="SIGN", help="The decimal sign of its rates: . or a comma."),
    ] = ".",
    skip_wrong: Annotated[
        bool, typer.Option("--skip-wrong", help="Take the other lines where some are wrong.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Read a file of rates into the record of a job.

    Lines of dd/mm/YYYY - rate, csv (pricehist's too), jsonl, ledger or beancount. Nothing is
    written while a line is wrong; a repetition finds what is there. Outputs get nothing of it.

    \b
    Examples:
      ratectl import output.txt --job usd-inr
      ratectl import prices.csv --job books --pair EUR/USD
      ratectl import - --job usd-inr < output.txt
    """
    if form and form not in FILES:
        raise UsageError(f"--format {form}: there are {', '.join(FILES)}")
    if decimal not in {".", ","}:
        raise UsageError(f"--decimal {decimal}: there are . and ,")
    source, file = file, STDIN_NAME if file == STDIN else file
    data = _contents(source)
    text = _text(file, data)
    with Journal(own_places.state_dir()) as journal:
        _hand_over(journal, job, source, data)
        installed = journal.installed_job(job)
        wanted = date_range.pair(pair, installed.job)
        importer = Importer(Runner(journal, installed, surroundings()), wanted, file.name)
        said = lines.read(text, form or lines.sniff(text, str(file)), decimal)
        rows, wrong = importer.checked(said)
        _refuse(file, rows, wrong, skip_wrong=skip_wrong)
        try:
            with progress(job, len(rows)) as on_progress:
                done = importer.run(rows, on_progress)
        except KeyboardInterrupt:
            raise TryLaterError(
                f"{job}: stopped after {count(importer.done.written, 'row')}, which are kept; the same"
                " command does the rest"
            ) from None
    _name(file, done.left_out)
    if done.doubtful:
        _tell_of_doubts(file, done.doubtful, importer.runner)
    if json:
        typer.echo(as_json(_as_json(done, wrong)))
    else:
        terminal.show(f"{job}: {_said(done, wrong)}")


def _contents(file: Path) -> bytes:
    """Return what *file*, or the standard input, holds. Raises StorageError."""
    if file == STDIN:
        return sys.stdin.buffer.read()
    try:
        return given.contents(file)
    except OSError as error:
        raise StorageError(f"{file}: cannot be read: {error.strerror}") from error


def _text(file: Path, data: bytes) -> str:
    """Return *data* as text: UTF-8, or the UTF-16 that PowerShell writes. Raises DataError."""
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        name = "UTF-16" if is_wide else "UTF-8"
        raise DataError(f"{file}:{line}: is not {name}, and nothing was imported") from error


def _hand_over(journal: Journal, job: str, file: Path, data: bytes) -> None:
    """Let the account that *job* runs as import *file*, where that is not ours, and exit as it does."""
    if file == STDIN:
        as_account.hand_over(journal, job, sys.argv[1:], given=data)
        return
    words = [str(file.absolute()) if word == str(file) else word for word in sys.argv[1:]]
    as_account.hand_over(journal, job, words)


def _refuse(file: Path, rows: list[Row], wrong: list[Wrong], *, skip_wrong: bool) -> None:
    """Name the lines that are *wrong*. Raises DataError where nothing is imported for them."""
    _name(file, wrong)
    if any(one.reason.endswith(lines.MONTH_FIRST) for one in wrong):
        raise DataError(
            f"{file}: its dates seem to be mm/dd/YYYY, and nothing was imported; write them as dd/mm/YYYY"
        )
    if not wrong or (rows and skip_wrong):
        return
    some = f"{count(len(wrong), 'line')} of {len(rows) + len(wrong)}" if rows else "no line of it"
    ways = ["--decimal , reads decimal commas"] if any(map(_has_comma, wrong)) else []
    ways += ["mend the file, or --skip-wrong takes the others"] if rows else []
    head = f"{file}: {some} can{'not' if rows else ''} be imported, and nothing was"
    raise DataError("; ".join([head, *ways]))


def _has_comma(wrong: Wrong) -> bool:
    return re.match(r"the rate is '[0-9.]*[0-9],[0-9]+'", wrong.reason) is not None


def _name(file: Path, wrong: list[Wrong]) -> None:
    """Say on stderr which lines are not imported, and why."""
    complaints.told(f"{file}:", [f"{line}: {reason}" for line, reason in wrong])


def _tell_of_doubts(file: Path, doubtful: list[Doubtful], runner: Runner) -> None:
    """Say on stderr, in one line, that rows are hard to believe: which one most, and what takes it back."""
    worst = max(doubtful, key=lambda one: (one.jump.is_scale_error, one.jump.is_suspect))
    number = len(doubtful)
    head = "1 row is" if number == 1 else f"{number} rows are"
    which = "that" if number == 1 else "such as that"
    slot, job = runner.timetable.typed(worst.slot), runner.job.name
    undo = f"ratectl review void {slot} --job {job} --pair {worst.pair}"
    terminal.complain(
        f"ratectl: {file}: {head} hard to believe, {which} of line {worst.line}:"
        f" {measure.advice(worst.jump, undo)}"
    )


def _said(done: Imported, wrong: list[Wrong]) -> str:
    parts = [f"{count(done.written, 'row')} imported"]
    if done.known:
        parts.append(f"{done.known} {'was' if done.known == 1 else 'were'} there already")
    if done.left_out:
        number = len(done.left_out)
        slots = "slot has" if number == 1 else "slots have"
        parts.append(f"{number} left out, whose {slots} another number")
    if wrong:
        parts.append(f"{count(len(wrong), 'wrong line')} skipped")
    return ", ".join(parts)


def _as_json(done: Imported, wrong: list[Wrong]) -> dict[str, object]:
    return {
        "rows": done.rows,
        "imported": done.written,
        "known": done.known,
        "left_out": [one._asdict() for one in done.left_out],
        "doubtful": [{"line": one.line, "reason": one.jump.reason} for one in done.doubtful],
        "wrong": [one._asdict() for one in wrong],
    }
