"""The machine and account that artefacts are made for, as values: what commands that only look ask for, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path, PurePath
    from zoneinfo import ZoneInfo


class ClusterTarget(NamedTuple):
    """Where in a Kubernetes cluster our entries stand."""

    context: str
    """Of the user's own kubeconfig; empty is the current one."""
    namespace: str
    force: bool = False
    """Fields that somebody else set are taken back."""
    server: str = ""
    """URL of the API server, which with the namespace is what makes a place; empty where it is not known."""
    said: str = ""
    """The context as the spec has it, where the place was found by that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The facts of the machine and account that artefacts are made for, as values."""

    platform: str
    """As ``sys.platform`` spells it: linux, darwin, win32."""
    zone: ZoneInfo
    """The zone in which the engine reads local times."""
    fetch: tuple[str, ...]
    """The argv that starts ratectl-fetch; the job name is appended."""
    state_dir: Path
    state_is_default: bool
    """False: artefacts carry ``--state DIR``, since an unattended start would look elsewhere."""
    user: str
    """The account's name; on Windows its SID where that is known."""
    home: PurePath
    config_home: PurePath
    """Where the user's own units live: ``$XDG_CONFIG_HOME``, by default ``~/.config``."""
    data_home: PurePath
    """Where the user's manager keeps stamps: ``$XDG_DATA_HOME``, by default ``~/.local/share``."""
    root: bool
    """The account may do anything; on Windows: this process is elevated."""
    logged_on: str = ""
    """On Windows the SID of the account whose log-on session this is; empty where the system does not tell."""
    network_drives: tuple[str, ...] = ()
    """On Windows the letters that stand for folders of other machines, such as ``Z:``."""
    longest_path: int = 259
    """On Windows the most characters of a file's path."""
    uid: int = 0
    """The account's number on POSIX; launchd names the account's domain by it."""
    namespaces: bool = True
    """The account may make user namespaces, which a sandbox of its own needs."""
    folders: tuple[str, ...] = ()
    """Where the outputs of the job in hand really lie, links followed; none: as the spec says."""
    foreign: bool = False
    """Something that the job in hand writes or reads privately belongs to another account."""
    account: str = ""
    """The account that the job in hand runs as, where that is another one than installs it."""
    code_pages: tuple[str, ...] = ()
    """In which encodings programs may print on Windows: the console's, the OEM's, the ANSI one."""
    cluster: ClusterTarget | None = None
    """The place in a cluster that is in hand; None: no cluster is asked."""

    def argv(self, job: str) -> tuple[str, ...]:
        """Return the command line that an artefact of *job* calls."""
        state = () if self.state_is_default else ("--state", str(self.state_dir))
        return (*self.fetch, job, *state)
