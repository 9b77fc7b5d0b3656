"""systemd: a ``ratectl-JOB.service`` and ``.timer`` pair for each job, as system or user units.

Units without our ``[X-Ratectl]`` section are not ours and never touched. However many jobs
change, there is one ``daemon-reload`` and one ``start``; what ``enable`` does is a link, made directly.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratectl.backends.protocol import (
    Artefact,
    Change,
    EngineAbsentError,
    Found,
    Host,
    InstalledEntry,
    Link,
    Reader,
    RemoveFile,
    Run,
    Step,
    Verb,
    WriteFile,
    always_covers,
    cover_for,
    never_paused,
    no_warnings,
    no_words,
    separate_files,
)
from ratectl.backends.systemd import sandbox
from ratectl.backends.systemd.calendar import spell
from ratectl.errors import ConfigError, EngineError
from ratectl.runtime import templates
from ratectl.schedule.cover.triggers import EVERY_MINUTE, CalendarTrigger, Capabilities, Cover

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from zoneinfo import ZoneInfo

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
PLATFORMS: tuple[str, ...] = ("linux",)
REPORTS_NEXT_RUN = True
SANDBOXES = True
SUSPENDS = False
LISTS_ALL = True

SYSTEM_UNITS = Path("/etc/systemd/system")
BOOTED = Path("/run/systemd/system")
LINGER = Path("/var/lib/systemd/linger")
WANTS = "timers.target.wants"
_TIMER = re.compile(r"ratectl-(?P<job>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)\.(?:timer|service)")
_TOLD = re.compile(r"Wake ratectl for job ([a-z0-9-]+)")
_OURS = re.compile(rb"^\[X-Ratectl\]\nJob=([a-z0-9-]+)$", re.MULTILINE)
_ON_CALENDAR = re.compile(r"^OnCalendar=(.+)$", re.MULTILINE)
_WAKES = re.compile(
    rb"^\s*(On[A-Z]\w*|Persistent|RandomizedDelaySec|FixedRandomDelay|AccuracySec|Unit)\s*=",
    re.MULTILINE,
)
"""What of a timer decides when it wakes, and whom, see systemd.timer(5)."""
_EXEC_START = re.compile(rb"^ExecStart=(.+)$", re.MULTILINE)
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|\S+')
WAITING = "auto-restart"
"""How the manager calls a service that failed and waits to be started again."""
MOST_JOBS = 5000
"""A reload of 4,000 active timers takes 10 s, one of 10,000 over two minutes, in which no call is answered."""
STAMPS = Path("/var/lib/systemd/timers")
_RESULT = "Id,Result,ExecMainStatus"
_ARGV_LIMIT = 250
"""Units in one systemctl call, far below the kernel's limit for a command line, so that progress can be seen."""


def detect(reader: Reader, host: Host, scope: str) -> str:
    """Return why systemd cannot be used: not booted with it, or no user manager that answers."""
    if not reader.is_folder(BOOTED):
        return "systemd: this machine was not booted with it (no /run/systemd/system)"
    if reader.which("systemctl") is None:
        return "systemd: no `systemctl` program on the PATH"
    answer = reader.query((*_systemctl(scope), "show", "--property=Version"))
    if answer.code:
        told = f"systemd: the {scope} manager does not answer ({answer.said})"
        if scope == "system" or not warnings(reader, host, scope):
            return told
        return f"{told}; `loginctl enable-linger {host.user}`, as root, starts one that stays"
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
    folder = _folder(host, scope)
    names = reader.names(folder)
    texts = {
        name: text
        for name in names
        if _TIMER.fullmatch(name) and (text := _own(reader, folder, name))
    }
    units = _units(reader, scope)
    rows = [row for row in units if row["unit"].endswith(".timer")]
    waiting = [row["unit"] for row in units if row.get("sub", "").startswith(WAITING)]
    loaded = {row["unit"]: row["active"] for row in rows}
    running = {row["unit"] for row in rows if row.get("sub") == "running"}
    jobs = sorted({_job_of(name) for name in texts} | _ghosts(rows, names))
    upcoming = _next_runs(reader, scope) if jobs else {}
    wanted = set(reader.names(folder / WANTS))
    entries = {}
    for job in jobs:
        timer = f"ratectl-{job}.timer"
        entries[job] = InstalledEntry(
            job=job,
            triggers=tuple(_ON_CALENDAR.findall(texts.get(timer, b"").decode("utf-8", "replace"))),
            artefacts=tuple(
                Artefact(job=job, name=name, data=texts[name])
                for name in (f"ratectl-{job}.service", timer)
                if name in texts
            ),
            enabled=timer in wanted and loaded.get(timer) == "active",
            next=upcoming.get(timer),
            running=timer in running,
            drift=tuple(_drift(timer, texts, loaded, wanted)),
            overrides=tuple(_drop_ins(reader, folder, job, names)),
            rescheduled=f"{timer}.d" in names and _is_rescheduled(reader, folder, job),
        )
    foreign = [
        n
        for n in names
        if _TIMER.fullmatch(n) and n not in texts and not _masked(reader, folder, n)
    ]
    lists = {"foreign": foreign, "loaded": sorted(loaded), "waiting": sorted(waiting)}
    raw = {name: "\n".join(units).encode() for name, units in lists.items()}
    return Found(entries=entries, raw=raw)


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
        for at in range(0, len(units), _ARGV_LIMIT):
            some = units[at : at + _ARGV_LIMIT]
            answer = reader.query((*_systemctl(scope), "show", f"--property={_RESULT}", *some))
            if not answer.code:
                found |= _came_to_nothing(answer.stdout.decode("utf-8", "replace"))
    return found


