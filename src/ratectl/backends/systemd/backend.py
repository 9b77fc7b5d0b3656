"""systemd: a ``ratectl-JOB.service`` and ``.timer`` pair for each job, as system or user units.

Units without our ``[X-Ratectl]`` section are not ours and never touched. However many jobs
change, there is one ``daemon-reload`` and one ``start``; what ``enable`` does is a link, made directly.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

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
    no_warnings,
    no_words,
    separate_files,
)
from ratectl.backends.steps import Link, RemoveFile, Run, Step, WriteFile
from ratectl.backends.systemd import loaded, sandbox
from ratectl.backends.systemd.calendar import spell
from ratectl.backends.systemd.loaded import WANTS, job_of, systemctl
from ratectl.errors import ConfigError, EngineError
from ratectl.runtime import templates
from ratectl.schedule.cover.triggers import EVERY_MINUTE, CalendarTrigger, Capabilities, Cover

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from zoneinfo import ZoneInfo

    from ratectl.backends.host import Host
    from ratectl.backends.reader import Reader
    from ratectl.model.job import Job

NAME = "systemd"
CAPABILITIES = Capabilities(
    zones=True,
    seconds=True,
    last_days=28,
    nth_weekday=frozenset({1, 2, 3, 4, 5, -1, -2, -3, -4}),
    both_days=True,
    gap="skip",
    fold="first",
)
SCOPES: tuple[str, ...] = ("user", "system")
REPORTS_NEXT_RUN = True
SANDBOXES = True
SUSPENDS = False
LISTS_ALL = True

SYSTEM_UNITS = Path("/etc/systemd/system")
BOOTED = Path("/run/systemd/system")
LINGER = Path("/var/lib/systemd/linger")
_EXEC_START = re.compile(rb"^ExecStart=(.+)$", re.MULTILINE)
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|\S+')
MOST_JOBS = 5000
"""A reload of 4,000 active timers takes 10 s, one of 10,000 over two minutes, in which no call is answered."""
STAMPS = Path("/var/lib/systemd/timers")
_RESULT = "Id,Result,ExecMainStatus"
_ARGV_LIMIT = 250
"""Units in one systemctl call, far below the kernel's limit for a command line, so that progress can be seen."""
_TRUE = "/bin/true"
"""Does nothing; systemd-run would look for a bare name in our PATH, where another account may have one."""
_MANY = 50
_MOST = 1000
"""From so many on, and up to so many at once, units are started as what one unit requires."""


def detect(reader: Reader, host: Host, scope: str) -> str:
    """Return why systemd cannot be used: not booted with it, or no user manager that answers."""
    if not reader.is_folder(BOOTED):
        return "systemd: this machine was not booted with it (no /run/systemd/system)"
    if reader.which("systemctl") is None:
        return "systemd: no `systemctl` program on the PATH"
    answer = reader.query((*systemctl(scope), "show", "--property=Version"))
    if answer.code:
        why = f"systemd: the {scope} manager does not answer ({answer.said})"
        if scope == "system" or not warnings(reader, host, scope):
            return why
        return f"{why}; `loginctl enable-linger {host.user}`, as root, starts one that stays"
    return ""


def warnings(reader: Reader, host: Host, scope: str) -> tuple[str, ...]:
    """Return that user units end at logout, where lingering is off."""
    if scope == "system" or host.user in reader.names(LINGER):
        return ()
    keep = f"`ratectl install --enable-linger` or `loginctl enable-linger {host.user}`"
    return (f"systemd: user timers stop when {host.user} logs out; {keep} keeps them running",)


def enable_linger(reader: Reader, host: Host, scope: str) -> tuple[Step, ...]:
    """Return what lets the user's manager run without anybody logged in."""
    if not warnings(reader, host, scope):
        return ()
    argv = ("loginctl", "--no-ask-password", "enable-linger", host.user)
    return (Run(argv=argv, why="keep timers running after logout"),)


def inspect(reader: Reader, host: Host, scope: str) -> Found:
    """Return our units as the disk and the manager hold them. Raises EngineError where no manager answers."""
    if problem := detect(reader, host, scope):
        raise EngineAbsentError(problem)
    units = loaded.look(reader, _folder(host, scope), scope)
    lists = {"foreign": units.foreign, "loaded": sorted(units.active)}
    return Found(
        entries={job: units.entry(job) for job in units.jobs()},
        raw={name: "\n".join(unit_names).encode() for name, unit_names in lists.items()},
    )


