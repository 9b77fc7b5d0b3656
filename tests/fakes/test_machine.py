"""The fake machine behaves like the real ones where tests lean on it, and fails on what it does not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratectl.backends.steps import Run, WriteFile
from ratectl.errors import EngineError
from tests.fakes.machine import Machine, PowerCutError, next_elapse

CRONTAB = ("crontab", "-")


def test_unknown_calls_fail():
    """What the fake does not know fails the test."""
    for argv in (("rm", "-rf"), ("crontab", "-e"), ("systemctl", "status")):
        with pytest.raises(AssertionError):
            Machine().query(argv)
    with pytest.raises(AssertionError):
        Machine().which("sudo")


def test_a_query_may_not_write():
    """Changing something through the reader fails the test."""
    with pytest.raises(AssertionError, match="a query changed something"):
        Machine().query(CRONTAB, stdin=b"x\n")


def test_debian_crontab():
    """As Debian's: no final newline is refused, carriage returns are printed as two characters."""
    machine = Machine()
    with pytest.raises(EngineError, match="missing newline"):
        machine.perform([Run(argv=CRONTAB, stdin=b"x")])

    machine.perform([Run(argv=CRONTAB, stdin=b"x\r\n")])

    assert machine.query(("crontab", "-l")).stdout == b"x\\r\n"


def test_systemd_knows_what_it_loaded():
    """A unit exists for the manager only after a reload."""
    machine = Machine(booted=True)
    unit = Path("/home/tester/.config/systemd/user/a.timer")
    start = Run(argv=("systemctl", "--no-ask-password", "--user", "start", "a.timer"))
    machine.perform([WriteFile(path=unit, data=b"OnCalendar=*-*-* 10:30:00\n")])
    with pytest.raises(EngineError, match="not found"):
        machine.perform([start])

    machine.perform(
        [Run(argv=("systemctl", "--no-ask-password", "--user", "daemon-reload")), start]
    )

    assert machine.systemd.active == {"a.timer"}


def test_power_cut():
    """The machine stops before the step at which its steps run out."""
    machine = Machine()
    machine.steps_left = 1
    with pytest.raises(PowerCutError):
        machine.perform(
            [WriteFile(path=Path("/a"), data=b""), WriteFile(path=Path("/b"), data=b"")]
        )

    assert list(machine.files) == [Path("/a")]


def test_elapse():
    """Daily times elapse today or tomorrow; anything else the fake does not pretend to know."""
    now = Machine().now

    assert next_elapse("*-*-* 10:30:00 UTC", now).isoformat() == "2026-11-24T10:30:00+00:00"
    assert next_elapse("*-*-* 18:00:00", now).isoformat() == "2026-11-23T18:00:00+05:30"
    with pytest.raises(AssertionError, match="cannot compute"):
        next_elapse("Mon *-*-* 10:30:00", now)
