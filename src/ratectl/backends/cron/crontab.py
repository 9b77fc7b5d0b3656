"""A crontab as bytes around one fenced block of ours: read and composed here, written by a step of ``backend.py``.

Everything outside the fence passes through byte for byte. The opening line
carries a checksum of the block, so that a hand edit is noticed and never
overwritten, and whether the tab existed before us, so that we can leave none behind.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace

from ratectl.errors import EngineError

OPENING = b"# >>> ratectl >>> "
CLOSING = b"# <<< ratectl <<<"
_BEGIN = re.compile(
    rb"# >>> ratectl >>> made by `ratectl install`; change the spec instead"
    rb" \(sha256 ([0-9a-f]{16}, (?:new|old) tab)\)"
)
_BENDS_JOBS = re.compile(
    rb"^[ \t]*['\"]?(SHELL|HOME|CRON_TZ|RANDOM_DELAY|XDG_STATE_HOME|RATECTL_\w+)['\"]?[ \t]*=",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """A whole crontab: what is *before* our block, our *lines*, what is *after* it."""

    before: bytes = b""
    lines: tuple[bytes, ...] = ()
    """Ours, without their line ends; none means no block."""
    after: bytes = b""
    exists: bool = True
    """False: the account has no crontab at all (not even an empty one)."""
    ours: bool = False
    """The tab did not exist before our block was written."""

    @property
    def foreign(self) -> bytes:
        """Everything that is not ours."""
        return self.before + self.after


def split(text: bytes | None, label: str) -> Tab:
    """Return the crontab *text* (None: there is none) taken apart; *label* names it in messages.

    Raises EngineError, with line numbers and the next step, on a block that is
    half-open, doubled or edited by hand.
    """
    if text is None:
        return Tab(exists=False)
    begins = _line_starts(text, OPENING)
    ends = _line_starts(text, CLOSING)
    if not begins and not ends:
        return Tab(before=text)
    if len(begins) != 1 or len(ends) != 1 or begins[0] > ends[0]:
        raise EngineError(_broken_fence(text, begins, ends, label))
    begin, end = begins[0], ends[0]
    head, _, body = text[begin:end].partition(b"\n")
    tail, newline, after = text[end:].partition(b"\n")
    lines = tuple(body.split(b"\n")[:-1])
    match = _BEGIN.fullmatch(head)
    if not match or match[1] != _seal(lines, ours=match[1].endswith(b"new tab")) or tail != CLOSING:
        raise EngineError(_edited(text, begin, end, label))
    return Tab(
        before=text[:begin],
        lines=lines,
        after=after if newline else b"",
        ours=match[1].endswith(b"new tab"),
    )


def join(tab: Tab) -> bytes | None:
    """Return the text of *tab*, or None where no crontab should be left."""
    if tab.lines:
        return tab.before + block(tab.lines, ours=tab.ours) + tab.after
    if not tab.exists or (tab.ours and not tab.foreign):
        return None
    return tab.foreign


def block(lines: tuple[bytes, ...], *, ours: bool) -> bytes:
    """Return *lines* between the fences; *ours* tells that no tab was there before."""
    head = (
        OPENING
        + b"made by `ratectl install`; change the spec instead (sha256 "
        + _seal(lines, ours=ours)
        + b")"
    )
    return b"\n".join((head, *lines, CLOSING, b""))


def put(tab: Tab, lines: tuple[bytes, ...]) -> Tab:
    """Return *tab* with *lines* as our block.

    A new block goes to the top: environment lines of a crontab act on what
    stands below them, so there neither SHELL nor HOME nor CRON_TZ of others
    bends our jobs, and a missing last newline does not matter. A block that a
    person moved stays, unless such a line has come to stand above it.
    """
    fresh = tab.ours if tab.lines else not tab.exists
    if not tab.lines or bending_lines(tab):
        return replace(tab, before=b"", lines=lines, after=tab.foreign, ours=fresh)
    return replace(tab, lines=lines, ours=fresh)


def bending_lines(tab: Tab) -> tuple[str, ...]:
    """Return the environment settings above our block that would change what our jobs do."""
    if not tab.lines:
        return ()
    return tuple(match[1].decode() for match in _BENDS_JOBS.finditer(tab.before))


def unfaithful_lines(text: bytes, printed: bytes) -> tuple[int, ...]:
    """Return the 1-based numbers of the lines of *text* that end in *printed* (how ``crontab -l`` shows a CR)."""
    if printed not in text:
        return ()
    return tuple(n for n, line in enumerate(text.split(b"\n"), 1) if line.endswith(printed))


def lines_with(text: bytes, character: bytes, *, hidden: int) -> tuple[int, ...]:
    """Return the 1-based numbers of the lines of *text* that hold *character*, without the first *hidden* ones."""
    numbers = (n for n, line in enumerate(text.split(b"\n"), 1 - hidden) if character in line)
    return tuple(n for n in numbers if n > 0)


def _seal(lines: tuple[bytes, ...], *, ours: bool) -> bytes:
    kind = b"new tab" if ours else b"old tab"
    digest = hashlib.sha256(b"\n".join((kind, *lines))).hexdigest()[:16]
    return digest.encode() + b", " + kind


def _line_starts(text: bytes, marker: bytes) -> list[int]:
    """Return the offsets of the lines that begin with *marker*."""
    found = []
    at = text.find(marker)
    while at >= 0:
        if at == 0 or text[at - 1 : at] == b"\n":
            found.append(at)
        at = text.find(marker, at + 1)
    return found


def _number(text: bytes, offset: int) -> int:
    return text.count(b"\n", 0, offset) + 1


def _broken_fence(text: bytes, begins: list[int], ends: list[int], label: str) -> str:
    opened = ", ".join(str(_number(text, at)) for at in begins) or "none"
    closed = ", ".join(str(_number(text, at)) for at in ends) or "none"
    return (
        f"{label}: the ratectl block is not whole: opening lines {opened}, closing lines {closed}, "
        "where there should be one of each. Nothing was written. Delete what is left of the block "
        "(`crontab -e`), then run `ratectl install` again."
    )


def _edited(text: bytes, begin: int, end: int, label: str) -> str:
    return (
        f"{label}: the ratectl block in lines {_number(text, begin)} to {_number(text, end)} was "
        "changed by hand (its checksum does not fit). Nothing was written. Take the change back, or "
        "delete these lines (`crontab -e`), then run `ratectl install` again."
    )
