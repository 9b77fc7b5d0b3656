"""What of ours systemd holds: unit files on the disk, and what the manager says of them as JSON."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ratectl.backends.protocol import Artefact, InstalledEntry
from ratectl.backends.systemd import drop_ins
from ratectl.backends.systemd.drop_ins import MASKED
from ratectl.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from ratectl.backends.reader import Reader
    from ratectl.backends.systemd.drop_ins import DropIn

WANTS = "timers.target.wants"
UNIT = re.compile(r"ratectl-(?P<job>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)\.(?:timer|service)")
LOOKS = 3
"""How often the manager is asked where its answers contradict each other."""
_DESCRIPTION = re.compile(r"Wake ratectl for job ([a-z0-9-]+)")
_SECTION = b"[X-Ratectl]"
_OURS = re.compile(rb"^\[X-Ratectl\]\nJob=([a-z0-9-]+)$", re.MULTILINE)
_ON_CALENDAR = re.compile(r"^OnCalendar=(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """Our units in one scope, by file name: on the disk, and as the manager has them."""

    texts: Mapping[str, bytes]
    """Of the unit files that are ours."""
    enabled: frozenset[str]
    """Timers that are started at boot."""
    active: Mapping[str, str]
    """Timers that the manager has loaded, each with its state, such as ``active``."""
    running: frozenset[str]
    """Timers whose service runs now."""
    ghosts: frozenset[str]
    """Jobs whose units have no file any more: the manager knows, and may start, them until it reloads."""
    next_runs: Mapping[str, dt.datetime]
    drop_ins: Mapping[str, tuple[DropIn, ...]]
    """By job, the drop-ins that change its units."""
    folder: Path
    """Where the units stand."""
    foreign: tuple[str, ...]
    """Unit files with names like ours that somebody else wrote."""

    def entry(self, job: str) -> InstalledEntry:
        """Return *job* as systemd holds it."""
        timer, changing = f"ratectl-{job}.timer", self.drop_ins[job]
        text = self.texts.get(timer, b"").decode("utf-8", "replace")
        files = [name for name in (f"ratectl-{job}.service", timer) if name in self.texts]
        return InstalledEntry(
            job=job,
            triggers=tuple(_ON_CALENDAR.findall(text)),
            artefacts=tuple(Artefact(job=job, name=name, data=self.texts[name]) for name in files),
            enabled=timer in self.enabled and self.active.get(timer) == "active",
            next=self.next_runs.get(timer),
            running=timer in self.running,
            drift=tuple(self._drift(timer)),
            overrides=tuple(
                dict.fromkeys(f"a drop-in changes it: {found.path.parent}" for found in changing)
            ),
            rescheduled=any(found.wakes for found in changing),
            masks=tuple(
                str(found.mask(self.folder))
                for found in changing
                if not found.is_reverted(self.folder)
            ),
        )

    def jobs(self) -> list[str]:
        """Return the names of the jobs that systemd holds, in order."""
        return sorted({job_of(name) for name in self.texts} | self.ghosts)

    def _drift(self, timer: str) -> Iterator[str]:
        if timer not in self.texts:
            yield "the timer's unit file is missing or masked"
        if timer.replace(".timer", ".service") not in self.texts:
            yield "the service's unit file is missing"
        if timer not in self.enabled:
            yield "the timer is disabled"
        if self.active.get(timer) != "active":
            yield f"the timer is {self.active.get(timer, 'not loaded')}"


def look(reader: Reader, folder: Path, scope: str) -> Units:
    """Return our units in *folder*, and what the manager of *scope* says of them. Raises EngineError."""
    names = reader.names(folder)
    like_ours = [name for name in names if UNIT.fullmatch(name)]
    texts = {name: text for name in like_ours if (text := _own_text(reader, folder, name))}
    timers, next_runs = _timers_and_next_runs(reader, scope)
    ghosts = _ghosts(timers, names)
    jobs = {job_of(name) for name in texts} | ghosts
    others = [name for name in like_ours if name not in texts]
    return Units(
        texts=texts,
        enabled=frozenset(reader.names(folder / WANTS)),
        active={row["unit"]: row["active"] for row in timers},
        running=frozenset(row["unit"] for row in timers if row.get("sub") == "running"),
        ghosts=ghosts,
        next_runs=next_runs,
        drop_ins=drop_ins.of_jobs(reader, folder, systemctl(scope), jobs),
        folder=folder,
        foreign=tuple(name for name in others if reader.link(folder / name) != MASKED),
    )


def systemctl(scope: str) -> tuple[str, ...]:
    """Return the words that begin each call to the manager of *scope*."""
    return ("systemctl", "--no-ask-password", *(("--user",) if scope == "user" else ("--system",)))


def job_of(name: str) -> str:
    """Return the job of the unit *name*."""
    return name.removeprefix("ratectl-").rpartition(".")[0]


def _own_text(reader: Reader, folder: Path, name: str) -> bytes | None:
    """Return the text of the unit *name* when it is ours."""
    text = reader.read(folder / name)
    match = _OURS.search(text, text.find(_SECTION)) if text else None
    return text if match and match[1].decode() == job_of(name) else None


def _timers_and_next_runs(
    reader: Reader, scope: str
) -> tuple[list[dict[str, str]], dict[str, dt.datetime]]:
    """Return the rows of our timers, and when each runs next.

    They are two answers of the manager. A timer that elapses between them waits in the first and has no next run
    in the second, as one that is never run again: both are asked for anew then.
    """
    for _ in range(LOOKS):
        timers = _timers(reader, scope)
        next_runs = _next_runs(reader, scope) if timers else {}
        if all(row["unit"] in next_runs for row in timers if _waits(row)):
            break
    return timers, next_runs


def _waits(row: Mapping[str, str]) -> bool:
    return row["active"] == "active" and row.get("sub") == "waiting"


def _timers(reader: Reader, scope: str) -> list[dict[str, str]]:
    """Return the rows of the timers with names like ours that the manager has loaded."""
    rows = _json(reader, scope, "list-units", "--all", "--type=timer", "--full")
    return [row for row in rows if UNIT.fullmatch(row["unit"]) and row["load"] == "loaded"]


def _ghosts(rows: Sequence[dict[str, str]], names: Collection[str]) -> frozenset[str]:
    there = frozenset(names)
    jobs = {
        job_of(row["unit"]) for row in rows if _DESCRIPTION.fullmatch(row.get("description", ""))
    }
    return frozenset(
        job for job in jobs if there.isdisjoint((f"ratectl-{job}.timer", f"ratectl-{job}.service"))
    )


def _next_runs(reader: Reader, scope: str) -> dict[str, dt.datetime]:
    """Return when each timer runs next; of this table only ``next`` and ``last`` mean the same everywhere."""
    rows = _json(reader, scope, "list-timers", "--all", "--full")
    return {
        row["unit"]: dt.datetime.fromtimestamp(row["next"] / 1_000_000, tz=dt.UTC)
        for row in rows
        if row.get("next")
    }


def _json(reader: Reader, scope: str, *words: str) -> list[dict[str, Any]]:
    argv = (*systemctl(scope), *words, "--no-pager", "--output=json")
    answer = reader.query(argv)
    if answer.code:
        raise EngineError(f"systemd: `{' '.join(argv)}` ended with {answer.code}: {answer.said}")
    try:
        rows = json.loads(answer.stdout)
    except ValueError as error:
        raise EngineError(
            f"systemd: `{' '.join(argv)}` printed no JSON (systemd 247 or later does); "
            "use `--backend cron` on this machine"
        ) from error
    return list(rows)
