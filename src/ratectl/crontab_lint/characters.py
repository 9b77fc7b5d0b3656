"""Characters that look like a blank, or like nothing, where cron wants a blank: a no-break space, a byte order mark.

Texts are Latin-1 of what is mostly UTF-8, as in the rest of the room. Debian's cron knows blank and tab alone.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from ratectl.crontab_lint.problem import Problem, error, warning
from ratectl.crontab_lint.settings import SETTING

if TYPE_CHECKING:
    from collections.abc import Iterator

BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"
"""Signs without a width that many scripts need."""
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
WITHIN_QUOTES = re.compile(r"""'[^']*'|"[^"]*"|\\.""")


class Cleaned(NamedTuple):
    """A line without its hidden characters, and what was wrong with it."""

    line: str
    flaw: Problem | None


def utf_16() -> Problem:
    """Return the flaw of a file in UTF-16, in which no line is one."""
    return error(
        "utf-16",
        "the file is UTF-16, two bytes for each letter; no cron reads a line of it",
        "`iconv -f UTF-16 -t UTF-8 FILE`",
    )


def cleaned(line: str, *, users: int, first: bool) -> Cleaned:
    """Return *line* with a blank, or nothing, for each hidden character, where one spoils the line.

    *users* is how many words stand before the command; *first* tells that the line begins the file.
    """
    if line.isascii() or line.startswith("#"):
        return Cleaned(line, None)
    text, encoding = _decoded(line)
    plain = "".join(map(_plain, text))
    if plain == text:
        return Cleaned(line, None)
    mended = plain.lstrip(" \t").encode(encoding).decode("latin-1")
    if first and text.startswith(BYTE_ORDER_MARK):
        return Cleaned(mended, _byte_order_mark())
    there = next(filter(None, _outside_values(text, plain, users)), "")
    if there:
        return Cleaned(mended, _hidden(there, encoding))
    if SETTING.fullmatch(line) is None:
        bare = WITHIN_QUOTES.sub("", text)
        found = next((each for each in bare if _plain(each) != each), "")
        return Cleaned(line, _within_command(found, encoding) if found else None)
    return Cleaned(line, None)


def _decoded(line: str) -> tuple[str, str]:
    data = line.encode("latin-1")
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return line, "latin-1"


def _plain(character: str) -> str:
    """Return what was meant by *character*: a blank for another blank, nothing for what has no width."""
    if character.isascii() or character in JOINERS:
        return character
    category = unicodedata.category(character)
    return {"Zs": " ", "Cf": ""}.get(category, character)


def _outside_values(text: str, plain: str, users: int) -> Iterator[str]:
    """Yield the hidden characters of *text* up to the first word of its command, or to the value of its setting."""
    if plain.lstrip().startswith("#"):
        end = len(plain)
    elif setting := SETTING.fullmatch(plain):
        end = setting.start(2)
    else:
        words = (1 if plain.lstrip().startswith("@") else 5) + users + 1
        head = re.match(rf"\s*(?:\S+\s+){{0,{words - 1}}}\S*", plain)
        end = head.end() if head else 0
    place = 0
    for character in text:
        if place > end or (place == end and _plain(character)):
            return
        if _plain(character) != character:
            yield character
        place += len(_plain(character))


def _name(character: str) -> str:
    return f"a {unicodedata.name(character, 'character').lower()} (U+{ord(character):04X})"


def _cure(character: str, encoding: str) -> str:
    code = "".join(f"\\x{byte:02x}" for byte in character.encode(encoding))
    return f"`sed -i 's/{code}/{_plain(character)}/g' FILE`"


def _byte_order_mark() -> Problem:
    return error(
        "byte-order-mark",
        "the file begins with a byte order mark (U+FEFF), which editors hide; Debian's cron and cronie take it "
        "for a part of the first word",
        r"the file without it: `sed -i '1s/^\xef\xbb\xbf//' FILE`",
    )


def _hidden(character: str, encoding: str) -> Problem:
    looks = "a plain blank" if _plain(character) else "nothing"
    return error(
        "hidden-character",
        f"{_name(character)}, which looks like {looks}; cron takes it for a part of the word",
        f"the line with {looks} in its place: {_cure(character, encoding)}",
    )


def _within_command(character: str, encoding: str) -> Problem:
    looks = "a plain blank" if _plain(character) else "nothing"
    return warning(
        "hidden-character",
        f"{_name(character)} in the command, which looks like {looks}; a shell takes it for a part of the word",
        f"the line with {looks} in its place: {_cure(character, encoding)}; where it is meant, in quotes",
    )
