"""Telling others, through the real Apprise and over loopback HTTP: when, what, in what time, and with no URL shown."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ratectl.fetch.http import Transport
from ratectl.firing.notify import SECONDS, Notifier
from ratectl.model.job import Overlap
from ratectl.runtime import locks
from tests.fakes.station import Station
from tests.support.rate_server import Fault, RateServer, demo_table

pytestmark = pytest.mark.network
VALID = Path(__file__).parents[1] / "fetch" / "certificates" / "valid.pem"
TAKEN = Fault(body=b"ok")


@pytest.fixture
def hub(rates):
    """A rate server that takes every message."""
    rates.misbehave(TAKEN, times=100)
    return rates


@pytest.fixture
def notifier(job):
    """Make the notifier of a job."""

    def make(*notify, **changes):
        usd = job(notify=notify, **changes)
        transport = Transport(proxy=usd.proxy, ca_bundle=usd.ca_bundle)
        return Notifier(job=usd, transport=transport)

    return make


def paths(hub):
    return [path for path, _ in hub.requests]


def apprise_url(hub, path="/a", scheme="json"):
    return f"{scheme}://{hub.url.partition('://')[2]}{path}"


class TestWhen:
    """Messages are few."""

    def test_failure_is_told_once(self, notifier, hub):
        """Of many failures in a row the one that reaches notify_after is told, then the recovery."""
        told = notifier(f"{hub.url}/hook", notify_after=3)
        counts = []

        for failures in (1, 2, 3, 4):
            told.failure(failures, "offline")
            counts.append(len(hub.posted))
        told.success(4)

        assert counts == [0, 0, 1, 1]
        events = [json.loads(body)["event"] for _, body in hub.posted]
        assert events == ["failed", "recovered"]

    @pytest.mark.parametrize("failures", [0, 1, 2])
    def test_recovery_nobody_waits_for(self, notifier, hub, failures):
        """A recovery from failures that were never told is not told either."""
        notifier(f"{hub.url}/hook", notify_after=3).success(failures)

        assert hub.requests == []


class TestApprise:
    """Any URL that the library knows."""

    def test_message(self, notifier, hub):
        """A service gets title, text and type of the message."""
        told = notifier(apprise_url(hub))

        told.failure(1, "offline: no way to frankfurter")
        told.success(1)

        messages = [json.loads(body) for _, body in hub.posted]
        assert [(m["title"], m["message"], m["type"]) for m in messages] == [
            ("ratectl: usd-inr failed", "usd-inr: offline: no way to frankfurter", "failure"),
            ("ratectl: usd-inr recovered", "usd-inr: recording again", "success"),
        ]
        assert told.remarks == []

    def test_side_by_side_with_a_plain_hook(self, notifier, hub):
        """A plain http URL gets our own JSON, whatever stands beside it."""
        notifier(apprise_url(hub), f"{hub.url}/hook").failure(1, "why")

        bodies = {path: json.loads(body) for path, body in hub.posted}
        assert set(bodies) == {"/a", "/hook"}
        assert bodies["/hook"] == {
            "job": "usd-inr",
            "event": "failed",
            "text": "usd-inr: why",
            "content": "usd-inr: why",
        }

    @pytest.mark.parametrize(
        ("url", "said"),
        [
            ("json://127.0.0.1:9/T0KEN", "did not take it"),
            ("nosuchthing://127.0.0.1/T0KEN", "knows no such service"),
            ("http://127.0.0.1:9/T0KEN", "connection refused"),
        ],
    )
    def test_failure_to_tell_harms_nothing(self, notifier, capfd, url, said):
        """What nobody takes is a remark that shows no URL, and nothing on stderr."""
        told = notifier(url)

        told.failure(1, "why")

        [remark] = told.remarks
        assert said in remark
        assert "T0KEN" not in remark
        assert capfd.readouterr() == ("", "")

    def test_certificates_are_verified(self, notifier):
        """A certificate of a root nobody knows is not talked to, the spec's ca_bundle makes it known."""
        with RateServer(demo_table(), certificate=VALID) as server:
            server.misbehave(TAKEN, times=10)
            url = apprise_url(server, scheme="jsons")
            notifier(url).failure(1, "why")
            before = len(server.posted)
            notifier(url, ca_bundle=str(VALID)).failure(1, "why")

            assert (before, len(server.posted)) == (0, 1)

    def test_proxy(self, notifier, hub):
        """The spec's proxy is asked in the place of the service, whatever the environment says."""
        before = dict(os.environ)

        notifier("json://service.invalid/a", proxy=hub.url).failure(1, "why")

        assert paths(hub) == ["http://service.invalid/a"]
        assert dict(os.environ) == before


