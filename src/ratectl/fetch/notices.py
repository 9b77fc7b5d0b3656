"""A 200 that holds a notice in place of data: what it says, and whether it is about quota, key or plan.

Some services answer so when a quota is used up, a key is wrong or a parameter is not known.
"""

from __future__ import annotations

import re

from ratectl.fetch.failures import FailureKind, FetchError
from ratectl.fetch.providers._shared import json_body as bodies

NAMES = ("error", "errors", "error message", "note", "information", "message", "fault", "warning")
"""Keys of notices, in small letters."""
ABOUT_ACCESS = re.compile(
    r"quota|limit|frequency|volume|too many|requests? per|per (second|minute|hour|day|month)|sparing|plan\b|premium|subscri|upgrade|key\b|token|"
    r"access|unauthor|forbidden|permission|expired|inactive|suspend|payment|credit",
    re.IGNORECASE,
)
DENIED = ("false", "error", "fail", "failed", "failure")


def refuse_failure(answer: object) -> None:
    """Raise FetchError for an answer that calls itself a failure (``"success": false``), whatever else it holds."""
    if not isinstance(answer, dict):
        return
    said = {str(name).lower(): getattr(value, "text", value) for name, value in answer.items()}
    for name in ("success", "status", "result", "ok"):
        if name in said and str(said[name]).lower() in DENIED:
            raise _failure(notice(answer) or f"{name} is {str(said[name]).lower()}")


def refuse_notice(answer: object) -> None:
    """Raise FetchError where *answer*, which lacks what was asked for, says why."""
    text = notice(answer)
    if text:
        raise _failure(text)


def notice(answer: object) -> str:
    """Return the notice in *answer* as one printable line; empty where there is none."""
    if isinstance(answer, str):
        return bodies.printable(answer)
    if not isinstance(answer, dict):
        return ""
    said = {str(name).lower().replace("_", " "): value for name, value in answer.items()}
    words = [text for name in NAMES if (text := _text(said.get(name)))]
    if not answer:
        words = [
            bodies.printable(getattr(answer, "text", ""))
        ]  # an element of XML with words alone
    unnamed = "an error" if any(said.get(name) is True for name in NAMES) else ""
    return bodies.printable(" ".join(words)) or unnamed


def _text(value: object) -> str:
    """Return the words in *value*, which may be a table or list of them."""
    if isinstance(value, dict):
        inside = [*map(_text, value.values()), getattr(value, "text", "")]
        return bodies.printable(" ".join(filter(None, inside)))
    if isinstance(value, list):
        return bodies.printable(" ".join(filter(None, map(_text, value))))
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return bodies.printable(str(value)) if value else ""


def _failure(text: str) -> FetchError:
    kind = FailureKind.REFUSED if ABOUT_ACCESS.search(text.replace("_", " ")) else FailureKind.DATA
    return FetchError(kind, f"a notice in place of rates: {text}")
