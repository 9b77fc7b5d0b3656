"""launchd: property lists, what launchd must find in them, and the steps around them."""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from ratectl.backends.launchd import backend as launchd
from ratectl.backends.protocol import EngineAbsentError, Verb
from ratectl.backends.steps import Expect, Run, WriteFile
from ratectl.errors import EngineError
from ratectl.journal.journal import Journal
from scripts import golden
from tests.fakes.jobs import job, jobs
from tests.fakes.machine import done, mac
from tests.fakes.office import Office
from tests.fakes.station import now

MAC = mac()
PLIST = Path("/Users/ada/Library/LaunchAgents/ratectl.usd-inr.plist")
LOG = Path("/Users/ada/Library/Logs/ratectl.usd-inr.log")
TARGET = "gui/501/ratectl.usd-inr"
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
    "KeepAlive": dict,
    "ThrottleInterval": int,
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


@pytest.fixture
def office(tmp_path):
    return Office(tmp_path, "launchd")


def entry(office, job="usd-inr"):
    return office.site.backend.inspect(office.machine, office.account, "user").entries[job]


def acts(prepared):
    """Return what the steps do, in short."""
    return [s.argv[1] if isinstance(s, Run | Expect) else type(s) for s in prepared.main.steps]


@pytest.mark.posix("paths of another system")
def test_install_list_remove(office):
    """An agent goes in, is found as rendered and loaded, is replaced, and leaves nothing: no file, no log, no override."""
    launchd_ = office.machine.launchd
    assert acts(office.install(job())) == ["bootout", "print", WriteFile, "bootstrap"]
    assert entry(office).triggers == ("Hour=10 Minute=30",)
    assert entry(office).enabled
    assert launchd_.loaded[TARGET] == office.machine.files[PLIST]
    assert office.machine.modes[PLIST] == 0o644

    office.install(job(schedule='"every day at 11:45"'))
    assert launchd_.loaded[TARGET] == office.machine.files[PLIST]
    assert entry(office).triggers == ("Hour=11 Minute=45",)
    office.machine.files[LOG] = b"ratectl: no network\n"

    office.remove()
    assert not office.machine.files
    assert (launchd_.loaded, launchd_.overrides) == ({}, {})


@pytest.mark.network
def test_what_failed_is_tried_again(office, station):
    """The very command of an agent is started again while something is owed, and not once it is settled or broken."""
    office.install(job())
    launchd_ = office.machine.launchd
    started = len(launchd_.starts)
    flags = plistlib.loads(launchd_.loaded[TARGET])["ProgramArguments"][5:]
    assert flags == ["--again"]
    station.install(station.job("http://127.0.0.1:9", timeout=2))

    fails, early = (station.fetch(*flags).returncode for _ in range(2))
    again = [launchd_.ended(TARGET, code) for code in (fails, early)]
    at_midnight = station.job("http://127.0.0.1:9", schedule_texts=("every day at 00:00",))
    station.install(at_midnight, since=now())  # nothing is due
    nothing = station.fetch(*flags).returncode
    with Journal(station.state) as journal:
        journal.forget_jobs(["usd-inr"])
    gone = station.fetch(*flags)

    assert again == [60, 60]
    assert len(launchd_.starts) == started + 2
    assert [launchd_.ended(TARGET, code) for code in (nothing, gone.returncode)] == [None, None]
    assert "was removed" in gone.stderr


def test_what_is_started_each_minute_anyway(office):
    """An agent that is started each minute is not kept alive besides, which would hold its starts up."""
    office.install(job(schedule='"every 10 seconds"'))

    assert "KeepAlive" not in plistlib.loads(office.machine.launchd.loaded[TARGET])


