"""Markdown on a screen, as rich shows it, and in a pipe, where it stays Markdown; tables fit either, and no cell is cut off."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement, TableElement
from rich.segment import Segment
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token
    from rich.console import Console, ConsoleOptions, RenderResult

LOOK = Theme(
    {
        "markdown.code": "bold",
        "markdown.table.header": "bold",
        "markdown.table.border": "dim",
        "markdown.h2": "bold underline",
        "markdown.item.number": "bold",
    }
)
"""What is readable on white as well as on black: no colour of its own behind the text, and none for it."""
GAP = 2
"""Columns between two cells."""
JOINTS = re.compile(r"(?<=/)|(?<=::)|(?<=[.,=:_-])(?=[^\W\d])")
"""Where a word that is wider than its column may be broken; never within a date or a number."""


class WholeTable(TableElement):
    """A table in which what is too long for its column goes on in the next line, between words."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield what rich makes of the table, with every cell whole."""
        for element in super().__rich_console__(console, options):
            if isinstance(element, Table):
                _fit(element, options.max_width)
            yield element


def _fit(table: Table, width: int) -> None:
    """Give each column of *table* its share of *width*, and set off the rows from each other where one has several lines."""
    texts = [[str(cell) for cell in (column.header, *column.cells)] for column in table.columns]
    lengths = [[*map(len, cells)] for cells in texts]
    words = [[word for cell in cells for word in [*cell.split(), ""]] for cells in texts]
    whole = [max(map(len, column)) for column in words]
    parts = [max(len(part) for word in column for part in JOINTS.split(word)) for column in words]
    room = width - GAP * (len(lengths) - 1)
    for column, share in zip(table.columns, shares(lengths, (whole, parts), room), strict=True):
        column.overflow = "fold"
        column.width = share
        column._cells = [  # noqa: SLF001 - rich has no other way to change them
            broken(cell, share) if isinstance(cell, Text) else cell for cell in column.cells
        ]
    table.show_edge = False
    table.leading = int(sum(map(max, lengths)) > room)


def shares(lengths: list[list[int]], least: Sequence[list[int]], room: int) -> list[int]:
    """Return the widths in *room* of columns whose cells have these *lengths*.

    The column gives way that makes the table least high by it, of equals the widest; below the first of *least* only if
    none else can, and so on.
    """
    widths = [*map(max, lengths)]
    while sum(widths) > room:
        slacks = ([n for n, width in enumerate(widths) if width > limit[n]] for limit in least)
        some = next(filter(None, slacks), range(len(widths)))
        narrowest = {n: (_height(lengths, _narrower(widths, n)), -widths[n]) for n in some}
        widths = _narrower(widths, min(narrowest, key=narrowest.__getitem__))
    return widths


def _narrower(widths: list[int], column: int) -> list[int]:
    return [width - (n == column) for n, width in enumerate(widths)]


def _height(lengths: list[list[int]], widths: list[int]) -> int:
    """Return the lines of a table of these *widths*, as far as lengths tell."""
    rows = zip(*lengths, strict=True)
    return sum(
        max(-(-length // max(width, 1)) for length, width in zip(row, widths, strict=True))
        for row in rows
    )


def broken(cell: Text, width: int) -> Text:
    """Return *cell* with each word that is wider than *width* broken at its last joint before that."""
    breaks = []
    for word in re.finditer(r"\S+", cell.plain):
        start = word.start()
        joints = [word.start() + joint.start() for joint in JOINTS.finditer(word[0])]
        while word.end() - start > width:
            fitting = [joint for joint in joints if start < joint <= start + width]
            start = max(fitting, default=start + width)
            breaks.append(start)
    return Text("\n").join(cell.divide(breaks))


class Page(Markdown):
    """A page of Markdown whose tables are whole."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = Markdown.elements | {
        "table_open": WholeTable
    }


class PlainHeading(Heading):
    """A heading with its number signs."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the heading as it is written."""
        del console, options
        yield Segment(f"{'#' * int(self.tag[1:])} {self.text.plain}\n")


class PlainCode(CodeBlock):
    """A block of code between its fences, each line as it is."""

    @classmethod
    def create(cls, markdown: Markdown, token: Token) -> PlainCode:
        """Keep the word after the fence, also where it is none."""
        return cls(token.info, markdown.code_theme)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the block as it is written."""
        del console, options
        yield Segment(f"```{self.lexer_name}\n{self.text.plain.rstrip()}\n```\n")


class PlainPage(Page):
    """The same where there is neither colour nor bold: code keeps its backticks, headings their signs."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = Page.elements | {
        "heading_open": PlainHeading,
        "fence": PlainCode,
    }

    def __init__(self, markup: str) -> None:
        super().__init__(markup, hyperlinks=False)
        for token in self.parsed:
            for child in token.children or ():
                if child.type == "code_inline":
                    child.content = f"`{child.content}`"
