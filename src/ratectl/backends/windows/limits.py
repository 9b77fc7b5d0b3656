"""What a Windows task cannot hold: refused with the reason before anything is written.

The service expands variables and has no way to quote them; Windows' file names and
command lines have limits of their own, and XML has no control characters.
"""

from __future__ import annotations

import re
from pathlib import PureWindowsPath
from subprocess import list2cmdline
from typing import TYPE_CHECKING

from ratectl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.backends.host import Host
    from ratectl.model.job import Job

PATH = 260
"""UTF-16 units of Command and of WorkingDirectory, by the schema."""
LINE = 32_766
"""UTF-16 units of a whole command line (CreateProcessW)."""
MOVE = "move ratectl or its state directory to a path without that"
_VARIABLE = re.compile(r"%[^%]+%")
_ARGUMENT = re.compile(r"\$\(Arg\d+\)", re.IGNORECASE)
_UNWRITABLE = re.compile("[\x00-\x1f\ud800-\udfff\ufffe\uffff]")
_IN_NO_NAME = re.compile(r'[<>"|?*]')


def check_limits(argv: Sequence[str], user: str) -> None:
    """Raise ConfigError where a task cannot start *argv* for *user* as it stands."""
    command = argv[0]
    for text in (*argv, user):
        _check_text(text)
    _check_text(list2cmdline(argv[1:]))  # words that are harmless alone may be a pair together
    if found := _IN_NO_NAME.search(command):
        raise ConfigError(f"windows: {command!r} holds {found[0]}, which no file's name can hold")
    if any(part != part.rstrip(" .") for part in PureWindowsPath(command).parts):
        message = (
            f"windows: {command!r} has a name that ends in a space or dot, which Windows drops"
        )
        raise ConfigError(message)
    if _units(command) > PATH:
        raise ConfigError(
            f"windows: the program's path is longer than {PATH} characters, all that a task can hold: "
            f"{command}; {MOVE.replace('without that', 'that is shorter')}"
        )
    if _units(command) + 3 + _units(list2cmdline(argv[1:])) > LINE:
        raise ConfigError(
            f"windows: the command is longer than {LINE} characters, all that Windows starts: {command} ..."
        )


def check_outputs(job: Job, host: Host) -> None:
    """Raise ConfigError for a file of *job* that its task could not reach: over a network, or by too long a path.

    A task that runs while nobody is logged on (S4U) has no password to show to another machine.
    """
    for output in job.outputs:
        path = PureWindowsPath(output.target)
        if output.kind == "postgresql" or not path.drive:
            continue
        if host.root and (
            path.drive.startswith("\\\\") or path.drive.upper() in host.network_drives
        ):
            raise ConfigError(
                f"windows: {job.name}: the output {path} lies on another machine, which a task that runs while you "
                "are logged off cannot reach; choose a folder of this machine, or run `ratectl install` without an "
                "administrator's rights: such tasks run while you are logged on, and reach it"
            )
        if _units(str(path)) > host.longest_path:
            raise ConfigError(
                f"windows: {job.name}: the output's path is longer than {host.longest_path} characters, all that "
                f"this machine takes (LongPathsEnabled in the registry says more): {path}; choose a shorter one"
            )


def _check_text(text: str) -> None:
    if found := _VARIABLE.search(text):
        raise ConfigError(
            f"windows: {text!r} holds {found[0]}, a pair of percent signs, which Task Scheduler expands "
            f"as a variable; {MOVE}"
        )
    if text.startswith("$(@") or _ARGUMENT.search(text):
        raise ConfigError(
            f"windows: {text!r} holds `$(`, which Task Scheduler replaces with something else; {MOVE}"
        )
    if found := _UNWRITABLE.search(text):
        raise ConfigError(
            f"windows: {text!r} holds U+{ord(found[0]):04X}, which no task can hold; {MOVE}"
        )


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
