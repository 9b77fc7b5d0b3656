"""Where ratectl keeps its files: the only module that asks platformdirs.

``RATECTL_CONFIG_DIR`` and ``RATECTL_STATE_DIR`` win over the platform's places.
The Linux state directory is spelled out here, since platformdirs alone would
double the start time of a wakeup; a test holds it equal to platformdirs' answer.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache

NAME = "ratectl"


def config_dir() -> str:
    """Return the folder of the default spec ``jobs.toml`` (absolute; may not exist)."""
    override = os.environ.get("RATECTL_CONFIG_DIR")
    if override:
        return os.path.abspath(override)
    import platformdirs  # noqa: PLC0415 - costs 15 ms, which a wakeup must not pay

    return platformdirs.user_config_dir(NAME, appauthor=False)


def state_dir() -> str:
    """Return the folder of journal and locks for this environment (absolute; may not exist)."""
    override = os.environ.get("RATECTL_STATE_DIR")
    if override:
        return os.path.abspath(override)
    if sys.platform != "linux":
        import platformdirs  # noqa: PLC0415 - the same

        return platformdirs.user_state_dir(NAME, appauthor=False)
    base = os.environ.get("XDG_STATE_HOME", "")
    return os.path.join(base if base.strip() else os.path.expanduser("~/.local/state"), NAME)


def unattended_state_dir(home: str) -> str:
    """Return the folder that :func:`state_dir` finds when an engine starts us for the owner of *home*.

    Engines hand on neither ``RATECTL_STATE_DIR`` nor ``XDG_STATE_HOME``, so an
    artefact names the state directory whenever it is not this one.
    """
    if sys.platform != "linux":
        import platformdirs  # noqa: PLC0415 - the same

        return platformdirs.user_state_dir(NAME, appauthor=False)
    return os.path.join(home, ".local", "state", NAME)


def identity(path: str) -> object:
    """Return what is the same for two names of one file: links, dots and letter case apart."""
    try:
        found = os.stat(path)
    except OSError:
        return os.path.normcase(os.path.realpath(path) if os.path.islink(path) else _real(path))
    return found.st_dev, found.st_ino


def lies_in(path: str, folder: str) -> bool:
    """Tell whether *path* lies in *folder*, or in a folder of it, by whatever names both are called."""
    inner, outer = (os.path.normcase(os.path.realpath(name)) for name in (path, folder))
    return inner.startswith(os.path.join(outer, ""))


def _real(path: str) -> str:
    folder, name = os.path.split(path)
    return os.path.join(_real_folder(folder), name)


@lru_cache(maxsize=1024)
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)
