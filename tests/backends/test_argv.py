"""What an engine would start, read back out of its own text: the very words that went in."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratectl.backends import BACKENDS
from ratectl.backends.protocol import Artefact, InstalledEntry
from tests.fakes.jobs import job
from tests.fakes.machine import host, root

AWKWARD = ("/opt/my ratectl/100%/$HOME/python", "-I", "-S", "/opt/it's $a %n/fetch.py")


def entry_of(backend, account, scope):
    wanted = job()
    texts = backend.render(wanted, backend.check(wanted, account.zone), account, scope)
    return InstalledEntry(job=wanted.name, triggers=(), artefacts=texts)


def called(name, account):
    """Return the command line of the job for the engine *name*."""
    return (*account.argv("usd-inr"), *({"launchd": ("--again",)}.get(name, ())))


MACHINES = [name for name in BACKENDS if name not in {"cron", "kubernetes"}]
"""A pod starts no program of this machine."""
CRON = pytest.param("cron", marks=pytest.mark.posix("a crontab holds no backslash"))


@pytest.mark.parametrize("name", [CRON, *MACHINES])
def test_the_words_come_back(name):
    """Every engine's text gives the command line that it was rendered with, state directory included."""
    backend = BACKENDS[name]
    account = host(state_dir=Path("/var/my state"), state_is_default=False)

    assert backend.argv(entry_of(backend, account, "user"), "user") == called(name, account)


@pytest.mark.parametrize("name", ["cron", "systemd", "launchd"])
@pytest.mark.parametrize("scope", ["user", "system"])
def test_awkward_words_come_back(name, scope):
    """Blanks, quotes, dollars and percent signs are taken out of each engine's own quoting."""
    backend = BACKENDS[name]
    account = root(fetch=AWKWARD)

    assert backend.argv(entry_of(backend, account, scope), scope) == called(name, account)


@pytest.mark.parametrize("name", BACKENDS)
def test_a_text_without_a_command(name):
    """A text that somebody emptied starts nothing."""
    empty = Artefact(job="a", name="ratectl-a.service", data=b"")

    assert (
        BACKENDS[name].argv(InstalledEntry(job="a", triggers=(), artefacts=(empty,)), "user") == ()
    )
