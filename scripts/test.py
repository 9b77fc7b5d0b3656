"""All checks of the project from nothing: environment, engines, lint, types, tests.

Needs only a python3 (3.11+) with venv and pip. As root on Debian it fetches the real
schedulers too and then insists on them; elsewhere their tests are left out, and it says so.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import container
import cronie
import wine
from environment import ROOT, VENV, SetupError, apt, apt_install, ensure, is_root, program

UNPACKED = {  # a package -> where its files are put, without being installed
    "cron": VENV / "engines" / "cron",
    "busybox-static": VENV / "engines" / "busybox",
    "libfaketime": VENV / "engines" / "faketime",
    "logrotate": VENV / "engines" / "logrotate",  # installed, it would bring a cron along
    "nginx": VENV / "engines" / "nginx",  # installed, it would start
    "libpopt0": VENV / "engines" / "popt",  # which logrotate needs
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
    "/usr/bin/mandoc": "mandoc",
    "/usr/bin/groff": "groff-base",
    "/usr/bin/unshare": "util-linux",
    "/usr/bin/mount": "mount",
    "/usr/bin/strace": "strace",
    "/usr/bin/gcc": "gcc",
    "/usr/bin/make": "make",
    "/usr/bin/xz": "xz-utils",
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
    *("-p", "no:cacheprovider", "--ignore=tests/test_law.py", "--ignore=tests/test_scripts.py"),
)
"""What runs there: all but the firings over HTTP, which take Wine too long, and what knows no system."""


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
    try:
        announce("environment", str(VENV))
        ensure("dev")
        if flags.engines:
            announce(
                "engines",
                "Debian's cron, busybox, libfaketime, logrotate and nginx (unpacked aside), cronie (built), systemd, Chromium, plistutil, strace, gcc, ledger, buildah and podman",
            )
            fetch_engines()
        step("lint and types", "scripts/check.py")
        run_tests(engines=flags.engines, coverage=flags.coverage)
    except SetupError as error:
        print(f"test.py: {error}", file=sys.stderr)
        return 1
    except StepError as error:
        print(f"test.py: FAILED in: {error.step}", file=sys.stderr)
        return error.code
    print(f"test.py: everything holds ({time.monotonic() - started:.0f} s)")
    return 0


def arguments() -> argparse.Namespace:
    """Return the flags; ``engines`` says whether real schedulers take part."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--quick", action="store_true", help="leave the real engines out")
    choice.add_argument(
        "--require-engines",
        action="store_true",
        help="a missing engine fails (the default as root on Linux and where CI=true)",
    )
    parser.add_argument("--coverage", action="store_true", help="tell, too, which lines ran")
    flags = parser.parse_args()
    in_ci = os.environ.get("CI", "").lower() == "true"
    wanted = flags.require_engines or in_ci or (is_root() and sys.platform == "linux")
    flags.engines = wanted and not flags.quick
    return flags


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


def run_tests(*, engines: bool, coverage: bool) -> None:
    """Run the unit tests side by side, then the engine tests, one process per engine."""
    measured = ("--cov", "--cov-append", "--cov-report=") if coverage else ()
    if coverage:
        step("coverage of before", "-m", "coverage", "erase")
    step("unit tests", "-m", "pytest", "-m", "not engine", "-n", "2", *measured)
    if engines:
        # why a file is one worker's, and which come first: tests/conftest.py
        together = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
        options = (*together, "--durations=25", *measured)
        step("engine tests", "-m", "pytest", "-m", "engine", *options, require="1")
        step("on Windows' Python (Wine)", "scripts/wine.py", *ON_WINDOWS, require="1")
    else:
        print("engine tests: left out (they need root on Linux, and not --quick)", flush=True)
    if coverage:
        step("coverage", "-m", "coverage", "report")


def step(name: str, *arguments: str, require: str = "") -> None:
    """Run the environment's Python with *arguments*; raise StepError when it fails."""
    announce(name, " ".join(arguments))
    argv = (str(program("python")), *arguments)
    environment = os.environ | {"RATECTL_REQUIRE_ENGINES": require}
    done = subprocess.run(argv, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise StepError(name, done.returncode)


def announce(name: str, detail: str) -> None:
    """Print which step begins."""
    print(f"== {name}: {detail}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
