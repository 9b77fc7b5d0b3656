"""What is coloured on a terminal: what a line begins with, and nothing in a pipe."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.network  # starts programs, which ask nobody
CODE = "from ratectl.commands._shared import terminal; terminal.show('plan:\\n  + create a\\nfault: x: - y')"


@pytest.mark.posix("Windows has no pseudo-terminals")
@pytest.mark.parametrize(
    ("more", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_signs(more, coloured):
    """On a terminal the sign is green and the word red; the sentence, NO_COLOR and a dumb terminal stay plain."""
    master, slave = os.openpty()
    plain = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    plain |= {"TERM": "xterm-256color"} | more
    subprocess.run((sys.executable, "-c", CODE), stdout=slave, check=True, env=plain)
    os.close(slave)
    shown = os.read(master, 4096)
    os.close(master)

    assert (b"\x1b[32m+\x1b[0m create a" in shown) is coloured
    assert (b"\x1b[1;31mfault:\x1b[0m x: - y" in shown) is coloured
    assert (b"\x1b[3" in shown) is coloured


def test_in_a_pipe():
    """In a pipe the text is as it is."""
    done = subprocess.run((sys.executable, "-c", CODE), capture_output=True, text=True, check=True)

    assert done.stdout == "plan:\n  + create a\nfault: x: - y\n"
