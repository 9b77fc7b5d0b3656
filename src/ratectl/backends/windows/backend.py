r"""Windows Task Scheduler: one task ``\ratectl\SID\JOB`` for each job, registered from XML by schtasks.

The SID is the account's: tasks of another one are left alone. Beside the jobs stands one task that tries again
what failed. Only version 1.2 elements. A task that Windows exports is compared by meaning,
since Windows rewrites the XML; texts of schtasks are localized and never matched.
"""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import partial
from pathlib import PureWindowsPath
from subprocess import list2cmdline
from typing import TYPE_CHECKING

from ratectl.backends.protocol import (
    Artefact,
    Change,
    EngineAbsentError,
    Found,
    Host,
    InstalledEntry,
    Verb,
    always_covers,
    cover_for,
    never_paused,
    no_steps,
    no_troubles,
    no_warnings,
    no_words,
    separate_files,
)
from ratectl.backends.steps import Completed, RemoveFile, Run, Step, WriteFile, console_text
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
from ratectl.schedule.cover.triggers import Capabilities, Cover, FixedInterval

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from ratectl.backends.reader import Reader
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
LISTS_ALL = False

FOLDER = "\\ratectl\\"
"""Where each account has a folder of its own, and where the tasks of before stand, of whichever account."""
SWEEP = "_try-again"
"""No job's name: what it starts finds whatever is still due, of all jobs of the account."""
EVERY = FixedInterval(every=300, phase=120)
_SWEEP_LIMIT = 3600
_JOB = r"([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)"
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
    paths = _paths(reader, host)  # all else is in the language of the machine
    ours = _jobs_in(_folder(host), paths)
    before = {job: _entry(reader, host, FOLDER, job) for job in _jobs_in(FOLDER, paths)}
    before = {job: entry for job, entry in before.items() if _is_this_account(entry, host)}
    sweep = _sweep(reader, host) if f"{_folder(host)}{SWEEP}" in paths else "is missing"
    drift = (f"the task that tries again what failed {sweep}",) if sweep else ()
    entries = {}
    for job in sorted({*ours, *before}):
        entry = _entry(reader, host, _folder(host), job) if job in ours else before[job]
        old = ("its task of before still stands in a folder of all accounts",)
        more = (*drift, *(old if job in before else ()))
        entries[job] = replace(entry, drift=(*entry.drift, *more))
    raw = {"before": "\n".join(before).encode(), "sweep": sweep.encode()}
    raw["ours"] = "\n".join(ours).encode()
    return Found(entries=entries, raw=raw)


def _jobs_in(folder: str, paths: Collection[str]) -> tuple[str, ...]:
    """Return the names of jobs among *paths* that lie right in *folder*."""
    found = (re.fullmatch(re.escape(folder) + _JOB, path, re.IGNORECASE) for path in paths)
    return tuple(sorted({match[1].lower() for match in found if match}))


def _folder(host: Host) -> str:
    return f"{FOLDER}{host.user}\\"


def _is_this_account(entry: InstalledEntry, host: Host) -> bool:
    """Tell whether a task of before is not another account's, which elevated rights show, too."""
    try:
        user = _text(parse(entry.artefacts[0].data), "Principals", "Principal", "UserId")
    except ET.ParseError:
        return False
    return not user.startswith("S-1-") or user == host.user


def _paths(reader: Reader, host: Host) -> set[str]:
    """Return the paths of our tasks, and maybe others.

    Our folders are asked for by name, since one broken task of another program spoils the list of all. Where
    there are none, rows are taken where they come. Raises EngineError where nothing at all is told.
    """
    listing = ("schtasks", "/Query", "/FO", "CSV", "/NH")
    answers = [reader.query((*listing, "/TN", folder)) for folder in (_folder(host), FOLDER)]
    if all(answer.code for answer in answers):
        answers.append(reader.query(listing))
    paths = {path for answer in answers for path in _first_column(answer)}
    answer = answers[-1]
    if all(one.code for one in answers) and not paths:
        raise EngineError(f"windows: `schtasks /Query` ended with {answer.code}: {answer.said}")
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
    limits.check_outputs(job, host)
    triggers = tuple(trigger_nodes(cover.triggers, host.zone))
    assert len(triggers) <= 48, len(triggers)
    limit = job.jitter + 2 * job.timeout + 600
    task = _task(job.name, host, triggers, limit=limit)
    return (Artefact(job=job.name, name=f"{job.name}.xml", data=to_bytes(task)),)


output_files = separate_files


def stage(changes: Sequence[Change], found: Found, host: Host, scope: str) -> tuple[Step, ...]:
    """Return the steps of *changes*: register from a draft file, or delete; last, what tries again comes or goes.

    What is registered stands in the account's own folder before what stood in that of all accounts goes. Raises
    EngineError where the tasks would be another account's than the one that is logged on.
    """
    del scope
    changed = [change for change in changes if change.verb is not Verb.KEEP]
    gone = {change.job for change in changed if change.verb is Verb.DELETE}
    put = {change.job for change in changed} - gone
    if put:
        _refuse_foreign_session(host)
    steps = [step for change in changed for step in _steps(change, found, host)]
    left = (found.entries.keys() - gone) | put
    if not left and changed:
        steps += _deletion(SWEEP, f"{_folder(host)}{SWEEP}", host, may_fail=True)
    elif put and found.raw.get("sweep", b"unknown"):
        steps += _registration(SWEEP, to_bytes(_sweep_task(host)), host)
    elif changed:
        steps.append(RemoveFile(path=_draft(SWEEP, host)))
    return tuple(steps)


