"""Where files lie: the platform's places, unless the environment says otherwise."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ratectl import paths
from ratectl.errors import ConfigError, UsageError

pytestmark = pytest.mark.network  # starts processes, which have an environment of their own

ASK = """
import json, sys
import platformdirs
from ratectl import paths
from ratectl.errors import ConfigError, UsageError
print(json.dumps([paths.state_dir(), paths.config_dir(),
                  platformdirs.user_state_dir("ratectl", appauthor=False),
                  platformdirs.user_config_dir("ratectl", appauthor=False)]))
"""


def answers(**environment):
    """State and config directory as ratectl and as platformdirs see them in *environment*."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("RATECTL", "XDG"))}
    done = subprocess.run(
        (sys.executable, "-c", ASK),
        env=kept | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "environment",
    [{}, {"XDG_STATE_HOME": "/var/states"}, {"XDG_STATE_HOME": "  "}, {"HOME": "/home/someone"}],
    ids=str,
)
def test_same_as_platformdirs(environment):
    """The shortcut that spares a wakeup platformdirs gives platformdirs' answer."""
    state, config, their_state, their_config = answers(**environment)

    assert (state, config) == (their_state, their_config)


def test_environment_overrides(tmp_path):
    """RATECTL_STATE_DIR and RATECTL_CONFIG_DIR win, and are made absolute."""
    state, config, *_ = answers(RATECTL_STATE_DIR=str(tmp_path), RATECTL_CONFIG_DIR="conf")

    assert state == str(tmp_path)
    assert config == str(Path.cwd() / "conf")


@pytest.mark.skipif(sys.platform != "linux", reason="engines of other systems have other places")
def test_unattended_start_finds_the_default():
    """Without XDG variables, what an engine's start finds is what a login shell finds."""
    state, *_ = answers(HOME="/home/someone")

    assert paths.unattended_state_dir("/home/someone") == state


def test_an_account_without_a_home(monkeypatch):
    """An account that is a number alone, and has no HOME, is told what to name; what needs no home goes on."""
    for name in ("HOME", "XDG_STATE_HOME", "RATECTL_STATE_DIR", "RATECTL_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", str)

    for asked in (paths.home, paths.state_dir, paths.config_dir):
        with pytest.raises(ConfigError, match="no home; name a folder that is its own: `HOME="):
            asked()
    with pytest.raises(UsageError, match=r"~/x.toml: this account has no home; write the whole"):
        paths.typed("~/x.toml")
    monkeypatch.setenv("RATECTL_STATE_DIR", os.path.abspath("state"))  # noqa: PTH100 - as it stands in the environment
    assert paths.state_dir() == os.environ["RATECTL_STATE_DIR"]


def test_what_is_seen(tmp_path):
    """What may not be looked at is not seen, and nothing raises: whoever opens it says why."""
    file, long = tmp_path / "x", tmp_path / ("x" * 300)
    file.touch()

    assert (paths.exists(file), paths.is_file(file), paths.is_folder(file)) == (True, True, False)
    assert (paths.exists(long), paths.is_file(long), paths.is_folder(long)) == (False,) * 3
    assert paths.absence(file) == ""
    assert paths.absence(tmp_path / "y") == paths.absence(file / "y") == paths.ABSENT
