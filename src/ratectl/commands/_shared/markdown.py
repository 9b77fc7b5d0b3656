"""Markdown in a terminal: as rich shows it, but for tables, whose cells are never cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.markdown import Markdown, MarkdownElement, TableElement
from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult


class WholeTable(TableElement):
    """A table in which what is too long for its column goes on in the next line."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield what rich makes of the table, with every cell whole."""
        for element in super().__rich_console__(console, options):
            if isinstance(element, Table):
                for column in element.columns:
                    column.overflow = "fold"
            yield element


class Page(Markdown):
    """A page of Markdown whose tables are whole."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = Markdown.elements | {
        "table_open": WholeTable
    }
