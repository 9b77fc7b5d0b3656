"""kill -9 of ratectl on real engines, before each of its steps and at any time: the next run converges."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import pytest

from tests.support.share import times

pytestmark = pytest.mark.engine

KILLER = str(Path(__file__).with_name("killer.py"))
CRON = Path(sys.prefix) / "engines" / "cron"  # put there by scripts/test.py
HELD = {
    "install": ["a", "b"],
    "update": ["a", "c"],
    "move": ["a", "b"],
    "remove": [],
    "pause": ["b"],
    "resume": ["a", "b"],
}
KNOWN = HELD | {"pause": ["a", "b"]}
KILLS = times(50)
WHERE = [("cron", "tester"), ("systemd", "root"), ("systemd", "tester")]


@pytest.fixture(scope="module")
def both(systemd):
    """A machine with systemd on which there is a crontab program, too, as a move needs."""
    root = systemd.account("root")
    root.sh(
        "groupadd --system --force crontab; mkdir -p /var/spool/cron; "
        f"install -m 2755 -g crontab {CRON}/usr/bin/crontab /usr/bin/crontab; "
        "install -m 1730 -g crontab -d /var/spool/cron/crontabs"
    )
    root.run("loginctl", "enable-linger", "tester")
    account = systemd.account("tester")
    account.sh("until systemctl --user is-system-running >/dev/null 2>&1; do sleep 0.1; done")
    return systemd


def killed(account, *words):
    done = account.run(sys.executable, KILLER, *words)
    return json.loads(done.stdout)


def check(case, what, before):
    """See that the second run came to where *what* leads, with all that is not ours as it was."""
    assert case["again"] == 0
    assert case["plan"] == 0
    assert case["drift"] == {}
    assert case["held"] == HELD[what]
    assert case["known"] == KNOWN[what]
    foreign = {name: text for name, text in case["there"].items() if "ratectl-" not in name}
    assert foreign["crontab"].endswith(before["crontab"])
    assert foreign | {"crontab": before["crontab"]} == before
    if what == "remove":
        assert case["there"] == before


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
        assert case["killed"] in {0, 75, 130}
        assert "Traceback" not in case["said"]
        assert case["killed"] != 75 or "run the same command again" in case["said"]
        check(case, "update", seen["before"])
    assert any(case["killed"] for case in seen["cases"])
