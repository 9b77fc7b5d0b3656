"""Where files lie: the platform's places, unless the environment says otherwise."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ratectl import paths

pytestmark = pytest.mark.network  # starts processes, which have an environment of their own

ASK = """
import json, sys
import platformdirs
from ratectl import paths
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
