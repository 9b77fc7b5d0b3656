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
BY_NAME = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)


def under(name, *folders):
    """Tell whether the dotted *name* is one of *folders* or lies in it."""
    return any(name == folder or name.startswith(f"{folder}.") for folder in folders)


def test_there_is_something_to_read():
    """The walk finds the package."""
    assert len(MODULES) > 30


SHARED = ("errors", "paths", "schedule", "model", "addresses")
RECORD = (
    "firing.journal",
    "firing.roster",
    "firing.runner",
)  # the compile half reads and runs through these
TOLD = {  # folder -> what else of firing it may use, to tell people of it
    "doctor": ("firing.connectivity", "firing.probing"),
    "views": (
        *("firing.connectivity", "firing.held", "firing.lookback", "firing.providers.facts"),
        *("firing.quote", "firing.rows"),
    ),
}
ALLOWED = {  # folder -> what of ratectl it may import; what is not listed may import anything
    "errors": (),
    "paths": ("errors",),
    "addresses": (),
    "schedule": ("errors", "schedule"),
    "model": ("errors", "schedule", "model"),
    "firing": (*SHARED, "firing"),
}


@BY_NAME
def test_layers(module):
    """The schedule knows only errors, the model adds it, and firing nothing of the compile half."""
    for folder, allowed in ALLOWED.items():
        if under(module.name, folder):
            foreign = {name for name in module.ours() if not under(name, *allowed, "__version__")}
            assert not foreign


@BY_NAME
def test_compile_half_keeps_out_of_firing(module):
    """Of firing, only a few use anything: the book of record and the runner, and some what they tell of it."""
    if under(module.name, "firing", "commands"):
        return
    used = {name for name in module.ours() if under(name, "firing")}
    folder = module.name.split(".")[0]
    assert {name for name in used if not under(name, *RECORD, *TOLD.get(folder, ()))} == set()
    assert not used or folder in {*TOLD, "choose", "deploy", "listing", "removal"}


@BY_NAME
def test_backends_do_not_know_each_other(module):
    """A backend imports the base and its own spelling modules, never another engine's."""
    if not under(module.name, "backends") or module.path.name == "__init__.py":
        return
    engine = module.path.stem.split("_")[0]
    others = {
        name
        for name in module.ours()
        if re.fullmatch(r"backends\.(cron|systemd|windows|launchd|kubernetes)\b.*", name)
        and not name.split(".")[1].startswith(engine)
    }
    assert not others


DOORS = {  # package -> the only modules that may import it
    "subprocess": r"host",
    "requests": r"firing\.transport",
    "apprise": r"firing\.notify",
    "crontab": r"backends\.cron\w*",
    "platformdirs": r"paths",
    "typer": r"cli|commands\..*",
    "click": r"cli|commands\..*",
    "yaml": r"backends\.kubernetes\w*",
    "jinja2": r"templates",
    "markupsafe": r"templates",
    "plotille": r"views\.chart",
    "prometheus_client": r"views\.metrics",
    "rich": r"views\.screen|commands\..*",
    "sqlite3": r"firing\..*",
    "psycopg": r"firing\.postgres",
}
PURE = {"subprocess.list2cmdline"}  # spells a command line, opens nothing


@BY_NAME
@pytest.mark.parametrize("package", DOORS)
def test_one_door_per_resource(module, package):
    """Each resource and each third-party package has one owning module."""
    users = {name for name in module.imports if under(name, package)} - PURE

    assert not users or re.fullmatch(DOORS[package], module.name), users


CLOCK = re.compile(r"commands(\..*)?|cli|firing\.__main__")


@BY_NAME
def test_now_is_an_argument(module):
    """Only the commands and the two programs ask for the date and time; others are given it."""
    asks = [
        f"line {node.lineno}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}
        if isinstance(node.value, ast.Name | ast.Attribute)
        if ast.unparse(node.value) in {"datetime", "dt.datetime", "dt.date", "date"}
    ]

    assert not asks or CLOCK.fullmatch(module.name), asks


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
