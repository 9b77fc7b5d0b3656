r"""Windows Task Scheduler: one task ``\ratectl\JOB`` for each job, registered from XML by schtasks.

Only version 1.2 elements. A task that Windows exports is compared by meaning,
since Windows rewrites the XML; texts of schtasks are localized and never matched.
"""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
from pathlib import PureWindowsPath
from subprocess import list2cmdline
from typing import TYPE_CHECKING

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
from ratectl.backends.windows_task import (
    canonical,
    decoded,
    element,
    parse,
    to_bytes,
    trigger_nodes,
)
from ratectl.errors import ConfigError, EngineError
from ratectl.schedule.triggers import Abilities, Cover

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

    from ratectl.model import Job

NAME = "windows"
ABILITIES = Abilities(
    seconds=True,
    last_day=True,
    nth=frozenset({1, 2, 3, 4, -1}),
    day_strides=True,
    pulses=True,
    gap="after",
    fold="unknown",
    most=48,
)
SCOPES: tuple[str, ...] = ("user",)
PLATFORMS: tuple[str, ...] = ("win32",)
TELLS_NEXT = False
CONFINES = False

FOLDER = "\\ratectl\\"
_POWER = {
    "DisallowStartIfOnBatteries": ("false", "true", "does not start on batteries"),
    "StopIfGoingOnBatteries": ("false", "true", "is ended when the power goes"),
    "StartWhenAvailable": ("true", "false", "does not make up for times when the machine was off"),
}
"""Setting -> what we write, what Windows assumes without it, and what the other value does."""
LONGEST_PATH = 260
"""Characters of Command and WorkingDirectory in the schema of tasks."""
_VARIABLE = re.compile(r"%[^%]+%")
_OURS = re.compile(r"\\ratectl\\([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)")


def detect(reader: Reader, host: Host, scope: str) -> str:
    """Return why Task Scheduler cannot be used: there is none off Windows."""
    del host, scope
    return "" if reader.which("schtasks") else "windows: no `schtasks` program on the PATH"


def caveats(reader: Reader, host: Host, scope: str) -> tuple[str, ...]:
    """Return that such a task runs only while its user is logged on, unless it may be registered otherwise."""
    del reader, scope
    if host.root:
        return ()
    mend = "`ratectl install` in an elevated prompt lets them run without"
    return (f"windows: the tasks run only while you are logged on; {mend}",)


keep_awake = nothing_to_do


def inspect(reader: Reader, host: Host, scope: str) -> Found:
    """Return the tasks of our folder, in the form in which ``render`` writes them."""
    if problem := detect(reader, host, scope):
        raise EngineAbsentError(problem)
    answer = reader.query(("schtasks", "/Query", "/FO", "CSV", "/NH"))
    if answer.code:
        raise EngineError(f"windows: `schtasks /Query` ended with {answer.code}: {answer.said}")
    rows = csv.reader(io.StringIO(decoded(answer.stdout)))
    paths = {row[0] for row in rows if row}
    jobs = sorted(told[1] for path in paths if (told := _OURS.fullmatch(path)))
    return Found(entries={job: _entry(reader, host, job) for job in jobs}, raw={})


def argv(entry: Entry, scope: str) -> tuple[str, ...]:
    """Return the task's command and its arguments, taken apart as far as blanks and quotes say."""
    del scope
    try:
        task = parse(entry.artefacts[0].data)
    except ET.ParseError:
        return ()
    command = _text(task, "Actions", "Exec", "Command")
    words = re.findall(r'"[^"]*"|\S+', _text(task, "Actions", "Exec", "Arguments"))
    return (command, *(word.strip('"') for word in words)) if command else ()


def check(job: Job, host_zone: ZoneInfo) -> Cover:
    """Return how Task Scheduler can wake *job*."""
    return cover_for(job, host_zone, ABILITIES)


def render(job: Job, cover: Cover, host: Host, scope: str) -> tuple[Artefact, ...]:
    """Return the task of *job* as UTF-16LE XML. Raises ConfigError on what Windows would expand or refuse."""
    del scope
    argv = host.argv(job.name)
    triggers = tuple(trigger_nodes(cover.triggers))
    assert len(triggers) <= 48, len(triggers)
    limit = job.jitter + 2 * job.timeout + 600
    task = _task(job.name, argv, host, triggers, limit=limit)
    return (Artefact(job=job.name, name=f"{job.name}.xml", data=to_bytes(task)),)


bundle = separate_files


def stage(changes: Sequence[Change], found: Found, host: Host, scope: str) -> tuple[Step, ...]:
    """Return the steps of *changes*: register from a draft file, or delete."""
    del found, scope
    return tuple(step for change in changes for step in _steps(change, host))


def _steps(change: Change, host: Host) -> Iterator[Step]:
    path = FOLDER + change.job
    if change.verb is Verb.DELETE:
        yield Run(argv=("schtasks", "/Delete", "/TN", path, "/F"), why="delete the task")
    elif change.verb is not Verb.KEEP:
        draft = host.state_dir / f"{change.job}.task.xml"
        yield WriteFile(path=draft, data=change.artefacts[0].data)
        argv = ("schtasks", "/Create", "/TN", path, "/XML", str(draft), "/F")
        yield Run(argv=argv, why="register the task")
        yield RemoveFile(path=draft)


