"""Outputs that cannot be written are found before anything is installed, with a way out that harms nothing."""

from __future__ import annotations

import dataclasses
import os
import socket
from pathlib import Path

import pytest

from ratectl.deploy import execute
from ratectl.deploy.checks import writable
from ratectl.errors import RefusedError
from ratectl.model.job import Output
from tests.fakes.jobs import job
from tests.fakes.machine import Machine, host, mac, root
from tests.fakes.office import Office

HOME = Path("/home/tester")


def shut(machine, path, owner, mode=0o755):
    """Let the folder *path* of *owner* be there, and this account not write to it."""
    machine.folders.add(path)
    machine.closed.add(path)
    machine.owners[path] = owner
    machine.modes[path] = mode


def of(machine, path, account=None, kind="text"):
    """Return why *account* cannot write to *path* on *machine*, and the command that ends it."""
    found = writable.of_output(account or host(), machine, Output(kind=kind, target=str(path)))
    return found and (found.text, found.fix)


@pytest.mark.posix("paths of another system")
class TestOtherSystemsPaths:
    """What speaks against a file, by what lies on its way."""

    def test_a_folder_that_can_be_made(self):
        """A folder that is only missing is no obstacle."""
        machine = Machine()
        machine.folders.add(HOME)

        assert of(machine, HOME / "new" / "deep" / "x.txt") is None

    def test_a_missing_folder_below_a_closed_one(self):
        """Where nothing can be made, the command makes for this account what is missing, and no more."""
        machine = Machine()
        shut(machine, Path("/srv"), 0)

        assert of(machine, "/srv/rates/x.txt") == (
            "tester may not write to /srv",
            "sudo install -d -o tester -m 700 /srv/rates",
        )

    def test_a_folder_that_nobody_else_enters(self):
        """In a folder that the account cannot enter a file of its own would not help: only another name does."""
        machine = Machine()
        shut(machine, Path("/root"), 0, 0o700)

        assert of(machine, "/root/x.txt") == ("tester may not write to /root, nor enter it", "")

    def test_read_only(self):
        """A file system that is mounted read-only is told as that."""
        machine = Machine()
        shut(machine, Path("/mnt/usb"), 1000)
        machine.mounted_read_only.add(Path("/mnt/usb"))

        assert of(machine, "/mnt/usb/x.txt") == (
            "the file system at /mnt/usb is mounted read-only",
            "sudo mount -o remount,rw /mnt/usb",
        )

    @pytest.mark.parametrize("path", ["/proc/x.txt", "/sys/x.txt"])
    def test_the_kernels_own(self, path):
        """Nobody makes a file below /proc and /sys, so no command is named."""
        machine = Machine()
        shut(machine, Path(path).parent, 0)

        text, fix = of(machine, path)
        assert ("the kernel's own" in text, fix) == (True, "")

    def test_a_folder_where_the_file_would_be(self):
        """An empty folder moves out of the way; one that holds anything stays, whoever asks."""
        machine = Machine()
        machine.folders |= {HOME / "empty", Path("/etc")}
        machine.files[Path("/etc/passwd")] = b"root"

        assert of(machine, HOME / "empty") == (
            f"{HOME}/empty is a folder",
            f"mv {HOME}/empty {HOME}/empty.aside",
        )
        assert of(machine, "/etc", root()) == ("/etc is a folder", "")

    def test_a_file_where_the_folder_would_be(self):
        """An empty file moves out of the way; one that holds anything stays."""
        machine = Machine()
        machine.files = {HOME / "empty": b"", HOME / ".bashrc": b"alias"}

        assert of(machine, HOME / "empty" / "x.txt") == (
            f"{HOME}/empty is no folder",
            f"mv {HOME}/empty {HOME}/empty.aside",
        )
        assert of(machine, HOME / ".bashrc" / "x.txt") == (f"{HOME}/.bashrc is no folder", "")

    def test_a_file_of_another(self):
        """A file that only another account writes to is told with the command that gives it away."""
        machine = Machine()
        machine.files[HOME / "x.txt"] = b""
        machine.closed.add(HOME / "x.txt")
        machine.owners[HOME / "x.txt"] = 0

        assert of(machine, HOME / "x.txt") == (
            f"tester may not write to {HOME}/x.txt",
            f"sudo chown tester {HOME}/x.txt",
        )

    def test_sqlite_writes_beside_its_file(self):
        """A table's folder has to be writable as well as the file."""
        machine = Machine()
        machine.files[Path("/srv/x.db")] = b"SQLite"
        shut(machine, Path("/srv"), 0)

        assert of(machine, "/srv/x.db", kind="sqlite")[0] == "tester may not write to /srv"

    @pytest.mark.parametrize(
        ("account", "path", "text"),
        [
            (host(), HOME / f"{'x' * 252}.txt", "has 256 bytes, and 255 is the most"),
            (host(), HOME / f"{'é' * 126}.txt", "has 256 bytes, and 255 is the most"),
            (
                host(),
                Path("/home/tester", *["x" * 200] * 21, "x.txt"),
                "bytes, and 4095 is the most",
            ),
            (mac(), Path("/Users/ada", *["x" * 200] * 6, "x.txt"), "bytes, and 1023 is the most"),
        ],
    )
    def test_too_long(self, account, path, text):
        """A name or path that is longer than the system takes is told, with its length."""
        found, fix = of(Machine(), path, account)

        assert text in found
        assert fix == ""

    def test_a_name_that_just_fits(self):
        """The longest name that there can be is no obstacle."""
        machine = Machine()
        machine.folders.add(HOME)

        assert of(machine, HOME / f"{'x' * 251}.txt") is None


