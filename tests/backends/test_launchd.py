"""launchd: property lists, what launchd must find in them, and the steps around them."""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest
from scripts import golden
from tests.fakes.jobs import job
from tests.fakes.machine import done, host

from ratectl import plan
from ratectl.backends import launchd
from ratectl.backends.base import EngineAbsentError, RemoveFile, Run, WriteFile
from ratectl.errors import EngineError

MAC = host(platform="darwin", home=Path("/Users/ada"), user="ada", uid=501)
AGENTS = Path("/Users/ada/Library/LaunchAgents")
GOLDEN = sorted(golden.GOLDEN.glob("*/launchd/*.plist"))
RANGES = {"Minute": (0, 59), "Hour": (0, 23), "Day": (1, 31), "Weekday": (0, 7), "Month": (1, 12)}
TYPES = {
    "Label": str,
    "ProgramArguments": list,
    "RunAtLoad": bool,
    "Nice": int,
    "ProcessType": str,
    "StandardErrorPath": str,
    "StandardOutPath": str,
    "StartInterval": int,
    "StartCalendarInterval": list,
}


def ids(path):
    return f"{path.parents[1].name}-{path.stem}"


@pytest.mark.parametrize("path", GOLDEN, ids=ids)
def test_keys(path):
    """Every golden list has known keys of the right type, and calendar dicts that mean what they say."""
    values = plistlib.loads(path.read_bytes())

    assert {key: type(value) for key, value in values.items()} == {
        key: TYPES[key] for key in values
    }
    assert f"{values['Label']}.plist" == path.name
    starts = values.get("StartCalendarInterval", [])
    assert ("StartInterval" in values) != bool(starts)
    assert len(starts) < 500
    for start in starts:
        assert "Minute" in start
        assert not {"Day", "Weekday"} <= set(start)
        assert all(RANGES[key][0] <= value <= RANGES[key][1] for key, value in start.items())


@pytest.mark.engine
@pytest.mark.skipif(
    shutil.which("plistutil") is None and not os.environ.get("RATECTL_REQUIRE_ENGINES"),
    reason="libplist-utils is not installed",
)
@pytest.mark.parametrize("path", GOLDEN, ids=ids)
def test_another_reader(path, tmp_path):
    """Libplist reads the same values out of every golden list."""
    binary = tmp_path / "x.bin"

    subprocess.run(
        ("plistutil", "-i", str(path), "-o", str(binary), "-f", "bin"),
        check=True,
        capture_output=True,
    )

    assert plistlib.loads(binary.read_bytes()) == plistlib.loads(path.read_bytes())


class Mac:
    """launchctl and the folders it loads from."""

    def __init__(self):
        self.files = {}
        self.loaded = set()

    def which(self, program):
        assert program == "launchctl"
        return "/bin/launchctl"

    def names(self, folder):
        return tuple(sorted(path.name for path in self.files if path.parent == folder))

    def read(self, path):
        return self.files.get(path)

    def query(self, argv, *, stdin=b""):
        assert argv == ("launchctl", "list"), (argv, stdin)
        rows = "".join(f"-\t0\t{label}\n" for label in sorted(self.loaded))
        return done(stdout=b"PID\tStatus\tLabel\n" + rows.encode())

    def perform(self, steps):
        for step in steps:
            if isinstance(step, WriteFile):
                self.files[step.path] = step.data
            elif isinstance(step, RemoveFile):
                self.files.pop(step.path, None)
            elif step.argv[1] == "bootstrap":
                assert Path(step.argv[3]) in self.files
                self.loaded.add(Path(step.argv[3]).stem)
            else:
                assert step.argv[1] == "bootout", step
                self.loaded.discard(step.argv[2].rpartition("/")[2])


def install(mac, *wanted):
    found = launchd.inspect(mac, MAC, "user")
    texts = {j.name: launchd.render(j, launchd.check(j, MAC.zone), MAC, "user") for j in wanted}
    changes = plan.pending(plan.changes(texts, found.entries, prune=True))
    steps = launchd.stage(changes, found, MAC, "user")
    mac.perform(steps)
    return steps


def test_install_list_remove():
    """An agent goes in, is found as rendered and loaded, is replaced, and leaves nothing."""
    mac = Mac()

    install(mac, job())
    held = launchd.inspect(mac, MAC, "user").entries["usd-inr"]
    assert held.triggers == ("Hour=10 Minute=30",)
    assert held.enabled
    assert install(mac, job()) == ()
    steps = install(mac, job(schedule='"every day at 11:45"'))
    assert [s.argv[1] if isinstance(s, Run) else type(s) for s in steps] == [
        "bootout",
        WriteFile,
        "bootstrap",
    ]
    install(mac)
    assert not mac.files
    assert not mac.loaded


def test_an_unloaded_agent_is_drift():
    """An agent that was unloaded by hand is told and loaded again."""
    mac = Mac()
    install(mac, job())
    mac.loaded.clear()

    assert launchd.inspect(mac, MAC, "user").entries["usd-inr"].drift == (
        "the agent is not loaded",
    )
    install(mac, job())
    assert mac.loaded == {"ratectl.usd-inr"}


@pytest.mark.parametrize(
    "data", [b"not a plist", plistlib.dumps({"Label": "other"}), plistlib.dumps([1])]
)
def test_lists_of_others_are_not_ours(data):
    """A file that merely has such a name is not listed and not overwritten."""
    mac = Mac()
    mac.files[AGENTS / "ratectl.usd-inr.plist"] = data

    assert not launchd.inspect(mac, MAC, "user").entries
    with pytest.raises(EngineError, match="was not written by ratectl"):
        install(mac, job())


def test_no_mac():
    """Off macOS there is no such engine."""

    class Elsewhere:
        def which(self, _program):
            return None

    with pytest.raises(EngineAbsentError, match="launchctl"):
        launchd.inspect(Elsewhere(), MAC, "user")


def test_scopes():
    """Agents need a login, which is a caveat; daemons do not and log to the system's folder."""
    assert "logged in" in launchd.caveats(Mac(), MAC, "user")[0]
    assert launchd.caveats(Mac(), MAC, "system") == ()
    (text,) = launchd.render(job(), launchd.check(job(), MAC.zone), MAC, "system")
    assert plistlib.loads(text.data)["StandardErrorPath"] == "/Library/Logs/ratectl.usd-inr.log"
