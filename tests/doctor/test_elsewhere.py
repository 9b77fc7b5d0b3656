"""The doctor on systems that are not at hand: what it says there of macOS's and Windows's own schedulers."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace

import pytest

from ratectl.backends.host import ClusterTarget
from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.backends.protocol import Found
from ratectl.deploy import remedies
from ratectl.deploy.targets import Target
from ratectl.doctor import clock, engine, firings, outputs
from ratectl.doctor.observations import Observations
from ratectl.journal.rows import Firing
from tests.fakes.jobs import job
from tests.fakes.machine import Machine, host
from tests.support.firings import FRIDAY


def scene(backend, platform, *programs, scope="user", wanted=None, **facts):
    """Return a scene with one job of *backend* on *platform*, where *programs* are installed."""
    machine = Machine(flavour=None, mac="launchctl" in programs)
    machine.programs |= set(programs)
    if machine.launchd:
        machine.launchd.domains.add("gui/1000")
    row = SimpleNamespace(
        job=wanted or job(),
        backend=backend,
        scope=scope,
        spec="/s/my jobs.toml",
        enabled=True,
        paused=False,
        host_timezone="Asia/Kolkata",
    )
    return Observations(
        host=host(platform=platform, **facts),
        reader=machine,
        now=FRIDAY,
        jobs=(row,),
        found_at={},
        refused={},
    )


@pytest.mark.parametrize(
    ("backend", "platform", "program", "mend"),
    [
        (
            "launchd",
            "darwin",
            "launchctl",
            "sudo ratectl install '/s/my jobs.toml' --scope system",
        ),
        ("windows", "win32", "schtasks", "rundll32.exe user32.dll,LockWorkStation"),
    ],
)
def test_jobs_that_end_with_the_session(backend, platform, program, mend):
    """Where entries run only while their user is logged in, that is a warning with the way around it."""
    [finding] = engine.engines(scene(backend, platform, program))

    assert (finding.check, finding.severity) == ("only-while-logged-in", "warning")
    assert finding.fix == mend


def test_tasks_of_an_administrators_prompt():
    """Tasks that run without anybody logged on are no fault, and nobody is told to lock the screen for them."""
    assert list(engine.engines(scene("windows", "win32", "schtasks", root=True))) == []


@pytest.mark.parametrize(("backend", "platform"), [("launchd", "darwin"), ("windows", "win32")])
def test_no_such_engine(backend, platform):
    """A job whose engine is not there is a fault."""
    checks = [
        (finding.check, finding.severity) for finding in engine.engines(scene(backend, platform))
    ]

    assert ("engine-absent", "fault") in checks


def test_nobody_says_whether_the_clock_is_kept():
    """Where the system does not tell, the doctor does not guess, and accounts expire on Linux only."""
    there = scene("launchd", "darwin", "launchctl")
    there.reader.synchronised = None

    assert list(clock.synchronisation(there)) == []
    assert list(engine.account(there)) == []


@pytest.mark.parametrize(
    ("installed", "command"),
    [
        ({"apt-get"}, "sudo apt-get install tzdata"),
        ({"dnf"}, "sudo dnf install tzdata"),
        ({"apk"}, "sudo apk add tzdata"),
        (set(), "sudo apt-get install tzdata"),
    ],
)
def test_package_managers(installed, command):
    """A package is installed with the program that this machine has for it."""
    machine = Machine()
    machine.programs = installed

    assert remedies.package(host(), machine, "tzdata") == command


@pytest.mark.parametrize(
    ("platform", "command"),
    [
        ("linux", "sudo apt-get install chrony"),
        ("darwin", "sudo systemsetup -setusingnetworktime on"),
        ("win32", "w32tm /resync"),
    ],
)
def test_keeping_the_clock(platform, command):
    """A clock is kept by what the system has for it."""
    assert remedies.keep_clock(host(platform=platform), Machine()) == command


def test_services():
    """A service is started by systemd where that runs, else by its script; on Windows nothing asks for root."""
    assert remedies.start_service(host(), Machine(booted=True), "cron").startswith("sudo systemctl")
    assert remedies.start_service(host(root=True), Machine(), "cron") == "service cron start"


def test_commands_of_windows():
    """On Windows the commands are those that are there."""
    there, path = host(platform="win32", user="S-1-5-21"), PureWindowsPath(r"C:\a b\x.txt")

    assert remedies.typed(there, "a", "b c") == 'a "b c"'
    assert remedies.aside(there, path) == r'move "C:\a b\x.txt" "C:\a b\x.txt.aside"'
    assert remedies.to_account(there, path) == r'icacls "C:\a b\x.txt" /grant *S-1-5-21:M'
    assert remedies.room(there, path) == r'fsutil volume diskfree "C:\a b\x.txt"'
    assert remedies.new_secret(there, str(path)) == r'notepad "C:\a b\x.txt"'
    assert remedies.look_up(there, "rates.invalid") == "nslookup rates.invalid"


@pytest.mark.posix("a shell of another system")
def test_credentials():
    """A credential that systemd's stores do not hold is a fault where that can be seen, which is as root."""
    key = replace(job().providers[0], api_key="credential:office")
    wanted = replace(job(), providers=(key,))
    there = scene("systemd", "linux", scope="system", wanted=wanted, root=True)
    here = scene("systemd", "linux", wanted=wanted)

    [finding] = outputs.keys(there, there.jobs[0])
    assert (finding.check, finding.severity) == ("key-unreadable", "fault")
    assert finding.fix == "(umask 077 && cat > /etc/credstore/office)"
    assert list(outputs.keys(here, here.jobs[0])) == []
    there.reader.files[Path("/run/credstore/office")] = b"secret"
    assert list(outputs.keys(there, there.jobs[0])) == []


@pytest.mark.parametrize(
    ("slot", "trouble", "checks"),
    [
        ("2026-11-20 05:00Z", "Error, exit code 75: try later", ["firings-failing"]),
        (
            "2026-11-20 06:00Z",
            "Error, exit code 75: try later",
            ["runs-failing", "firings-failing"],
        ),
        ("2026-11-20 05:00Z", "OOMKilled, exit code 137", ["runs-failing", "firings-failing"]),
    ],
)
def test_a_firing_that_recorded_its_failure(slot, trouble, checks):
    """A pod whose firing told its reason in the journal is not told a second time by its exit code."""
    cluster = ClusterTarget(context="one", namespace="rates", server="https://one")
    there = scene("kubernetes", "linux", "kubectl", cluster=cluster)
    [row] = there.jobs
    row.failures, row.settled_until, row.retry_at, name = 2, FRIDAY, None, row.job.name
    home = Target(backend=kubernetes, scope="user", host=there.host, reader=there.reader)
    row.place = home.place
    at = dt.datetime(2026, 11, 20, 5, 0, tzinfo=dt.UTC)
    last = Firing(job=name, slot=at, outcome="failed", detail="it is down", at=at, settled=False)
    observed = replace(there, found_at={home: Found(entries={}, raw={})}, last={name: last})
    text = f"the run of {slot} did not succeed: {trouble}"
    observed.__dict__["troubles"] = {home: {name: (text,)}}  # what a cluster was found to tell

    found = [*firings.runs(observed, row), *firings.failing(observed, row)]

    assert [finding.check for finding in found] == checks