class TestReferences:
    """Where URLs are kept, since they hold secrets."""

    def test_file(self, notifier, hub, tmp_path):
        """Each line of a file is told; comments and blank lines are not URLs."""
        urls = tmp_path / "urls"
        urls.write_text(f"# who\n\n{apprise_url(hub, '/one')}\n  {hub.url}/two\n")

        notifier(f"file:{urls}").failure(1, "why")

        assert sorted(paths(hub)) == ["/one", "/two"]

    def test_environment_and_credential(self, notifier, hub, tmp_path, monkeypatch):
        """A variable or a systemd credential serves as well."""
        monkeypatch.setenv("RATES_URL", f"{hub.url}/one")
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
        (tmp_path / "hook").write_text(f"{hub.url}/two\n")

        notifier("env:RATES_URL", "credential:hook").failure(1, "why")

        assert sorted(paths(hub)) == ["/one", "/two"]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("json://127.0.0.1/T0KEN?verify=no\n", "verify=no is refused"),
            ("T0KEN\n", "expected a URL"),
            (None, "cannot be read"),
        ],
        ids=["unverified", "no URL", "no file"],
    )
    def test_unusable(self, notifier, hub, tmp_path, content, said):
        """A bad line is a remark that names the file and the line; the other entries are told."""
        urls = tmp_path / "urls"
        if content is not None:
            urls.write_text(content)
        told = notifier(f"file:{urls}", f"{hub.url}/hook")

        told.failure(1, "why")

        [remark] = told.remarks
        assert said in remark
        assert str(urls) in remark
        assert "T0KEN" not in remark
        assert paths(hub) == ["/hook"]


class TestPing:
    """The dead-man's switch, in the forms that healthchecks.io documents."""

    @pytest.mark.parametrize(
        ("url", "start", "fail"),
        [
            ("/uuid", "/uuid/start", "/uuid/fail"),
            ("/uuid/", "/uuid/start", "/uuid/fail"),
            ("/key/slug?create=1", "/key/slug/start?create=1", "/key/slug/fail?create=1"),
        ],
    )
    def test_urls(self, notifier, hub, url, start, fail):
        """/start and /fail go behind the path and before a query."""
        told = notifier(ping=hub.url + url)

        told.start()
        told.success(0)
        told.failure(1, "offline: no way to frankfurter")

        assert paths(hub) == [start, url.replace("/uuid/", "/uuid"), fail]

    def test_failure_carries_the_reason(self, notifier, hub):
        """The body of /fail is the one line that stderr shows."""
        notifier(ping=f"{hub.url}/uuid").failure(1, "offline:\nno way to frankfurter")

        assert hub.posted == [("/uuid/fail", b"usd-inr: offline: no way to frankfurter")]
        assert hub.requests[0][1]["content-type"] == "text/plain"


@pytest.mark.slow
def test_all_together_are_bounded(job, rates):
    """Services that hang are left behind together, not one after the other."""
    rates.misbehave(Fault(hang=True), times=100)
    hooks = tuple(f"{rates.url}/{number}" for number in range(4))
    usd = job(notify=hooks, ping=f"{rates.url}/ping")
    script = (
        "import sys, time\n"
        "from ratectl.firing.notify import Notifier\n"
        "from ratectl.fetch.http import Transport\n"
        "from ratectl.model.job import Job\n"
        "import json\n"
        "job = Job.from_plain(json.loads(sys.argv[1]))\n"
        "told = Notifier(job=job, transport=Transport())\n"
        "told.failure(1, 'why')\n"
        "print(len(told.remarks), flush=True)\n"
        "import os; os._exit(0)\n"
    )
    argv = (sys.executable, "-c", script, json.dumps(usd.to_plain()))

    done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS * 2, check=True)

    assert done.stdout == "5\n"


