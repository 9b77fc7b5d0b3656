"""The package as a person installs it: wheels of this checkout, of this version and a newer one, and environments that hold them."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from ratectl import __version__

if TYPE_CHECKING:
    from tests.engines.conftest import Account

CHECKOUT = Path(__file__).resolve().parents[2]
PARTS = ("src", "templates", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")
PYTHON = str(Path(sys.prefix) / "bin" / "python")
SITE = next(path for path in sys.path if path.endswith("site-packages"))
NEWER, NEWEST = (f"{__version__.rpartition('.')[0]}.{number}" for number in (98, 99))
"""The versions that two upgrades bring."""
BUILD = "import sys\nfrom hatchling.build import build_wheel\nprint(build_wheel(sys.argv[1]))"


def wheel(version: str) -> tuple[str, bytes]:
    """Return name and bytes of a wheel of this checkout as *version*."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "checkout")
        copy.mkdir()
        for part in PARTS:
            place = CHECKOUT / part
            copies = shutil.copytree if place.is_dir() else shutil.copy
            copies(place, copy / part)
        for name, key in (
            ("pyproject.toml", "version"),
            ("src/ratectl/__init__.py", "__version__"),
        ):
            text = (copy / name).read_text(encoding="utf-8")
            stated = re.sub(rf'(?m)^{key} = ".*"', f'{key} = "{version}"', text)
            (copy / name).write_text(stated, encoding="utf-8")
        argv = (sys.executable, "-c", BUILD, folder)
        built = subprocess.run(argv, cwd=copy, check=True, capture_output=True, text=True)
        name = built.stdout.split()[-1]
        return name, Path(folder, name).read_bytes()


def needed(name: str = "ratectl") -> set[str]:
    """Return what lies in ``site-packages`` for the distributions that the one called *name* needs."""
    found: set[str] = set()
    for text in metadata.distribution(name).requires or ():
        wanted = Requirement(text)
        if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
            files = metadata.distribution(wanted.name).files or ()
            found |= {file.parts[0] for file in files if file.parts[0] not in {"..", "__pycache__"}}
            found |= needed(wanted.name)
    return found


def install(account: Account, folder: str, version: str) -> Account:
    """Let *account* install *version* into the environment *folder*, made where it is not there; return it with that program.

    What the package needs are copies out of the tests' own environment, so that no network is asked.
    """
    name, data = wheel(version)
    account.write(f"/tmp/{account.user}/{name}", data)
    parts = " ".join(sorted(needed()))
    account.run(
        "sh",
        "-ec",
        f"[ -x {folder}/bin/python ] || {{ {PYTHON} -m venv --without-pip {folder}; "
        f"cd {SITE}; cp -a {parts} {folder}/lib/python3*/site-packages; cd; }}; "
        f"{PYTHON} -m pip --python {folder}/bin/python install --quiet --no-index --no-deps --no-cache-dir "
        f"--upgrade --disable-pip-version-check --root-user-action=ignore /tmp/{account.user}/{name}; "
        f"rm -r /tmp/{account.user}",
    )
    return dataclasses.replace(account, program=f"{folder}/bin/ratectl")
