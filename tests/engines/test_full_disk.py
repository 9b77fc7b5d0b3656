"""A disk that is full at any write of a command that changes real engines: said in words, and mended by the same command."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.engines.convergence import WHERE, check, killed
from tests.support.share import VARIABLE

pytestmark = pytest.mark.engine
FULL = ("No space left", "disk is full", "disk I/O error")
"""In the words of the system, and of SQLite."""


@pytest.mark.parametrize("what", ["install", "update", "remove"])
@pytest.mark.parametrize(("engine", "user"), WHERE[:2])
def test_full_disk(both, engine, user, what):
    """Where a write finds the disk full, a command says so and leaves no draft; run again it comes to the end."""
    seen = killed(both.account(user), engine, "full", what, os.environ.get(VARIABLE, "all"))

    assert seen["cases"]
    for case in seen["cases"]:
        assert "Traceback" not in case["said"], case
        assert case["code"] in {0, 73, 74, 75}, case
        assert case["code"] == 0 or any(words in case["said"] for words in FULL), case
        assert not [name for name in case["there"] if Path(name).name.startswith(".")], case
        check(case, what, seen["before"])