def argv(entry: InstalledEntry, scope: str) -> tuple[str, ...]:
    """Return the command line of *entry*'s service, as :func:`render` wrote it; nothing where there is no service."""
    del scope
    texts = [a.data for a in entry.artefacts if a.name.endswith(".service")]
    match = _EXEC_START.search(texts[0]) if texts else None
    line = match[1].decode("utf-8", "surrogateescape") if match else ""
    program, *rest = (_unquote(word).replace("%%", "%") for word in _WORD.findall(line) or ("",))
    return (program, *(word.replace("$$", "$") for word in rest)) if program else ()


def check(job: Job, host_zone: ZoneInfo) -> Cover:
    """Return how systemd can wake *job*."""
    return cover_for(job, host_zone, CAPABILITIES)


def render(job: Job, cover: Cover, host: Host, scope: str) -> tuple[Artefact, ...]:
    """Return the service and the timer unit of *job*."""
    on_calendar: list[str] = []
    for trigger in cover.triggers:
        if isinstance(trigger, CalendarTrigger):
            on_calendar += spell(trigger.calendar, trigger.zone)
        else:
            assert trigger == EVERY_MINUTE, trigger
            on_calendar.append("*-*-* *:*:00 UTC")  # without UTC a fold loses its second hour
    _refuse_account_of_user_units(job, host, scope)
    folders = sandbox.writes(job, host)
    service = templates.fill(
        "systemd/job.service.j2",
        job=job,
        scope=scope,
        command=_command(host.argv(job.name)),
        time_limit=job.jitter + 2 * job.timeout + 600,
        credentials=[_plain(name) for name in sandbox.credentials(job)],
        tried_again=not cover.each_minute,
        stamp=_words([str(_stamp(job.name, host, scope)).replace("$", "$$")]),
        confined=sandbox.confined(host, scope),
        foreign=host.foreign,
        private_tmp=sandbox.private_tmp(job, host),
        account=host.account,
        all_homes=sandbox.homes(folders) == sandbox.HOMES,
        homes=_words([f"-{home}" for home in sandbox.homes(folders)]),
        writable=_words([f"-{folder}" for folder in folders]),
    )
    timer = templates.fill("systemd/job.timer.j2", job=job, on_calendar=on_calendar)
    return (
        Artefact(job=job.name, name=f"ratectl-{job.name}.service", data=_encode(service)),
        Artefact(job=job.name, name=f"ratectl-{job.name}.timer", data=_encode(timer)),
    )


def _refuse_account_of_user_units(job: Job, host: Host, scope: str) -> None:
    if host.account and scope != "system":
        raise ConfigError(
            f"systemd: {job.name}: a user's units cannot run as {host.account}; use `--scope system` as root"
        )


output_files = separate_files
dry_run = no_warnings
covers_slot = always_covers
difference = no_words
resuming = never_paused


NEVER_STARTED = range(200, 246)
"""Exit codes by which systemd tells that it could not start the program at all, see systemd.exec(5)."""
KILLED = frozenset({"signal", "core-dump", "oom-kill", "resources", "watchdog"})
"""Results of a run that something else ended."""


def troubles(
    reader: Reader, host: Host, entries: Collection[InstalledEntry]
) -> dict[str, tuple[str, ...]]:
    """Return, by job, why its last run came to nothing before the firing could tell of it: not started, or killed."""
    found: dict[str, tuple[str, ...]] = {}
    for scope in ("system", "user") if host.root else ("user",):
        units = [f"ratectl-{entry.job}.service" for entry in entries]
        for some in _batches(units, _ARGV_LIMIT):
            answer = reader.query((*systemctl(scope), "show", f"--property={_RESULT}", *some))
            if not answer.code:
                found |= _came_to_nothing(answer.stdout.decode("utf-8", "replace"))
    return found


