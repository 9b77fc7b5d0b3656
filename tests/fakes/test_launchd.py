"""The fake launchctl refuses what a real one is said to refuse, with the same exit codes."""

from __future__ import annotations

import plistlib
from pathlib import Path

import pytest

from tests.fakes.machine import Machine

AGENT = Path("/Users/ada/Library/LaunchAgents/a.plist")
LIST = plistlib.dumps({"Label": "a", "ProgramArguments": ["/bin/true"], "RunAtLoad": True})
LOAD = ("bootstrap", "gui/501", str(AGENT))


@pytest.fixture
def launchd():
    machine = Machine(mac=True)
    machine.files[AGENT] = LIST
    return machine.launchd


def codes(launchd, *calls):
    return [launchd.call(call).code for call in calls]


def test_loading(launchd):
    """An agent is loaded once, and started; a second time is an I/O error; what is not there is, too."""
    assert codes(launchd, LOAD, LOAD, ("bootstrap", "gui/501", "/nowhere.plist")) == [0, 5, 5]
    assert launchd.starts == ["gui/501/a"]


def test_unloading_goes_on(launchd):
    """After an unloading the label is still there for a while, cannot be loaded, and then can."""
    look = ("print", "gui/501/a")

    assert codes(launchd, LOAD, ("bootout", "gui/501/a"), LOAD, look, look, LOAD) == [
        *(0, 0, 5),
        *(0, 113),
        0,
    ]


def test_what_is_not_there(launchd):
    """Unloading what is not loaded ends with 3, looking for it with 113, in a domain that is not there with 112."""
    assert codes(launchd, ("bootout", "gui/501/a"), ("print", "gui/501/a")) == [3, 113]
    assert codes(launchd, ("print", "gui/501"), ("print", "gui/777")) == [0, 112]


def test_no_session(launchd):
    """Without a session at the screen its domain takes nothing; a login loads what lies there."""
    launchd.log_out()
    assert codes(launchd, LOAD, ("bootout", "gui/501/a")) == [125, 125]

    launchd.log_in()
    assert codes(launchd, ("print", "gui/501/a")) == [0]


def test_overrides_outlive_everything(launchd):
    """What is disabled stays loaded, cannot be loaded again, and stays disabled until it is enabled."""
    assert codes(launchd, LOAD, ("disable", "gui/501/a"), ("print", "gui/501/a")) == [0, 0, 0]
    launchd.lingers = 0
    assert codes(launchd, ("bootout", "gui/501/a"), LOAD) == [0, 119]
    assert b'"a" => disabled' in launchd.call(("print-disabled", "gui/501")).stdout

    assert codes(launchd, ("enable", "gui/501/a"), LOAD) == [0, 0]
    assert b'"a" => enabled' in launchd.call(("print-disabled", "gui/501")).stdout


def test_permissions(launchd):
    """A file that others may write to is refused."""
    launchd.machine.modes[AGENT] = 0o664

    assert codes(launchd, LOAD) == [122]


def test_unknown_calls_fail(launchd):
    """What the fake does not know fails the test."""
    for call in (("load", "-w", "x"), ("kickstart", "gui/501/a"), ("list",)):
        with pytest.raises(AssertionError, match="does not know"):
            launchd.call(call)
    with pytest.raises(AssertionError, match="a query changed something"):
        launchd.machine.query(("launchctl", *LOAD))


@pytest.mark.parametrize(
    ("keys", "after"),
    [
        ({}, [None, None]),
        ({"KeepAlive": {"SuccessfulExit": False}}, [None, 10]),
        ({"KeepAlive": {"SuccessfulExit": False}, "ThrottleInterval": 60}, [None, 60]),
    ],
)
def test_kept_alive(launchd, keys, after):
    """What is kept alive is started again unless it ended with 0, and no earlier than its throttle lets it."""
    launchd.machine.files[AGENT] = plistlib.dumps(plistlib.loads(LIST) | keys)
    launchd.call(LOAD)

    assert [launchd.ended("gui/501/a", code) for code in (0, 75)] == after
