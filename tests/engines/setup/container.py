"""What the container image is built from in the tests: a base image and the locked wheels, kept in ``.venv``.

No registry takes part: the base is Debian with its own Python, from the mirror that this machine's apt uses, and
buildah, podman and runc work without a daemon in a store of their own. Made whole, or made anew the next time.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from scripts.environment import ROOT, VENV, is_root, program, quietly
from tests.engines.setup import cronie

HOME = VENV / "engines" / "images"
RUNNING = Path("/run", f"ratectl-images-{hashlib.sha256(str(HOME).encode()).hexdigest()[:8]}")
"""What podman keeps until the next start of the machine: it takes no path of more than 50 characters for it."""
BASE = "localhost/base:bookworm"
SUITE = "bookworm"
PACKAGES = "python3,python3-pip,python3-venv,ca-certificates,tzdata"
PROGRAMS = ("buildah", "podman", "runc", "debootstrap")
LOCKED = ROOT / "templates" / "kubernetes"


def missing() -> str:
    """Return why no image can be built here, or an empty text."""
    if not is_root():
        return "building an image needs root"
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if absent:
        return f"programs not found: {', '.join(absent)}"
    return "" if _made().exists() else "no base image (scripts/test.py makes it)"


def make() -> None:
    """Make the base image and fetch the wheels, unless they are there. Raises SetupError."""
    if not (HOME / "base").exists():
        shutil.rmtree(HOME, ignore_errors=True)
        HOME.mkdir(parents=True)
        _make_base()
        (HOME / "base").touch()
    if not _made().exists():
        shutil.rmtree(HOME / "wheels", ignore_errors=True)
        for name in ("requirements.txt", "build-requirements.txt"):
            quietly(
                *(str(program("python")), "-m", "pip", "download", "--quiet", "--no-deps"),
                *("--require-hashes", "--only-binary=:all:", f"--dest={HOME / 'wheels'}"),
                *(f"--cache-dir={VENV / 'pip-cache'}", "-r", str(LOCKED / name)),
            )
        _made().touch()


def buildah(*arguments: str) -> tuple[str, ...]:
    """Return the command line of buildah in our store."""
    return ("buildah", *_store(), *arguments)


def podman(*arguments: str) -> tuple[str, ...]:
    """Return the command line of podman in our store, on a machine that no systemd manages."""
    return ("podman", *_store(), "--cgroup-manager=cgroupfs", "--runtime=runc", *arguments)


def build(tag: str, *arguments: str) -> str:
    """Build the shipped Dockerfile as *tag* with wheels for an index; return the id of the image."""
    given = {"BASE": BASE, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}
    argv = buildah(
        *("bud", "--quiet", "--isolation=chroot", "--network=host", "--pull-never", *arguments),
        *(f"--build-arg={name}={value}" for name, value in given.items()),
        *(f"--volume={HOME / 'wheels'}:/wheels:ro", "-f", str(LOCKED / "Dockerfile")),
        *("--timestamp=0", "-t", tag, str(ROOT)),
    )
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{tag} cannot be built: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout.split()[-1]


def _make_base() -> None:
    root = HOME / "rootfs"
    quietly(
        *("debootstrap", "--variant=minbase", f"--include={PACKAGES}"),
        *(SUITE, str(root), cronie.mirror()),
    )
    (HOME / "driver").write_text("overlay" if _overlays() else "vfs")
    (root / "Dockerfile.base").write_text("FROM scratch\nCOPY . /\n")
    quietly(
        *buildah("bud", "--quiet", "--isolation=chroot", "-t", BASE, "-f"),
        *(str(root / "Dockerfile.base"), str(root)),
    )
    shutil.rmtree(root)


def _overlays() -> bool:
    """Tell whether layers can be laid over each other here, which the disk of a container may not allow."""
    with tempfile.TemporaryDirectory(dir=HOME) as folder:
        parts = [Path(folder, name) for name in ("lower", "upper", "work", "merged")]
        for part in parts:
            part.mkdir()
        lower, upper, work, merged = parts
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        mount = ("mount", "-t", "overlay", "overlay", "-o", options, str(merged))
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            return False
        subprocess.run(("umount", str(merged)), check=True)
        return True


def _store() -> tuple[str, ...]:
    driver = (HOME / "driver").read_text()
    return (f"--storage-driver={driver}", f"--root={HOME / 'root'}", f"--runroot={RUNNING}")


def _made() -> Path:
    """Return the sign that the wheels of the lock as it stands are there."""
    locked = b"".join(
        (LOCKED / name).read_bytes() for name in ("requirements.txt", "build-requirements.txt")
    )
    return HOME / "wheels" / f"made-{hashlib.sha256(locked).hexdigest()[:16]}"
