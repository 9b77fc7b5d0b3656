"""Text from outside: nothing in it steers a terminal or stays unseen, and JSON keeps its meaning."""

from __future__ import annotations

import io
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratectl import cli
from ratectl.runtime.visible import LONGEST_LINE, Door, one_line, visible

ATTACKS = {
    "clipboard": "\x1b]52;c;cm0gLXJmIH4=\x07",
    "clear screen": "\x1b[2J\x1b[H",
    "one-byte escape": "\x9b2J",
    "line separator": "a\u2028b\u2029c",
    "direction": "a\u202eb\u2066c\u200f",
    "no width": "a\u200bb\ufeffc",
    "back over the line": "good\rbad",
    "half a character": "a\udc80b",
    "tags": "a\U000e0041b",
    "joiners": "a\u200cb\u200dc",
    "fillers": "a\u115fb\u3164c\uffa0d",
    "signs of other scripts": "a\u0600b\u06ddc\U000110bdd\U0001d173e",
    "concealed": "\x1b[8mpassword\x1b[31;8mmore",
    "black on black": "\x1b[30;40mpassword\x1b[38;5;16mmore",
}


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_shown_as_escapes(stream, text):
    """On a terminal and in a pipe only plain characters and escapes of them arrive, and they say the same."""
    into = stream()

    Door(into).write(f"{text}\n")

    shown = into.getvalue()
    assert shown.isascii()
    assert shown[:-1].isprintable()
    assert json.loads(f'"{shown[:-1]}"') == text


def test_our_own_colours_reach_a_terminal_alone():
    """Colours pass to a terminal, and are shown where they would not be colours."""
    terminal, pipe = Terminal(), io.StringIO()

    for stream in (terminal, pipe):
        Door(stream).write("\x1b[1;31mred\x1b[0m\x1b[2J")

    assert terminal.getvalue() == "\x1b[1;31mred\x1b[0m\\u001b[2J"
    assert pipe.getvalue() == "\\u001b[1;31mred\\u001b[0m\\u001b[2J"


@given(st.text())
def test_any_text(text):
    """Whatever it is, it can be encoded, and has no control character but tabs and line feeds."""
    shown = visible(text)

    assert shown.encode().decode() == shown
    assert not set(shown) & {chr(code) for code in (*range(9), *range(11, 32), *range(127, 160))}


def test_a_line_has_an_end():
    """A line for a mail is one line of bounded length."""
    assert len(one_line("x" * 100_000)) == LONGEST_LINE + 3
    assert one_line("a\u2028b\n c") == "a b c"


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_an_argument_in_an_error(text, capsys):
    """What is typed or pasted comes back in messages as escapes."""
    with pytest.raises(SystemExit):
        cli.main(("check", f"/nowhere/{text}.toml"))

    said = capsys.readouterr().err
    assert "nowhere" in said
    assert all(line.isprintable() for line in said.splitlines())
    assert said.isascii()
    assert not isinstance(sys.stdout, Door)
