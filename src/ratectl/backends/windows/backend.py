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

from ratectl.backends.protocol import (
    Artefact,
    Change,
    Completed,
    EngineAbsentError,
    Found,
    Host,
    InstalledEntry,
    Reader,
    RemoveFile,
    Run,
    Step,
    Verb,
    WriteFile,
    always_covers,
    console_text,
    cover_for,
    never_paused,
    no_steps,
    no_troubles,
    no_warnings,
    no_words,
    separate_files,
)
from ratectl.backends.windows import limits
from ratectl.backends.windows.task_xml import (
    as_printed,
    canonical,
    duration,
    element,
    parse,
    readings,
    to_bytes,
    trigger_nodes,
)
from ratectl.errors import EngineError
from ratectl.schedule.cover.triggers import Capabilities, Cover

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

    from ratectl.model.job import Job

NAME = "windows"
CAPABILITIES = Capabilities(
    seconds=True,
    last_days=1,
    nth_weekday=frozenset({1, 2, 3, 4, -1}),
    longest_stride=365,  # DaysInterval in [MS-TSCH] 2.3
    pulses=True,
    repetitions=True,
    gap="after",
    fold="unknown",
    max_triggers=48,
)
_POWER = {
    "DisallowStartIfOnBatteries": ("false", "true", "does not start on batteries"),
    "StopIfGoingOnBatteries": ("false", "true", "is ended when the power goes"),
    "StartWhenAvailable": ("true", "false", "does not make up for times when the machine was off"),
}
"""Setting -> what we write, what Windows assumes without it, and what the other value does."""
_CALLED = ("Command", "Arguments")
_COMMAND = ("Actions", "Exec", "Command")
SCOPES: tuple[str, ...] = ("user",)
PLATFORMS: tuple[str, ...] = ("win32",)
REPORTS_NEXT_RUN = False
SANDBOXES = False
SUSPENDS = False

FOLDER = "\\ratectl\\"
_OURS = re.compile(r"\\ratectl\\([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)", re.IGNORECASE)
_UNATTENDED = ("S4U", "Password")
"""Ways of logging on that need nobody to be there."""


def detect(reader: Reader, host: Host, scope: str) -> str:
    """Return why Task Scheduler cannot be used: there is none off Windows."""
    del host, scope
    return "" if reader.which("schtasks") else "windows: no `schtasks` program on the PATH"


def warnings(reader: Reader, host: Host, scope: str) -> tuple[str, ...]:
    """Return when such a task does not run, or what it cannot reach, as this process may register it."""
    del reader, scope
    if host.root:
        return (
            "windows: tasks run while you are logged off, but cannot reach network shares or EFS-encrypted files",
        )
    remedy = "`ratectl install` from an administrator's prompt registers tasks that run without"
    return (f"windows: the tasks run only while you are logged on; {remedy}",)


enable_linger = no_steps
dry_run = no_warnings
covers_slot = always_covers
difference = no_words
troubles = no_troubles
resuming = never_paused


def inspect(reader: Reader, host: Host, scope: str) -> Found:
    """Return the tasks of our folder, in the form in which ``render`` writes them."""
    if problem := detect(reader, host, scope):
        raise EngineAbsentError(problem)
    paths = _paths(reader)  # all else is in the language of the machine
    jobs = sorted({match[1].lower() for path in paths if (match := _OURS.fullmatch(path))})
    return Found(entries={job: _entry(reader, host, job) for job in jobs}, raw={})


def _paths(reader: Reader) -> set[str]:
    """Return the paths of all tasks. Where one of another program spoils the whole list, of those in our folder.

    Raises EngineError where neither is told.
    """
    everything = ("schtasks", "/Query", "/FO", "CSV", "/NH")
    answer = reader.query(everything)
    paths = _first_column(answer)
    if answer.code:
        ours = reader.query((*everything, "/TN", FOLDER))
        if ours.code and not paths:
            raise EngineError(f"windows: `schtasks /Query` ended with {answer.code}: {answer.said}")
        paths |= _first_column(ours)
    return paths


def _first_column(answer: Completed) -> set[str]:
    rows = csv.reader(io.StringIO(console_text(answer.stdout)))
    return {row[0] for row in rows if row}


def argv(entry: InstalledEntry, scope: str) -> tuple[str, ...]:
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
    return cover_for(job, host_zone, CAPABILITIES)


def render(job: Job, cover: Cover, host: Host, scope: str) -> tuple[Artefact, ...]:
    """Return the task of *job* as UTF-16LE XML. Raises ConfigError on what Windows would expand or refuse."""
    del scope
    limits.check_limits(host.argv(job.name), host.user)
    triggers = tuple(trigger_nodes(cover.triggers, host.zone))
    assert len(triggers) <= 48, len(triggers)
    limit = job.jitter + 2 * job.timeout + 600
    task = _task(job.name, host, triggers, limit=limit)
    return (Artefact(job=job.name, name=f"{job.name}.xml", data=to_bytes(task)),)


output_files = separate_files