def _came_to_nothing(properties_of_all: str) -> dict[str, tuple[str, ...]]:
    """Return the jobs of units whose last run failed without a word of ours; *properties_of_all* has a paragraph for each unit."""
    found: dict[str, tuple[str, ...]] = {}
    for paragraph in properties_of_all.strip().split("\n\n"):
        properties = dict(line.partition("=")[::2] for line in paragraph.splitlines())
        status = properties.get("ExecMainStatus", "")
        code = int(status) if status.isdigit() else 0
        name = properties.get("Id", "")
        log = f"`journalctl -u {name}` or `journalctl --user -u {name}` shows why"
        if properties.get("Result") == "exit-code" and code in NEVER_STARTED:
            text = f"systemd could not start its program (status {code}); {log}"
            found[job_of(name)] = (text,)
        elif properties.get("Result") in KILLED:
            found[job_of(name)] = (
                f"its last run was ended from outside ({properties['Result']}); {log}",
            )
    return found


def stage(changes: Sequence[Change], found: Found, host: Host, scope: str) -> tuple[Step, ...]:
    """Return the steps of *changes*: removals first, then files and links, one reload, one start."""
    gone = [c for c in changes if c.verb is Verb.DELETE]
    put = [c for c in changes if c.verb in {Verb.CREATE, Verb.UPDATE} and c.artefacts]
    if not gone and not put:
        return ()
    folder = _folder(host, scope)
    _refuse_foreign(put, found, folder)
    _refuse_number(len(found.entries) + sum(c.verb is Verb.CREATE for c in put) - len(gone))
    call = systemctl(scope)
    new = [change.job for change in put if change.verb is Verb.CREATE]
    known = [change.job for change in put if change.verb is Verb.UPDATE]
    timers = [f"ratectl-{change.job}.timer" for change in put]
    return (
        *_removal(gone, found, host, scope),
        *(step for change in put for step in _files(change, folder)),
        *(Link(path=folder / WANTS / timer, target=folder / timer) for timer in timers),
        Run(argv=(*call, "daemon-reload"), why="let systemd read its units again"),
        *_start(call, [f"ratectl-{job}.timer" for job in new]),
        *(_look_at_once(call, new) if gone else ()),
        *_again(call, known),
    )


def _start(call: tuple[str, ...], timers: Sequence[str]) -> Iterator[Step]:
    """Start *timers*; where they are many, as what one passing unit requires, which is less work for the manager than as many calls."""
    for some in _batches(timers, _MOST):
        start = Run(argv=(*call, "start", *some), why="start the timers")
        if len(some) >= _MANY:
            why = f"{start.why}, all at once by systemd-run"
            start = replace(start, shortcut=_required(call, some), why=why)
        yield start


def _required(call: tuple[str, ...], units: Sequence[str]) -> tuple[str, ...]:
    """Return a command that starts a unit, gone at once, which requires *units* and waits for them, see systemd-run(1)."""
    options = ("--collect", "--description=Start timers of ratectl")
    # else it would want, and wait for, all that a service wants by itself, which timers do not
    bare = "--property=DefaultDependencies=no"
    needs = (f"--property={word}={' '.join(units)}" for word in ("Requires", "After"))
    return ("systemd-run", *call[1:], *options, bare, *needs, _TRUE)


def _look_at_once(call: tuple[str, ...], jobs: Sequence[str]) -> Iterator[Step]:
    """Wake new *jobs* now: one may be a job that goes under another name, and owe a slot that its new timer knows nothing of."""
    services = [f"ratectl-{job}.service" for job in jobs]
    look = (*call, "start", "--no-block")
    yield from _chunks(look, services, "see what they owe", may_fail=True)


def _again(call: tuple[str, ...], jobs: Sequence[str]) -> Iterator[Step]:
    """Start the timers of *jobs* that are there: one wakes at once what its old unit could not record, which only a new start sees."""
    services = [f"ratectl-{job}.service" for job in jobs]
    yield from _chunks((*call, "reset-failed"), services, "forget failures", may_fail=True)
    timers = [f"ratectl-{job}.timer" for job in jobs]
    yield from _chunks((*call, "restart"), timers, "start the timers again")


