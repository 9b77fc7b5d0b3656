"""Debian's sudo inside a sandbox, from the package that ``scripts/test.py`` unpacks, with its own sudoers and PAM files."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engines.conftest import RATECTL

if TYPE_CHECKING:
    from tests.engines.conftest import Account

PACKAGE = Path(sys.prefix) / "engines" / "sudo"
RULE = "tester ALL=(ALL:ALL) NOPASSWD: ALL"


def install_sudo(root: Account) -> None:
    """Let the account ``tester`` do everything by sudo, and everybody find ratectl where sudo looks (``secure_path``)."""
    if not PACKAGE.exists():
        reason = f"not unpacked: {PACKAGE} (scripts/test.py does that)"
        if os.environ.get("RATECTL_REQUIRE_ENGINES"):
            pytest.fail(reason)
        pytest.skip(reason)
    root.run(
        "sh",
        "-ec",
        f"cp -a {PACKAGE}/usr {PACKAGE}/etc /; echo '{RULE}' > /etc/sudoers.d/tester; chmod 440 /etc/sudoers.d/tester; "
        f"ln -sf {RATECTL} /usr/local/bin/ratectl",
    )
