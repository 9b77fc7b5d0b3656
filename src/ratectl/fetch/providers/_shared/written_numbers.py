"""Numbers as people write them: 16.234,50, 16,234.50, 16 234.5 and 16'234.5 are read, with the decimal sign that is said.

Where one sign may be that of thousands or the decimal one, as the comma of 16,234, nothing is guessed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ratectl.fetch.providers._shared import json_body as bodies

if TYPE_CHECKING:
    from decimal import Decimal

BLANKS = " \u00a0\u2009\u202f'\u2019"
"""Signs between thousands that are never decimal signs."""
WRITTEN = {
    decimal: re.compile(
        rf"(?P<whole>[0-9]+|[0-9]{{1,3}}(?P<sign>[{BLANKS}{other}])[0-9]{{3}}(?P<more>(?P=sign)[0-9]{{3}})*)"
        rf"(?:{re.escape(decimal)}(?P<rest>[0-9]+))?(?P<exponent>[eE][+-]?[0-9]{{1,3}})?"
    )
    for decimal, other in ((".", ","), (",", "."))
}
"""Decimal sign -> the form of a number; all signs between thousands are the same."""


def read(text: str, what: str, decimal: str = ".") -> Decimal:
    """Return the rate that *text* says. Raises FetchError, which names *what* it is."""
    text = text.strip()
    found = WRITTEN[decimal].fullmatch(text)
    if found is None:
        return bodies.number_text(text, what)
    is_sure = found["sign"] not in {".", ","} or found["more"] or found["rest"]
    if not is_sure:
        raise bodies.bad(
            f"{what} is {bodies.excerpt(text)}, not a number: its {found['sign']!r} may be a thousand or a decimal sign"
        )
    whole = re.sub("[^0-9]", "", found["whole"])
    rest = f".{found['rest']}" if found["rest"] else ""
    return bodies.number_text(f"{whole}{rest}{found['exponent'] or ''}", what)
