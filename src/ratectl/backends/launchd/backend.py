"""launchd: one property list ``ratectl.JOB`` for each job, as a user agent or a system daemon.

``RunAtLoad`` makes up for a machine that was off: launchd itself remembers only what it slept
through. Of launchctl only exit codes are relied on, and the table of ``print-disabled``: the rest
of what it prints is not meant for programs.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ratectl.backends.launchd.plist import dump, load, starts, texts
from ratectl.backends.protocol import (
    Artefact,
    Change,
    EngineAbsentError,
    Found,
    InstalledEntry,
    Verb,
    always_covers,
    cover_for,
    never_paused,
    no_steps,
    no_troubles,
    no_words,
    separate_files,
)
from ratectl.backends.steps import Completed, Expect, RemoveFile, Run, Step, WriteFile
from ratectl.errors import EngineError
from ratectl.schedule.cover.triggers import Capabilities, Cover
from ratectl.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

    from ratectl.backends.host import Host
    from ratectl.backends.reader import Reader
    from ratectl.model.job import Job

NAME = "launchd"
CAPABILITIES = Capabilities(max_triggers=499, days_multiply=True)
SCOPES: tuple[str, ...] = ("user", "system")
REPORTS_NEXT_RUN = False
SANDBOXES = False
SUSPENDS = False
LISTS_ALL = True

AGAIN = "--again"
"""With it a firing ends with 0 unless it failed and is to be tried again."""
_TRIED_AGAIN = {"KeepAlive": {"SuccessfulExit": False}, "ThrottleInterval": 60}
"""Whoever does not end with 0 is started again a minute after it was started, and ends at once until it is time.

Starts less than ThrottleInterval seconds after another one are put off until then (launchd.plist(5)): a minute, which
is as late as a wakeup may be.
"""
_UNLOADED_WITHIN = 30.0
"""Seconds; launchd kills what does not end by itself after 20."""
_IO_ERROR = 5
_STILL_UNLOADING = frozenset({_IO_ERROR, 36, 37})
"""I/O error, operation now or already in progress: how ``bootstrap`` ends while the old entry is on its way out."""
_DISABLED = re.compile(
    r'"ratectl\.([a-z0-9-]+)" => (?:disabled|true)$', re.MULTILINE
)  # true: macOS 12
_NAME = re.compile(r"ratectl\.([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)\.plist")


def detect(reader: Reader, host: Host, scope: str) -> str:
    """Return why launchd cannot be used: none off macOS, no agents where nobody is logged in at the screen."""
    if not reader.which("launchctl"):
        return "launchd: no `launchctl` program; launchd is macOS's"
    if not _is_there(reader, _domain(host, scope)):
        return _nobody_logged_in(host)
    return ""


def warnings(reader: Reader, host: Host, scope: str) -> tuple[str, ...]:
    """Return that a user's agents run only while the user is logged in."""
    del reader
    if scope == "system":
        return ()
    return (
        f"launchd: agents run only while {host.user} is logged in; `--scope system` always does",
    )


def dry_run(reader: Reader, changes: Sequence[Change], host: Host, scope: str) -> tuple[str, ...]:
    """Return which alerts a person will see: macOS 13 and later show one for each entry that is new.

    Source: Apple, "Manage login items and background tasks on Mac".
    """
    del reader, host, scope
    new = sum(change.verb is Verb.CREATE for change in changes)
    if not new:
        return ()
    alerts = count(new, "alert")
    each = ", one for each new job" if new > 1 else ""
    return (
        f'launchd: expect {alerts} of macOS, "Background Items Added"{each}; leave them allowed',
    )


enable_linger = no_steps
covers_slot = always_covers
difference = no_words
troubles = no_troubles
resuming = never_paused


