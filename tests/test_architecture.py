"""Who may import whom, who may open which door, and how big things may grow: read off the source."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "ratectl"
SOURCES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A source file and everything it imports, by absolute dotted names."""

    path: Path
    tree: ast.Module

    @property
    def name(self) -> str:
        return ".".join(self.path.relative_to(PACKAGE).with_suffix("").parts)

    @property
    def imports(self) -> set[str]:
        names = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.path}:{node.lineno}: relative import"
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
        return names

    def ours(self) -> set[str]:
        """Return what of ratectl it imports, without the leading ``ratectl.``."""
        return {
            name.removeprefix("ratectl.") for name in self.imports if name.startswith("ratectl.")
        }


def parsed(path):
    return Module(path=path, tree=ast.parse(path.read_text(encoding="utf-8")))


MODULES = [parsed(path) for path in SOURCES]


def test_there_is_something_to_read():
    """The walk finds the package."""
    assert len(MODULES) > 30


@pytest.mark.parametrize("path", SOURCES + SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_shape(path):
    """A module says what it is for in at most six lines, and has a name of its own.

    The exception tree is drawn in its module's docstring, which is what that file is for.
    """
    text = path.read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text), clean=False) or ""

    assert docstring
    assert len(docstring.splitlines()) <= 6 or path.name == "errors.py"
    assert path.stem not in {"utils", "helpers", "common", "constants"}


TEXTS = frozenset({".py", ".toml", ".j2", ".md", ".yaml", ".yml", ".sh", ""})
NOT_WRITTEN = frozenset({"dist", "__pycache__"})


def written(folder):
    """Yield the files below *folder* that people wrote, without a look into hidden folders such as an environment."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") and path.name not in {".ci", ".github"}:
            continue
        if path.is_dir() and path.name not in NOT_WRITTEN:
            yield from written(path)
        elif path.suffix in TEXTS and path.is_file() and path != Path(__file__):
            yield path


UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
BUILD_PLACES = re.compile(r"(?<![\w.~}])/(work/|root/\.pyenv|tmp/v/|opt/wheels)")


def test_nothing_unfinished():
    """No file is left with a note to finish it, or names a place on the machine it was written on."""
    files = list(written(ROOT))
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in files
        for pattern in (UNFINISHED, BUILD_PLACES)
        for match in pattern.finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]

    assert {ROOT / ".ci/run", ROOT / "README.md", PACKAGE / "cli.py"} <= set(files)
    assert not found