def test_a_short_timeout_still_fetches(job, installed, fire, rates, lines):
    """Time kept for messages never takes all of a short firing's time."""
    fire(installed(job(timeout=1, ping=f"{rates.url}/ping")))

    assert len(lines()) == 1


@pytest.mark.parametrize("timeout", [1, 5, 10, 60])
def test_a_switch_that_hangs_takes_nothing_from_the_fetch(job, installed, fire, lines, timeout):
    """However short a firing is, a dead-man's switch that never answers takes no second from its fetch."""
    with RateServer(demo_table()) as switch:
        switch.misbehave(Fault(hang=True), times=9)
        begun = time.monotonic()
        report = fire(installed(job(timeout=timeout, ping=f"{switch.url}/ping")))
        took = time.monotonic() - begun

    assert len(lines()) == 1
    assert report.error is None
    assert took < SECONDS + 4


def test_the_end_is_told_after_the_start(notifier, hub):
    """The switch hears of the end only when it has heard of the start, however slow it was to take that."""
    hub.misbehave(Fault(delay=1, body=b"ok"), times=1)
    told = notifier(ping=f"{hub.url}/uuid")

    told.start()
    told.success(0)

    assert paths(hub) == ["/uuid/start", "/uuid"]


class TestProgram:
    """What ratectl-fetch itself says."""

    @pytest.fixture
    def station(self, tmp_path):
        return Station(folder=tmp_path)

    def install(self, station, server, **changes):
        usd = station.job(server.url, timeout=1)
        station.install(dataclasses.replace(usd, **changes))

    def test_line_for_75_waits_for_notify_after(self, station, live_rates):
        """A passing failure says nothing until as many in a row as notify_after; the exit code always tells."""
        live_rates.misbehave(Fault(status=503), times=1000)
        self.install(station, live_rates, notify_after=3)

        done = []
        for _ in range(4):
            done.append(station.fetch())
            station.rest()

        assert [one.returncode for one in done] == [75] * 4
        assert [len(one.stderr.splitlines()) for one in done] == [0, 0, 1, 1]

    def test_verbose_always_says(self, station, live_rates):
        """With -v the first failure is told, and what could not be told to others."""
        live_rates.misbehave(Fault(status=503), times=1000)
        self.install(station, live_rates, notify_after=2, ping="http://127.0.0.1:9/uuid")

        done = station.fetch("-v")

        assert done.returncode == 75
        assert len(done.stderr.splitlines()) == 1
        assert "ping: 127.0.0.1:9: connection refused" in done.stdout
        assert "uuid" not in done.stdout

    def test_other_codes_always_say(self, station, live_rates):
        """What time does not mend is said at once."""
        live_rates.misbehave(Fault(body=b"[]"), times=1000)
        self.install(station, live_rates, notify_after=3)

        done = station.fetch()

        assert (done.returncode, len(done.stderr.splitlines())) == (65, 1)

    def test_lock_that_is_never_free(self, station, live_rates):
        """A failure that nothing counted follows the same rule: with notify_after = 1 it is said."""
        self.install(station, live_rates, overlap=Overlap.WAIT)
        path = station.state / "locks" / "job-usd-inr.lock"
        with locks.acquire(path, until=None) as got:
            assert got
            done = station.fetch()

        assert (done.returncode, len(done.stderr.splitlines())) == (75, 1)

    def test_apprise_is_loaded_only_to_tell(self, station, live_rates):
        """A good firing of a job with notify URLs imports nothing of it."""
        self.install(station, live_rates, notify=("json://127.0.0.1:9/a",))
        argv = (sys.executable, "-X", "importtime", *station.argv()[1:])

        good = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

        assert good.returncode == 0
        assert "apprise" not in good.stderr
        assert "requests" in good.stderr

    def test_one_line_whatever_apprise_says(self, station, live_rates):
        """Its own log lines never reach stderr."""
        live_rates.misbehave(Fault(body=b"[]"), times=1000)
        self.install(station, live_rates, notify=("json://127.0.0.1:9/T0KEN", "tgram://T0KEN/"))

        done = station.fetch()

        assert done.returncode == 65
        assert len(done.stderr.splitlines()) == 1
        assert "T0KEN" not in done.stderr
