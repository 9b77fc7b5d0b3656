"""A task as Task Scheduler gives it back, spelled as we would write it where it means the same, and how it has drifted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.backends.protocol import Artefact, InstalledEntry
from ratectl.backends.windows.task import SWEEP, folder_of, sweep_task, task_of
from ratectl.backends.windows.task_xml import as_printed, canonical, readings, to_bytes

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Iterator, Sequence

    from ratectl.backends.host import Host
    from ratectl.backends.reader import Reader

_POWER = {
    "DisallowStartIfOnBatteries": ("false", "true", "does not start on batteries"),
    "StopIfGoingOnBatteries": ("false", "true", "is ended when the power goes"),
    "StartWhenAvailable": ("true", "false", "does not make up for times when the machine was off"),
}
"""Setting -> what we write, what Windows assumes without it, and what the other value does."""
_CALLED = ("Command", "Arguments")
_COMMAND = ("Actions", "Exec", "Command")
_UNATTENDED = ("S4U", "Password")
"""Ways of logging on that need nobody to be there."""


def sweep_fault(reader: Reader, host: Host) -> str:
    """Return how the task that tries again differs from what an install would write, or an empty text."""
    wanted = sweep_task(host)
    entry = _read(reader, host, folder_of(host) + SWEEP, SWEEP, wanted)
    if not entry.enabled:
        return "is disabled"
    return "" if entry.artefacts[0].data == to_bytes(wanted) else "is another one"


def entry_of(reader: Reader, host: Host, folder: str, job: str) -> InstalledEntry:
    """Return the task of *job* in *folder*."""
    return _read(reader, host, folder + job, job, task_of(job, host, (), limit=0))


def _read(reader: Reader, host: Host, path: str, job: str, like: ET.Element) -> InstalledEntry:
    """Return the task at *path*, spelled as *like* where it means the same."""
    answer = reader.query(("schtasks", "/Query", "/TN", path, "/XML"))
    found = _reading(answer.stdout, host.code_pages, like)
    if found is None:
        artefact = Artefact(job=job, name=f"{job}.xml", data=answer.stdout)
        return InstalledEntry(
            job=job, triggers=(), artefacts=(artefact,), drift=("the task cannot be read",)
        )
    task, page = canonical(found[0], like), found[1]
    other = text_at(task, "Principals", "Principal", "UserId")
    _spell_as(task, like, page)
    if other.startswith("S-1-") and other != host.user:
        next(_nodes(task, "Principals", "Principal", "UserId")).text = other
    enabled = text_at(task, "Settings", "Enabled") != "false"
    return InstalledEntry(
        job=job,
        triggers=tuple(summary(node) for node in _nodes(task, "Triggers", "*")),
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
        if text_at(task, *_COMMAND) == as_printed(text_at(like, *_COMMAND), page):
            return task, page
    return found[0] if found else None


def _drift(task: ET.Element, like: ET.Element, *, enabled: bool) -> tuple[str, ...]:
    """Return what somebody changed that keeps *task* from doing its work, in words."""
    return (
        *(() if enabled else ("the task is disabled",)),
        *(
            f"{tag} is not {wanted}, so the task {effect}"
            for tag, (wanted, default, effect) in _POWER.items()
            if (text_at(task, "Settings", tag) or default) != wanted
        ),
        *(
            f"the task's {tag} is {text_at(task, 'Actions', 'Exec', tag)!r}"
            for tag in _CALLED
            if text_at(task, "Actions", "Exec", tag) != text_at(like, "Actions", "Exec", tag)
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


def text_at(task: ET.Element, *tags: str) -> str:
    """Return the text of the first element at the path *tags*, empty where there is none."""
    return next((node.text or "" for node in _nodes(task, *tags)), "")


def summary(trigger: ET.Element) -> str:
    """Return *trigger* as one line: its start and how it recurs."""
    texts = []
    for node in trigger.iter():
        tag = node.tag.rpartition("}")[2]
        if tag in {"Enabled", "CalendarTrigger", "TimeTrigger"}:
            continue
        text = (node.text or "").strip()
        texts.append(f"{tag}={text}" if text else tag)
    return " ".join(texts)
