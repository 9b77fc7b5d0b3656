"""The text of the container image: what it may start from, who it runs as, and that every package in it is pinned."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import pytest

from ratectl import __version__
from ratectl.backends.kubernetes import manifest

if sys.platform == "win32":
    pytest.skip("images are built on Linux", allow_module_level=True)

from scripts import lock

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "templates" / "kubernetes"
DOCKERFILE = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
STAGE = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
"""The stage that is shipped."""
PIN = re.compile(r"[a-z0-9-]+==[\w.!+-]+( \\\n    --hash=sha256:[0-9a-f]{64})+")
LOCKS = pytest.mark.parametrize("name", sorted(lock.files()))


def pins(name):
    """Return the entries of a requirements file."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    return re.split(r"\n(?! )", text.partition("\n")[2].rstrip("\n"))


def test_base():
    """Every stage starts from the one base that a build may name, and no tag floats: a digest pins it."""
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)

    assert set(bases) == {"${BASE}"}
    assert re.search(
        r"^ARG BASE=docker\.io/library/python:3\.12\.\d+-slim-bookworm@sha256:[0-9a-f]{64}$",
        DOCKERFILE,
        re.MULTILINE,
    )
    assert ":latest" not in DOCKERFILE


def test_account():
    """It runs as an account that no system has, by number, so that a cluster can see that it is not root."""
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["65532:65532"]
    assert "\nUSER 65532:65532\n" in STAGE


def test_no_shell():
    """Nothing in it is started through a shell, neither while it is built nor when it runs."""
    started = re.findall(r"^(?:RUN|ENTRYPOINT|CMD) (.*)$", DOCKERFILE, re.MULTILINE)

    assert started
    assert all(line.startswith('["') for line in started)
    assert 'ENTRYPOINT ["/opt/ratectl/bin/ratectl-fetch"]' in STAGE


def test_path():
    """What the image holds is found by its name, and what a manifest calls is where the image has it."""
    assert re.search(r"\bPATH=/opt/ratectl/bin:/usr/local/sbin:/usr/local/bin:", STAGE)
    assert f'ENTRYPOINT ["{manifest.PROGRAM}"]' in STAGE


def test_labels():
    """The image says what it is, and its version is ours."""
    assert f'org.opencontainers.image.version="{__version__}"' in STAGE
    assert 'org.opencontainers.image.licenses="MIT"' in STAGE


def test_pip_installs_what_is_locked():
    """There is no cache of pip, and it takes nothing whose hash is not known, but for the wheel that was just built."""
    installs = [line for line in DOCKERFILE.splitlines() if '"install"' in line]

    assert "PIP_NO_CACHE_DIR=1" in DOCKERFILE
    assert len(installs) == 3
    assert all('"--require-hashes"' in line or '"--no-index"' in line for line in installs)


@LOCKS
def test_every_package_is_hashed(name):
    """Each line of a lock pins one release and its wheels, and names no place to get them from."""
    found = pins(name)

    assert found
    assert [pin for pin in found if not PIN.fullmatch(pin)] == []
    assert "://" not in (FOLDER / name).read_text(encoding="utf-8")


@LOCKS
def test_lock_is_complete(name):
    """What pyproject.toml asks for is locked; after a change there, scripts/lock.py is to be run."""
    locked = {pin.partition("==")[0] for pin in pins(name)}
    _, wanted = lock.files()[name]
    names = {
        lock.canonical(re.match(r"[\w.-]+", requirement)[0])
        for requirement in wanted
        if "sys_platform" not in requirement
    }

    assert names
    assert names <= locked


def test_lock_text():
    """The same pins give the same text, in whatever order they were found."""
    pinned = {"b": ("2", {"y", "x"}), "a": ("1", {"z"})}

    expected = (
        "a==1 \\\n    --hash=sha256:z\nb==2 \\\n    --hash=sha256:x \\\n    --hash=sha256:y\n"
    )
    assert lock.text(pinned) == lock.text(dict(reversed(pinned.items()))) == expected


def test_pythons():
    """The lock is made for every Python that the project supports, this one too."""
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "requires-python"
    ]

    assert oldest == f">={lock.PYTHONS[0]}"
    assert sys.version_info[:2] >= (3, 11)
