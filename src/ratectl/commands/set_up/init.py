"""``ratectl init``: writes a starter spec that is right as it stands, after three questions where somebody can answer."""

from __future__ import annotations

import datetime as dt
import os
import re
import sys
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from ratectl import paths, spec
from ratectl.commands._shared import terminal
from ratectl.commands._shared.environment import utc_now
from ratectl.commands._shared.next_step import after_setting_up
from ratectl.commands._shared.options import SpecArgument, default_spec
from ratectl.deploy import execute, host_facts
from ratectl.deploy.checks import writable
from ratectl.doctor import outputs
from ratectl.errors import (
    INTERRUPTED,
    CannotCreateError,
    ConfigError,
    RefusedError,
    SpecError,
    UsageError,
    indented,
)
from ratectl.model import currencies
from ratectl.model.quote import PUBLISHED, Quote
from ratectl.outputs.formats import FILES
from ratectl.runtime import accounts, own_places, templates, trust
from ratectl.schedule import after
from ratectl.schedule.language.explain import explain
from ratectl.views.format import clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ratectl.backends.host import Host
    from ratectl.model.job import Job, Output

SLOTS_SHOWN = 3
SAMPLE = Decimal("95.12")
"""The rate in the line that is shown as an example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StarterSpec:
    """What the starter spec is to say."""

    path: Path
    zone: str
    pair: str = "USD/INR"
    """One pair, or several with commas between, as people write them."""
    schedule: str = "every day at 10:30"
    output: str = "~/rates/output.txt"
    user: str = ""
    """The account that root's jobs are to run as, where it is there."""
    making: str = ""
    """The command that makes it, where it is not."""

    def having(self, said: Mapping[str, str]) -> StarterSpec:
        """Return the wish with what was *said* of pair, schedule or output."""
        changes: dict[str, Any] = dict(said)
        return replace(self, **changes)

    def text(self) -> str:
        """Return the spec. Raises UsageError for what is not one line."""
        pairs = pairs_in(self.pair)
        return templates.fill(
            "starter.toml.j2",
            job="-".join(pairs[0].lower().split("/")) if len(pairs) == 1 else "rates",
            pair=", ".join(map(_quoted, pairs)),
            schedule=_quoted(self.schedule),
            output=_quoted(self.output),
            timezone=_quoted(self.zone),
            user=_quoted(self.user) if self.user else "",
            making=self.making,
        )

    def job(self) -> Job:
        """Return the job as the spec will mean it. Raises SpecError, UsageError, and RefusedError for a closed output."""
        [job] = spec.loads(self.text().encode(), path=self.path, host_timezone=self.zone).jobs
        host = host_facts.here(ZoneInfo(self.zone))
        for output in job.outputs:
            _check_output(output, host)
        return job


def _check_output(output: Output, host: Host) -> None:
    """Raise RefusedError where this account can neither write the file of *output* nor make it."""
    found = writable.of_output(host, execute.SystemReader(), output)
    if found is not None:
        raise RefusedError(f"{output.target}: {found.text}; {writable.way_out(found)}")


def pairs_in(text: str) -> list[str]:
    """Return the pairs that a person wrote, such as ``usd inr`` or ``EUR/USD, USD/INR``, each as BASE/QUOTE; what is none stays as it is."""
    parts = [part for part in re.split(r"\s*(?:,|;|\band\b)\s*", text.strip()) if part]
    return [_pair(part) for part in parts] or [text]


def _pair(text: str) -> str:
    codes = re.fullmatch(r"([A-Za-z]{3})(?:\s*[/:_-]\s*|\s+(?:to|in)\s+|\s*)([A-Za-z]{3})", text)
    if not codes and not re.fullmatch(r"\S+/\S+", text):
        raise UsageError(
            f"{text!r} is no pair: two codes such as USD/INR, with commas between several"
        )
    return f"{codes[1]}/{codes[2]}".upper() if codes else text.upper()


QUESTIONS = {
    "pair": "Which pair, or several",
    "schedule": "When, as a phrase or a cron line",
    "output": "Where to, a file",
}


def init(
    spec_path: SpecArgument = None,
    *,
    pair: Annotated[
        str | None, typer.Option(help="BASE/QUOTE, or several with commas; by default USD/INR.")
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(help='A phrase or a cron line; by default "every day at 10:30".'),
    ] = None,
    output: Annotated[
        str | None, typer.Option(help="File to append to; by default ~/rates/output.txt.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing; what is not given has its default.")
    ] = False,
) -> None:
    """Write a starter spec.

    In a terminal it asks which pair, when and where to, and shows what will come of the
    answers before it writes anything.

    \b
    Examples:
      ratectl init
      ratectl init --yes --pair EUR/USD --schedule "every weekday at 16:30"
    """
    if spec_path is None:
        own_places.refuse_config_of_others()
    given = {"pair": pair, "schedule": schedule, "output": output}
    if spec_path is not None:
        _refuse_pairs_as_file(spec_path, pair)
    path = Path(paths.typed(spec_path or default_spec()))
    if paths.exists(path):
        raise UsageError(f"{path}: exists already and is left as it is; name another file")
    said = {key: value for key, value in given.items() if value is not None}
    starter = StarterSpec(path=path, zone=host_facts.zone().key, **_of_root()).having(said)
    try:
        starter.job()  # what stands on the command line is wrong or right before anything is asked
    except SpecError as error:
        raise ConfigError(_by_option(error, said)) from error
    unsaid = [key for key in QUESTIONS if key not in said]
    if yes or not (sys.stdin.isatty() and sys.stdout.isatty()):
        if unsaid and not yes:
            typer.echo(_not_asked(unsaid), err=True)
        typer.echo(_preview(starter))
    else:
        starter = _agreed(starter, unsaid)
    _create(path, starter.text())
    named = () if spec_path is None else (str(path),)
    typer.echo(f"wrote {path}")
    typer.echo(after_setting_up(path, named, "puts it into this system's scheduler"))


