"""All checks of the project from nothing: environment, engines, lint, types, tests.

Needs only a python3 (3.11+) with venv and pip. As root on Debian it fetches the real
schedulers too and then insists on them; elsewhere their tests are left out, and it says so.
Of what takes long by repeating itself each run does another tenth, and ``--long`` all;
on Windows' Python it repeats another third of the files that know nothing of Windows.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if not __package__:
    # Started by its path: modules are found from the checkout on, so that each has one name.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from scripts import elsewhen
from scripts.environment import ROOT, VENV, SetupError, apt, apt_install, ensure, is_root, program
from tests.engines.setup import container, cronie, wine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

UNPACKED = {  # a package -> where its files are put, without being installed
    "cron": VENV / "engines" / "cron",
    "busybox-static": VENV / "engines" / "busybox",
    "libfaketime": VENV / "engines" / "faketime",
    "logrotate": VENV / "engines" / "logrotate",  # installed, it would bring a cron along
    "nginx": VENV / "engines" / "nginx",  # installed, it would start
    "libpopt0": VENV / "engines" / "popt",  # which logrotate needs
    "sudo": VENV / "engines" / "sudo",  # installed, it would open this machine
}
CRONIE = VENV / "engines" / "cronie"
NEEDED = {  # a file that shows the package is there -> the package
    "/lib/systemd/systemd": "systemd",
    "/usr/bin/dbus-daemon": "dbus",
    "/usr/share/dbus-1/system.conf": "dbus",
    "/usr/lib/systemd/user/dbus.socket": "dbus-user-session",
    "/usr/share/pam-configs/systemd": "libpam-systemd",
    "/usr/bin/plistutil": "libplist-utils",
    "/usr/bin/chromium": "chromium",
    "/usr/share/fonts/truetype/dejavu": "fonts-dejavu-core",
    "/usr/bin/ledger": "ledger",
    "/usr/bin/hledger": "hledger",
    "/usr/bin/mandoc": "mandoc",
    "/usr/bin/groff": "groff-base",
    "/usr/bin/unshare": "util-linux",
    "/usr/bin/mount": "mount",
    "/usr/bin/strace": "strace",
    "/usr/bin/sqlite3": "sqlite3",
    "/usr/bin/gcc": "gcc",
    "/usr/bin/make": "make",
    "/usr/bin/xz": "xz-utils",
    "/usr/bin/bzip2": "bzip2",
    "/usr/bin/buildah": "buildah",
    "/usr/bin/podman": "podman",
    "/usr/sbin/runc": "runc",
    "/usr/sbin/debootstrap": "debootstrap",
    "/usr/include/stdio.h": "libc6-dev",
    "/usr/sbin/useradd": "passwd",
    "/usr/share/zoneinfo/Asia/Kolkata": "tzdata",
}


ON_WINDOWS = (
    *("-m", "pytest", "-m", "(not engine and not network) or windows", "-n", "2"),
    *("-p", "no:cacheprovider", "--ignore=tests/law/test_law.py", "--ignore=tests/test_scripts.py"),
)
"""What runs there, a third of it each time: all but the firings over HTTP, which take Wine too long, and the proof."""


UNIT = ("-m", "not engine", "-n", "3")
QUICK = ("-m", "not engine and not slow", "-n", "3")
SHARES = 10
"""As in tests/support/share.py."""
WHICH = (
    "Debian's cron, busybox, libfaketime, logrotate, nginx and sudo (unpacked aside), cronie (built), "
    "systemd, Chromium, plistutil, strace, gcc, ledger, hledger, buildah and podman"
)


class StepError(Exception):
    """A step ended with *code*."""

    def __init__(self, step: str, code: int) -> None:
        super().__init__(step)
        self.step = step
        self.code = code


def main() -> int:
    """Run the steps in order; say which one failed and return its exit code."""
    flags = arguments()
    started = time.monotonic()
    took: dict[str, float] = {}
    try:
        with measured("environment", took, str(VENV)):
            ensure("dev")
        if flags.clock or flags.zone:
            run_unit_tests_elsewhere(flags.clock, flags.zone, took)
        else:
            run_everything(flags, took)
    except SetupError as error:
        print(f"test.py: {error}", file=sys.stderr)
        return 1
    except StepError as error:
        print(f"test.py: FAILED in: {error.step}", file=sys.stderr)
        return error.code
    finally:
        print("test.py: " + ", ".join(f"{name} {seconds:.0f} s" for name, seconds in took.items()))
    print(f"test.py: everything holds ({time.monotonic() - started:.0f} s)")
    return 0


def arguments() -> argparse.Namespace:
    """Return the flags; ``engines`` says whether real schedulers take part, ``share`` which part of what is long."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--quick", action="store_true", help="only lint, types and the unit tests that are quick"
    )
    choice.add_argument(
        "--require-engines",
        action="store_true",
        help="a missing engine fails (the default as root on Linux and where CI=true)",
    )
    choice.add_argument("--long", action="store_true", help="all of what takes long, not a tenth")
    choice.add_argument(
        "--clock",
        choices=elsewhen.MOMENTS,
        help="only the unit tests, with the wall clock at an hour that tests have failed at",
    )
    parser.add_argument(
        "--zone", choices=elsewhen.ZONES, help="only the unit tests, on a host in this zone"
    )
    parser.add_argument("--share", type=int, help="do this tenth of what takes long, to repeat it")
    parser.add_argument("--coverage", action="store_true", help="tell, too, which lines ran")
    flags = parser.parse_args()
    in_ci = os.environ.get("CI", "").lower() == "true"
    wanted = flags.require_engines or in_ci or (is_root() and sys.platform == "linux")
    flags.engines = wanted and not flags.quick
    turn = int(time.time() // 60) if flags.share is None else flags.share
    flags.share = "all" if flags.long else str(turn % SHARES)
    return flags


def run_everything(flags: argparse.Namespace, took: dict[str, float]) -> None:
    """Fetch what is missing, then lint, types and tests."""
    if flags.engines:
        with measured("engines", took, WHICH):
            fetch_engines()
    step("lint and types", "scripts/check.py", took=took)
    how = "all" if flags.share == "all" else f"share {flags.share} (--share {flags.share} again)"
    print(f"what takes long by repetition: {how}", flush=True)
    os.environ["RATECTL_TEST_SHARE"] = flags.share
    run_tests(flags, took)


def run_unit_tests_elsewhere(clock: str, zone: str, took: dict[str, float]) -> None:
    """Run the unit tests with the wall clock at *clock*, on a host in *zone*; either may be empty."""
    environment = elsewhen.at(clock) if clock else {}
    argv: tuple[str, ...] = (str(program("python")), "-m", "pytest", *UNIT)
    if zone:
        argv = elsewhen.in_zone(zone, argv)
    name = f"unit tests, {clock or 'now'}, {zone or 'the host'}"
    with measured(name, took, " ".join(argv)):
        perform(name, argv, environment)


def fetch_engines() -> None:
    """Install what the engine tests need; some is only unpacked, so that no daemon starts here."""
    absent = {package for sign, package in NEEDED.items() if not Path(sign).exists()}
    packed = [package for package, folder in UNPACKED.items() if not folder.exists()]
    may_install = is_root() and shutil.which("apt-get")
    unbuilt = [] if CRONIE.exists() else ["cronie"]
    lacking = [*sorted(absent), *packed, *unbuilt]
    if lacking and not may_install:
        raise SetupError(f"engines are required, and only root on Debian can fetch them: {lacking}")
    if absent:
        apt_install(*sorted(absent))
    if packed or unbuilt:
        apt("update")  # a fresh image has no package lists yet
    for package in packed:
        unpack(package, UNPACKED[package])
    if unbuilt:
        cronie.build(CRONIE)
    wine.make()
    container.make()


def unpack(package: str, folder: Path) -> None:
    """Download Debian's *package* and unpack it into *folder*, whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    apt("download", "-o", "APT::Sandbox::User=root", package, folder=folder.parent)
    draft = folder.with_suffix(".new")
    archive = next(folder.parent.glob(f"{package}_*.deb"))
    subprocess.run(("dpkg", "-x", str(archive), str(draft)), check=True)
    draft.rename(folder)


def run_tests(flags: argparse.Namespace, took: dict[str, float]) -> None:
    """Run the unit tests side by side, then the engine tests, one process per engine."""
    measure = ("--cov", "--cov-append", "--cov-report=") if flags.coverage else ()
    if flags.coverage:
        step("coverage of before", "-m", "coverage", "erase", took=took)
    unit: tuple[str, ...] = QUICK if flags.quick else UNIT
    step("unit tests", "-m", "pytest", *unit, "--durations=10", *measure, took=took)
    if flags.engines:
        # why a file is one worker's, and which come first: tests/conftest.py
        together = ("-n", "4", "--dist", "loadfile", "--no-loadscope-reorder")
        options = (*together, "--durations=10", *measure)
        engine = ("-m", "pytest", "-m", "engine", *options)
        step("engine tests", *engine, require="1", took=took)
        windows = ("tests/engines/setup/wine.py", *ON_WINDOWS)
        again = {"RATECTL_TEST_AGAIN": "1"}  # as in tests/support/share.py
        step("on Windows' Python (Wine)", *windows, require="1", took=took, environment=again)
    else:
        slow = "and tests of more than some seconds " if flags.quick else ""
        print(f"left out: the tests with real engines {slow}(as root on Linux: without --quick)")
    if flags.coverage:
        step("coverage", "-m", "coverage", "report", took=took)


def step(
    name: str,
    *arguments: str,
    took: dict[str, float],
    require: str = "",
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run the environment's Python with *arguments*; raise StepError when it fails."""
    with measured(name, took, " ".join(arguments)):
        argv = (str(program("python")), *arguments)
        perform(name, argv, {"RATECTL_REQUIRE_ENGINES": require, **(environment or {})})


def perform(name: str, argv: Sequence[str], environment: dict[str, str]) -> None:
    """Run *argv* in the checkout with more *environment*; raise StepError when it fails."""
    done = subprocess.run(
        argv, cwd=ROOT, env=os.environ | environment, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise StepError(name, done.returncode)


@contextlib.contextmanager
def measured(name: str, took: dict[str, float], detail: str) -> Iterator[None]:
    """Print which step begins, and note in *took* the seconds until it ends."""
    print(f"== {name}: {detail}", flush=True)
    began = time.monotonic()
    try:
        yield
    finally:
        took[name] = time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