def stage(changes: Sequence[Change], found: Found, host: Host, scope: str) -> tuple[Step, ...]:
    """Return the steps of *changes*: register from a draft file, or delete."""
    del found, scope
    return tuple(step for change in changes for step in _steps(change, host))


def _steps(change: Change, host: Host) -> Iterator[Step]:
    path = FOLDER + change.job
    draft = host.state_dir / f"{change.job}.task.xml"
    if change.verb is Verb.DELETE:
        yield Run(argv=("schtasks", "/Delete", "/TN", path, "/F"), why="delete the task")
        yield RemoveFile(path=draft)  # an install that was cut short may have left it
    elif change.verb is not Verb.KEEP:
        yield WriteFile(path=draft, data=change.artefacts[0].data)
        create = ("schtasks", "/Create", "/TN", path, "/XML", str(draft), "/F")
        yield Run(argv=create, why="register the task")
        yield RemoveFile(path=draft)


def _task(job: str, host: Host, triggers: Sequence[ET.Element], *, limit: int) -> ET.Element:
    command, *words = host.argv(job)
    registration = element(
        "RegistrationInfo",
        element("Source", "ratectl"),
        element("Description", f"Record the exchange rates of ratectl job {job}"),
        element("URI", FOLDER + job),
    )
    action = element(
        "Exec",
        element("Command", command),
        element("Arguments", list2cmdline(words)),
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
    """Return who runs the task, without raised rights: logged on or not, where we may ask for that.

    S4U needs no password; registering it is denied unless the process is elevated.
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
        "ExecutionTimeLimit": duration(limit),
        "Priority": "7",
    }
    return element("Settings", *(element(tag, text) for tag, text in values.items()))


def _entry(reader: Reader, host: Host, job: str) -> InstalledEntry:
    answer = reader.query(("schtasks", "/Query", "/TN", FOLDER + job, "/XML"))
    like = _task(job, host, (), limit=0)
    found = _reading(answer.stdout, host.code_pages, like)
    if found is None:
        artefact = Artefact(job=job, name=f"{job}.xml", data=answer.stdout)
        return InstalledEntry(
            job=job, triggers=(), artefacts=(artefact,), drift=("the task cannot be read",)
        )
    task, page = canonical(found[0], like), found[1]
    _spell_as(task, like, page)
    enabled = _text(task, "Settings", "Enabled") != "false"
    return InstalledEntry(
        job=job,
        triggers=tuple(_summary(node) for node in _nodes(task, "Triggers", "*")),
        artefacts=(Artefact(job=job, name=f"{job}.xml", data=to_bytes(task)),),
        enabled=enabled,
        drift=_drift(task, like, enabled=enabled),
    )


def _reading(
    data: bytes, code_pages: Sequence[str], like: ET.Element
) -> tuple[ET.Element, str] | None:
    """Return what ``schtasks`` printed in the encoding in which it spells our own command, else in the likeliest."""
    found = list(readings(data, code_pages))
    for task, page in found:
        if _text(task, *_COMMAND) == as_printed(_text(like, *_COMMAND), page):
            return task, page
    return found[0] if found else None


def _drift(task: ET.Element, like: ET.Element, *, enabled: bool) -> tuple[str, ...]:
    """Return what somebody changed that keeps *task* from doing its work, in words."""
    return (
        *(() if enabled else ("the task is disabled",)),
        *(
            f"{tag} is not {wanted}, so the task {effect}"
            for tag, (wanted, default, effect) in _POWER.items()
            if (_text(task, "Settings", tag) or default) != wanted
        ),
        *(
            f"the task's {tag} is {_text(task, 'Actions', 'Exec', tag)!r}"
            for tag in _CALLED
            if _text(task, "Actions", "Exec", tag) != _text(like, "Actions", "Exec", tag)
        ),
    )


def _spell_as(task: ET.Element, like: ET.Element, page: str) -> None:
    """Spell in *task* as *like* does what means the same in the code *page*, or is more than we may ask for."""
    for node, ours in zip(
        _nodes(task, "Principals", "Principal", "UserId"),
        _nodes(like, "Principals", "Principal", "UserId"),
        strict=False,
    ):
        node.text = ours.text  # only this account's own tasks are listed: a SID, or its name
    for node, ours in zip(
        _nodes(task, "Principals", "Principal", "LogonType"),
        _nodes(like, "Principals", "Principal", "LogonType"),
        strict=False,
    ):
        if node.text in _UNATTENDED:
            node.text = ours.text
    for tag in ("Command", "Arguments", "WorkingDirectory"):
        for node, ours in zip(
            _nodes(task, "Actions", "Exec", tag), _nodes(like, "Actions", "Exec", tag), strict=False
        ):
            if node.text == as_printed(ours.text or "", page):
                node.text = ours.text


def _nodes(task: ET.Element, *tags: str) -> Iterator[ET.Element]:
    return task.iterfind("/".join(f"{{*}}{tag}" for tag in tags))


def _text(task: ET.Element, *tags: str) -> str:
    return next((node.text or "" for node in _nodes(task, *tags)), "")


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
