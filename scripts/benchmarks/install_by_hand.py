"""The floor of ``ratectl install``: a program that does by hand, and for this one kind of spec, what an install must do.

Usage: ``install_by_hand.py cron|systemd SPEC FOLDER [PATTERNS]``. It reads the spec as values, sees that each output can
be made, keeps each job in a durable SQLite file in FOLDER, writes what the scheduler reads, and reads it back. It looks
for no mistake in the spec, judges no other account, takes nothing back, and knows one schedule, "every day at HH:MM".
Its units are those of ``job-0`` in the folder PATTERNS, with another name and time.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

DAILY = re.compile(r"every day at ([0-9]{2}):([0-9]{2})")
PAIR = re.compile(r"([A-Z]{3})/([A-Z]{3})")
TIME = re.compile(r"[0-9]{2}:[0-9]{2}:00")
UNITS = Path("/etc/systemd/system")
PATTERN = "job-0"
LOOKS = 3
"""How often systemd is asked."""
app = typer.Typer(add_completion=False, rich_markup_mode=None)


class ByHand(NamedTuple):
    """One job of the spec, as values."""

    name: str
    pairs: tuple[tuple[str, str], ...]
    hour: int
    minute: int
    output: str

    @property
    def command(self) -> str:
        """What the scheduler starts."""
        return shlex.join((sys.executable, "-I", "-S", "/opt/by-hand/fetch.py", self.name))


@app.command()
def main(
    engine: str,
    spec: Path,
    folder: Path,
    patterns: Annotated[Path, typer.Argument()] = Path(),
) -> None:
    """Install SPEC in ENGINE, and say so."""
    jobs = values(spec)
    see_outputs(jobs)
    keep(jobs, folder)
    if engine == "cron":
        into_crontab(jobs)
    else:
        into_systemd(jobs, patterns)
    for job in jobs[:40]:
        typer.echo(f"  {job.name}: every day at {job.hour:02}:{job.minute:02}")


def values(spec: Path) -> list[ByHand]:
    """Return the jobs of *spec*."""
    document = tomllib.loads(spec.read_text(encoding="utf-8"))
    jobs = []
    for name, own in document["jobs"].items():
        table = document["defaults"] | own
        time = DAILY.fullmatch(table["schedule"])
        pairs = [PAIR.fullmatch(text) for text in table["pairs"]]
        if time is None or None in pairs:
            raise SystemExit(f"{name}: unknown words")
        found = tuple((pair[1], pair[2]) for pair in pairs if pair)
        jobs.append(ByHand(name, found, int(time[1]), int(time[2]), table["output"]))
    return jobs


def see_outputs(jobs: list[ByHand]) -> None:
    """See that each output can be made, in a folder that is there or can be made."""
    for job in jobs:
        see(not os.path.lexists(job.output), f"{job.output} is there")
    for there in {Path(job.output.rpartition("/")[0]) for job in jobs}:
        nearest = next(folder for folder in (there, *there.parents) if folder.exists())
        see(os.access(nearest, os.W_OK | os.X_OK), f"{nearest} is shut")


def keep(jobs: list[ByHand], folder: Path) -> None:
    """Keep *jobs* durably."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    book = sqlite3.connect(folder / "by-hand.sqlite3", isolation_level=None)
    book.execute("PRAGMA journal_mode = WAL")
    book.execute("PRAGMA synchronous = FULL")
    book.execute("CREATE TABLE IF NOT EXISTS jobs (name PRIMARY KEY, snapshot)")
    book.execute("BEGIN IMMEDIATE")
    rows = [(job.name, json.dumps(job._asdict())) for job in jobs]
    book.executemany("INSERT OR REPLACE INTO jobs VALUES (?, ?)", rows)
    book.execute("COMMIT")
    book.close()


def into_crontab(jobs: list[ByHand]) -> None:
    """Write a line for each job, unless somebody saved the crontab meanwhile, and read them back."""
    before = call("crontab", "-l", check=False)
    text = before + "".join(f"{job.minute} {job.hour} * * * {job.command}\n" for job in jobs)
    see(call("crontab", "-l", check=False) == before, "somebody saved the crontab meanwhile")
    call("crontab", "-", stdin=text)
    see(call("crontab", "-l") == text, "not what was written")


def into_systemd(jobs: list[ByHand], patterns: Path) -> None:
    """Write, enable and start a timer for each job, and read files and timers back."""
    service, timer = (
        (patterns / f"ratectl-{PATTERN}.{kind}").read_text() for kind in ("service", "timer")
    )
    known = {path.name for path in UNITS.iterdir()}
    call("systemctl", "list-units", "--all", "--type=timer", "--full", "--output=json")
    texts = {}
    for job in jobs:
        time = f"{job.hour:02}:{job.minute:02}:00"
        texts[f"by-hand-{job.name}.service"] = service.replace(PATTERN, job.name)
        texts[f"by-hand-{job.name}.timer"] = TIME.sub(time, timer.replace(PATTERN, job.name))
    see(not known & set(texts), "some of these units are there")
    for name, text in texts.items():
        (UNITS / f".{name}").write_text(text)
    os.sync()
    for name in texts:
        (UNITS / f".{name}").rename(UNITS / name)
    timers = [name for name in texts if name.endswith(".timer")]
    wants = UNITS / "timers.target.wants"
    wants.mkdir(exist_ok=True)
    for name in timers:
        (wants / name).symlink_to(UNITS / name)
    call("systemctl", "daemon-reload")
    needs = (f"--property={word}={' '.join(timers)}" for word in ("Requires", "After"))
    call("systemd-run", "--collect", "--property=DefaultDependencies=no", *needs, "/bin/true")
    see({name: (UNITS / name).read_text() for name in texts} == texts, "not what was written")
    # a timer that elapses between the two answers has no next run in the second: then both are asked for anew
    see(any(set(timers) <= at_work() for _ in range(LOOKS)), "not all timers run")


def at_work() -> set[str]:
    """Return the timers that are active and know when they run next."""
    rows = call("systemctl", "list-units", "--all", "--type=timer", "--full", "--output=json")
    active = {row["unit"] for row in json.loads(rows) if row["active"] == "active"}
    runs = call("systemctl", "list-timers", "--all", "--full", "--output=json")
    due = {row["unit"] for row in json.loads(runs) if row["next"]}
    running = {row["unit"] for row in json.loads(rows) if row["sub"] == "running"}
    return active & (due | running)


def see(held: bool, otherwise: str) -> None:
    """End with *otherwise* where it is not *held*."""
    if not held:
        raise SystemExit(otherwise)


def call(*argv: str, stdin: str = "", check: bool = True) -> str:
    """Return what a command prints."""
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=check).stdout


if __name__ == "__main__":
    app()
