"""What another account may do with a path, by the modes of everything on the way."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from ratectl.runtime import accounts

pytestmark = pytest.mark.posix("modes of files")

OTHER = accounts.Account(name="other", uid=54321, gid=54321, groups=(54321,), home="/nowhere")


@pytest.fixture
def folder():
    """A folder that everybody may pass, with a file for all to read in it, and a folder that is its owner's alone."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o711)
    for name, mode in (("open", 0o755), ("private", 0o700)):
        (folder / name).mkdir()
        (folder / name).chmod(mode)
        (folder / name / "file").touch()
        (folder / name / "file").chmod(0o644)
    yield folder
    shutil.rmtree(folder)


def may_read(path):
    return accounts.may(OTHER, path, accounts.READ)


def test_modes(folder):
    """A file is readable where its own mode lets it be read, and each folder above lets others pass."""
    assert may_read(folder / "open" / "file")
    assert not may_read(folder / "private" / "file")
    assert not accounts.may(OTHER, folder / "open" / "file", accounts.WRITE)
    assert not may_read(folder / "open" / "nothing")


def test_links(folder):
    """A link is followed as the kernel does: the folder that it lies in counts, and each that it leads through."""
    (folder / "private" / "link").symlink_to(folder / "open" / "file")
    (folder / "open" / "there").symlink_to("../private/link")
    (folder / "open" / "near").symlink_to("../open/file")
    (folder / "open" / "folder").symlink_to(folder / "private")
    (folder / "open" / "round").symlink_to("round")

    assert may_read(folder / "open" / "near")
    assert not may_read(folder / "private" / "link")
    assert not may_read(folder / "open" / "there")
    assert not may_read(folder / "open" / "folder" / "link")
    assert not may_read(folder / "open" / "round")
