"""Folders that macOS closes to scheduled programs: told before anything is written, with a better place."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace

import pytest

from ratectl.deploy.checks import closed_folders
from ratectl.model.job import Output, Provider
from tests.fakes.jobs import job
from tests.fakes.machine import Machine, host, mac
from tests.fakes.office import Office

CLOSED = {
    "/Users/ada/Documents/rates.txt": "Documents",
    "/Users/ada/Desktop/a/b.csv": "Desktop",
    "/Users/ada/Downloads/b.csv": "Downloads",
    "/Users/ada/Library/Mobile Documents/com~apple~CloudDocs/r.txt": "iCloud Drive",
    "/Users/ada/Library/CloudStorage/Dropbox/r.txt": "a cloud's folder",
    "/Volumes/stick/r.txt": "another volume",
}
OPEN = ["/Users/ada/rates/r.txt", "/Users/ada/Documents-old/r.txt", "/srv/r.txt", "/Volumes"]


def told(*paths, account=None, **changes):
    usd = replace(
        job(), outputs=tuple(Output(kind="text", target=path) for path in paths), **changes
    )
    account = account or mac()
    return list(closed_folders.warnings([usd], account, Machine(mac=True)))


@pytest.mark.parametrize("path", CLOSED)
def test_closed(path):
    """An output there is named with the folder, the program to allow and a better place."""
    [warning] = told(path)

    assert warning.startswith(f"usd-inr: the output {path} lies in {CLOSED[path]}")
    assert "/opt/ratectl/python" in warning
    assert f"/Users/ada/rates/{path.rpartition('/')[2]}" in warning


@pytest.mark.parametrize("path", OPEN)
def test_open(path):
    """Elsewhere nothing is closed."""
    assert told(path) == []


def test_everything_that_is_used():
    """Keys, addresses, certificates, the program and the state directory are looked at as well."""
    key = Provider(name="x", kind="openexchangerates", api_key="file:/Users/ada/Desktop/key")
    account = mac(fetch=("/Users/ada/Documents/venv/bin/python3", "-I", "/Volumes/x/f.py"))

    warnings = told(
        "/srv/r.txt",
        account=account,
        providers=(key,),
        notify=("file:/Users/ada/Downloads/urls",),
        ca_bundle="/Volumes/x/ca.pem",
    )

    places = ("venv/bin/python3", "/Volumes/x/f.py", "Desktop/key", "Downloads/urls", "ca.pem")
    assert len(warnings) == len(places)
    assert all(any(place in text for text in warnings) for place in places)


def test_only_on_a_mac():
    """Other systems have no such rule."""
    assert told("/home/tester/Documents/r.txt", account=host()) == []


@pytest.mark.posix("paths of another system")
def test_install_warns(tmp_path):
    """An install goes on, and says it."""
    office = Office(tmp_path, "launchd")

    prepared = office.install(job(output='"/Users/ada/Documents/r.txt"'))

    assert [text for text in prepared.warnings if "lies in Documents" in text]


@pytest.mark.network
def test_a_firing_that_hangs_ends_by_itself():
    """No engine of a Mac ends it: a firing that is blocked by the system ends after its own time, and is tried again."""
    script = (
        "import sys, time; from ratectl.firing import command_line as program;"
        "program._end_after(0.3, 'usd-inr'); time.sleep(60)"
    )
    begun = time.monotonic()

    done = subprocess.run(
        (sys.executable, "-c", script), capture_output=True, text=True, timeout=50, check=False
    )

    assert done.returncode == 75
    assert done.stderr.startswith("ratectl-fetch: usd-inr: ended after 0.3 s")
    assert time.monotonic() - begun < 30
