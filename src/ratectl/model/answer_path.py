"""Where a value stands in an answer: a path as a spec writes it -> steps.

``rates.JPY`` takes keys, ``rates[0]`` or ``rates.0`` picks from a list (``-1`` its last), ``rates[code=JPY].mid`` takes the one
entry whose ``code`` is JPY, and ``["5. Exchange Rate"]`` is a key with dots, blanks or brackets in it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Key(NamedTuple):
    """The member of this name; in a list, if it is a whole number, the entry at this place, from the end on where it is negative."""

    name: str


class Match(NamedTuple):
    """The one entry whose member *field* reads *value*."""

    field: str
    value: str


Step = Key | Match
STEP = re.compile(
    r'(?P<dot>\.)?(?:(?P<key>[^.\[\]]+)|\[(?P<literal>"(?:[^"\\]|\\.)*")\]|\[(?P<inner>[^\]"]+)\])'
)


def parse(text: str) -> tuple[Step, ...]:
    """Return the steps of the path *text*. Raises ValueError for what is none."""
    steps = tuple(_steps(text))
    if not steps:
        raise ValueError('expected a path such as "rates.{quote}", found an empty one')
    return steps


def of_keys(keys: Iterable[str]) -> str:
    """Return the path of *keys*, each taken as it is; one in brackets such as ``[code=JPY]`` or ``[0]`` selects."""
    return "".join(
        key if key.startswith("[") and key.endswith("]") else f"[{json.dumps(key)}]" for key in keys
    )


def _steps(text: str) -> Iterator[Step]:
    at = 0
    while at < len(text):
        found = STEP.match(text, at)
        if found is None or (found["key"] is not None and bool(found["dot"]) != bool(at)):
            raise ValueError(
                f'expected a path such as "rates.{{quote}}" or "rates[code={{quote}}].mid", or a list of '
                f"keys; it cannot be read from {text[at:]!r} on"
            )
        at = found.end()
        yield _step(found)


def _step(found: re.Match[str]) -> Step:
    if found["literal"] is not None:
        return Key(json.loads(found["literal"]))
    inner = found["inner"]
    if inner is None:
        return Key(found["key"])
    field, equals, value = inner.partition("=")
    return Match(field.strip(), value.strip()) if equals else Key(inner.strip())
