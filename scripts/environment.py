"""The checkout's own ``.venv``: made when absent, brought up to date, asked for its programs.

Standard library only, so that any python3 from 3.11 on can start from nothing.
What pip downloads is cached inside ``.venv``: nothing is left in the home directory.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMP = VENV / "made-from.json"
OLDEST = (3, 11)


class SetupError(Exception):
    """The environment cannot be made; the text says what a person can do."""


def is_root() -> bool:
    """Return whether this is a POSIX superuser."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def program(name: str) -> Path:
    """Return the path of *name* in the environment."""
    if sys.platform == "win32":
        return VENV / "Scripts" / f"{name}.exe"
    return VENV / "bin" / name


def ensure(*extras: str) -> None:
    """Make the environment hold this checkout (editable) with *extras*; quick when it does."""
    if sys.version_info < OLDEST:
        raise SetupError(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}")
    wanted = {"project": _fingerprint(), "extras": sorted({*extras, *_extras_present()})}
    if _works() and _stamp() == wanted:
        return
    if not _works():
        _make()
    target = f"{ROOT}[{','.join(wanted['extras'])}]" if wanted["extras"] else str(ROOT)
    pip = (str(program("python")), "-m", "pip", "install", "--quiet", "--no-warn-script-location")
    environment = os.environ | {
        "PIP_CACHE_DIR": str(VENV / "pip-cache"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    if subprocess.run((*pip, "--editable", target), env=environment, check=False).returncode:
        raise SetupError("pip could not install the project; its message stands above")
    STAMP.write_text(json.dumps(wanted))


def apt_install(*packages: str) -> None:
    """Install Debian *packages* without their recommendations; root on Debian only."""
    apt("update")
    apt("install", "--yes", "--no-install-recommends", *packages)


def apt(*arguments: str, folder: Path | None = None) -> None:
    """Run apt-get without questions, in *folder*."""
    quietly("apt-get", "-qq", *arguments, folder=folder)


def quietly(*argv: str, folder: Path | None = None) -> None:
    """Run *argv* in *folder*; its output is shown when it fails."""
    done = subprocess.run(
        argv,
        cwd=folder,
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SetupError(f"{' '.join(argv)} failed:\n{done.stdout[-4000:]}")


def _make() -> None:
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        if not is_root():
            raise SetupError(f"this Python cannot make a venv: as root, apt-get install {package}")
        apt_install(package)
        importlib.invalidate_caches()
    venv.EnvBuilder(with_pip=True, clear=True, symlinks=os.name != "nt").create(VENV)


def _works() -> bool:
    python = program("python")
    if not python.exists():
        return False
    probe = (str(python), "-c", "import pip")
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def _stamp() -> dict[str, object]:
    try:
        made: dict[str, object] = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return made


def _extras_present() -> list[str]:
    made = _stamp().get("extras", []) if _works() else []
    return [str(extra) for extra in made] if isinstance(made, list) else []


def _fingerprint() -> str:
    digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes())
    digest.update(f"{ROOT} {sys.version_info[:2]}".encode())
    return digest.hexdigest()
