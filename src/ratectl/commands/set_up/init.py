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

import typer

from ratectl import spec
from ratectl.commands._shared.environment import utc_now
from ratectl.commands._shared.next_step import next_step
from ratectl.commands._shared.options import SpecArgument, default_spec
from ratectl.deploy import execute, host_facts
from ratectl.doctor import outputs
from ratectl.errors import (
    INTERRUPTED,
    CannotCreateError,
    RefusedError,
    SpecError,
    UsageError,
    indented,
)
from ratectl.model.quote import PUBLISHED, Quote
from ratectl.outputs.formats import FILES
from ratectl.runtime import accounts, templates, trust
from ratectl.schedule import after
from ratectl.schedule.language.explain import explain
from ratectl.views.format import clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
        for output in job.outputs:
            _check_output(output)
        return job


def _check_output(output: Output) -> None:
    """Raise RefusedError where this account can neither write the file of *output* nor make it."""
    if output.kind == "postgresql":
        return
    path = Path(output.target)
    if path.is_dir():
        raise RefusedError(f"{path}: is a folder; name a file in it")
    nearest = path
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not execute.SystemReader().may_write(nearest) or (nearest != path and not nearest.is_dir()):
        raise RefusedError(f"{path}: this account cannot write to {nearest}; name another file")


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
    if spec_path is None and not os.environ.get("RATECTL_CONFIG_DIR"):
        host_facts.refuse_home_of_others()
    path = (spec_path or default_spec()).expanduser().absolute()
    if path.exists():
        raise UsageError(f"{path}: exists already and is left as it is; name another file")
    given = {"pair": pair, "schedule": schedule, "output": output}
    said = {key: value for key, value in given.items() if value is not None}
    starter = StarterSpec(path=path, zone=host_facts.zone().key, **_of_root()).having(said)
    if yes or not (sys.stdin.isatty() and sys.stdout.isatty()):
        typer.echo(_preview(starter))
    else:
        starter = _agreed(starter, [key for key in QUESTIONS if key not in said])
    _create(path, starter.text())
    named = () if spec_path is None else (str(path),)
    typer.echo(f"wrote {path}")
    typer.echo(next_step("ratectl", "install", *named, does="puts it into this system's scheduler"))


def _of_root() -> dict[str, str]:
    """Return what root's starter spec has beside others': an account without rights, or how to make one."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return {}
    name = outputs.OWN_ACCOUNT
    if accounts.find(name) is None:
        return {"making": accounts.making(name)}
    return {"user": name, "output": "/var/lib/rates/output.txt"}


def _agreed(starter: StarterSpec, unsaid: list[str]) -> StarterSpec:
    """Return *starter* with an answer to each question that is *unsaid*, once a person has seen what comes of it.

    Raises typer.Abort on Ctrl-C, and when the person would rather not.
    """
    starter.job()  # what stands on the command line is wrong or right before anything is asked
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
                typer.echo("\n".join(lines), err=True)
        except (UsageError, RefusedError) as error:
            typer.echo(f"  {error}", err=True)
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
    try:
        trust.make_folder(str(path.absolute().parent), 0o700, None)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        descriptor = trust.open_file(str(path.absolute()), flags, 0o600, strict=False)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise CannotCreateError(f"{path}: cannot be written: {error.strerror}") from error
