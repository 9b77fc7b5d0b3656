"""Whole specs and the native texts they become, as recorded and reviewed."""

from __future__ import annotations

import pytest
from scripts import golden

CASES = golden.cases()


def test_there_are_cases():
    """The folder of golden files is not empty, and every engine is in every case."""
    assert len(CASES) >= 6
    for case in CASES:
        engines = {name.partition("/")[0] for name in golden.recorded(case)}
        assert engines == {"cron", "launchd", "systemd", "windows"}, case


@pytest.mark.posix("paths of another system")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_render(case):
    """The rendered files equal the recorded ones, byte for byte, and no others."""
    assert golden.rendered(case) == golden.recorded(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_tasks_are_the_same_everywhere(case):
    """A Windows task has the same bytes, whether Windows or another system renders it."""
    tasks = {name: data for name, data in golden.recorded(case).items() if "windows/" in name}

    assert golden.rendered(case, ("windows",)) == tasks


@pytest.mark.posix("paths of another system")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_render_again(case):
    """The same spec gives the same bytes each time."""
    assert golden.rendered(case) == golden.rendered(case)
