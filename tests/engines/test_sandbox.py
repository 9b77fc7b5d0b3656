"""The throw-away machines of these tests work, too, where this machine is a chroot: a build host, a bare tree in a folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("systemd")]

SANDBOX = Path(__file__).with_name("sandbox.py")
IN_A_CHROOT = """
mkdir "$0" && mount --bind / "$0" && mount --rbind /proc "$0/proc" && mount --rbind /sys "$0/sys" &&
mount --rbind /dev "$0/dev" && mount -t tmpfs tmpfs "$0/tmp" && cd / && exec chroot "$0" "$@"
"""


def test_in_a_chroot(tmp_path):
    """What confines a unit, a user namespace, can be had inside, which the kernel refuses to all in a chroot."""
    bare = ("unshare", "--mount", "sh", "-c", IN_A_CHROOT, str(tmp_path / "root"))
    done = subprocess.run(
        (*bare, sys.executable, str(SANDBOX), "run", "systemd", "unshare", "--user", "true"),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