def _steps(change: Change, found: Found, host: Host) -> Iterator[Step]:
    before = change.job in found.raw.get("before", b"").decode().split("\n")
    own = change.job in found.raw.get("ours", b"").decode().split("\n")
    if change.verb is Verb.DELETE:
        if own or not before:
            unseen = not own and change.entry is None  # an install that is taken back, unlisted
            path = _folder(host) + change.job
            yield from _deletion(change.job, path, host, may_fail=unseen)
    else:
        yield from _registration(change.job, change.artefacts[0].data, host)
    if before:
        yield from _deletion(change.job, FOLDER + change.job, host)


def _registration(name: str, data: bytes, host: Host) -> Iterator[Step]:
    draft = _draft(name, host)
    yield WriteFile(path=draft, data=data)
    create = ("schtasks", "/Create", "/TN", _folder(host) + name, "/XML", str(draft), "/F")
    yield Run(argv=create, why="register the task", meaning=partial(_refusal, create, host))
    yield RemoveFile(path=draft)


def _deletion(name: str, path: str, host: Host, *, may_fail: bool = False) -> Iterator[Step]:
    delete = ("schtasks", "/Delete", "/TN", path, "/F")
    meaning = partial(_refusal, delete, host)
    yield Run(argv=delete, why="delete the task", may_fail=may_fail, meaning=meaning)
    yield RemoveFile(path=_draft(name, host))  # an install that was cut short may have left it


def _refusal(argv: Sequence[str], host: Host, answer: Completed) -> EngineError:
    """Return what it means that schtasks failed, whose words are in the language of the machine."""
    said = answer.said or "it said nothing"
    text = f"windows: `{' '.join(argv[:4])}` ended with {answer.code}: {said}"
    if host.root:
        return EngineError(text)
    return EngineError(
        f"{text}\nA task that was registered from an administrator's prompt can only be changed from one: open one "
        "(as this same account) and run the same command there"
    )


def _draft(name: str, host: Host) -> Path:
    return host.state_dir / f"{name}.task.xml"


def _refuse_foreign_session(host: Host) -> None:
    """Raise EngineError where somebody typed an administrator's password: all would be the administrator's."""
    if host.root and host.logged_on and host.logged_on != host.user:
        raise EngineError(
            f"windows: this prompt runs as another account ({host.user}) than the one that is logged on "
            f"({host.logged_on}), so tasks and records would be of that other account, and nothing was written; "
            "run `ratectl install` in a prompt of your own, whose tasks run while you are logged on, or log on "
            "as the administrator"
        )


def _sweep_task(host: Host) -> ET.Element:
    """Return the one task that tries again what failed: RestartOnFailure is only for tasks that do not start.

    Source: [MS-TSCH] 2.5.4.2. A task that a firing registers for its own next try would be denied without elevation.
    """
    triggers = tuple(trigger_nodes((EVERY,), host.zone))
    return _task("--sweep", host, triggers, limit=_SWEEP_LIMIT, name=SWEEP, told=_SWEEP_TOLD)


_SWEEP_TOLD = "Try again what ratectl could not record, while any slot is still due"


def _sweep(reader: Reader, host: Host) -> str:
    """Return how the task that tries again differs from what an install would write, or an empty text."""
    wanted = _sweep_task(host)
    entry = _held(reader, host, _folder(host) + SWEEP, SWEEP, wanted)
    if not entry.enabled:
        return "is disabled"
    return "" if entry.artefacts[0].data == to_bytes(wanted) else "is another one"


def _task(
    job: str,
    host: Host,
    triggers: Sequence[ET.Element],
    *,
    limit: int,
    name: str = "",
    told: str = "",
) -> ET.Element:
    command, *words = host.argv(job)
    registration = element(
        "RegistrationInfo",
        element("Source", "ratectl"),
        element("Description", told or f"Record the exchange rates of ratectl job {job}"),
        element("URI", _folder(host) + (name or job)),
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


def _entry(reader: Reader, host: Host, folder: str, job: str) -> InstalledEntry:
    return _held(reader, host, folder + job, job, _task(job, host, (), limit=0))


def _held(reader: Reader, host: Host, path: str, job: str, like: ET.Element) -> InstalledEntry:
    """Return the task at *path*, spelled as *like* where it means the same."""
    answer = reader.query(("schtasks", "/Query", "/TN", path, "/XML"))
    found = _reading(answer.stdout, host.code_pages, like)
    if found is None:
        artefact = Artefact(job=job, name=f"{job}.xml", data=answer.stdout)
        return InstalledEntry(
            job=job, triggers=(), artefacts=(artefact,), drift=("the task cannot be read",)
        )
    task, page = canonical(found[0], like), found[1]
    other = _text(task, "Principals", "Principal", "UserId")
    _spell_as(task, like, page)
    if other.startswith("S-1-") and other != host.user:
        next(_nodes(task, "Principals", "Principal", "UserId")).text = other
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
        node.text = ours.text  # a SID, or the name of an account
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
