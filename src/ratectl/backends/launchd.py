"""launchd: one property list ``ratectl.JOB`` for each job, as a user agent or a system daemon.

In a calendar dict a missing field means "every", so ``Minute`` is always there,
and ``Day`` and ``Weekday`` never stand in one dict. ``RunAtLoad`` makes up for a
machine that was off: launchd itself remembers only what it slept through.
"""

from __future__ import annotations

import itertools
import plistlib
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from xml.parsers.expat import ExpatError

from ratectl.backends.base import (
    Artefact,
    Change,
    EngineAbsentError,
    Entry,
    Found,
    Host,
    Reader,
    RemoveFile,
    Run,
    Step,
    Verb,
    WriteFile,
    cover_for,
    nothing_to_do,
    separate_files,
)
from ratectl.errors import EngineError
from ratectl.schedule.calendar import DAYS, HOURS, MONTHS, WEEKDAYS
from ratectl.schedule.triggers import Abilities, Cover, Line, Pulse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

    from ratectl.model import Job
    from ratectl.schedule.calendar import Calendar
    from ratectl.schedule.triggers import Trigger

NAME = "launchd"
ABILITIES = Abilities(most=499, days_multiply=True)
SCOPES: tuple[str, ...] = ("user", "system")
PLATFORMS: tuple[str, ...] = ("darwin",)
TELLS_NEXT = False
CONFINES = False

_NAME = re.compile(r"ratectl\.([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)\.plist")


def detect(reader: Reader, host: Host, scope: str) -> str:
    """Return why launchd cannot be used: there is none off macOS."""
    del host, scope
    return (
        "" if reader.which("launchctl") else "launchd: no `launchctl` program; launchd is macOS's"
    )


def caveats(reader: Reader, host: Host, scope: str) -> tuple[str, ...]:
    """Return that a user's agents run only while the user is logged in."""
    del reader
    if scope == "system":
        return ()
    return (
        f"launchd: agents run only while {host.user} is logged in; `--scope system` always does",
    )


keep_awake = nothing_to_do


def inspect(reader: Reader, host: Host, scope: str) -> Found:
    """Return our property lists and whether launchd has them loaded."""
    if problem := detect(reader, host, scope):
        raise EngineAbsentError(problem)
    folder = _folder(host, scope)
    loaded = _loaded_labels(reader)
    entries, foreign = {}, []
    for name in reader.names(folder):
        told = _NAME.fullmatch(name)
        if not told:
            continue
        data = reader.read(folder / name) or b""
        values = _load(data)
        if values.get("Label") != f"ratectl.{told[1]}" or told[1] not in values.get(
            "ProgramArguments", ()
        ):
            foreign.append(name)
            continue
        entries[told[1]] = Entry(
            job=told[1],
            triggers=tuple(_texts(values)),
            artefacts=(Artefact(job=told[1], name=name, data=data),),
            enabled=f"ratectl.{told[1]}" in loaded,
            drift=() if f"ratectl.{told[1]}" in loaded else ("the agent is not loaded",),
        )
    return Found(entries=entries, raw={"foreign": "\n".join(foreign).encode()})


def argv(entry: Entry, scope: str) -> tuple[str, ...]:
    """Return the program and its arguments in *entry*'s property list."""
    del scope
    return tuple(map(str, _load(entry.artefacts[0].data).get("ProgramArguments", ())))


def check(job: Job, host_zone: ZoneInfo) -> Cover:
    """Return how launchd can wake *job*."""
    return cover_for(job, host_zone, ABILITIES)


def render(job: Job, cover: Cover, host: Host, scope: str) -> tuple[Artefact, ...]:
    """Return the property list of *job*."""
    home = PurePosixPath(host.home)
    log = PurePosixPath("/Library/Logs") if scope == "system" else home / "Library" / "Logs"
    values: dict[str, Any] = {
        "Label": f"ratectl.{job.name}",
        "Nice": 10,
        "ProcessType": "Background",
        "ProgramArguments": list(host.argv(job.name)),
        "RunAtLoad": True,
        "StandardErrorPath": str(log / f"ratectl.{job.name}.log"),
        "StandardOutPath": str(log / f"ratectl.{job.name}.log"),
        **_starts(cover.triggers),
    }
    name = f"ratectl.{job.name}.plist"
    return (Artefact(job=job.name, name=name, data=plistlib.dumps(values, sort_keys=True)),)


