"""Where ratectl keeps its files: the only module that asks platformdirs.

``RATECTL_CONFIG_DIR`` and ``RATECTL_STATE_DIR`` win over the platform's places.
The Linux state directory is spelled out here, since platformdirs alone would
double the start time of a wakeup; a test holds it equal to platformdirs' answer.
"""

from __future__ import annotations

import os
import stat
import sys
from functools import lru_cache

NAME = "ratectl"
ABSENT = "there is no such file"
SHUT = "lies in a folder that this account may not enter"


def config_dir() -> str:
    """Return the folder of the default spec ``jobs.toml`` (absolute; may not exist)."""
    override = os.environ.get("RATECTL_CONFIG_DIR")
    if override:
        return os.path.abspath(whole(override))
    import platformdirs  # noqa: PLC0415 - costs 15 ms, which a wakeup must not pay

    home()
    return whole(platformdirs.user_config_dir(NAME, appauthor=False))


def state_dir() -> str:
    """Return the folder of journal and locks for this environment (absolute; may not exist)."""
    override = os.environ.get("RATECTL_STATE_DIR")
    if override:
        return os.path.abspath(whole(override))
    if sys.platform != "linux":
        import platformdirs  # noqa: PLC0415 - the same

        return platformdirs.user_state_dir(NAME, appauthor=False)
    base = os.environ.get("XDG_STATE_HOME", "")
    return os.path.join(base if base.strip() else os.path.join(home(), ".local", "state"), NAME)


def unattended_state_dir(home: str) -> str:
    """Return the folder that :func:`state_dir` finds when an engine starts us for the owner of *home*.

    Engines hand on neither ``RATECTL_STATE_DIR`` nor ``XDG_STATE_HOME``, so an
    artefact names the state directory whenever it is not this one.
    """
    if sys.platform != "linux":
        import platformdirs  # noqa: PLC0415 - the same

        return platformdirs.user_state_dir(NAME, appauthor=False)
    return os.path.join(home, ".local", "state", NAME)


def home() -> str:
    """Return this account's home. Raises ConfigError where it has none, as an account that is a number alone."""
    found = os.path.expanduser("~")
    if found == "~":
        from ratectl.errors import ConfigError  # noqa: PLC0415 - a wakeup has a home

        raise ConfigError(
            "this account has no home; name a folder that is its own: `HOME=/path/to/folder ratectl ...`"
        )
    return found


def typed(path: str | os.PathLike[str]) -> str:
    """Return the whole path that a person means by *path*, with ~ filled in; links stay as written.

    Raises UsageError for the home of an account that is not there, StorageError where the current folder is gone.
    """
    name = os.path.expanduser(path)
    if name.startswith("~"):
        from ratectl.errors import UsageError  # noqa: PLC0415 - a wakeup has no such path

        raise UsageError(f"{name}: {homeless(name)}; write the whole path, or ./{name}")
    return whole(name)


def homeless(path: str) -> str:
    """Return, of a *path* whose ~ could not be filled in, whose home that is."""
    name = path.replace(os.sep, "/").split("/")[0][1:]
    return f"there is no account {name!r} here" if name else "this account has no home"


def whole(path: str) -> str:
    """Return *path* as it is where it is a whole one, else below the current folder. Raises StorageError where that is gone."""
    return path if os.path.isabs(path) else os.path.join(current_folder(path), path)


def current_folder(wanted: str) -> str:
    """Return the folder in which the relative path *wanted* begins. Raises StorageError where it is gone."""
    try:
        return os.getcwd()
    except OSError as error:
        from ratectl.errors import StorageError  # noqa: PLC0415 - the same

        gone = isinstance(error, FileNotFoundError)
        what = "is gone" if gone else f"cannot be told ({error.strerror})"
        raise StorageError(
            f"{wanted}: the current folder, in which that path begins, {what}; `cd` to another one, or write the whole path"
        ) from error


def exists(path: str | os.PathLike[str]) -> bool:
    """Tell whether something is seen at *path*; where nobody may look, whoever opens it says so."""
    return os.path.exists(path)


def is_link(path: str | os.PathLike[str]) -> bool:
    """Tell whether a symbolic link is seen at *path*, wherever it leads."""
    return os.path.islink(path)


def is_file(path: str | os.PathLike[str]) -> bool:
    """Tell whether a regular file is seen at *path*."""
    return os.path.isfile(path)


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Tell whether a folder is seen at *path*."""
    return os.path.isdir(path)


def absence(path: str | os.PathLike[str]) -> str:
    """Return why nothing is seen at *path*, in a clause; an empty text where something is."""
    try:
        os.stat(path)
    except PermissionError:
        return SHUT
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    except OSError as error:
        return f"cannot be looked at ({error.strerror})"
    return ""


def identity(path: str) -> object:
    """Return what is the same for two names of one file: links, dots and letter case apart."""
    try:
        found = os.lstat(path)
    except OSError:
        return os.path.normcase(_real(path))
    if stat.S_ISLNK(found.st_mode):
        try:
            found = os.stat(path)
        except OSError:  # it leads nowhere
            return os.path.normcase(os.path.realpath(path))
    return found.st_dev, found.st_ino


def lies_in(path: str, folder: str) -> bool:
    """Tell whether *path* lies in *folder*, or in a folder of it, by whatever names both are called."""
    inner, outer = (os.path.normcase(os.path.realpath(name)) for name in (path, folder))
    return inner.startswith(os.path.join(outer, ""))


def _real(path: str) -> str:
    folder, name = os.path.split(path)
    return _real_folder(folder) + name


@lru_cache(maxsize=1024)
def _real_folder(folder: str) -> str:
    return os.path.join(os.path.realpath(folder), "")
