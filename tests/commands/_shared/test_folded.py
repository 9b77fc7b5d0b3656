"""Text on a terminal: no line wider than it, what goes on below set in, and commands whole."""

import pytest

from ratectl.commands._shared.terminal import folded


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("short", ["short"]),
        ("fault: one two three four five", ["fault: one two three", "    four five"]),
        ("  + create a (because of it all)", ["  + create a (because", "      of it all)"]),
        ("say that `ratectl review` decides", ["say that", "    `ratectl review`", "    decides"]),
        ("    fix: sudo systemctl enable --now cron", None),
        ("next: ratectl run usd-inr --force   # records", None),
        ("/a/path/that/is/longer/than/the/screen", None),
        ("a\nfault: one two three four five", ["a", "fault: one two three", "    four five"]),
    ],
)
def test_folded(text, lines):
    """A line goes on below, four columns further in; what is copied to be typed is left to the terminal."""
    assert folded(text, 22).split("\n") == (lines or [text])
