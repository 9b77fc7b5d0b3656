"""A spec's text with another name for one of its jobs; all else stays byte for byte."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ratectl.errors import SpecError
from ratectl.spec.document import loads
from ratectl.spec.key_lines import key_lines
from ratectl.spec.providers import LONGEST_NAME, NAME

if TYPE_CHECKING:
    from pathlib import Path


def is_name(text: str) -> bool:
    """Tell whether a job can be called *text*."""
    return NAME.fullmatch(text) is not None and len(text) <= LONGEST_NAME


def renamed(data: bytes, old: str, new: str, *, path: Path, host_timezone: str) -> bytes | None:
    """Return *data* with the job *old* called *new*; None where that is not plainly done.

    Plainly: the new text gives the same jobs, but for the one name. Raises SpecError for a spec with issues.
    """
    before = loads(data, path=path, host_timezone=host_timezone).jobs
    text = data.decode("utf-8")
    numbers = {line for key, line in key_lines(text).items() if key[:2] == ("jobs", old)}
    lines = text.split("\n")
    for number in numbers:
        lines[number - 1] = _line(lines[number - 1], old, new)
    edited = "\n".join(lines).encode("utf-8")
    try:
        after = loads(edited, path=path, host_timezone=host_timezone).jobs
    except SpecError:
        return None
    wanted = {replace(job, name=new) if job.name == old else job for job in before}
    return edited if wanted == set(after) else None


def _line(line: str, old: str, new: str) -> str:
    """Return a *line* that names the job, as a header or the beginning of a key, with the new name."""
    name = rf"""(?:{re.escape(old)}|"{re.escape(old)}"|'{re.escape(old)}')"""
    whole = rf"^(\s*\[?\s*(?:jobs\s*\.\s*)?){name}(?=\s*[\].=])"
    return re.sub(whole, lambda match: f"{match[1]}{new}", line, count=1)