def _came_to_nothing(shown: str) -> dict[str, tuple[str, ...]]:
    """Return the jobs of units whose last run failed without a word of ours; *shown* has a paragraph for each unit."""
    found: dict[str, tuple[str, ...]] = {}
    for paragraph in shown.strip().split("\n\n"):
        told = dict(line.partition("=")[::2] for line in paragraph.splitlines())
        status = told.get("ExecMainStatus", "")
        code = int(status) if status.isdigit() else 0
        name = told.get("Id", "")
        log = f"`journalctl -u {name}` or `journalctl --user -u {name}` shows why"
        if told.get("Result") == "exit-code" and code in NEVER_STARTED:
            text = f"systemd could not start its program (status {code}); {log}"
            found[_job_of(name)] = (text,)
        elif told.get("Result") in KILLED:
            found[_job_of(name)] = (
                f"its last run was ended from outside ({told['Result']}); {log}",
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
    call = _systemctl(scope)
    new = [change.job for change in put if change.verb is Verb.CREATE]
    known = [change.job for change in put if change.verb is Verb.UPDATE]
    timers = [f"ratectl-{change.job}.timer" for change in put]
    return (
        *_removal(gone, found, host, scope),
        *(step for change in put for step in _files(change, folder)),
        *(Link(path=folder / WANTS / timer, target=folder / timer) for timer in timers),
        Run(argv=(*call, "daemon-reload"), why="let systemd read its units again"),
        *_chunks((*call, "start"), [f"ratectl-{job}.timer" for job in new], "start the timers"),
        *_again(call, known),
    )


def _again(call: tuple[str, ...], jobs: Sequence[str]) -> Iterator[Step]:
    """Start the timers of *jobs* that are there: one wakes at once what its old unit could not record, which only a new start sees."""
    services = [f"ratectl-{job}.service" for job in jobs]
    yield from _chunks((*call, "reset-failed"), services, "forget failures", may_fail=True)
    timers = [f"ratectl-{job}.timer" for job in jobs]
    yield from _chunks((*call, "restart"), timers, "start the timers again")


def _removal(gone: Sequence[Change], found: Found, host: Host, scope: str) -> Iterator[Step]:
    folder, call = _folder(host, scope), _systemctl(scope)
    loaded, waiting = (set(found.raw[name].decode().split("\n")) for name in ("loaded", "waiting"))
    timers = [f"ratectl-{change.job}.timer" for change in gone]
    yield from _chunks(
        (*call, "stop"), [name for name in timers if name in loaded], "stop the timers"
    )
    services = [f"ratectl-{change.job}.service" for change in gone]
    owing = [name for name in services if name in waiting]
    yield from _chunks((*call, "stop"), owing, "stop those that wait to try again", may_fail=True)
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
    for at in range(0, len(units), _ARGV_LIMIT):
        yield Run(argv=(*argv, *units[at : at + _ARGV_LIMIT]), why=why, may_fail=may_fail)


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


def _systemctl(scope: str) -> tuple[str, ...]:
    return ("systemctl", "--no-ask-password", *(("--user",) if scope == "user" else ("--system",)))


def _own(reader: Reader, folder: Path, name: str) -> bytes | None:
    """Return the text of the unit *name* when it is ours."""
    text = reader.read(folder / name)
    match = _OURS.search(text) if text else None
    return text if match and match[1].decode() == _job_of(name) else None


def _job_of(name: str) -> str:
    return name.removeprefix("ratectl-").rpartition(".")[0]


def _masked(reader: Reader, folder: Path, name: str) -> bool:
    return reader.link(folder / name) == "/dev/null"


def _drift(
    timer: str, texts: dict[str, bytes], loaded: dict[str, str], wanted: set[str]
) -> Iterator[str]:
    if timer not in texts:
        yield "the timer's unit file is missing or masked"
    if timer.replace(".timer", ".service") not in texts:
        yield "the service's unit file is missing"
    if timer not in wanted:
        yield "the timer is disabled"
    if loaded.get(timer) != "active":
        yield f"the timer is {loaded.get(timer, 'not loaded')}"


def _is_rescheduled(reader: Reader, folder: Path, job: str) -> bool:
    """Tell whether a drop-in makes the timer of *job* wake at other times than its unit says."""
    place = folder / f"ratectl-{job}.timer.d"
    files = [name for name in reader.names(place) if name.endswith(".conf")]
    return any(_WAKES.search(reader.read(place / name) or b"") for name in files)


def _drop_ins(reader: Reader, folder: Path, job: str, names: Sequence[str]) -> Iterator[str]:
    for unit in (f"ratectl-{job}.timer", f"ratectl-{job}.service"):
        if f"{unit}.d" in names and reader.names(folder / f"{unit}.d"):
            yield f"a drop-in changes it: {folder / f'{unit}.d'}"


def _units(reader: Reader, scope: str) -> list[dict[str, str]]:
    """Return the rows of the timers and services with names like ours that the manager has loaded."""
    rows = _json(reader, scope, "list-units", "--all", "--type=timer,service", "--full")
    return [row for row in rows if _TIMER.fullmatch(row["unit"]) and row["load"] == "loaded"]


def _ghosts(rows: Sequence[dict[str, str]], names: Collection[str]) -> frozenset[str]:
    """Return our jobs whose units have no file any more: the manager knows, and may start, them until it reloads."""
    jobs = {_job_of(row["unit"]) for row in rows if _TOLD.fullmatch(row.get("description", ""))}
    return frozenset(
        job for job in jobs if not {f"ratectl-{job}.timer", f"ratectl-{job}.service"} & set(names)
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
    argv = (*_systemctl(scope), *words, "--no-pager", "--output=json")
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
