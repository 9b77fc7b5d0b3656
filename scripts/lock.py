"""Pins what the container image installs: each release with the hashes of its wheels, from pip's own resolver.

Usage: ``lock.py`` rewrites templates/kubernetes/*requirements.txt, with the newest releases that pyproject.toml
allows; a person reviews the difference. A hash stands for every Python and machine that an image may be built for.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if not __package__:
    # Started by its path: modules are found from the checkout on, so that each has one name.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from scripts.environment import ROOT, SetupError, ensure, program

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FOLDER = ROOT / "templates" / "kubernetes"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
MACHINES = ("x86_64", "aarch64")
LIBCS = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
EXTRA = "postgres"
BESIDE = ("tzdata",)
"""Zone data for base images that have none; where they do, theirs is used."""
HEAD = "# Made by scripts/lock.py from pyproject.toml; what the image installs{what}, and nothing else.\n"


def main() -> int:
    """Rewrite both files; say what they hold."""
    argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0]).parse_args()
    try:
        ensure("dev")
        for name, (what, wanted) in files().items():
            pins = resolved(wanted)
            (FOLDER / name).write_text(HEAD.format(what=what) + text(pins), encoding="utf-8")
            print(f"{FOLDER / name}: {len(pins)} packages")
    except SetupError as error:
        print(f"lock.py: {error}", file=sys.stderr)
        return 1
    return 0


def files() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return each file with what it is for and the requirements that it locks."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = declared["project"]
    run = (*project["dependencies"], *project["optional-dependencies"][EXTRA], *BESIDE)
    build = tuple(declared["build-system"]["requires"])
    return {
        "requirements.txt": ("", run),
        "build-requirements.txt": (" to build ratectl's own wheel", build),
    }


def resolved(wanted: Sequence[str]) -> dict[str, tuple[str, set[str]]]:
    """Return version and hashes of every package that *wanted* comes to, by name. Raises SetupError."""
    pins: dict[str, tuple[str, set[str]]] = {}
    for python in PYTHONS:
        for machine in MACHINES:
            for package in report(wanted, python, machine):
                name = canonical(package["metadata"]["name"])
                version = package["metadata"]["version"]
                digest = package["download_info"]["archive_info"]["hashes"]["sha256"]
                known, digests = pins.setdefault(name, (version, set()))
                if known != version:
                    raise SetupError(
                        f"{name}: {known} and, for Python {python} on {machine}, {version}; "
                        "bound it in pyproject.toml"
                    )
                digests.add(digest)
    return pins


def report(wanted: Sequence[str], python: str, machine: str) -> list[dict[str, Any]]:
    """Return what pip would install of *wanted*, wheels only."""
    platforms = [f"--platform={libc}_{machine}" for libc in LIBCS]
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "report.json"
        argv = (
            *(str(program("python")), "-m", "pip", "install", "--quiet", "--dry-run"),
            *("--ignore-installed", f"--report={told}", f"--target={folder}"),
            *("--only-binary=:all:", f"--python-version={python}", *platforms, *wanted),
        )
        environment = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        done = subprocess.run(argv, capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            raise SetupError(f"pip, for Python {python} on {machine}: {done.stderr[-2000:]}")
        packages: list[dict[str, Any]] = json.loads(told.read_text())["install"]
        return packages


def canonical(name: str) -> str:
    """Return *name* as indexes spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def text(pins: dict[str, tuple[str, set[str]]]) -> str:
    """Return the lines of a requirements file, the same for the same pins."""
    lines: Iterable[str] = (
        " \\\n    ".join(
            (f"{name}=={version}", *(f"--hash=sha256:{one}" for one in sorted(hashes)))
        )
        for name, (version, hashes) in sorted(pins.items())
    )
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
