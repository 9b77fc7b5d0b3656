"""What ``killer.py`` saw on a real engine, and whether it came to where the command leads."""

from __future__ import annotations

import json
import sys
from pathlib import Path

KILLER = str(Path(__file__).with_name("killer.py"))
HELD = {
    "install": ["a", "b"],
    "update": ["a", "c"],
    "move": ["a", "b"],
    "remove": [],
    "pause": ["b"],
    "resume": ["a", "b"],
}
KNOWN = HELD | {"pause": ["a", "b"]}
WHERE = [("cron", "tester"), ("systemd", "root"), ("systemd", "tester")]


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
    assert foreign["crontab"].endswith(before["crontab"]), case
    assert foreign | {"crontab": before["crontab"]} == before
    if what == "remove":
        assert case["there"] == before
