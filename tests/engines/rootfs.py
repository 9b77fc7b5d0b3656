"""The root file system of a sandbox: the host's own, under a layer that is thrown away.

Needs root in a private mount namespace, and nothing but util-linux.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def lay_root(work: Path) -> Path:
    """Mount a writable copy of ``/`` and of what this interpreter and checkout need beside it."""
    root = work / "root"
    overlay(Path("/"), root, work / "changes")
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(root / "run"))
    run("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(root / "tmp"))
    needed = {CHECKOUT, Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()}
    for number, path in enumerate(sorted(needed)):
        hidden = path.parts[1] in {"tmp", "run"} or path.stat().st_dev != Path("/").stat().st_dev
        if hidden and not any(other in path.parents for other in needed):
            overlay(path, root / path.relative_to("/"), work / f"changes-{number}")
        for folder in (path, *path.parents):  # an ordinary user must get there; all copies
            place = root / folder.relative_to("/")
            place.chmod(place.stat().st_mode | 0o055)
    return root


def overlay(lower: Path, target: Path, changes: Path) -> None:
    """Mount *lower* at *target*, with what is written there kept in *changes*."""
    for folder in (target, changes / "upper", changes / "work"):
        folder.mkdir(parents=True, exist_ok=True)
    (changes / "upper").chmod(0o755)
    layers = f"lowerdir={lower},upperdir={changes}/upper,workdir={changes}/work"
    run("mount", "-t", "overlay", "overlay", "-o", layers, str(target))


def furnish(root: Path) -> None:
    """Give the new root its kernel file systems; sysctls of the host stay out of reach."""
    run("mount", "-t", "proc", "proc", f"{root}/proc")
    run("mount", "--bind", f"{root}/proc/sys", f"{root}/proc/sys")
    run("mount", "-o", "remount,bind,ro", f"{root}/proc/sys")
    if Path("/proc/sysrq-trigger").exists():
        run("mount", "--bind", "/dev/null", f"{root}/proc/sysrq-trigger")
    run("mount", "-t", "sysfs", "-o", "ro", "sysfs", f"{root}/sys")
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", f"{root}/sys/fs/cgroup")
    run("mount", "-t", "cgroup2", "-o", "nsdelegate", "cgroup2", f"{root}/sys/fs/cgroup")
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", f"{root}/dev")
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        (root / "dev" / name).touch()
        run("mount", "--bind", f"/dev/{name}", f"{root}/dev/{name}")
    for name, options in (("shm", "mode=1777"), ("pts", "newinstance,ptmxmode=0666,gid=5")):
        (root / "dev" / name).mkdir()
        kind = "devpts" if name == "pts" else "tmpfs"
        run("mount", "-t", kind, "-o", options, kind, f"{root}/dev/{name}")
    links = {"ptmx": "pts/ptmx", "fd": "/proc/self/fd"}
    links |= {n: f"/proc/self/fd/{i}" for i, n in enumerate(("stdin", "stdout", "stderr"))}
    for name, aim in links.items():
        (root / "dev" / name).symlink_to(aim)


def raise_loopback() -> None:
    """Bring ``lo`` up (what ``ip link set lo up`` does, without needing iproute2)."""
    set_flags, up_and_running = 0x8914, 0x1 | 0x40
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        fcntl.ioctl(door, set_flags, struct.pack("16sH14s", b"lo", up_and_running, b""))


def run(*argv: str) -> None:
    """Run *argv* quietly; a failure ends the program with its message."""
    done = subprocess.run(argv, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"sandbox: {' '.join(argv)}: {done.stderr.decode(errors='replace').strip()}")
