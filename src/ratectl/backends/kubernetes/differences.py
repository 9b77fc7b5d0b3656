"""What is other in an object than it would be installed now: each field by its path, with both values.

No value of a variable is shown that ought to come out of a Secret.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from ratectl.backends.kubernetes import manifest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ratectl.backends.protocol import Artefact

ABSENT: Any = object()
MOST = 3
"""Fields that are named."""
WIDTH = 60
"""Characters of a value that are shown."""
BEFORE = 15
"""Of these, how many stand before the first that differs."""
HIDDEN = "a value that is not shown"


def in_words(wanted: Sequence[Artefact], found: Sequence[Artefact]) -> str:
    """Return in words how the object *found* differs from the one *wanted*."""
    if len(wanted) != 1 or len(found) != 1:
        return ""
    pairs = _between(manifest.load(wanted[0].data), manifest.load(found[0].data), "")
    lines = [_line(*pair) for pair in pairs]
    more = f"; and {len(lines) - MOST} more" if len(lines) > MOST else ""
    return "; ".join(islice(lines, MOST)) + more


def variables_set(wanted: Sequence[Artefact], found: Sequence[Artefact]) -> tuple[str, ...]:
    """Return the variables to which somebody gave a value in the object *found*, where the *wanted* one refers to something.

    One that comes out of a Secret and has a value of its own is left out of what we hold as ours.
    """
    if len(wanted) != 1 or len(found) != 1:
        return ()
    ours, theirs = (manifest.environment(one.data) for one in (wanted[0], found[0]))
    referring = [name for name, one in ours.items() if "valueFrom" in one]
    valued = [name for name in referring if "value" in theirs.get(name, {})]
    return tuple(valued + [name for name in referring if name not in theirs])


def _between(wanted: Any, found: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield path, wanted and found value of every field that differs."""
    if wanted == found:
        return
    keyed = manifest.KEYED.get(place.rpartition(".")[2])
    if keyed and isinstance(wanted, list) and isinstance(found, list):
        ours = {one[keyed]: one for one in wanted}
        theirs = {one[keyed]: one for one in found}
        for name in dict.fromkeys((*ours, *theirs)):
            inner = f"{place}[{name}]"
            yield from _between(ours.get(name, ABSENT), theirs.get(name, ABSENT), inner)
    elif isinstance(wanted, dict) and isinstance(found, dict):
        for name in dict.fromkeys((*wanted, *found)):
            inner = f"{place}.{name}" if place else name
            yield from _between(wanted.get(name, ABSENT), found.get(name, ABSENT), inner)
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for number, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _between(one, other, f"{place}[{number}]")
    else:
        yield place, wanted, found


def _line(place: str, wanted: Any, found: Any) -> str:
    start = _first_difference(wanted, found)
    there = HIDDEN if _is_secret(place, found) else _shown(found, start)
    return f"{place} is {there}, and not {_shown(wanted, start)}"


def _is_secret(place: str, found: Any) -> bool:
    """Tell whether a person may have written a secret there: into a variable that is not one of our own texts."""
    if ".env[" not in place or found is ABSENT:
        return False
    return place.endswith(".value") or (isinstance(found, dict) and "value" in found)


def _first_difference(wanted: Any, found: Any) -> int:
    if not (isinstance(wanted, str) and isinstance(found, str)):
        return 0
    alike = (number for number, (a, b) in enumerate(zip(wanted, found, strict=False)) if a != b)
    return next(alike, min(len(wanted), len(found)))


def _shown(value: Any, start: int) -> str:
    """Return *value* as JSON, of a long text what is around *start*."""
    if value is ABSENT:
        return "absent"
    if not isinstance(value, str) or len(value) <= WIDTH:
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= 2 * WIDTH else f"{text[: 2 * WIDTH]}..."
    first = max(0, min(start - BEFORE, len(value) - WIDTH))
    part = json.dumps(value[first : first + WIDTH], ensure_ascii=False)
    return f"{'...' if first else ''}{part}{'...' if first + WIDTH < len(value) else ''}"
