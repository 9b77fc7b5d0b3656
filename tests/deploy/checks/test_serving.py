"""Which jobs a `ratectl serve` is at work on is known by locks, which end with their process."""

from types import SimpleNamespace

import pytest

from ratectl.deploy.checks import serving
from tests.fakes.jobs import job


def row(name, backend="serve", *, paused=False):
    return SimpleNamespace(job=job(name), backend=backend, paused=paused)


def test_held_and_given_back(tmp_path):
    """What one process holds is served; what it lets go, or ends with, is not."""
    rows = [row("a"), row("b")]
    held = serving.Held(tmp_path)

    assert serving.unserved(tmp_path, rows) == {"a", "b"}
    held.hold(["a", "b"])
    assert serving.unserved(tmp_path, rows) == frozenset()
    held.hold(["b"])
    assert serving.unserved(tmp_path, rows) == {"a"}
    held.close()
    assert serving.unserved(tmp_path, rows) == {"a", "b"}


def test_two_that_serve_one_job(tmp_path):
    """A second process takes over, with its next look, when the first one ends."""
    first, second = serving.Held(tmp_path), serving.Held(tmp_path)
    first.hold(["a"])
    second.hold(["a"])
    first.close()

    second.hold(["a"])

    assert serving.unserved(tmp_path, [row("a")]) == frozenset()


@pytest.mark.parametrize("other", [row("a", "cron"), row("a", paused=True)])
def test_jobs_that_wait_for_no_such_process(tmp_path, other):
    """Jobs of a scheduler, and paused ones, need no `serve`; looking leaves no file behind."""
    assert serving.unserved(tmp_path, [other, row("b")]) == {"b"}
    assert list(tmp_path.iterdir()) == []
