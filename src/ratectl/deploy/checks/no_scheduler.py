"""Whether any scheduler runs on this machine, seen without asking one: for commands that only propose an install."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.backends.steps import Completed
from ratectl.deploy import execute, select_backend
from ratectl.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratectl.backends.host import Host


class _Unasked(execute.SystemReader):
    """This machine, where a scheduler that is there is taken to answer: starting a program for that is not worth it."""

    def query(self, argv: Sequence[str], *, stdin: bytes = b"") -> Completed:
        """Return that all is well, whatever *argv* asks."""
        del argv, stdin
        return Completed(code=0, stdout=b"", stderr=b"")


def why(host: Host) -> str:
    """Return why an install that may choose finds no scheduler on *host*, in its words; an empty text where it finds one."""
    try:
        select_backend.select(
            host, _Unasked(), (), backend=select_backend.AUTO, scope=select_backend.AUTO
        )
    except EngineError as error:
        return str(error)
    return ""
