"""The one door for text from outside to people: what would steer a terminal, or stay unseen, is shown as an escape.

Providers' answers, file names, entries of others and the words of other programs all come through here before
they reach a terminal, a page or a mail. The escapes are JSON's, so that JSON means the same before and after.
"""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TextIO

LONGEST_LINE = 4_000
"""Characters of an error line; a cron mail and a journal entry have to carry it."""
UNSAFE = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and line feed
    "\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180e"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U00013438\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Also line and paragraph separators, direction marks, what has no width, and halves of characters. A pattern of ``re``, which
is compiled where a text needs it: that takes longer than all that a plain text does."""
COLOUR = "\x1b\\[(?:(?:0|1|2|22|3[1-7]|39|9[0-7])?(?:;(?=[0-9])|(?=m)))*m"
"""Colours of letters; nothing that conceals them, such as a background, or black."""


def visible(text: str) -> str:
    r"""Return *text* with every character that is not plainly seen as an escape such as ``\u001b``."""
    return text if is_visible(text) else re.sub(UNSAFE, _escape, text)


def is_visible(text: str) -> bool:
    """Tell whether every character of *text* is plainly seen."""
    letters = text.replace("\n", "").replace("\t", "")
    if letters.isascii() and letters.isprintable():
        return True
    return re.search(UNSAFE, text) is None


def one_line(text: str) -> str:
    """Return *text* as one visible line of bounded length."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}..."


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def behind(stream: TextIO) -> TextIO:
    """Return the stream behind the door, for what moves the cursor and shows no text from outside."""
    found: TextIO = getattr(stream, "stream", stream)
    return found


class Door:
    """A text stream that makes all text visible before it hands it on; only colours pass, and only to a terminal.

    A reader that has gone away, or a full disk, ends nothing: what is said from then on is dropped, and *lost* tells why.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.lost: OSError | None = None
        """Why what was written did not arrive."""

    def write(self, text: str) -> int:
        """Write *text*, made visible."""
        if self.lost is None:
            try:
                self._write(text)
            except OSError as error:
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Hand on what is still held back."""
        if self.lost is None:
            try:
                self.stream.flush()
            except OSError as error:
                self._lose(error)

    @property
    def buffer(self) -> _Bytes:
        """Where bytes go, as those of an output's lines do; what became of them is known here."""
        return _Bytes(self)

    def pass_on(self, data: bytes) -> None:
        """Hand *data* on as it is."""
        if self.lost is None:
            try:
                self.stream.flush()
                self.stream.buffer.write(data)
            except OSError as error:
                self._lose(error)

    def _lose(self, error: OSError) -> None:
        """Let what the stream holds back go nowhere, or Python would try it once more at its end."""
        self.lost = error
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)

    def _write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if is_visible(text):
            return self.stream.write(text)
        if not self.stream.isatty():
            return self.stream.write(visible(text))
        plain = re.split(COLOUR, text)
        colours = [*re.findall(COLOUR, text), ""]
        return self.stream.write(
            "".join(visible(part) + colour for part, colour in zip(plain, colours, strict=True))
        )

    def writelines(self, lines: list[str]) -> None:
        """Write *lines*, made visible."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class _Bytes:
    """The door for bytes."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def write(self, data: bytes) -> int:
        """Write *data* as they are."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"write() argument must be bytes, not {type(data).__name__}")
        self._door.pass_on(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Hand on what is still held back."""
        self._door.flush()
