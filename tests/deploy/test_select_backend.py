"""Where an install goes: flags, then the spec, then what this machine really runs."""

from __future__ import annotations

import datetime as dt

import pytest

from ratectl.backends import BACKENDS
from ratectl.backends.host import ClusterTarget
from ratectl.deploy import select_backend
from ratectl.errors import EngineError, RefusedError, UsageError
from ratectl.journal.journal import Journal
from tests.fakes.jobs import job
from tests.fakes.machine import Machine, host, mac, root


def chosen(machine, account=None, installed=(), backend="auto", scope="auto"):
    target = select_backend.select(
        account or host(), machine, installed, backend=backend, scope=scope
    )
    return target.backend.NAME, target.scope


def lingering(machine):
    machine.files[BACKENDS["systemd"].LINGER / "tester"] = b""
    return machine


@pytest.mark.parametrize(
    ("machine", "account", "place"),
    [
        (Machine(), host(), ("cron", "user")),
        (Machine(), root(), ("cron", "system")),
        (Machine(booted=True), root(), ("systemd", "system")),
        (lingering(Machine(booted=True)), host(), ("systemd", "user")),
        (Machine(booted=True), host(), ("cron", "user")),
        (Machine(booted=True, flavour=None), host(), ("systemd", "user")),
        (Machine(booted=True, daemon=False), host(), ("systemd", "user")),
    ],
)
def test_auto(machine, account, place):
    """The engine that really runs is taken; for a user rather one that outlives the logout."""
    assert chosen(machine, account) == place


@pytest.mark.parametrize("machine", [Machine(flavour=None), Machine(daemon=False)])
def test_nothing_runs(machine):
    """Where no engine runs, the error says what was looked for and offers the foreground."""
    with pytest.raises(EngineError, match="ratectl serve") as stopped:
        chosen(machine)

    assert "cron" in str(stopped.value)
    assert "systemd" in str(stopped.value)


def test_forced():
    """A named engine is taken even where no daemon runs yet."""
    assert chosen(Machine(daemon=False), backend="cron") == ("cron", "user")
    assert chosen(Machine(), root(), backend="cron", scope="user") == ("cron", "user")
    assert chosen(Machine(), root(), backend="windows") == ("windows", "user")


def test_auto_stays_where_the_jobs_are(tmp_path):
    """Without a flag an install goes to the engine that already holds the jobs."""
    machine = lingering(Machine(booted=True))
    with Journal(tmp_path) as journal:
        journal.record_job(
            job(),
            spec="/s",
            digest="d",
            backend="cron",
            scope="user",
            host_timezone="UTC",
            now=dt.datetime(2026, 11, 23, tzinfo=dt.UTC),
        )
        installed = journal.installed()

    assert chosen(machine, installed=installed) == ("cron", "user")
    assert chosen(machine, installed=installed, backend="systemd") == ("systemd", "user")
    machine.running.clear()
    assert chosen(machine, installed=installed) == ("systemd", "user")


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"backend": "crom"}, UsageError, "did you mean 'cron'?"),
        ({"backend": "windows", "scope": "system"}, RefusedError, "only root"),
        ({"scope": "everyone"}, UsageError, "auto, user, system"),
        ({"scope": "system"}, RefusedError, "only root"),
    ],
)
def test_what_cannot_be_meant(options, error, told):
    """An unknown engine or scope, or a scope without the right to it, is refused with the next step."""
    with pytest.raises(error, match=told.replace("?", "\\?")):
        chosen(Machine(), **options)


def test_an_engine_without_that_scope():
    """A scope that the engine lacks is refused."""
    with pytest.raises(UsageError, match="windows has only user"):
        chosen(Machine(), root(), backend="windows", scope="system")


def test_a_mac():
    """On a Mac launchd is taken before cron, and cron where nobody is logged in at the screen."""
    machine = Machine(mac=True)
    assert chosen(machine, mac()) == ("launchd", "user")

    machine.launchd.log_out()

    assert chosen(machine, mac()) == ("cron", "user")
    assert chosen(machine, mac(root=True, uid=0)) == ("launchd", "system")


def test_a_table_for_kubernetes_makes_no_cluster_of_cron():
    """Where a spec has a table for Kubernetes and its jobs go to cron, no cluster is meant or named."""
    account = host(cluster=ClusterTarget(context="prod", namespace="rates"))

    target = select_backend.select(account, Machine(), (), backend="cron", scope="auto")

    assert (str(target), target.host.cluster, target.place) == ("cron (user)", None, "")
