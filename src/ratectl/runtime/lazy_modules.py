"""A table of modules that are imported when they are asked for: a firing pays for the one or two that it needs."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Generic, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")
"""What every module of the table offers: a Protocol."""


class LazyModules(Mapping[str, T], Generic[T]):
    """Word -> module of *package*, by the module's own *names*."""

    def __init__(self, package: str, names: Mapping[str, str]) -> None:
        self._package = package
        self._names = names
        self._loaded: dict[str, T] = {}

    def __getitem__(self, word: str) -> T:
        if word not in self._loaded:
            module = importlib.import_module(f"{self._package}.{self._names[word]}")
            self._loaded[word] = cast("T", module)
        return self._loaded[word]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
