"""What ``serve`` does while others rename, remove, pause or edit what it serves."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from ratectl.commands.more import serve
from ratectl.deploy import renames
from ratectl.errors import ConfigError
from ratectl.journal.journal import Journal
from tests.fakes.station import now

pytestmark = pytest.mark.network  # what wakes a server is a pair of sockets, which Windows connects

SPEC = """
[jobs.{name}]
pairs = ["USD/INR"]
schedule = "{schedule}"
output = "{output}"
"""
DEAD = "http://127.0.0.1:9"


@pytest.fixture
def record(station):
    """Record a spec of one job, as `serve SPEC` begins."""

    def write(name="usd-inr", schedule="every day at 10:30", file="jobs.toml", output="rates.txt"):
        path = station.folder / file
        target = (station.folder / output).as_posix()
        path.write_text(SPEC.format(name=name, schedule=schedule, output=target), encoding="utf-8")
        return take_up(path)

    def take_up(path):
        with Journal(station.state) as journal:
            serve._record(journal, path)
        return path

    write.take_up = take_up
    return write


@pytest.fixture
def looks(station, capsys):
    """Return what several looks at the journal say, of a server of some jobs (none: of all)."""
    loops = []

    def begin(*names):
        stop = serve._Stop()
        loops.append((serve._Loop(station.state, frozenset(names), stop), stop))
        look(1)
        return loops[-1][0]

    def look(times=3):
        for _ in range(times):
            loops[-1][0]._rows()
        return capsys.readouterr().err

    begin.said = look
    yield begin
    for loop, stop in loops:
        loop.held.close()
        stop.__exit__()


def in_journal(station, change, *arguments):
    with Journal(station.state) as journal:
        getattr(journal, change)(*arguments)


@pytest.mark.parametrize("names", [(), ("usd-inr",)], ids=["all", "named"])
def test_a_new_name(station, record, looks, names):
    """A job that was renamed is served under its new name, and that is said once."""
    record()
    loop = looks(*names)
    in_journal(station, "rename_jobs", {"usd-inr": "dollar"})

    assert looks.said() == "ratectl: usd-inr is dollar now, and is served under that name\n"
    assert list(loop._wakes()) == ["dollar"]


def test_the_last_of_the_named_jobs_is_removed(station, record, looks):
    """A server whose jobs were all removed says so and ends."""
    record()
    loop = looks("usd-inr")
    in_journal(station, "forget_jobs", ["usd-inr"])

    loop.run(0)

    assert looks.said() == (
        "ratectl: usd-inr was removed, and is served no more; no job is left to serve, so this ends\n"
    )


def test_the_last_of_all_jobs_is_removed(station, record, looks):
    """A server of whatever is installed says that it waits for a job, and serves the next one."""
    record()
    loop = looks()
    in_journal(station, "forget_jobs", ["usd-inr"])

    assert looks.said().endswith(
        "; no job is left, and this waits until one is installed (Ctrl-C ends it)\n"
    )
    record("dollar")
    assert list(loop._wakes()) == ["dollar"]


def test_one_of_two_is_removed(station, record, looks):
    """The others go on."""
    record()
    record("eur-inr", file="other.toml", output="other.txt")
    loop = looks("usd-inr", "eur-inr")
    in_journal(station, "forget_jobs", ["usd-inr"])

    assert looks.said() == "ratectl: usd-inr was removed, and is served no more\n"
    assert list(loop._wakes()) == ["eur-inr"]


def test_a_pause(station, record, looks):
    """A pause and its end are said, each once."""
    record()
    looks("usd-inr")
    in_journal(station, "pause_jobs", ["usd-inr"])
    paused = looks.said()
    in_journal(station, "resume_jobs", ["usd-inr"], now())

    assert paused == (
        "ratectl: usd-inr is paused: nothing wakes it until `ratectl resume usd-inr`\n"
    )
    assert looks.said() == "ratectl: usd-inr is paused no more\n"


def test_the_rest_of_a_minute_after_a_pause(station, record, looks):
    """A job that is resumed wakes at the next of its slots, also in a minute that a firing had begun to walk."""
    record(schedule="every 10 seconds")
    loop = looks("usd-inr")
    loop._seen["usd-inr"] = now() + dt.timedelta(minutes=5)
    in_journal(station, "pause_jobs", ["usd-inr"])
    looks.said()
    in_journal(station, "resume_jobs", ["usd-inr"], now())
    looks.said()

    assert loop._wakes()["usd-inr"] <= now() + dt.timedelta(seconds=10)


def test_two_servers_of_a_job(record, looks):
    """The second one leaves the job to the first, says so once, and goes on with it when that ends."""
    record(schedule="every 10 seconds")
    first = looks("usd-inr")
    second = looks("usd-inr")

    assert list(first._wakes()) == ["usd-inr"]
    assert list(second._wakes()) == []
    first.held.close()
    assert looks.said() == ""
    assert list(second._wakes()) == ["usd-inr"]


def test_what_another_server_wakes_is_said(station, record, looks, capsys):
    """Else one would take a server that waits for one that is broken."""
    record()
    looks("usd-inr")
    with serve._Stop() as stop:
        loop = serve._Loop(station.state, frozenset({"usd-inr"}), stop)
        capsys.readouterr()
        loop._rows()
        loop._rows()
        loop.held.close()

    assert capsys.readouterr().err == (
        "ratectl: usd-inr: another `ratectl serve` wakes that, and this one does when it ends\n"
    )


def test_an_edited_spec(record, looks):
    """What a spec says by now is told once, with the command that takes it up; until then nothing changes."""
    path = record()
    loop = looks("usd-inr")
    before = loop._wakes()
    text = path.read_text().replace("10:30", "11:30")
    path.write_text(f"{text}{text.replace('usd-inr', 'dollar').replace('rates', 'more')}")

    assert looks.said() == (
        f"ratectl: usd-inr: spec changed: `ratectl serve {path}`, started again, applies it\n"
        f"ratectl: dollar: new in {path}; `ratectl serve {path}`, started again, takes that up\n"
    )
    assert loop._wakes() == before
    path.write_text(path.read_text() + "# by me\n")
    path.unlink()
    assert f"usd-inr: spec missing: {path}" in looks.said()


def test_a_new_name_in_an_edited_spec(record, looks):
    """A name that was changed by hand is told with the command that takes the record along, and as no new job."""
    path = record()
    looks("usd-inr")
    path.write_text(path.read_text().replace("usd-inr", "dollar"))

    assert looks.said() == (
        "ratectl: usd-inr: renamed to 'dollar' in the spec: `ratectl rename usd-inr dollar` takes its record along\n"
    )


def test_a_firing_that_comes_after_a_removal(station):
    """A firing of a job that was removed since it was woken is no failure of the server."""
    station.install(station.job(DEAD))
    in_journal(station, "forget_jobs", ["usd-inr"])
    with serve._Stop() as stop:
        loop = serve._Loop(station.state, frozenset({"usd-inr"}), stop)
        loop._start("usd-inr")
        loop._finish()

    assert loop.failed == 0


def test_a_job_of_another_file(station, record):
    """A job of another spec that still has it is not taken over, in the words of an install; of a file that was moved it is."""
    first = record(file="one.toml")

    with pytest.raises(ConfigError) as told:
        record(file="two.toml", output="two.txt")

    second = station.folder / "two.toml"
    assert str(told.value).startswith(
        f"'usd-inr' is a job of {first}, and {second} has one of the same name; rename one of them, or"
    )
    with Journal(station.state) as journal:
        assert journal.installed_job("usd-inr").job.outputs[0].target.endswith("rates.txt")
    first.unlink()
    record.take_up(second)
    with Journal(station.state) as journal:
        assert journal.installed_job("usd-inr").spec == str(second)


def test_slots_that_passed_before_the_start_count(station, live_rates):
    """`--count 1` ends after the first look where that had something to settle."""
    station.install(station.job(live_rates.url))
    with serve._Stop() as stop:
        loop = serve._Loop(station.state, frozenset(), stop)
        loop.catch_up(1)
        loop.run(1)
        loop.held.close()

    assert loop.fired == 1
    assert len(station.recorded()) == 1


def test_slots_of_the_first_minute_count(station, monkeypatch):
    """A firing at the start that records the seconds which are left of its minute is one, too."""
    begun = now().replace(second=10)
    station.install(station.job(DEAD, schedule_texts=("every 20 seconds",)), since=begun)
    monkeypatch.setattr(serve, "utc_now", lambda: begun)
    with serve._Stop() as stop:
        loop = serve._Loop(station.state, frozenset(), stop)
        started = []
        monkeypatch.setattr(loop, "_start", started.append)
        loop.catch_up(1)
        loop.run(1)
        loop.held.close()

    assert started == ["usd-inr"]


def test_a_look_with_nothing_to_settle_is_not_counted(station, live_rates):
    """`--count 1` of a job that was just recorded waits for its next slot."""
    later = f"every day at {now() + dt.timedelta(hours=2):%H:%M}"
    station.install(station.job(live_rates.url, schedule_texts=(later,)), since=now())
    with serve._Stop() as stop:
        loop = serve._Loop(station.state, frozenset(), stop)
        loop.catch_up(1)
        stop.ask()
        loop._finish()
        loop.held.close()

    assert loop.fired == 0


SECONDS = """
[providers.mine]
kind = "exchangerate-api-v4"
base_url = "{url}/v4"

