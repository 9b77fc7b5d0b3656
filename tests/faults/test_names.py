"""Names that do not resolve in time, and a name of four addresses that never answer: the deadline holds.

A mount namespace gives one process its own resolv.conf and hosts; no socket timeout covers either case.
"""

from __future__ import annotations

import contextlib
import socket

import pytest

from tests.fakes.station import in_time
from tests.support.rate_server import RateServer, demo_table

pytestmark = pytest.mark.engine
DEADLINE = 3
HOST = "rates.test"  # RFC 6761: no public name ends so
WITH_FILE = 'mount --bind "$1" "$2"; shift 2; code=0; "$@" || code=$?; echo "exit $code"'
"""Puts the file $1 in the place of $2 and runs the rest."""


def fire(apart, station, file, place, url):
    """Fire at *url* with *file* standing for *place*; return exit code and what was said."""
    station.install(station.job(url, timeout=DEADLINE))
    script = f"{WITH_FILE} 2>&1".replace('"$@" ||', '"$@" 2>&1 ||')
    words = (str(file), place, *station.argv())
    said = in_time(lambda: apart(script, *words, within=DEADLINE + 2))
    *lines, last = said.splitlines()
    return int(last.removeprefix("exit ")), lines


def test_name_server_that_never_answers(apart, station, tmp_path):
    """A resolver that hangs costs the deadline and no more: exit 75, one line."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.77", 53))
        file = tmp_path / "resolv.conf"
        file.write_text("nameserver 127.0.0.77\noptions timeout:30 attempts:5\n")
        code, lines = fire(apart, station, file, "/etc/resolv.conf", f"http://{HOST}")
        silent.settimeout(5)
        asked = silent.recv(512)

    assert b"rates" in asked
    assert code == 75
    assert len(lines) == 1
    assert station.lines() == []


@contextlib.contextmanager
def deaf(address):
    """Listen on *address* with a queue that is full, so that the kernel drops who else calls."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((address, PORT))
        listener.listen(0)
        for _ in range(4):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield


PORT = 18_099


def test_four_dead_addresses(apart, station, tmp_path):
    """Four addresses that never answer cost one deadline, not four timeouts."""
    addresses = [f"127.0.77.{number}" for number in range(1, 5)]
    file = tmp_path / "hosts"
    file.write_text("".join(f"{address} {HOST}\n" for address in addresses))
    with contextlib.ExitStack() as stack:
        for address in addresses:
            stack.enter_context(deaf(address))
        code, lines = fire(apart, station, file, "/etc/hosts", f"http://{HOST}:{PORT}")

    assert code == 75
    assert len(lines) == 1
    assert "no answer" in lines[0]
    assert station.lines() == []


def test_the_namespace_itself_harms_nothing(apart, station, tmp_path):
    """With a hosts file that names a living server, the same way of firing records."""
    with RateServer(demo_table()) as server:
        port = server.url.rpartition(":")[2]
        file = tmp_path / "hosts"
        file.write_text(f"127.0.0.1 {HOST}\n")
        code, lines = fire(apart, station, file, "/etc/hosts", f"http://{HOST}:{port}")

    assert (code, lines) == (0, [])
    assert len(station.lines()) == 1