def inspect(reader: Reader, host: Host, scope: str) -> Found:
    """Return our property lists and whether launchd has them loaded."""
    if not reader.which("launchctl"):
        raise EngineAbsentError(detect(reader, host, scope))
    folder, domain = _folder(host, scope), _domain(host, scope)
    there = _is_there(reader, domain)
    ours, foreign = _lists(reader, folder)
    disabled = _disabled(reader, domain) if there else frozenset()
    entries = {}
    for job, data in ours.items():
        drift = [*_refused(reader, _path(folder, job), host)]
        if there:  # else it is loaded at the next login
            drift += _drift(reader, f"{domain}/ratectl.{job}", job in disabled)
        entries[job] = InstalledEntry(
            job=job,
            triggers=tuple(texts(load(data))),
            artefacts=(Artefact(job=job, name=f"ratectl.{job}.plist", data=data),),
            enabled=there and not drift,
            drift=tuple(drift),
        )
    raw = {"foreign": "\n".join(foreign).encode(), "disabled": "\n".join(sorted(disabled)).encode()}
    return Found(entries=entries, raw=raw if there else raw | {"asleep": b"yes"})


def argv(entry: InstalledEntry, scope: str) -> tuple[str, ...]:
    """Return the program and its arguments in *entry*'s property list."""
    del scope
    return tuple(map(str, load(entry.artefacts[0].data).get("ProgramArguments", ())))


def check(job: Job, host_zone: ZoneInfo) -> Cover:
    """Return how launchd can wake *job*."""
    return cover_for(job, host_zone, CAPABILITIES)


def render(job: Job, cover: Cover, host: Host, scope: str) -> tuple[Artefact, ...]:
    """Return the property list of *job*."""
    log = _log(job.name, host, scope)
    values: dict[str, Any] = {
        "Label": f"ratectl.{job.name}",
        "Nice": 10,
        "ProcessType": "Background",
        "ProgramArguments": [*host.argv(job.name), AGAIN],
        "RunAtLoad": True,
        "StandardErrorPath": log,
        "StandardOutPath": log,
        **({"UserName": host.account} if host.account else {}),
        **starts(cover.triggers),
        **({} if cover.each_minute else _TRIED_AGAIN),
    }
    name = f"ratectl.{job.name}.plist"
    return (Artefact(job=job.name, name=name, data=dump(values)),)


output_files = separate_files


def stage(changes: Sequence[Change], found: Found, host: Host, scope: str) -> tuple[Step, ...]:
    """Return the steps of *changes*: unload the old, see it gone, write or delete the files, load the new.

    An entry that somebody disabled is enabled first, since it could not be loaded; where nobody did,
    nothing is enabled, as launchd keeps a record of that for ever.
    """
    gone = [c for c in changes if c.verb is Verb.DELETE]
    put = [c for c in changes if c.verb in {Verb.CREATE, Verb.UPDATE}]
    domain, folder = _domain(host, scope), _folder(host, scope)
    _refuse_foreign(put, found, folder)
    inactive = "asleep" in found.raw
    if inactive and put:
        raise EngineError(_nobody_logged_in(host))
    disabled = set(found.raw["disabled"].decode().split("\n"))
    names = [change.job for change in (*gone, *put)]
    return (
        *(() if inactive else _unloading(names, domain)),
        *(step for change in gone for step in _removal(change.job, host, scope)),
        *(WriteFile(path=_path(folder, c.job), data=c.artefacts[0].data) for c in put),
        *(_enabling(c.job, domain) for c in put if c.job in disabled),
        *(_loading(c.job, domain, folder) for c in put),
    )


def _unloading(jobs: Sequence[str], domain: str) -> Iterator[Step]:
    """Unload, which goes on after the call has returned; whatever is not loaded is fine."""
    for job in jobs:
        unload = ("launchctl", "bootout", f"{domain}/ratectl.{job}")
        yield Run(argv=unload, why="unload it, if it is loaded", may_fail=True)
    for job in jobs:
        yield Expect(
            argv=("launchctl", "print", f"{domain}/ratectl.{job}"),
            stdout=None,
            within=_UNLOADED_WITHIN,
            problem=f"launchd: ratectl.{job} is still loaded after {_UNLOADED_WITHIN:.0f} seconds; "
            f"`launchctl bootout {domain}/ratectl.{job}` says why, then run the same command again",
        )


def _removal(job: str, host: Host, scope: str) -> Iterator[Step]:
    yield RemoveFile(path=_path(_folder(host, scope), job))
    yield RemoveFile(path=Path(_log(job, host, scope)))


