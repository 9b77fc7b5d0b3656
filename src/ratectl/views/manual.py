"""A page of the manual as its reader needs it: without the generator's marks, with topics in place of links between files."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from ratectl import manual
from ratectl.runtime import templates

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = re.compile(r"^<!--.*-->\n", flags=re.MULTILINE)
CODE = re.compile(r"(^```.*?^```$)", flags=re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(!?)\[([^\]]+)\]\((?![a-z]+:)([^)#\s]*)(?:#[^)\s]*)?\)")
"""A link that is no web address: to a page, to a place in the same page, or to a file of the checkout."""
WEB = re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+)\)")


def topics(width: int) -> str:
    """Return the list of topics, each with its sentence, and how to read one, in *width* columns."""
    column = max(map(len, manual.TOPICS)) + 4
    lines = [
        textwrap.fill(
            manual.sentence(topic),
            width,
            initial_indent=f"  {topic}".ljust(column),
            subsequent_indent=" " * column,
        )
        for topic in manual.TOPICS
    ]
    where = f"Files that they name below templates/ lie in {templates.folder()}."
    told = textwrap.fill(where, width, break_long_words=False, break_on_hyphens=False)
    return "\n".join((*lines, "", "`ratectl manual TOPIC` shows one of them.", told))


def readable(topic: str) -> str:
    """Return the page of *topic* in Markdown that needs no other file."""
    parts = CODE.split(MARK.sub("", manual.page(topic)))
    return "".join(_parts(parts))


def numbered(text: str) -> tuple[str, str]:
    """Return the Markdown *text* with a number for each web address, and the lines that list these: a table has no room."""
    addresses: list[str] = []

    def number(link: re.Match[str]) -> str:
        if link[2] not in addresses:
            addresses.append(link[2])
        return f"{link[1]} [{addresses.index(link[2]) + 1}]"

    parts = CODE.split(text)
    page = "".join(part if n % 2 else WEB.sub(number, part) for n, part in enumerate(parts))
    listed = "".join(f"{n:3} {address}\n" for n, address in enumerate(addresses, 1))
    return (f"{page}\n## Links\n" if listed else page), listed


def _parts(parts: list[str]) -> Iterator[str]:
    """Yield each part of a page, with links spelled out; every other one is a block of code and stays as it is."""
    for place, part in enumerate(parts):
        yield part if place % 2 else LINK.sub(_spelled_out, part)


def _spelled_out(link: re.Match[str]) -> str:
    """Return the words of *link* with what to type, or which file to open, to get where it leads."""
    _image, words, target = link.groups()
    if not target:
        return words
    name = target.removesuffix(".md")
    if target.lstrip("./") in words:
        return words
    if name in manual.TOPICS:
        return f"{words} (`ratectl manual {name}`)"
    return f"{words} (`{target.lstrip('./')}`)"
