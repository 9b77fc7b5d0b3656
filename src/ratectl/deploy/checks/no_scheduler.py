"""Whether any scheduler runs on this machine, seen without asking one: for commands that only propose an install."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.backends.steps import Completed
from ratectl.deploy import execute, select_backend
from ratectl.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.backends.host import Host
    from ratectl.deploy.targets import Target
    from ratectl.journal.journal import Installed


class _Unasked(execute.SystemReader):
    """This machine, where a scheduler that is there is taken to answer: starting a program for that is not worth it."""

    def query(self, argv: Sequence[str], *, stdin: bytes = b"") -> Completed:
        """Return that all is well, whatever *argv* asks."""
        del argv, stdin
        return Completed(code=0, stdout=b"", stderr=b"")


def why(host: Host) -> str:
    """Return why an install that may choose finds no scheduler on *host*, in its words; an empty text where it finds one."""
    try:
        _chosen(host, ())
    except EngineError as error:
        return str(error)
    return ""


def chosen(host: Host, installed: Sequence[Installed]) -> Target | None:
    """Return where an install that may choose puts jobs on *host* beside those that are *installed*; None where it finds no scheduler."""
    try:
        return _chosen(host, installed)
    except EngineError:
        return None


def _chosen(host: Host, installed: Sequence[Installed]) -> Target:
    auto = select_backend.AUTO
    return select_backend.select(host, _Unasked(), installed, backend=auto, scope=auto)
