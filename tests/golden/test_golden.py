"""Whole specs and the native texts they become, as recorded and reviewed."""

from __future__ import annotations

import pytest

from scripts import golden

CASES = golden.cases()
MACHINES = {"cron", "launchd", "systemd", "windows"}


def test_there_are_cases():
    """The folder of golden files is not empty, and every engine of a machine is in every case but the cluster's."""
    assert len(CASES) >= 7
    for case in CASES:
        engines = {name.partition("/")[0] for name in golden.recorded(case)}
        own = {"kubernetes"} if case.name == "in-a-cluster" else MACHINES
        assert engines == own, case


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
