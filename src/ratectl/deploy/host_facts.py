"""What machine and account this is: the facts that artefacts are made for, and the usual ones elsewhere."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ratectl import paths
from ratectl.backends import ENGINES
from ratectl.backends.host import Host
from ratectl.deploy.machine import windows as windows_account
from ratectl.errors import ConfigError
from ratectl.runtime import own_places, zones

if TYPE_CHECKING:
    from pathlib import PurePath

    from ratectl.backends.protocol import Backend


LOCALTIME = Path("/etc/localtime")
ZONE_NAME = Path("/etc/timezone")
NAME_IT = (
    "set it with `timedatectl set-timezone`, or link /etc/localtime into /usr/share/zoneinfo; a job can "
    'have a zone of its own: timezone = "Europe/Berlin"'
)


def current() -> Host:
    """Return the facts of this machine and account. Raises ConfigError where its zone has no name."""
    own_places.refuse_state_of_others()
    return _account(zone())


def here(zone: ZoneInfo) -> Host:
    """Return the facts of this machine and account, whose clocks are in *zone*, for commands that only look."""
    return _account(zone)


def _account(zone: ZoneInfo) -> Host:
    state_dir = paths.state_dir()
    home = _home()
    config = os.environ.get("XDG_CONFIG_HOME", "").strip()
    data = os.environ.get("XDG_DATA_HOME", "").strip()
    return Host(
        platform=sys.platform,
        zone=zone,
        fetch=fetch_argv(),
        state_dir=Path(state_dir),
        state_is_default=state_dir == paths.unattended_state_dir(str(home)),
        user=_user(),
        home=home,
        config_home=Path(config) if config else Path(paths.home()) / ".config",
        data_home=Path(data) if data else Path(paths.home()) / ".local" / "share",
        root=windows_account.is_elevated() if sys.platform == "win32" else os.geteuid() == 0,
        uid=0 if sys.platform == "win32" else os.geteuid(),
        namespaces=_may_make_namespaces(),
        code_pages=windows_account.code_pages(),
        logged_on=windows_account.logged_on_sid(),
        network_drives=windows_account.network_drives(),
        longest_path=windows_account.longest_path(),
    )


def _may_make_namespaces() -> bool:
    """Tell whether the kernel lets an ordinary account make user namespaces; Ubuntu's AppArmor does not."""
    refusals = {
        "/proc/sys/user/max_user_namespaces": "0",
        "/proc/sys/kernel/unprivileged_userns_clone": "0",
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1",
    }
    for path, refusal in refusals.items():
        with contextlib.suppress(OSError):
            if Path(path).read_text(encoding="ascii").strip() == refusal:
                return False
    return True


def is_native(backend: Backend) -> bool:
    """Tell whether *backend*'s engine exists on this kind of system."""
    return sys.platform in ENGINES[backend.NAME]


def target(backend: Backend, zone: ZoneInfo, program: str) -> Host:
    """Return the host that ``render`` writes for: this account's, or a usual one of another system.

    *program* is the ratectl-fetch to call there; empty means the one of that host.
    """
    if is_native(backend):
        host = _account(zone)
    elif "win32" in ENGINES[backend.NAME]:
        host = _elsewhere(zone, "win32", r"C:\Program Files\ratectl\Scripts\ratectl-fetchw.exe")
    else:
        host = _elsewhere(zone, ENGINES[backend.NAME][0], "/usr/local/bin/ratectl-fetch")
    return replace(host, fetch=(program,)) if program else host


def _elsewhere(zone: ZoneInfo, platform: str, fetch: str) -> Host:
    user = os.environ.get("USERNAME") or os.environ.get("USER") or "user"
    home: PurePath = PurePosixPath("/Users" if platform == "darwin" else "/home", user)
    if platform == "win32":
        home = PureWindowsPath("C:/Users", user)
    return Host(
        platform=platform,
        zone=zone,
        fetch=(fetch,),
        state_dir=Path(home, ".local", "state", "ratectl"),
        state_is_default=True,
        user=user,
        home=home,
        config_home=home / ".config",
        data_home=home / ".local" / "share",
        root=False,
    )