def _task(
    job: str,
    argv: Sequence[str],
    host: Host,
    triggers: Sequence[ET.Element],
    *,
    limit: int,
) -> ET.Element:
    command, *words = argv
    arguments = list2cmdline(words)
    _refuse_unwritable(command, arguments)
    registration = element(
        "RegistrationInfo",
        element("Source", "ratectl"),
        element("Description", f"Record the exchange rates of ratectl job {job}"),
        element("URI", FOLDER + job),
    )
    action = element(
        "Exec",
        element("Command", command),
        element("Arguments", arguments),
        element("WorkingDirectory", str(PureWindowsPath(command).parent)),
    )
    return element(
        "Task",
        registration,
        element("Triggers", *triggers),
        element("Principals", _principal(host)),
        _settings(limit),
        element("Actions", action, Context="Author"),
        version="1.2",
    )


def _principal(host: Host) -> ET.Element:
    """Return who runs the task, without raised rights: the user, and only while logged on unless we are elevated.

    Windows lets nobody else register S4U, which needs no password.
    """
    return element(
        "Principal",
        element("UserId", host.user),
        element("LogonType", "S4U" if host.root else "InteractiveToken"),
        element("RunLevel", "LeastPrivilege"),
        id="Author",
    )


def _settings(limit: int) -> ET.Element:
    """Return settings that let a laptop on batteries record; *limit* seconds end a stuck run."""
    values = {
        "MultipleInstancesPolicy": "IgnoreNew",
        "DisallowStartIfOnBatteries": "false",
        "StopIfGoingOnBatteries": "false",
        "StartWhenAvailable": "true",
        "RunOnlyIfNetworkAvailable": "false",
        "Enabled": "true",
        "WakeToRun": "false",
        "ExecutionTimeLimit": f"PT{limit}S",
        "Priority": "7",
    }
    return element("Settings", *(element(tag, text) for tag, text in values.items()))


def _refuse_unwritable(command: str, arguments: str) -> None:
    """Raise ConfigError on what Windows would expand, cut or refuse."""
    for text in (command, arguments):
        if _VARIABLE.search(text):
            raise ConfigError(
                f"windows: {text!r} holds a pair of percent signs, which Task Scheduler expands as a variable; "
                "move ratectl or its state directory to a path without `%`"
            )
        if not all(char == "\t" or " " <= char <= "\ud7ff" or char >= "\ue000" for char in text):
            raise ConfigError(
                f"windows: {text!r} holds a control character, which no XML can carry"
            )
    if re.search(r'["<>|?*]', command):
        raise ConfigError(f"windows: no program can have this path: {command}")
    if len(command) > LONGEST_PATH:
        raise ConfigError(
            f"windows: the program's path is longer than {LONGEST_PATH} characters: {command}"
        )


def _entry(reader: Reader, host: Host, job: str) -> Entry:
    answer = reader.query(("schtasks", "/Query", "/TN", FOLDER + job, "/XML"))
    try:
        task = parse(answer.stdout)
    except ET.ParseError:
        artefact = Artefact(job=job, name=f"{job}.xml", data=answer.stdout)
        return Entry(
            job=job, triggers=(), artefacts=(artefact,), drift=("the task cannot be read",)
        )
    like = _task(job, host.argv(job), host, (), limit=0)
    task = canonical(task, like)
    enabled = _text(task, "Settings", "Enabled") != "false"
    _as_we_write_it(task, host)
    return Entry(
        job=job,
        triggers=tuple(_summary(node) for node in task[1]),
        artefacts=(Artefact(job=job, name=f"{job}.xml", data=to_bytes(task)),),
        enabled=enabled,
        drift=(*(() if enabled else ("the task is disabled",)), *_power_drift(task)),
    )


def _power_drift(task: ET.Element) -> Iterator[str]:
    """Yield the power settings that keep *task* asleep; one that is not there has Windows's own default."""
    for tag, (wanted, otherwise, effect) in _POWER.items():
        if (_text(task, "Settings", tag) or otherwise) != wanted:
            yield f"{tag} is not {wanted}, so the task {effect}"


def _nodes(task: ET.Element, *tags: str) -> Iterator[ET.Element]:
    return task.iterfind("/".join(f"{{*}}{tag}" for tag in tags))


def _text(task: ET.Element, *tags: str) -> str:
    return next((node.text or "" for node in _nodes(task, *tags)), "")


def _as_we_write_it(task: ET.Element, host: Host) -> None:
    """Put the account as we spell it, and take what was registered with more rights than we have now for what it does."""
    for node in _nodes(task, "Principals", "Principal", "UserId"):
        node.text = host.user
    for node in _nodes(task, "Principals", "Principal", "LogonType"):
        if node.text == "S4U" and not host.root:
            node.text = "InteractiveToken"


def _summary(trigger: ET.Element) -> str:
    """Return *trigger* as one line: its start and how it recurs."""
    texts = []
    for node in trigger.iter():
        tag = node.tag.rpartition("}")[2]
        if tag in {"Enabled", "CalendarTrigger", "TimeTrigger"}:
            continue
        text = (node.text or "").strip()
        texts.append(f"{tag}={text}" if text else tag)
    return " ".join(texts)
