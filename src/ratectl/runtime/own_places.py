"""Where this account keeps its state: the one door of commands to it, which refuses places of another account.

Under ``sudo -E`` the home is another account's, and files of ours there would lock its owner out.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ratectl import paths
from ratectl.errors import RefusedError
from ratectl.runtime import trust


def state_dir() -> Path:
    """Return the folder of journal and locks. Raises RefusedError where it would lie with another account."""
    refuse_state_of_others()
    return Path(paths.state_dir())


def refuse_state_of_others() -> None:
    """Raise RefusedError where the state lies with another account, by ``HOME`` or ``XDG_STATE_HOME``."""
    if not os.environ.get("RATECTL_STATE_DIR"):
        refuse_home()
        if sys.platform == "linux":
            _refuse_named_by("XDG_STATE_HOME", "RATECTL_STATE_DIR")


def refuse_config_of_others() -> None:
    """Raise RefusedError where the configuration lies with another account, by ``HOME`` or ``XDG_CONFIG_HOME``."""
    if not os.environ.get("RATECTL_CONFIG_DIR"):
        refuse_home()
        _refuse_named_by("XDG_CONFIG_HOME", "RATECTL_CONFIG_DIR")


def refuse_home() -> None:
    """Raise RefusedError where ``HOME`` is another account's, wherever the state lies."""
    home = Path(paths.home())
    _refuse_of_others("HOME", home, of=home, instead="RATECTL_STATE_DIR")


def _refuse_named_by(variable: str, instead: str) -> None:
    """Raise RefusedError where the folder that *variable* names, if any, is another account's, or would be made with it."""
    if named := os.environ.get(variable, "").strip():
        place = Path(named)
        nearest = next((p for p in (place, *place.parents) if paths.exists(p)), Path("/"))
        _refuse_of_others(variable, place, of=nearest, instead=instead)


def _refuse_of_others(variable: str, place: Path, *, of: Path, instead: str) -> None:
    """Raise RefusedError where *of*, the folder *place* or what it is to be made in, is another account's."""
    if sys.platform == "win32":
        return
    try:
        owner = of.stat().st_uid
    except OSError:
        return
    me = os.geteuid()
    if owner in {me, trust.UNMAPPED} or (owner == trust.ROOT and not _is_home_of_root(place)):
        return  # root made a home such as / or /nonexistent for many an account
    raise RefusedError(
        f"{variable} is {place}, which belongs to {trust.account(owner)}, and you are {trust.account(me)}: nothing is "
        f"read or written there. {_ways_out(variable, owner, me)}, and {instead} names another place"
    )


def _is_home_of_root(place: Path) -> bool:
    """Tell whether *place* is what root calls its home, or lies in it."""
    import pwd  # noqa: PLC0415 - POSIX only

    try:
        home = Path(pwd.getpwuid(trust.ROOT).pw_dir)
    except KeyError:
        return False
    return home != Path("/") and place.is_relative_to(home)


def _ways_out(variable: str, owner: int, me: int) -> str:
    """Return what to type instead, by whoever *me* is."""
    if variable != "HOME":
        return f"`env -u {variable} ratectl ...` does without it"
    if me != trust.ROOT:
        return f"`HOME=~{trust.account(me)} ratectl ...` takes your own"
    name = trust.account(owner) if trust.has_account(owner) else f"'#{owner}'"
    return f"`sudo -H ratectl ...` takes root's own home, `sudo -u {name} -H ratectl ...` works as {trust.account(owner)}"
