"""What a person gets from the wheel: the package, its templates, its types, its programs and its manual."""

from __future__ import annotations

import configparser
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ratectl import __version__

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[1]
NAME = f"ratectl-{__version__}"
BESIDE = (f"{NAME}.dist-info/", f"{NAME}.data/")
"""Folders of the wheel that are no part of the package."""
PROGRAMS = {
    "console_scripts": {
        "ratectl": "ratectl.__main__:main",
        "ratectl-fetch": "ratectl.firing.__main__:main",
    },
    "gui_scripts": {"ratectl-fetchw": "ratectl.firing.__main__:main"},
}


@pytest.fixture
def archive(wheel):
    """The wheel, opened."""
    with zipfile.ZipFile(wheel) as archive:
        yield archive


def test_holds_the_package(archive):
    """Every module, the pages of the manual and the types marker are inside, and nothing else of the checkout."""
    modules = {
        str(path.relative_to(ROOT / "src").as_posix())
        for path in (ROOT / "src/ratectl").rglob("*")
        if path.suffix in {".py", ".md"} or path.name == "py.typed"
    }
    templates = {
        f"ratectl/{path.relative_to(ROOT).as_posix()}"
        for path in (ROOT / "templates").rglob("*")
        if path.is_file()
    }
    inside = {name for name in archive.namelist() if not name.startswith(BESIDE)}

    assert templates
    assert inside == modules | templates


def test_manual(archive):
    """The manual page goes where ``man`` looks for it, and nothing else goes outside the package."""
    [name] = [name for name in archive.namelist() if name.startswith(f"{NAME}.data/")]

    assert name == f"{NAME}.data/data/share/man/man1/ratectl.1"
    assert archive.read(name) == (ROOT / "templates/man/ratectl.1").read_bytes()


def test_programs(archive):
    """The programs are installed under their promised names."""
    [name] = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
    parser = configparser.ConfigParser()
    parser.optionxform = str
    parser.read_string(archive.read(name).decode())

    assert {section: dict(parser[section]) for section in parser.sections()} == PROGRAMS


def test_metadata(archive):
    """The wheel names its licence and its oldest Python, and needs no test tool to run."""
    [name] = [name for name in archive.namelist() if name.endswith("METADATA")]
    text = archive.read(name).decode()
    needed = [line for line in text.splitlines() if line.startswith("Requires-Dist:")]

    assert "License-Expression: MIT" in text
    assert "Requires-Python: >=3.11" in text
    assert not [line for line in needed if "pytest" in line and "extra ==" not in line]
    assert any(name.endswith("licenses/LICENSE") for name in archive.namelist())


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_builds_the_same_bytes_again(kind, tmp_path):
    """The same checkout gives the same file, whenever and into whichever folder it is built."""
    first, second = (_built(kind, tmp_path / name) for name in ("one", "another"))

    assert first == second


def _built(kind, folder):
    folder.mkdir()
    code = f"from hatchling.build import build_{kind} as build; import sys; build(sys.argv[1])"
    argv = (sys.executable, "-c", code, str(folder))
    subprocess.run(argv, cwd=ROOT, capture_output=True, check=True)
    [path] = folder.iterdir()
    return path.name, path.read_bytes()
