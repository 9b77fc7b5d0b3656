"""How typed words become values: what is plain text, or was not given, takes the short way, past the library that typer loads for it.

From 0.29 on typer has pydantic look at every value, also of an option that nobody gave: a third of the instructions of
a command that only looks. It is loaded now where it decides something: numbers, words of a choice.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


def on_the_short_way(parameters: Sequence[T]) -> list[T]:
    """Return *parameters* of typer, which take what needs no conversion as it is; an older typer has no converters to spare."""
    for parameter in parameters:
        if hasattr(parameter, "_runtime_param"):
            parameter._runtime_param = ShortWay()  # noqa: SLF001 - typer has no other place for it
    return list(parameters)


class ShortWay:
    """Stands in for typer's converter of one parameter until a value needs that."""

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return what *value* means for *param*, as typer's own converter would. Raises typer.BadParameter."""
        wanted = param.type_descriptor.annotation
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if type(value) is wanted:
            return value
        if wanted == list[str] and _is_text(*value):
            return list(value)
        if wanted is Path and _is_text(value) and _is_unchecked(param.type_descriptor):
            return Path(value)
        param._runtime_param = None  # noqa: SLF001 - typer makes its own then
        return param.get_runtime_param().coerce(value, param=param, ctx=ctx)


def _is_text(*values: Any) -> bool:
    return all(type(value) is str for value in values)


def _is_unchecked(descriptor: Any) -> bool:
    """Tell whether a path is taken as it was typed, whatever lies there."""
    how = descriptor.parameter_info
    kinds = how.file_okay and how.dir_okay
    checks = how.exists or how.readable or how.writable or how.resolve_path
    return bool(kinds and not checks and how.path_type is None and how.parser is None)
