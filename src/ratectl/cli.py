"""Wires the commands, and turns a RatectlError into its exit code; nothing else.

Only the module of the command that is asked for is imported, so that one command
does not pay for the libraries of another.
"""

from __future__ import annotations

import importlib
import keyword
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ratectl import __version__
from ratectl.commands._shared import help as groups
from ratectl.errors import INTERRUPTED, RatectlError, RemovedJobError, StorageError
from ratectl.runtime.visible import Door

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: dict[str, str] = {
    "init": "Write a starter spec.",
    "check": "Say what a spec means and what each scheduler makes of it.",
    "plan": "Show what install would do, and do nothing.",
    "install": "Put the jobs of a spec into the OS's own scheduler.",
    "list": "List the installed jobs as the OS has them.",
    "rename": "Give a job another name, and take its record along.",
    "remove": "Take jobs out of the OS's scheduler.",
    "pause": "Stop jobs until they are resumed.",
    "resume": "Let paused jobs run again, from now on.",
    "doctor": "Find every reason why a schedule might silently not run.",
    "providers": "Show the rate sources, their terms, and which answer.",
    "render": "Write the texts of a scheduler into a folder.",
    "next": "Show the slots of a job or schedule.",
    "lint-crontab": "Find crontab lines that do not do what they look like.",
    "run": "Settle what is due, or one slot, or record a slot by hand.",
    "backfill": "Record the rates of past days, from providers with history.",
    "record": "Enter a rate by hand.",
    "import": "Read a file of rates into the record of a job.",
    "review": "Decide about answers that failed a check; take a rate back.",
    "status": "Show how each job stands: next slot, newest rate, faults.",
    "history": "Show what was recorded for a job.",
    "rate": "Show the recorded rate of a day, or the newest before it.",
    "chart": "Draw the rates of a job in the terminal.",
    "report": "Write an HTML page of the rates, with charts.",
    "journal": "Copy a record to another journal, or make a shared one.",
    "serve": "Run jobs in the foreground, where no scheduler exists.",
    "manual": "Show a page of the manual, or the list of its topics.",
}
"""Every command with its one line of help, which is also the first line of its docstring."""

COMPLETING = "_RATECTL_COMPLETE"
"""Set in the environment by the scripts of ``--show-completion``, which run us at each Tab."""

INTRODUCTION = """
Record exchange rates unattended, on the operating system's own schedules.

Write a spec (`ratectl init`), look at it (`ratectl check`), then `ratectl install`.
"""

NAMED = "ratectl:"
"""How each error begins."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with the code of ``errors.EXIT_CODES``."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a pipe on Windows is not UTF-8 by itself
            stream.reconfigure(encoding="utf-8", errors="replace")
    plain = sys.stdout, sys.stderr
    doors = Door(sys.stdout), Door(sys.stderr)
    sys.stdout, sys.stderr = doors
    try:
        _run(words)
    except SystemExit as ended:
        _conclude(ended, *doors)
        raise
    finally:
        sys.stdout, sys.stderr = plain


def _open_closed_streams() -> None:
    """Let standard streams that are closed lead nowhere: else the next file would get the number of one, and what is said to it."""
    for name, flags, mode in (
        ("stdin", os.O_RDONLY, "r"),
        ("stdout", os.O_WRONLY, "w"),
        ("stderr", os.O_WRONLY, "w"),
    ):
        if getattr(sys, name) is None:
            descriptor = os.open(
                os.devnull, flags
            )  # the lowest number that is free, which is its own
            setattr(sys, name, os.fdopen(descriptor, mode, encoding="utf-8"))


def _conclude(ended: SystemExit, out: Door, err: Door) -> None:
    """See whether what was said arrived: a reader that left early, as ``head`` does, is no fault, and a full disk is."""
    out.flush()
    if out.lost is not None and not isinstance(out.lost, BrokenPipeError):
        print(f"ratectl: standard output: {out.lost.strerror}", file=err)
        ended.code = ended.code or StorageError.exit_code
    err.flush()


def _run(words: list[str]) -> None:
    """Run the command line *words*; its exit is the process's."""
    try:
        verb = words[0] if words else ""
        if verb == "--install-completion":
            _refuse_home_of_others()
        program = _completing() if os.environ.get(COMPLETING) else application(verb)
        program(words, prog_name="ratectl")
    except RatectlError as error:
        sys.stdout.flush()
        more = f"\n(`ratectl manual {error.topic}` explains it)" if error.topic else ""
        text = f"{error}{_way_back(error)}{more}"
        print(_prefix() + _fitting(f"{NAMED} {text}").removeprefix(NAMED), file=sys.stderr)  # noqa: T201 - the one place for errors
        sys.exit(error.exit_code)
    except KeyboardInterrupt:  # before the command runs; from then on typer does the same
        sys.exit(INTERRUPTED)


def _way_back(error: RatectlError) -> str:
    """Return what follows an *error* about a job that was removed: the command that brings it back, if any does."""
    if not isinstance(error, RemovedJobError):
        return ""
    from ratectl.commands._shared import next_step  # noqa: PLC0415 - for this one error

    return next_step.way_back(error.job)


def _refuse_home_of_others() -> None:
    """See that the shell's files that a completion is written to are ours. Raises RefusedError."""
    from ratectl.commands._shared import completion  # noqa: PLC0415 - for this one option

    completion.refuse_home()


def _fitting(text: str) -> str:
    """Return *text* in lines that a terminal has room for; in a pipe as it is."""
    if not sys.stderr.isatty():
        return text
    from ratectl.commands._shared import terminal  # noqa: PLC0415 - 40 ms that only an error on a terminal pays

    return terminal.folded(text, terminal.screen_width())


def module_of(verb: str) -> str:
    """Return the module of the command *verb*: a file of that name, in the folder of its group."""
    name = verb.replace("-", "_")
    file = f"{name}_" if keyword.iskeyword(name) else name
    return f"ratectl.commands.{groups.folder(verb)}.{file}"


def _prefix() -> str:
    """Return what an error begins with: red on a terminal that shows colours."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return NAMED if plain or not sys.stderr.isatty() else f"\x1b[31m{NAMED}\x1b[0m"


def application(verb: str) -> typer.Typer:
    """Return the application with the command *verb*, or for help with a stand-in for each."""
    application = typer.Typer(
        cls=groups.Program,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    application.callback(help=INTRODUCTION)(_options)
    if verb in COMMANDS:
        name = verb.replace("-", "_")
        module = importlib.import_module(module_of(verb))
        function = getattr(module, name, None) or getattr(module, f"{name}_")
        application.command(verb, cls=groups.Command)(function)
        return application
    for name, text in COMMANDS.items():
        application.command(name, help=text)(_nothing)
    return application


def _completing() -> typer.Typer:
    """Return the application with the command on the line that a shell completes."""
    from ratectl.commands._shared import completion  # noqa: PLC0415 - its imports are for Tab alone

    verb = completion.verb(os.environ)
    program = application(verb)
    completion.attach(program, verb)
    return program


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ratectl {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    del version  # its callback has answered


def _nothing() -> None:
    """Stand in for a command in the list of help."""


if __name__ == "__main__":
    main()