[jobs.usd-inr]
pairs = ["USD/INR"]
schedule = "every 2 seconds"
providers = ["mine"]
output = "{output}"
"""


@pytest.mark.slow
@pytest.mark.posix("it is told to stop by a signal")
def test_a_rename_while_it_records(station, live_rates):
    """A running server goes on under the new name within moments, and records each slot once."""
    path, output = station.folder / "jobs.toml", station.folder / "rates.txt"
    path.write_text(SECONDS.format(url=live_rates.url, output=output.as_posix()), encoding="utf-8")
    environment = {**os.environ, "RATECTL_STATE_DIR": str(station.state)}
    program = (sys.executable, "-m", "ratectl")

    def lines():
        return len(output.read_text().splitlines()) if output.exists() else 0

    def wait_for(number):
        give_up = time.monotonic() + 90
        while lines() < number:
            assert time.monotonic() < give_up
            time.sleep(0.05)

    argv = (*program, "serve", str(path))
    with subprocess.Popen(argv, env=environment, stderr=subprocess.PIPE, text=True) as serving:
        try:
            wait_for(2)
            argv = (*program, "rename", "usd-inr", "dollar")  # waits for the minute's firing to end
            done = subprocess.run(argv, env=environment, check=True, timeout=renames.PATIENCE + 30)
            before = lines()
            wait_for(before + 3)
            serving.send_signal(signal.SIGTERM)
            said = serving.communicate(timeout=70)[1]
        finally:
            serving.kill()

    assert (done.returncode, serving.returncode) == (0, 0)
    assert "ratectl: usd-inr is dollar now, and is served under that name" in said
    recorded = [slot for slot, _ in station.recorded("dollar")]
    assert len(set(recorded)) == len(recorded) == lines()
    assert recorded[-1] - recorded[0] == dt.timedelta(seconds=2 * (len(recorded) - 1))
    assert "[jobs.dollar]" in path.read_text()


GONE = ("next", "run", "pause", "resume", "backfill")


class TestAfterItsRemoval:
    """Whoever asks for a removed job is told the command that brings it back, in the words of `remove`."""

    @pytest.fixture
    def back(self, ratectl, record):
        """What `remove` says."""
        path = record()
        told = ratectl("remove", "usd-inr").out
        [command] = re.findall(r"`(.*?)` brings it back", told)
        assert command == f"ratectl serve {path}"
        return command

    @pytest.mark.usefixtures("station")
    @pytest.mark.parametrize(
        "words",
        [
            *((verb, "usd-inr") for verb in GONE),
            ("rename", "usd-inr", "dollar"),
            ("record", "usd-inr", "USD/INR", "95.1", "--on", "yesterday"),
            ("status", "usd-inr"),
            ("doctor", "usd-inr", "--offline"),
            ("serve", "usd-inr"),
            ("remove", "usd-inr"),
        ],
        ids=lambda words: words[0],
    )
    def test_what_brings_it_back(self, ratectl, back, words):
        """Each command that misses the job tells that one."""
        answer = ratectl(*words)

        assert answer.code == 78
        assert "job 'usd-inr' was removed, and its record kept: `ratectl history" in answer.err
        assert f"; `{back}` brings it back\n" in answer.err


class TestWithoutItsSpec:
    """A served job whose spec file is gone goes on by its name."""

    def test_what_is_advised(self, ratectl, record):
        """`status` and `doctor` name what works."""
        record().unlink()

        assert "`ratectl serve usd-inr` does" in " ".join(ratectl("status").out.split())
        told = ratectl("doctor", "--offline", "--json").out
        mends = {finding["check"]: finding["mend"] for finding in json.loads(told)}
        assert mends["not-served"] == "ratectl serve usd-inr"
        assert "`ratectl serve NEW-PATH` where it lies now" in mends["spec-unusable"]


@pytest.mark.usefixtures("station")
@pytest.mark.parametrize("verb", ["list", "status"])
@pytest.mark.parametrize("is_there", [True, False], ids=["with a spec", "without"])
def test_nothing_installed_where_no_scheduler_runs(
    ratectl, scheduler, monkeypatch, tmp_path, verb, is_there
):
    """`serve` is advised in the place of an install, and `init` only where there is no spec."""
    scheduler("none runs")
    monkeypatch.setenv("RATECTL_CONFIG_DIR", str(tmp_path))
    path = tmp_path / "jobs.toml"
    if is_there:
        path.touch()

    told = " ".join(ratectl(verb).out.split())

    assert f"`ratectl serve {path}` runs its jobs, as no scheduler does here" in told
    assert ("`ratectl init`" in told) == (not is_there)
    assert "ratectl install" not in told


@pytest.mark.usefixtures("station")
def test_nothing_installed_of_a_spec_that_names_its_scheduler(
    ratectl, scheduler, monkeypatch, tmp_path
):
    """A spec for a cluster, say, is installed, whatever runs on this machine."""
    scheduler("none runs")
    monkeypatch.setenv("RATECTL_CONFIG_DIR", str(tmp_path))
    (tmp_path / "jobs.toml").write_text('[ratectl]\nbackend = "kubernetes"\n')

    assert "`ratectl install` installs its jobs" in " ".join(ratectl("list").out.split())