@pytest.mark.posix("pipes and sockets with names")
@pytest.mark.parametrize("kind", ["pipe", "device", "socket"])
def test_what_is_no_file(kind, tmp_path, monkeypatch):
    """Nobody is told to move a device, a pipe or a socket away."""
    path = tmp_path / "it"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            monkeypatch.chdir(tmp_path)  # a socket's name has 107 bytes
            made.bind(path.name)
    else:
        path = Path(os.devnull)

    assert of(execute.SystemReader(), path) == (f"{path} is no regular file", "")


@pytest.mark.posix("symbolic links")
def test_links_that_lead_nowhere(tmp_path):
    """A ring of links is told; what a link leads to may still be made."""
    (tmp_path / "ring").symlink_to(tmp_path / "back")
    (tmp_path / "back").symlink_to(tmp_path / "ring")
    (tmp_path / "gone").symlink_to(tmp_path / "nobody" / "made")
    (tmp_path / "to-come").symlink_to(tmp_path / "later.txt")
    reader = execute.SystemReader()

    for path in ("ring", "ring/x.txt"):
        assert "is a link that leads nowhere" in of(reader, tmp_path / path)[0]
    for path in ("to-come", "gone/x.txt"):
        assert of(reader, tmp_path / path) is None


@pytest.mark.posix("paths of another system")
@pytest.mark.parametrize("engine", ["cron", "systemd", "launchd"])
def test_an_install_is_refused(engine, tmp_path):
    """Nothing is installed where one output cannot be written, and each such output is named with the way out."""
    office = Office(tmp_path, engine)
    shut(office.machine, Path("/srv"), 0)
    good = job("eur-inr")
    bad = dataclasses.replace(job(), outputs=(Output(kind="text", target="/srv/x.txt"),))

    with pytest.raises(RefusedError) as caught:
        office.install(good, bad)

    [head, line] = str(caught.value).splitlines()
    assert head == "these outputs cannot be written, so nothing was installed:"
    user = office.account.user
    assert line == (
        f"  usd-inr: /srv/x.txt: {user} may not write to /srv; "
        f"`sudo install -o {user} -m 600 /dev/null /srv/x.txt`, or name another file"
    )
    assert office.held() == office.known() == []
    assert office.machine.performed == []


@pytest.mark.posix("paths of another system")
def test_what_is_switched_off_may_stay_unwritable(tmp_path):
    """A job that does not run writes nothing, and a full disk may pass: neither stops an install."""
    office = Office(tmp_path, "cron")
    shut(office.machine, Path("/srv"), 0)
    off = dataclasses.replace(
        job(), enabled=False, outputs=(Output(kind="text", target="/srv/x.txt"),)
    )
    office.machine.room = 0

    office.install(off, job("eur-inr"))

    assert office.held() == ["eur-inr"]