def _enabling(job: str, domain: str) -> Step:
    why = "take back that somebody disabled it"
    return Run(argv=("launchctl", "enable", f"{domain}/ratectl.{job}"), why=why)


def _loading(job: str, domain: str, folder: Path) -> Step:
    load = ("launchctl", "bootstrap", domain, str(_path(folder, job)))
    meaning = partial(_not_loaded, job, domain, folder)
    return Run(argv=load, why="load the entry", again_on=_STILL_UNLOADING, meaning=meaning)


def _not_loaded(job: str, domain: str, folder: Path, answer: Completed) -> EngineError:
    """Return what it may mean that an entry was not loaded: of most reasons launchctl says "Input/output error"."""
    path = _path(folder, job)
    text = f"launchd: {path} was not loaded ({answer.code}: {answer.said or 'it said nothing'})"
    if answer.code != _IO_ERROR:
        return EngineError(text)
    return EngineError(
        f"{text}\nThat stands for many things. Look whether it is switched off under System Settings, General, Login "
        f"Items; whether `ls -le {path}` shows a file of this account that others may not write to; whether the home "
        f"lies on another volume, of which launchd takes nothing (then `--scope system`, as root). `log show --last "
        f"2m --predicate 'process == \"launchd\"'` has launchd's own words about {domain}"
    )


def _refuse_foreign(put: Sequence[Change], found: Found, folder: Path) -> None:
    foreign = set(found.raw["foreign"].decode().split("\n"))
    for change in put:
        path = _path(folder, change.job)
        if path.name in foreign:
            raise EngineError(
                f"launchd: {path} exists and was not written by ratectl, so it is left alone; "
                "rename the job, or move that file away"
            )


def _nobody_logged_in(host: Host) -> str:
    domain = _domain(host, "user")
    return (
        f"launchd: there is no {domain}, since {host.user} is not logged in at the screen (user/{host.uid}, "
        "which ssh makes, does not outlive a restart); log in there, or use `--scope system` as root"
    )


def _domain(host: Host, scope: str) -> str:
    return "system" if scope == "system" else f"gui/{host.uid}"


def _is_there(reader: Reader, target: str) -> bool:
    """Tell whether launchd knows *target*, a domain or a service in one."""
    return reader.query(("launchctl", "print", target)).code == 0


def _disabled(reader: Reader, domain: str) -> frozenset[str]:
    """Return the jobs that somebody disabled; that survives the removal of their files."""
    answer = reader.query(("launchctl", "print-disabled", domain))
    if answer.code:
        command = f"`launchctl print-disabled {domain}`"
        raise EngineError(f"launchd: {command} ended with {answer.code}: {answer.said}")
    return frozenset(_DISABLED.findall(answer.stdout.decode("utf-8", "replace")))


def _refused(reader: Reader, path: Path, host: Host) -> Iterator[str]:
    status = reader.status(path)
    if status and (status.owner != host.uid or status.mode & 0o022):
        yield "launchd refuses its file, which belongs to or may be written by others"


def _drift(reader: Reader, target: str, disabled: bool) -> Iterator[str]:
    if disabled:
        yield "it was disabled with `launchctl disable`"
    if not _is_there(reader, target):
        yield "it is not loaded"


def _lists(reader: Reader, folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """Return our property lists by job, and the names of files that only look like them."""
    enabled, foreign = {}, []
    for name in reader.names(folder):
        match = _NAME.fullmatch(name)
        if not match:
            continue
        data = reader.read(folder / name) or b""
        values = load(data)
        ours = values.get("Label") == f"ratectl.{match[1]}"
        if ours and match[1] in values.get("ProgramArguments", ()):
            enabled[match[1]] = data
        else:
            foreign.append(name)
    return enabled, foreign


def _folder(host: Host, scope: str) -> Path:
    return (
        Path("/Library/LaunchDaemons")
        if scope == "system"
        else Path(host.home) / "Library" / "LaunchAgents"
    )


def _path(folder: Path, job: str) -> Path:
    return folder / f"ratectl.{job}.plist"


def _log(job: str, host: Host, scope: str) -> str:
    home = PurePosixPath("/" if scope == "system" else host.home)
    return str(home / "Library" / "Logs" / f"ratectl.{job}.log")
