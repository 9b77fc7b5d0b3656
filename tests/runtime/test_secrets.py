"""API key references are resolved at the moment of use, and errors never show what they hold."""

from __future__ import annotations

import pytest

from ratectl.errors import RefusedError
from ratectl.runtime import secrets


def test_none():
    """No reference is no key."""
    assert secrets.resolve("") == ""


def test_file(tmp_path):
    """A file's one line is the key."""
    path = tmp_path / "office.key"
    path.write_text("s3cret\n")

    assert secrets.resolve(f"file:{path}") == "s3cret"


@pytest.mark.posix("it has no list of homes")
def test_file_of_nobody():
    """A home of no account here is refused, with the reference."""
    with pytest.raises(RefusedError, match="no such account"):
        secrets.resolve("file:~nobody-of-that-name/key")


def test_environment(monkeypatch):
    """A variable may hold the key."""
    monkeypatch.setenv("OFFICE_KEY", "s3cret")

    assert secrets.resolve("env:OFFICE_KEY") == "s3cret"


def test_credential(monkeypatch, tmp_path):
    """A systemd credential is read from the unit's own directory."""
    (tmp_path / "office").write_text("s3cret")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    assert secrets.resolve("credential:office") == "s3cret"


@pytest.mark.parametrize(
    "reference", ["env:RATECTL_NO_SUCH", "file:/nowhere/key", "credential:office", "s3cret"]
)
def test_unusable(reference):
    """What cannot be resolved is a refusal, never an empty key."""
    with pytest.raises(RefusedError, match="api_key"):
        secrets.resolve(reference)


@pytest.mark.parametrize(
    "content",
    ["", "alpha\nbeta", "\xff", "alpha\xc3\xa9", "alpha\x1bbeta"],
    ids=["empty", "lines", "bytes", "beyond ASCII", "control"],
)
def test_strange_content(tmp_path, content):
    """A key file must hold one line of text, and its content stays out of the message."""
    path = tmp_path / "key"
    path.write_text(content, encoding="latin-1")

    with pytest.raises(RefusedError) as caught:
        secrets.resolve(f"file:{path}")

    assert "alpha" not in str(caught.value)
