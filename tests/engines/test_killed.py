"""kill -9 of ratectl on real engines, before each of its steps and at any time: the next run converges."""

from __future__ import annotations

import random
import signal

import pytest

from tests.engines.convergence import HELD, WHERE, check, killed
from tests.support.share import times

pytestmark = pytest.mark.engine

KILLS = times(50)


@pytest.mark.long
@pytest.mark.parametrize(
    ("engine", "user", "what"),
    [
        (*where, what)
        for where in WHERE
        for what in HELD
        if where != WHERE[2] or what in {"update", "remove"}
    ],
)
def test_before_every_step(both, engine, user, what):
    """Killed before any of its steps, the same command run again comes to the same end as if it never was."""
    seen = killed(both.account(user), engine, "steps", what)

    assert len(seen["cases"]) > 2
    assert [case["killed"] for case in seen["cases"]] == [*[-9] * (len(seen["cases"]) - 1), 0]
    for case in seen["cases"]:
        check(case, what, seen["before"])


@pytest.mark.parametrize(("engine", "user"), WHERE[:2])
def test_at_any_time(both, engine, user):
    """Killed again and again at random, installs and removals converge when they are run again."""
    seed = random.randrange(1 << 30)  # noqa: S311 - to be repeated, not to be secret
    seen = killed(both.account(user), engine, "random", str(seed), str(KILLS))

    assert sum(case["killed"] == -9 for case in seen["cases"]) >= KILLS // 5, f"seed {seed}"
    for number, case in enumerate(seen["cases"]):
        try:
            check(case, case["what"], seen["before"])
        except AssertionError as error:
            error.add_note(f"seed {seed}, kill {number} of {len(seen['cases'])}")
            raise


@pytest.mark.parametrize(("engine", "user"), WHERE[:2])
def test_three_at_once(both, engine, user):
    """Installs that are started at once come one after the other, and all succeed."""
    seen = killed(both.account(user), engine, "together", "3")

    [case] = seen["cases"]
    check(case, "install", seen["before"])


@pytest.mark.parametrize(("engine", "user"), WHERE[:2])
def test_interrupted(both, engine, user):
    """Ctrl-C ends an install in words, never with a traceback, and the same command finishes it."""
    seen = killed(both.account(user), engine, "interrupted", str(times(40)))

    for case in seen["cases"]:
        assert case["killed"] in {0, 75, 130, -signal.SIGINT}, case["said"]
        assert "Traceback" not in case["said"]
        assert case["killed"] != 75 or "run the same command again" in case["said"]
        check(case, "update", seen["before"])
    assert any(case["killed"] for case in seen["cases"])
