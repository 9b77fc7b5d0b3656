"""Whether any scheduler runs is seen without starting a program."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from ratectl.deploy import execute, host_facts
from ratectl.deploy.checks import no_scheduler


@pytest.fixture
def linux():
    """The facts of this machine, as if it were one with Linux."""
    return replace(host_facts.here(ZoneInfo("UTC")), platform="linux")


def machine(monkeypatch, *, programs=(), daemons=(), folders=()):
    """Have this machine hold the *programs*, run the *daemons* and have the *folders*, and no others."""
    reader = execute.SystemReader
    monkeypatch.setattr(reader, "which", lambda _, name: name if name in programs else None)
    monkeypatch.setattr(reader, "processes", lambda _: frozenset(daemons))
    monkeypatch.setattr(reader, "is_folder", lambda _, path: path.as_posix() in folders)
    monkeypatch.setattr(reader, "names", lambda _, __: ())


def test_nothing_runs(linux, monkeypatch):
    """Without systemd, and with a crontab program but no daemon, the reasons are those of install."""
    machine(monkeypatch, programs={"crontab"})

    said = no_scheduler.why(linux)

    assert said.startswith("no scheduler of the operating system runs here (systemd: ")
    assert "cron: no cron daemon is running" in said


def test_cron_runs(linux, monkeypatch):
    """A cron daemon is enough."""
    machine(monkeypatch, programs={"crontab"}, daemons={"cron"})

    assert not no_scheduler.why(linux)


def test_systemd_runs(linux, monkeypatch):
    """A machine that was booted with systemd has one, and its manager is not asked."""
    machine(monkeypatch, programs={"systemctl"}, folders={"/run/systemd/system"})

    assert not no_scheduler.why(linux)
