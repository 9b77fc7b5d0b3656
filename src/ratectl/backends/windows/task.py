"""The task that we write for a job, and the one beside them that tries again what failed: XML elements of version 1.2."""

from __future__ import annotations

from pathlib import PureWindowsPath
from subprocess import list2cmdline
from typing import TYPE_CHECKING

from ratectl.backends.windows.task_xml import duration, element, trigger_nodes
from ratectl.schedule.cover.triggers import FixedInterval

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Sequence

    from ratectl.backends.host import Host


FOLDER = "\\ratectl\\"
"""Where each account has a folder of its own, and where the tasks of before stand, of whichever account."""
SWEEP = "_try-again"
"""No job's name: what it starts finds whatever is still due, of all jobs of the account."""
EVERY = FixedInterval(every=300, phase=120)
_NETWORK_LOG = "Microsoft-Windows-NetworkProfile/Operational"
_CONNECTED = (
    f'<QueryList><Query Id="0" Path="{_NETWORK_LOG}"><Select Path="{_NETWORK_LOG}">'
    "*[System[Provider[@Name='Microsoft-Windows-NetworkProfile'] and EventID=10000]]</Select></Query></QueryList>"
)
"""The event that Windows writes when a network is connected.

Where it cannot be watched the task is registered all the same, and starts by the clock: [MS-TSCH] calls that
SCHED_S_SOME_TRIGGERS_FAILED.
"""
_SWEEP_LIMIT = 3600
_SWEEP_DESCRIPTION = "Try again what ratectl could not record, while any slot is still due"


def folder_of(host: Host) -> str:
    """Return the folder of the account's own tasks."""
    return f"{FOLDER}{host.user}\\"


def sweep_task(host: Host) -> ET.Element:
    """Return the one task that tries again what failed, by the clock and when a network is connected.

    RestartOnFailure is only for tasks that do not start ([MS-TSCH] 2.5.4.2), and a task that a firing registers
    for its own next try would be denied without elevation.
    """
    connected = element(
        "EventTrigger", element("Enabled", "true"), element("Subscription", _CONNECTED)
    )
    triggers = (*trigger_nodes((EVERY,), host.zone), connected)
    return task_of(
        "--sweep", host, triggers, limit=_SWEEP_LIMIT, name=SWEEP, description=_SWEEP_DESCRIPTION
    )


def task_of(
    job: str,
    host: Host,
    triggers: Sequence[ET.Element],
    *,
    limit: int,
    name: str = "",
    description: str = "",
) -> ET.Element:
    """Return the task that starts ratectl-fetch for *job*, and is ended after *limit* seconds."""
    command, *words = host.argv(job)
    registration = element(
        "RegistrationInfo",
        element("Source", "ratectl"),
        element("Description", description or f"Record the exchange rates of ratectl job {job}"),
        element("URI", folder_of(host) + (name or job)),
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