@pytest.mark.posix("paths of another system")
def test_an_error_5_says_more(office):
    """What launchctl calls an input/output error is told with what it may mean, and where launchd says it itself."""
    office.machine.launchd.lingers = 10**6
    office.machine.launchd.lingering[TARGET] = 10**6

    with pytest.raises(EngineError, match=r"(?s)still loaded|Login Items"):
        office.install(job())
    told = launchd._not_loaded(
        "usd-inr", "gui/501", PLIST.parent, done(5, stderr=b"Bootstrap failed: 5")
    )

    assert f"ls -le {PLIST}" in str(told)
    assert "log show --last 2m" in str(told)
    assert "Login Items" not in str(
        launchd._not_loaded("usd-inr", "gui/501", PLIST.parent, done(122, stderr=b"x"))
    )


def test_unloading_takes_its_time(office):
    """An entry is loaded again only when the old one is seen to be gone, however long that takes."""
    office.machine.launchd.lingers = 5
    office.install(job())
    office.install(job(schedule='"every day at 11:45"'))

    assert entry(office).enabled


def test_an_entry_that_stays(office):
    """An entry that does not go away is an error that names it, and nothing is written over it."""
    office.install(job())
    office.machine.launchd.lingers = 1000

    with pytest.raises(EngineError, match=r"ratectl\.usd-inr is still loaded after 30 seconds"):
        office.install(job(schedule='"every day at 11:45"'))


def test_an_entry_without_its_file(office):
    """An entry whose file somebody deleted without unloading it is replaced by the next install."""
    office.install(job())
    del office.machine.files[PLIST]

    office.install(job(schedule='"every day at 11:45"'))

    assert entry(office).enabled


UNDOING = {
    "unloaded": lambda machine: machine.launchd.call(("bootout", TARGET)),
    "disabled": lambda machine: machine.launchd.call(("disable", TARGET)),
    "disabled and unloaded": lambda machine: (
        machine.launchd.call(("disable", TARGET)),
        machine.launchd.call(("bootout", TARGET)),
    ),
    "file edited": lambda machine: machine.files.update(
        {PLIST: machine.files[PLIST].replace(b"<integer>30<", b"<integer>31<")}
    ),
    "may be written by others": lambda machine: machine.modes.update({PLIST: 0o666}),
    "given to root": lambda machine: machine.owners.update({PLIST: 0}),
}


@pytest.mark.parametrize("undoing", UNDOING.values(), ids=UNDOING)
def test_drift(office, undoing):
    """What somebody undid behind our back is found, and mended by an install."""
    office.machine.launchd.lingers = 0
    office.install(*jobs("usd-inr", "eur-inr"))
    undoing(office.machine)
    before = entry(office)
    planned = office.plan(*jobs("usd-inr", "eur-inr"))
    office.machine.owners.pop(PLIST, None)  # a file that is replaced is the account's own

    office.install(*jobs("usd-inr", "eur-inr"))

    assert {c.job: c.verb for c in planned.main.changes} == {
        "eur-inr": Verb.KEEP,
        "usd-inr": Verb.UPDATE,
    }
    assert before.drift or before.triggers != entry(office).triggers
    assert (entry(office).drift, entry(office).enabled) == ((), True)
    assert office.install(*jobs("usd-inr", "eur-inr")).empty


def test_enabled_only_where_disabled(office):
    """Since launchd keeps a record of each ``enable`` for ever, only what was disabled is enabled."""
    office.install(*jobs("usd-inr", "eur-inr"))
    assert office.machine.launchd.overrides == {}
    office.machine.launchd.call(("disable", TARGET))

    office.install(*jobs("usd-inr", "eur-inr"))

    assert office.machine.launchd.overrides == {TARGET: False}


def test_disabled_before_it_was_ours(office):
    """A label that was disabled when nothing of ours was there is enabled, too, and then loaded."""
    office.machine.launchd.call(("disable", TARGET))

    office.install(job())

    assert entry(office).enabled


def test_macos_12_words():
    """Before macOS 13 the table of overrides said true for disabled and false for enabled."""
    table = '\tdisabled services = {\n\t\t"ratectl.a" => true\n\t\t"ratectl.b" => false\n\t\t"x" => true\n'

    class Old:
        def query(self, argv):
            assert argv == ("launchctl", "print-disabled", "gui/501")
            return done(stdout=table.encode())

    assert launchd._disabled(Old(), "gui/501") == {"a"}


