"""Lines on stderr of which there may be many: the first are said one by one, of the others how many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.commands._shared import terminal
from ratectl.wording import count

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_NAMED = 20
"""Lines that are said one by one."""


def told(about: str, lines: Sequence[str]) -> None:
    """Say *lines*, each of them of what *about* names."""
    for line in lines[:MOST_NAMED]:
        terminal.complain(f"ratectl: {about}{line}")
    if len(lines) > MOST_NAMED:
        more = count(len(lines) - MOST_NAMED, "line")
        terminal.complain(f"ratectl: {about} and {more} more")
