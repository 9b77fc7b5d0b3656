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
    no_steps,
    no_troubles,
    no_warnings,
    no_words,
    separate_files,
)
from ratectl.backends.steps import Completed, RemoveFile, Run, Step, WriteFile, console_text
from ratectl.backends.windows import limits
from ratectl.backends.windows.registered import entry_of, sweep_fault, text_at
from ratectl.backends.windows.task import FOLDER, SWEEP, folder_of, sweep_task, task_of
from ratectl.backends.windows.task_xml import parse, to_bytes, trigger_nodes
from ratectl.errors import EngineError
from ratectl.schedule.cover.triggers import Capabilities, Cover

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from ratectl.backends.host import Host
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
SCOPES: tuple[str, ...] = ("user",)
REPORTS_NEXT_RUN = False
SANDBOXES = False
SUSPENDS = False
LISTS_ALL = False

_JOB = r"([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)"


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
    ours = _jobs_in(folder_of(host), paths)
    before = {job: entry_of(reader, host, FOLDER, job) for job in _jobs_in(FOLDER, paths)}
    before = {job: entry for job, entry in before.items() if _is_this_account(entry, host)}
    sweep = sweep_fault(reader, host) if f"{folder_of(host)}{SWEEP}" in paths else "is missing"
    drift = (f"the task that tries again what failed {sweep}",) if sweep else ()
    entries = {}
    for job in sorted({*ours, *before}):
        entry = entry_of(reader, host, folder_of(host), job) if job in ours else before[job]
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


def _is_this_account(entry: InstalledEntry, host: Host) -> bool:
    """Tell whether a task of before is not another account's, which elevated rights show, too."""
    try:
        user = text_at(parse(entry.artefacts[0].data), "Principals", "Principal", "UserId")
    except ET.ParseError:
        return False
    return not user.startswith("S-1-") or user == host.user


def _paths(reader: Reader, host: Host) -> set[str]:
    """Return the paths of our tasks, and maybe others.

    Our folders are asked for by name, since one broken task of another program spoils the list of all. Where
    there are none, rows are taken where they come. Raises EngineError where nothing at all is told.
    """
    listing = ("schtasks", "/Query", "/FO", "CSV", "/NH")
    answers = [reader.query((*listing, "/TN", folder)) for folder in (folder_of(host), FOLDER)]
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
    command = text_at(task, "Actions", "Exec", "Command")
    words = re.findall(r'"[^"]*"|\S+', text_at(task, "Actions", "Exec", "Arguments"))
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
    task = task_of(job.name, host, triggers, limit=limit)
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
        steps += _deletion(SWEEP, f"{folder_of(host)}{SWEEP}", host, may_fail=True)
    elif put and found.raw.get("sweep", b"unknown"):
        steps += _registration(SWEEP, to_bytes(sweep_task(host)), host)
    elif changed:
        steps.append(RemoveFile(path=_draft(SWEEP, host)))
    return tuple(steps)


def _steps(change: Change, found: Found, host: Host) -> Iterator[Step]:
    before = change.job in found.raw.get("before", b"").decode().split("\n")
    own = change.job in found.raw.get("ours", b"").decode().split("\n")
    if change.verb is Verb.DELETE:
        if own or not before:
            unseen = not own and change.entry is None  # an install that is taken back, unlisted
            path = folder_of(host) + change.job
            yield from _deletion(change.job, path, host, may_fail=unseen)
    else:
        yield from _registration(change.job, change.artefacts[0].data, host)
    if before:
        yield from _deletion(change.job, FOLDER + change.job, host)


def _registration(name: str, data: bytes, host: Host) -> Iterator[Step]:
    draft = _draft(name, host)
    yield WriteFile(path=draft, data=data)
    create = ("schtasks", "/Create", "/TN", folder_of(host) + name, "/XML", str(draft), "/F")
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
