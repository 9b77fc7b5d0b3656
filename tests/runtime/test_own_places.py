"""Places of another account, by HOME or an XDG variable: nothing is read or written there, by any command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ratectl.errors import RefusedError
from ratectl.runtime import own_places
from tests.fakes.station import SCRIPT


def somebody_else_reads(monkeypatch, folder):
    """Be an ordinary account that does not own *folder*, which is not root's either, with a home of nobody's."""
    owner = folder.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 4321)
    monkeypatch.setattr(own_places.trust, "ROOT", -1 if owner == 0 else Path("/").stat().st_uid)
    monkeypatch.setenv("HOME", str(folder / "nowhere") if owner == 0 else "/")


@pytest.mark.posix("accounts have numbers there")
def test_a_home_of_somebody_else(monkeypatch, tmp_path):
    """Under ``sudo -E`` the home is another account's: nothing is done there, and the ways out are named."""
    monkeypatch.delenv("RATECTL_STATE_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    own_places.refuse_state_of_others()
    somebody_else_reads(monkeypatch, tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))

    with pytest.raises(RefusedError, match="belongs to"):
        own_places.refuse_state_of_others()
    monkeypatch.setenv("RATECTL_STATE_DIR", str(tmp_path))
    own_places.refuse_state_of_others()


@pytest.mark.posix("accounts have numbers there")
@pytest.mark.parametrize("below", ["", "not/yet/there"])
def test_a_configuration_of_somebody_else(monkeypatch, tmp_path, below):
    """A configuration folder that would be made with another account is refused as its home is."""
    monkeypatch.delenv("RATECTL_CONFIG_DIR", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / below))
    somebody_else_reads(monkeypatch, tmp_path)

    with pytest.raises(
        RefusedError, match=r"XDG_CONFIG_HOME is .* belongs to .*RATECTL_CONFIG_DIR"
    ):
        own_places.refuse_config_of_others()
    monkeypatch.setenv("RATECTL_CONFIG_DIR", str(tmp_path))
    own_places.refuse_config_of_others()


@pytest.mark.posix("accounts have numbers there")
@pytest.mark.parametrize("below", ["", "not/yet/there"])
def test_a_state_folder_of_somebody_else(monkeypatch, tmp_path, below):
    """A state folder that would be made with another account is refused, though the home is one's own."""
    monkeypatch.delenv("RATECTL_STATE_DIR", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / below))
    monkeypatch.setattr(sys, "platform", "linux")
    somebody_else_reads(monkeypatch, tmp_path)

    with pytest.raises(RefusedError, match=r"XDG_STATE_HOME is .* belongs to .*RATECTL_STATE_DIR"):
        own_places.state_dir()
    monkeypatch.setenv("RATECTL_STATE_DIR", str(tmp_path))
    assert own_places.state_dir() == tmp_path


@pytest.mark.posix("accounts have numbers there")
def test_the_home_of_root(monkeypatch):
    """Under ``sudo -E -u NAME`` the home is root's: no advice is given that would hand root's state over to that account."""
    monkeypatch.delenv("RATECTL_STATE_DIR", raising=False)
    monkeypatch.setenv("HOME", str(Path("~root").expanduser()))
    monkeypatch.setattr(os, "geteuid", lambda: 65533)

    with pytest.raises(RefusedError, match=r"HOME is /\w+.*`HOME=~.* ratectl ...` takes your own"):
        own_places.state_dir()
    monkeypatch.setenv("HOME", "/")  # as many an account has it
    assert own_places.state_dir()


COMMANDS = [
    ("backfill", "usd-inr", "--since", "2026-11-20", "--until", "2026-11-21"),
    ("chart", "usd-inr"),
    ("doctor", "--offline"),
    ("history", "usd-inr"),
    ("import", "rates.csv", "--job", "usd-inr"),
    ("install",),
    ("journal", "copy", "other.sqlite3"),
    ("list",),
    ("next", "usd-inr"),
    ("pause", "usd-inr"),
    ("plan",),
    ("rate", "USD/INR"),
    ("record", "usd-inr", "USD/INR", "95"),
    ("remove", "--all"),
    ("rename", "usd-inr", "dollar"),
    ("report",),
    ("resume", "usd-inr"),
    ("review",),
    ("run", "usd-inr"),
    ("serve",),
    ("status",),
]


@pytest.mark.network
@pytest.mark.posix("accounts have numbers there")
@pytest.mark.parametrize("variable", ["HOME", "XDG_STATE_HOME"])
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_commands_of_root_with_a_home_of_another(tmp_path, words, variable):
    """Each command that reads or writes what was recorded says the same plain words, and leaves no file of root's there."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to another account")
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 4321, 4321)
    (tmp_path / "rates.csv").touch()
    done = as_root(tmp_path, variable, home, "-m", "ratectl", *words)

    advice = "sudo -u '#4321' -H ratectl" if variable == "HOME" else "env -u XDG_STATE_HOME ratectl"
    assert done.returncode == 77, done.stderr
    assert f"{variable} is {home}, which belongs to account 4321, and you are root" in done.stderr
    assert advice in done.stderr
    assert list(home.iterdir()) == []


def as_root(folder, variable, home, *words):
    """Return what Python did with *words* where *variable* names *home*."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "RATECTL_"))}
    environment = kept | {"HOME": "/root", variable: str(home)}
    return subprocess.run(
        (sys.executable, *words),
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        timeout=120,
        check=False,
    )


@pytest.mark.network
@pytest.mark.posix("accounts have numbers there")
@pytest.mark.parametrize("variable", ["HOME", "XDG_STATE_HOME"])
def test_a_firing_by_hand(tmp_path, variable):
    """What schedulers start refuses it as well, where root starts it by hand."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to another account")
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 4321, 4321)
    done = as_root(tmp_path, variable, home, SCRIPT, "usd-inr")

    assert done.returncode == 77, done.stderr
    assert f"ratectl-fetch: {variable} is {home}, which belongs to account 4321" in done.stderr
    assert list(home.iterdir()) == []