def _removal(gone: Sequence[Change], found: Found, host: Host, scope: str) -> Iterator[Step]:
    folder, call = _folder(host, scope), systemctl(scope)
    active = set(found.raw["loaded"].decode().split("\n"))
    timers = [f"ratectl-{change.job}.timer" for change in gone]
    yield from _chunks(
        (*call, "stop"), [name for name in timers if name in active], "stop the timers"
    )
    services = [f"ratectl-{change.job}.service" for change in gone]
    # All of them: one that waits to try again may be at it just now, and failed later with no file any more to say how.
    yield from _chunks((*call, "stop"), services, "stop what still tries", may_fail=True)
    yield from _chunks((*call, "reset-failed"), services, "forget failures", may_fail=True)
    for change, timer, service in zip(gone, timers, services, strict=True):
        # The stamp of its last run goes first: a removal cut short finds its way by the units.
        yield RemoveFile(path=_stamp(change.job, host, scope))
        yield RemoveFile(path=folder / WANTS / timer)
        yield RemoveFile(path=folder / timer)
        yield RemoveFile(path=folder / service)


def _files(change: Change, folder: Path) -> Iterator[Step]:
    written = {a.name: a.data for a in change.entry.artefacts} if change.entry else {}
    for artefact in change.artefacts:
        if written.get(artefact.name) != artefact.data:
            yield WriteFile(path=folder / artefact.name, data=artefact.data)


def _chunks(
    argv: tuple[str, ...], units: Sequence[str], why: str, *, may_fail: bool = False
) -> Iterator[Step]:
    for some in _batches(units, _ARGV_LIMIT):
        yield Run(argv=(*argv, *some), why=why, may_fail=may_fail)


def _batches(units: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    """Yield *units* in parts of at most so many."""
    for at in range(0, len(units), most):
        yield units[at : at + most]


def _refuse_foreign(put: Sequence[Change], found: Found, folder: Path) -> None:
    foreign = set(found.raw["foreign"].decode().split("\n"))
    for change in put:
        for artefact in change.artefacts:
            if artefact.name in foreign:
                raise EngineError(
                    f"systemd: {folder / artefact.name} exists and was not written by ratectl, so it is "
                    "left alone; rename the job, or move that unit away"
                )


def _refuse_number(count: int) -> None:
    if count > MOST_JOBS:
        raise EngineError(
            f"systemd: there would be {count} timers of ours, and a manager with more than {MOST_JOBS} "
            "does not answer for minutes; nothing was written. Use fewer jobs, or `--backend cron`"
        )


def _stamp(job: str, host: Host, scope: str) -> Path:
    """Return the file by whose time the manager knows when the timer of *job* last ran."""
    folder = STAMPS if scope == "system" else Path(host.data_home) / "systemd" / "timers"
    return folder / f"stamp-ratectl-{job}.timer"


def _folder(host: Host, scope: str) -> Path:
    return SYSTEM_UNITS if scope == "system" else Path(host.config_home) / "systemd" / "user"


def _command(argv: Sequence[str]) -> str:
    """Return *argv* as ExecStart reads it. Raises ConfigError on what no unit can hold."""
    if any("\n" in word or "\r" in word for word in argv):
        raise ConfigError(f"systemd: the command {argv!r} holds a line break; use a plainer path")
    if re.search(r"[\"'\\]", argv[0]):
        raise ConfigError(
            f"systemd: the program's path {argv[0]!r} holds a quote or backslash, which systemd refuses; "
            "move ratectl to a plainer path"
        )
    program, *rest = (word.replace("%", "%%") for word in argv)
    # The program is not subject to variable expansion, its arguments are.
    return " ".join((_quote(program), *(_quote(word.replace("$", "$$")) for word in rest)))


def _words(paths: Sequence[str]) -> str:
    """Return *paths* as a list in a unit. Raises ConfigError on what no unit can hold."""
    if any("\n" in path or "\r" in path for path in paths):
        raise ConfigError(
            f"systemd: one of the paths {paths!r} holds a line break; use a plainer one"
        )
    return " ".join(_quote(path.replace("%", "%%")) for path in paths)


def _plain(name: str) -> str:
    """Return the *name* of a credential. Raises ConfigError on what systemd would read as more than a name."""
    if not re.fullmatch(r"[A-Za-z0-9._-]+", name):
        raise ConfigError(f"systemd: credential:{name}: expected letters, digits, dots and hyphens")
    return name


def _quote(word: str) -> str:
    if word and not re.search(r"[\s\"'\\;]", word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unquote(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", word[1:-1]) if word.startswith('"') else word


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