def _refuse_pairs_as_file(spec_path: Path, pair: str | None) -> None:
    """Raise UsageError where what stands for the file is a pair, or the rest of one: ``usd inr``, ``--pair usd inr``."""
    text = spec_path.as_posix()  # a pair has the stroke that Windows turns round in paths
    for meant in filter(None, (text, f"{pair} {text}" if pair else "")):
        try:
            codes = [code for found in pairs_in(meant) for code in found.split("/")]
        except UsageError:
            continue
        if set(codes) <= currencies.NOW and len(codes) > 1 and not paths.exists(spec_path):
            raise UsageError(
                f'{text!r} stands where the name of the file does; did you mean `ratectl init --pair "{meant}"`?'
            )


OF_KEYS = {"pairs": "pair"}
"""The option of a key of the spec, where the two have different names."""


def _by_option(error: SpecError, said: Mapping[str, str]) -> str:
    """Return *error* of a file that is not there yet, by the options of which each issue speaks."""
    lines: list[str] = []
    for issue in error.issues:
        last = issue.key.rpartition(".")[2].partition("[")[0]
        option = OF_KEYS.get(last, last)
        about = f"--{option} {said[option]!r}: " if option in said else ""
        lines += filter(None, (f"{about}{issue.message}", indented(issue.pointer)))
    return "\n".join((*lines, "nothing was written"))


def _of_root() -> dict[str, str]:
    """Return what root's starter spec has beside others': an account without rights, or how to make one."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return {}
    name = outputs.OWN_ACCOUNT
    if accounts.find(name) is None:
        return {"making": accounts.making(name)}
    return {"user": name, "output": "/var/lib/rates/output.txt"}


def _not_asked(unsaid: list[str]) -> str:
    """Return that nobody was asked for what is *unsaid*, and how it is said."""
    stream = "output" if sys.stdin.isatty() else "input"
    options = ", ".join(f"--{key}" for key in unsaid)
    has = "have their defaults" if len(unsaid) > 1 else "has its default"
    return (
        f"ratectl: nothing was asked, as standard {stream} is no terminal: {options} {has} "
        "(`ratectl init --help` tells more)"
    )


def _agreed(starter: StarterSpec, unsaid: list[str]) -> StarterSpec:
    """Return *starter* with an answer to each question that is *unsaid*, once a person has seen what comes of it.

    Raises typer.Abort on Ctrl-C, and when the person would rather not.
    """
    try:
        for key in unsaid:
            starter = _asked(starter, key)
        typer.echo(f"\n{_preview(starter)}\n")
        typer.confirm(f"Write {starter.path}?", default=True, abort=True)
    except typer.Abort:
        typer.echo("\nratectl: nothing was written", err=True)
        raise typer.Exit(INTERRUPTED) from None
    return starter


def _asked(starter: StarterSpec, key: str) -> StarterSpec:
    """Return *starter* with the answer to one question, which is put again until it is a good one."""
    while True:
        answer = typer.prompt(QUESTIONS[key], default=getattr(starter, key)).strip()
        changed = starter.having({key: answer})
        try:
            changed.job()
        except SpecError as error:
            for issue in error.issues:
                lines = filter(None, (f"  {issue.message}", indented(issue.pointer)))
                terminal.complain("\n".join(lines))
        except (UsageError, RefusedError) as error:
            terminal.complain(f"  {error}")
        else:
            return changed


def _preview(starter: StarterSpec) -> str:
    """Return what the spec will do: its next slots, and a line as the output will have it."""
    job, now = starter.job(), utc_now()
    slots = list(islice(after(job.schedule, job.zone, now), SLOTS_SHOWN))
    lines = [f"{job.name}: {explain(job.schedule).removesuffix('.')} ({job.timezone})."]
    lines += [f"  {clock(slot)}" for slot in slots] or ["  never again"]
    return "\n".join((*lines, *_samples(job, slots[0] if slots else now)))


def _samples(job: Job, slot: dt.datetime) -> Iterator[str]:
    for output in job.outputs:
        yield f"into {output}, such as"
        yield f"  {_sample(job, output, slot)}"


def _sample(job: Job, output: Output, slot: dt.datetime) -> str:
    if output.kind not in FILES:
        return "a row of its table `quotes`"
    quote = Quote(
        pair=job.pairs[0],
        rate=SAMPLE,
        rate_date=slot.date(),
        provider=job.providers[0].name,
        provider_time=None,
        observed_at=slot.astimezone(dt.UTC),
        kind=PUBLISHED,
    )
    line = FILES[output.kind].lines(job, slot, (quote,))[0]
    return line.decode().rstrip("\n")


def _quoted(value: str) -> str:
    """Return *value* as a TOML basic string. Raises UsageError on a line break or control character."""
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise UsageError(f"{value!r}: expected one line")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _create(path: Path, text: str) -> None:
    """Make the file at the whole *path* hold *text*; where not all of it finds room, there is none."""
    try:
        trust.make_folder(str(path.parent), 0o700, None)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        descriptor = trust.open_file(str(path), flags, 0o600, strict=False)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CannotCreateError(
            f"{path}: cannot be written: {error.strerror}; name another file, and nothing was written"
        ) from error
