"""The guard of conftest.py: what a test may not do by accident."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest


def test_no_subprocess():
    """An unmarked test starts no process."""
    with pytest.raises(AssertionError, match="mark the test"):
        subprocess.run((sys.executable, "-c", "pass"), check=False)


def test_no_loopback():
    """An unmarked test does not even talk to this machine."""
    with pytest.raises(AssertionError, match="may not talk"):
        socket.create_connection(("127.0.0.1", 9), timeout=1)


@pytest.mark.network
@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "example.com"])
def test_loopback_only(address):
    """A network test reaches no other machine."""
    with pytest.raises(AssertionError, match="may not talk"):
        socket.create_connection((address, 80), timeout=1)


@pytest.mark.network
def test_subprocess_where_marked():
    """A network test may start the programs that it tests."""
    assert subprocess.run((sys.executable, "-c", "pass"), check=False).returncode == 0
