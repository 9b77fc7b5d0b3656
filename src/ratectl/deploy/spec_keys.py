"""Which keys of a spec say something else than when its jobs were installed, in the spec's own words. Pure."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ratectl.model.job import Job, Provider

WORDS = {
    "schedule_texts": "schedule",
    "outputs": "output",
    "start": "from",
    "end": "until",
}
"""Of fields that the spec calls otherwise."""
SECRET = frozenset({"notify", "ping", "proxy", "api_key", "journal", "base_url"})
"""Keys whose values may hold a token or a login: that they changed is all that is shown."""
SECONDS = frozenset({"jitter", "grace", "timeout"})
LONGEST = 80
"""Characters of a value that are shown."""


def changed(before: Job, after: Job) -> tuple[str, ...]:
    """Return a line for each key that differs, such as ``output: text:/a.txt -> text:/b.txt``."""
    return tuple(_lines(before, after))


def _lines(before: Job, after: Job) -> Iterator[str]:
    for field in type(after).__slots__:
        old, new = getattr(before, field), getattr(after, field)
        if old == new:
            continue
        if field == "providers" and [p.name for p in old] == [p.name for p in new]:
            for one, other in zip(old, new, strict=True):
                yield from _of_a_provider(one, other)
        elif field == "kubernetes" and old is not None and new is not None:
            for part in type(new).__slots__:
                yield from _line(f"kubernetes.{part}", getattr(old, part), getattr(new, part))
        else:
            yield from _line(WORDS.get(field, field), old, new)


def _of_a_provider(before: Provider, after: Provider) -> Iterator[str]:
    for field in type(after).__slots__:
        word = f"providers.{after.name}.{field}"
        yield from _line(word, getattr(before, field), getattr(after, field))


def _line(word: str, old: Any, new: Any) -> Iterator[str]:
    key = word.rpartition(".")[2]
    if old == new:
        return
    if key in SECRET:
        yield f"{word}: {'taken out' if not new else 'changed' if old else 'new'}"
        return
    yield f"{word}: {_said(key, old)} -> {_said(key, new)}"


def _said(key: str, value: Any) -> str:
    if key in SECONDS:
        return f"{value}s"
    if isinstance(value, Decimal):
        return f"{(value * 100).normalize():f}%"
    text = _plain(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_plain, value)) or "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return str(value.value)
    if value is None or value == "":
        return "none"
    return str(getattr(value, "name", value))
