"""Three hosts with the same jobs on one PostgreSQL, in real time: processes killed, the server restarted, each slot once.

The second that a slot names is when it is fetched, so that each slot is a request of its own: the figure that
matters is how many more requests there are than slots.
"""

from __future__ import annotations

import collections
import datetime as dt
import json
import random
import subprocess
import threading
import time
from dataclasses import dataclass, field

import pytest

from ratectl.model.job import CatchUp
from tests.fakes.station import Station, now
from tests.support.rate_server import Fault
from tests.support.share import times

pytestmark = pytest.mark.engine
HOSTS = ("a", "b", "c")
JOBS = 20
SECONDS = max(20, times(50))
SLOTS = JOBS * SECONDS
AFTER = dt.timedelta(seconds=15)
"""How long after the installation the slots begin: until then all processes have started."""
BETWEEN_KILLS = 0.5
RESTARTS = tuple(range(12, SECONDS, 18))
"""Seconds into the slots at which the server goes down, without a warning."""
MOST_REQUESTS = 1.05


@dataclass(slots=True, kw_only=True)
class Keeper:
    """Keeps one job of one host at work, as a scheduler that starts it again and again."""

    host: Station
    job: str
    stop: threading.Event
    process: subprocess.Popen | None = None
    ended: collections.Counter = field(default_factory=collections.Counter)

    def run(self):
        while not self.stop.is_set():
            argv = self.host.argv(self.job)
            self.process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
            said = self.process.communicate()[1]
            self.ended[self.process.returncode] += 1
            assert "Traceback" not in said
            self.stop.wait(0.5)


def kill_some(keepers, stop, dice):
    """Kill one process after the other, whatever it is doing."""
    kills = 0
    while not stop.wait(BETWEEN_KILLS):
        process = dice.choice(keepers).process
        if process is not None and process.poll() is None:
            process.kill()
            kills += 1
    return kills


@pytest.fixture
def hosts(tmp_path, own_postgres, live_rates):
    """Three hosts on which the same jobs are installed, with an output each."""
    url = own_postgres.url(own_postgres.database())
    begin = now() + AFTER
    hosts = [Station(folder=tmp_path / name) for name in HOSTS]
    for host in hosts:
        host.folder.mkdir()
        jobs = [
            host.job(
                live_rates.url,
                "frankfurter",
                name=f"job-{number}",
                journal=url,
                schedule_texts=("every second",),
                start=f"{begin:%Y-%m-%dT%H:%M:%S}",
                end=f"{begin + dt.timedelta(seconds=SECONDS):%Y-%m-%dT%H:%M:%S}",
                catch_up=CatchUp.ALL,
                outputs=(host.output(f"job-{number}.jsonl", "jsonl"),),
                timeout=10,
            )
            for number in range(JOBS)
        ]
        host.install(*jobs, since=begin - AFTER)
    return hosts, begin


def lines(hosts):
    """Return how often each slot of each job stands in the outputs of all hosts."""
    facts = [
        json.loads(line)
        for host in hosts
        for number in range(JOBS)
        for line in host.lines(f"job-{number}.jsonl")
    ]
    return collections.Counter((fact["job"], fact["slot"]) for fact in facts)


def test_each_slot_once(hosts, own_postgres, live_rates, record_property):
    """Hundreds of slots are recorded and written once each, with hardly more requests than slots."""
    hosts, begin = hosts
    live_rates.misbehave(Fault(headers={"Cache-Control": "no-store"}), times=100 * SLOTS)
    stop, dice = threading.Event(), random.Random(7)  # noqa: S311 - no secret
    keepers = [Keeper(host=host, job=f"job-{n}", stop=stop) for host in hosts for n in range(JOBS)]
    threads = [threading.Thread(target=keeper.run) for keeper in keepers]
    kills = []
    threads.append(threading.Thread(target=lambda: kills.append(kill_some(keepers, stop, dice))))
    for thread in threads:
        thread.start()
    for second in RESTARTS:
        time.sleep(max(0, (begin - now()).total_seconds() + second))
        own_postgres.stop("immediate")
        own_postgres.start()
    time.sleep(max(0, (begin - now()).total_seconds() + SECONDS + 2))
    stop.set()
    for thread in threads:
        thread.join()
    requests = len(live_rates.requests)

    last = [
        subprocess.run(host.argv(f"job-{n}"), capture_output=True, text=True, check=False)
        for n in range(JOBS)
        for host in hosts
    ]

    assert {(done.returncode, done.stderr) for done in last} == {(0, "")}
    recorded = [
        (f"job-{n}", slot) for n in range(JOBS) for slot, _ in hosts[0].recorded(f"job-{n}")
    ]
    assert len(set(recorded)) == len(recorded) == SLOTS
    found = lines(hosts)
    assert (len(found), found.total()) == (SLOTS, SLOTS)
    assert kills[0] > SECONDS // 3
    record_property(
        "figures",
        f"{SLOTS} slots, {requests} requests ({requests / SLOTS:.3f} a slot), "
        f"{len(live_rates.requests) - requests} more in the end, {kills[0]} kills, {len(RESTARTS)} restarts",
    )
    assert requests / SLOTS < MOST_REQUESTS
