"""One record of comma-separated cells (RFC 4180), in which no spreadsheet finds a formula.

Our own names begin with a letter or a digit; what a shared journal, or an earlier version, holds may not.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a cell begins that a spreadsheet calculates, in East Asian width, too: https://owasp.org/www-community/attacks/CSV_Injection."""


def record(values: Sequence[str]) -> bytes:
    """Return *values* as one line; a formula gets an apostrophe before it, which makes it text to a spreadsheet."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(map(_plain, values))
    return text.getvalue().encode()


def _plain(value: str) -> str:
    return f"'{value}" if value.startswith(FORMULA) else value
