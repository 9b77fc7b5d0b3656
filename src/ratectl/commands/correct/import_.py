"""``ratectl import``: a file of rates into the record of a job, each row once."""

from __future__ import annotations

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
from ratectl.firing.imports.lines import Wrong
from ratectl.firing.runner import Runner
from ratectl.journal.journal import Journal
from ratectl.outputs.formats import FILES
from ratectl.runtime import given, own_places
from ratectl.views.format import as_json
from ratectl.wording import count


def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            readable=False,
            help="What to read; the format is known by its first line.",
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
    """
    if form and form not in FILES:
        raise UsageError(f"--format {form}: there are {', '.join(FILES)}")
    text = _text(file)
    with Journal(own_places.state_dir()) as journal:
        words = [str(file.absolute()) if word == str(file) else word for word in sys.argv[1:]]
        as_account.hand_over(journal, job, words)
        installed = journal.installed_job(job)
        wanted = date_range.pair(pair, installed.job)
        importer = Importer(Runner(journal, installed, surroundings()), wanted, file.name)
        rows, wrong = importer.checked(lines.read(text, form or lines.sniff(text, str(file))))
        _name(file, wrong)
        if wrong and not rows:
            raise DataError(f"{file}: no line of it can be imported, and nothing was")
        if wrong and not skip_wrong:
            raise DataError(
                f"{file}: {count(len(wrong), 'line')} of {len(rows) + len(wrong)} cannot be imported, and nothing"
                " was; mend the file, or --skip-wrong takes the others"
            )
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


def _text(file: Path) -> str:
    try:
        return given.contents(file).decode("utf-8-sig")
    except OSError as error:
        raise StorageError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DataError(f"{file}:{line}: is not UTF-8, and nothing was imported") from error


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