def test_nobody_at_the_screen(office):
    """Where the account is not logged in at the screen, an install says so and names the way out; nothing is changed."""
    office.machine.launchd.log_out()

    with pytest.raises(EngineError, match=r"no gui/501.*not logged in.*user/501.*--scope system"):
        office.install(job())

    assert not office.machine.files
    assert "not logged in" in launchd.detect(office.machine, office.account, "user")


def test_after_a_logout(office):
    """Agents that stand are no drift while their user is away, can be removed, and are loaded at the next login."""
    office.install(*jobs("a", "b"))
    office.machine.launchd.log_out()
    assert (entry(office, "a").drift, entry(office, "a").enabled) == ((), False)

    office.remove("a")
    office.machine.launchd.log_in()

    assert office.held() == ["b"]
    assert set(office.machine.launchd.loaded) == {"gui/501/ratectl.b"}
    assert office.install(job("b")).empty


def test_started_at_load(office):
    """Each entry is started when it is loaded, so that what a switched-off machine missed is found."""
    office.install(*jobs("a", "b"))

    assert office.machine.launchd.starts == ["gui/501/ratectl.a", "gui/501/ratectl.b"]


def test_daemons(office):
    """For the whole system, entries stand in the daemons' folder and domain, whoever is logged in."""
    office.account = mac(
        user="root",
        root=True,
        uid=0,
        home=Path("/var/root"),
        state_dir=office.account.state_dir,
    )
    office.machine.launchd.log_out()
    office.site = replace(office.site, scope="system", host=office.account)

    office.install(job())
    assert set(office.machine.launchd.loaded) == {"system/ratectl.usd-inr"}
    assert list(office.machine.files) == [Path("/Library/LaunchDaemons/ratectl.usd-inr.plist")]
    office.remove()

    assert not office.machine.files
    assert not office.machine.launchd.loaded


@pytest.mark.parametrize(
    "data", [b"not a plist", plistlib.dumps({"Label": "other"}), plistlib.dumps([1])]
)
def test_lists_of_others_are_not_ours(office, data):
    """A file that merely has such a name is not listed, stops nobody else's job, and is not overwritten or removed."""
    office.machine.files[PLIST] = data

    office.install(job("eur-inr"))
    assert office.held() == ["eur-inr"]
    with pytest.raises(EngineError, match="was not written by ratectl"):
        office.install(*jobs("usd-inr", "eur-inr"))
    office.remove()

    assert office.machine.files == {PLIST: data}


def test_no_mac():
    """Off macOS there is no such engine."""

    class Elsewhere:
        def which(self, _program):
            return None

    with pytest.raises(EngineAbsentError, match="launchctl"):
        launchd.inspect(Elsewhere(), MAC, "user")


def test_scopes(office):
    """Agents need a login, which is a caveat; daemons do not and log to the system's folder."""
    assert "logged in" in launchd.warnings(office.machine, MAC, "user")[0]
    assert launchd.warnings(office.machine, MAC, "system") == ()
    (text,) = launchd.render(job(), launchd.check(job(), MAC.zone), MAC, "system")
    assert plistlib.loads(text.data)["StandardErrorPath"] == "/Library/Logs/ratectl.usd-inr.log"


def test_alerts_are_announced(office):
    """An install says beforehand how many alerts of macOS a person will see: one for each job that is new, and none else."""
    first = office.install(*jobs("usd-inr", "eur-inr")).warnings
    second = office.install(*jobs("usd-inr", "eur-inr", "gbp-inr")).warnings
    third = office.install(*jobs("usd-inr", "eur-inr", "gbp-inr")).warnings

    assert [line for line in first if "alert" in line] == [
        'launchd: expect 2 alerts of macOS, "Background Items Added", one for each new job; leave them allowed'
    ]
    assert [line for line in second if "alert" in line] == [
        'launchd: expect 1 alert of macOS, "Background Items Added"; leave them allowed'
    ]
    assert not any("alert" in line for line in third)