def fetch_argv() -> tuple[str, ...]:
    """Return the leanest command line that starts ratectl-fetch; the job name is to be appended.

    Bare ``python -I -S`` on the script saves two thirds of pip's console wrapper.
    The interpreter's path stays unresolved: a link in a virtual environment must remain one.
    """
    python = _one_spelling(Path(os.path.abspath(sys.executable)))  # noqa: PTH100 - resolve() would leave the venv
    script = str(Path(__file__).resolve().parents[1] / "firing" / "__main__.py")
    return _windowless(python, script) if os.name == "nt" else (str(python), "-I", "-S", script)


def _one_spelling(python: Path) -> Path:
    """Return ``python3`` where *python* is another name of it: the same entry, however we were started."""
    usual = python.with_name("python3")
    return usual if usual.exists() and usual.samefile(python) else python


def _windowless(python: Path, script: str) -> tuple[str, ...]:
    """Return what starts no console window on Windows: the gui script, else the windowless interpreter."""
    program = python.parent / "ratectl-fetchw.exe"
    return (
        (str(program),) if program.exists() else (str(python.parent / "pythonw.exe"), "-I", script)
    )


def zone() -> ZoneInfo:
    """Return the machine's zone, in which its engines read local times.

    Daemons go by the bytes of ``/etc/localtime``, and by UTC where there are none: so the zone is the
    one whose data these are. Neither ``/etc/timezone`` nor ``TZ`` of the caller's shell is asked.

    Raises ConfigError where no zone has these data.
    """
    if sys.platform == "win32":
        return _zone_of_windows()
    try:
        data = LOCALTIME.read_bytes()
    except FileNotFoundError:
        return ZoneInfo("UTC")
    except OSError as error:
        raise ConfigError(f"{LOCALTIME} cannot be read: {error.strerror}; {NAME_IT}") from error
    linked = _linked_name()
    if linked and (not zones.is_usable(linked) or zones.data(linked) is None):
        raise ConfigError(f"{LOCALTIME} is {linked!r}, which is no IANA zone; {NAME_IT}")
    for name in filter(None, (linked, written_name())):
        if zones.data(name) == data:
            return ZoneInfo(name)
    found = zones.with_data(data)
    if not found:
        raise ConfigError(
            f"{LOCALTIME} holds the data of no zone that this machine knows; {NAME_IT}"
        )
    return ZoneInfo(found[0])


def zone_source() -> str:
    """Return what decides :func:`zone`, as the words that follow its name."""
    if sys.platform == "win32":
        return "by the settings of Windows"
    if LOCALTIME.exists():
        return f"by {LOCALTIME}"
    if LOCALTIME.is_symlink():
        return f"since {LOCALTIME} is a link to a file that is not there"
    return f"since there is no {LOCALTIME}"


def written_name() -> str:
    """Return the name in ``/etc/timezone``, which programs for people go by; an empty text where there is none."""
    try:
        lines = ZONE_NAME.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in lines if line.strip() and line[0] != "#"), "")


def _linked_name() -> str:
    """Return the zone that ``/etc/localtime`` links to, an empty text where it is a file of its own."""
    with contextlib.suppress(OSError):
        _, found, name = str(LOCALTIME.resolve(strict=True)).partition("/zoneinfo/")
        if found:
            return name.removeprefix("posix/")
    return ""


def _zone_of_windows() -> ZoneInfo:
    import tzlocal  # noqa: PLC0415 - knows Windows' names; 20 ms that nobody else pays

    shell = os.environ.pop("TZ", None)
    try:
        return ZoneInfo(tzlocal.get_localzone_name() or "")
    except (LookupError, ValueError, OSError) as error:  # tzlocal's word for contradicting settings
        raise ConfigError(
            f"the time zone of this machine is unclear: {error}; {NAME_IT}"
        ) from error
    finally:
        if shell is not None:
            os.environ["TZ"] = shell


def _user() -> str:
    if sys.platform == "win32":
        return windows_account.sid() or os.environ.get("USERNAME", "")
    import pwd  # noqa: PLC0415 - POSIX only

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _home() -> Path:
    """Return the account's home as the password database has it: what an engine hands on."""
    if sys.platform == "win32":
        return Path(paths.home())
    import pwd  # noqa: PLC0415 - POSIX only

    try:
        return Path(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:
        return Path(paths.home())