bundle = separate_files


def stage(changes: Sequence[Change], found: Found, host: Host, scope: str) -> tuple[Step, ...]:
    """Return the steps of *changes*: unload, write or delete the file, load."""
    foreign = found.raw["foreign"].decode().split("\n")
    return tuple(step for change in changes for step in _steps(change, foreign, host, scope))


def _steps(change: Change, foreign: Sequence[str], host: Host, scope: str) -> Iterator[Step]:
    if change.verb is Verb.KEEP:
        return
    path = _folder(host, scope) / f"ratectl.{change.job}.plist"
    if path.name in foreign:
        raise EngineError(
            f"launchd: {path} exists and was not written by ratectl, so it is left alone; "
            "rename the job, or move that file away"
        )
    domain = "system" if scope == "system" else f"gui/{host.uid}"
    if change.entry is not None:
        unload = ("launchctl", "bootout", f"{domain}/ratectl.{change.job}")
        yield Run(argv=unload, why="unload the old entry", may_fail=True)
    if change.verb is Verb.DELETE:
        yield RemoveFile(path=path)
        return
    yield WriteFile(path=path, data=change.artefacts[0].data)
    yield Run(argv=("launchctl", "bootstrap", domain, str(path)), why="load the entry")


def _folder(host: Host, scope: str) -> Path:
    return (
        Path("/Library/LaunchDaemons")
        if scope == "system"
        else Path(host.home) / "Library" / "LaunchAgents"
    )


def _loaded_labels(reader: Reader) -> frozenset[str]:
    """Return the labels in the third column of ``launchctl list``."""
    answer = reader.query(("launchctl", "list"))
    if answer.code:
        raise EngineError(f"launchd: `launchctl list` ended with {answer.code}: {answer.said}")
    rows = answer.stdout.decode("utf-8", "replace").splitlines()
    return frozenset(row.split("\t")[-1] for row in rows)


def _load(data: bytes) -> dict[str, Any]:
    try:
        values = plistlib.loads(data)
    except (plistlib.InvalidFileException, ExpatError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _starts(triggers: Sequence[Trigger]) -> dict[str, Any]:
    """Return the keys that say when: calendar dicts, or an interval where a pulse was asked for."""
    dicts: list[dict[str, int]] = []
    keys: dict[str, Any] = {}
    for trigger in triggers:
        if isinstance(trigger, Pulse):
            assert trigger.every == 60, trigger  # any other phase would be launchd's own choice
            keys["StartInterval"] = 60
            continue
        assert isinstance(trigger, Line), trigger
        assert trigger.zone is None, trigger
        dicts += [entry for entry in _product(trigger.calendar) if entry not in dicts]
    assert len(dicts) <= 499, len(dicts)
    return keys | ({"StartCalendarInterval": dicts} if dicts else {})


def _product(calendar: Calendar) -> Iterator[dict[str, int]]:
    """Yield one dict for each combination of the restricted fields."""
    assert calendar.seconds == frozenset({0}), calendar
    assert not calendar.nth, calendar
    assert calendar.stride is None, calendar
    assert calendar.days == DAYS or calendar.weekdays == WEEKDAYS, calendar
    assert min(calendar.days) >= 1, calendar
    fields = {
        "Month": calendar.months if calendar.months != MONTHS else (),
        "Day": calendar.days if calendar.days != DAYS else (),
        "Weekday": calendar.weekdays if calendar.weekdays != WEEKDAYS else (),
        "Hour": calendar.hours if calendar.hours != HOURS else (),
        "Minute": calendar.minutes,
    }
    names = [name for name, values in fields.items() if values]
    for values in itertools.product(*(sorted(fields[name]) for name in names)):
        yield dict(zip(names, values, strict=True))


def _texts(values: dict[str, Any]) -> Iterator[str]:
    if "StartInterval" in values:
        yield f"StartInterval {values['StartInterval']}"
    for entry in values.get("StartCalendarInterval", ()):
        yield " ".join(f"{key}={value}" for key, value in entry.items())
