"""How far long work is: on a terminal, after a second, and nowhere else."""

from __future__ import annotations

import io

import pytest

from ratectl.commands._shared import progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal, or not."""

    def __init__(self, *, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.fixture
def seen(monkeypatch):
    """Work on 10 pieces, a second each or none, on a terminal or a pipe; return what was shown."""

    def work(*, seconds, terminal):
        stream, clock = Terminal(terminal=terminal), iter(range(0, 1000, seconds or 1000))
        monkeypatch.setattr(progress.sys, "stderr", stream)
        monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock, 0) if seconds else 0.0)
        with progress.progress("installing", 10) as on_progress:
            for _ in range(10):
                on_progress(1)
        return stream.getvalue()

    return work


def test_quick_work_shows_nothing(seen):
    """What is done within a second needs no bar."""
    assert not seen(seconds=0, terminal=True)


def test_a_pipe_stays_silent(seen):
    """In a pipe or a log there is no bar, however long it takes."""
    assert not seen(seconds=1, terminal=False)


def test_long_work_shows_its_end(seen):
    """Longer work shows a bar, which ends full."""
    shown = seen(seconds=1, terminal=True)

    assert "installing" in shown
    assert "100%" in shown
