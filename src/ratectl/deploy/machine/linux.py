"""What the kernel tells without a program: which programs run, what is mounted where, whether the clock is kept."""

from __future__ import annotations

import os
from pathlib import Path

LARGEST_CLOCK_ERROR = 16_000_000
"""Microseconds; the kernel counts up to here when nobody corrects its clock."""


def mounts() -> frozenset[Path]:
    """Return where Linux has something mounted, one folder over another included, which looks like no mount otherwise."""
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(Path(line.split()[1].replace("\\040", " ")) for line in lines)


def clock_is_kept() -> bool | None:
    """Return what adjtimex(2) says; like systemd, by the largest error that the kernel thinks possible."""
    import ctypes  # noqa: PLC0415 - only the doctor asks

    class Timex(ctypes.Structure):
        _fields_ = (
            ("modes", ctypes.c_uint),
            ("offset", ctypes.c_long),
            ("freq", ctypes.c_long),
            ("maxerror", ctypes.c_long),
            ("rest", ctypes.c_char * 256),
        )

    try:
        timex = Timex()
        if ctypes.CDLL(None).adjtimex(ctypes.byref(timex)) < 0:
            return None
    except (OSError, AttributeError):
        return None
    return bool(timex.maxerror < LARGEST_CLOCK_ERROR)


def names_of(entry: str) -> tuple[str, ...]:
    """Return the base names of the program that the *entry* of ``/proc`` is, none for what is no process of this machine."""
    if not entry.isdigit():
        return ()
    try:
        words = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
    except OSError:  # gone meanwhile, or hidden
        return ()
    first, second = (os.fsdecode(word.rpartition(b"/")[2]) for word in (*words, b"")[:2])
    if "cron" in first + second and not _is_of_this_machine(entry):
        return ()
    return (first, second) if first == "busybox" else (first,)


def _is_of_this_machine(entry: str) -> bool:
    """Tell whether a process sees our files, as far as we may know: that of a container, or of a chroot, does not."""
    try:
        if _depth(entry) > _depth("self"):
            return False
        theirs, ours = Path(f"/proc/{entry}/root").stat(), Path("/").stat()
    except OSError:  # not ours to look at; or gone
        return True
    return (theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino)


def _depth(entry: str) -> int:
    """Return in how many namespaces of processes one has a number, from the one of this ``/proc`` on; see proc(5)."""
    text = Path(f"/proc/{entry}/status").read_text(encoding="ascii", errors="replace")
    numbers = [line.split() for line in text.splitlines() if line.startswith("NSpid:")]
    return len(numbers[0]) if numbers else 0
