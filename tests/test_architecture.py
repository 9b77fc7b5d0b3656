"""The house as one table: which room may import which, who owns which door, and how big things may grow.

Each test lists its offenders. A room is a folder of ``src/ratectl``; its contract is the docstring of its ``__init__``.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "ratectl"

ROOMS = {  # room -> the rooms that it may import, beside itself; the longest name that fits a module is its room
    "wording": "",
    "errors": "",
    "paths": "errors",
    "schedule.values": "errors",
    "schedule.occurrences": "errors schedule.values",
    "schedule.language": "errors schedule.values schedule.occurrences",
    "schedule.cover": "errors schedule.values schedule.occurrences",
    "schedule": "errors",
    "model": "errors schedule",
    "spec": "errors paths schedule model runtime",
    "runtime": "errors paths schedule model",
    "journal": "errors paths schedule model runtime",
    "fetch": "errors paths schedule model runtime journal",
    "outputs": "errors paths schedule model runtime journal",
    "views.format": "errors model journal",
    "page": "errors paths schedule model runtime journal fetch views.format",
    "firing": "errors paths schedule model runtime journal fetch outputs page views.format",
    "backends": "errors paths schedule model runtime",
    "crontab_lint": "errors schedule model backends",
    "deploy": "errors paths schedule model runtime journal outputs spec backends views.format",
    "doctor": "errors paths schedule model runtime journal fetch outputs spec backends deploy views.format",
    "views": "manual errors paths schedule model runtime journal fetch outputs page spec backends deploy doctor",
    "manual": "errors",
    "rates": "errors paths schedule model runtime journal",
    "commands": "manual rates errors paths schedule model runtime journal fetch outputs page firing spec backends crontab_lint deploy doctor views",
    "cli": "errors runtime commands",
}
DOORS = {  # package -> the only modules that may import it
    "subprocess": r"deploy\.execute|runtime\.accounts",
    "requests": r"fetch\.http",
    "apprise": r"firing\.notify",
    "crontab": r"backends\.cron\..*",
    "platformdirs": r"paths",
    "typer": r"cli|commands\..*",
    "click": r"cli|commands\..*",
    "yaml": r"backends\.kubernetes\..*",
    "jinja2": r"runtime\.templates",
    "markupsafe": r"runtime\.templates",
    "plotille": r"views\.chart",
    "prometheus_client": r"views\.prometheus",
    "rich": r"views\.status_screen|commands\..*",
    "sqlite3": r"journal\..*|outputs\..*|firing\..*",
    "psycopg": r"runtime\.postgres",
}
PURE = {"subprocess.list2cmdline"}  # spells a command line, opens nothing
CLOCK = re.compile(r"commands\._shared\.environment|firing\.command_line")
"""Commands and firings ask for the date and time, each in one place; all others are given it."""
LARGEST = 16
"""Modules in one folder."""
LOOSE = 8
"""Modules that may lie at the top of the package."""


@dataclass(frozen=True, kw_only=True)
class Module:
    """A source file and everything it imports, by absolute dotted names."""

    path: Path

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @cached_property
    def name(self) -> str:
        """Its dotted name without the leading ``ratectl.``; a package's is that of its ``__init__``."""
        parts = self.path.relative_to(PACKAGE).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)

    @cached_property
    def imports(self) -> frozenset[str]:
        names = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.path}:{node.lineno}: relative import"
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
        return frozenset(names)

    @cached_property
    def ours(self) -> frozenset[str]:
        """What of ratectl it imports, without the leading ``ratectl.``."""
        ours = {name.removeprefix("ratectl.") for name in self.imports if under(name, "ratectl")}
        return frozenset(ours - {"ratectl", "__version__"})


def under(name, *folders):
    """Tell whether the dotted *name* is one of *folders* or lies in it."""
    return any(name == folder or name.startswith(f"{folder}.") for folder in folders)


def room_of(name):
    """Return the room of the dotted *name*, "" where the table has none for it."""
    return max((room for room in ROOMS if under(name, room)), key=len, default="")


MODULES = [Module(path=path) for path in sorted(PACKAGE.rglob("*.py"))]
ARROWS = [  # (room, imported room, the import)
    (room_of(module.name), room_of(name), f"{module.name} imports {name}")
    for module in MODULES
    for name in sorted(module.ours)
    if room_of(module.name) and room_of(module.name) != room_of(name)
]


def test_every_module_has_a_room():
    """What is neither in a room of the table nor one of the two ways to start the package is homeless."""
    homeless = {module.name for module in MODULES if not room_of(module.name)}

    assert len(MODULES) > 30
    assert homeless == {"__init__", "__main__"}
    assert set(ROOMS) == {room_of(module.name) for module in MODULES} - {""}


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_down(room):
    """A room imports what the table grants it, the wording of messages, and nothing else."""
    allowed = {room, "wording", *ROOMS[room].split()}
    if room == "schedule":  # its front door, which hands out what lies in its rooms
        allowed |= {"schedule.values", "schedule.language", "schedule.occurrences"}
    offenders = [
        text
        for importer, imported, text in ARROWS
        if importer == room
        if not under(imported, *allowed)
    ]

    assert offenders == []


def test_rooms_form_no_circle():
    """The rooms can be put in an order in which each imports only those before it."""
    needs = {room: {to for source, to, _text in ARROWS if source == room} for room in ROOMS}
    for room in ("schedule.values", "schedule.language", "schedule.occurrences", "schedule.cover"):
        needs[room].discard("schedule")  # Python loads a package before its modules
    ordered = set()
    while ready := {room for room in needs if room not in ordered and needs[room] <= ordered}:
        ordered |= ready

    assert set(needs) - ordered == set()


def test_backends_do_not_know_each_other():
    """A scheduler's package imports what all share and its own modules, never another scheduler's."""
    engines = {path.name for path in (PACKAGE / "backends").iterdir() if path.is_dir()}
    engines -= {"__pycache__"}
    offenders = [
        f"{module.name} imports {name}"
        for module in MODULES
        for engine in engines
        if under(module.name, f"backends.{engine}")
        for name in module.ours
        if under(name, *(f"backends.{other}" for other in engines - {engine}))
    ]

    assert len(engines) == 5
    assert offenders == []


def test_commands_do_not_know_each_other():
    """What two commands need is in ``commands/_shared`` or in the room that does the work."""
    offenders = [
        f"{module.name} imports {name}"
        for module in MODULES
        if under(module.name, "commands")
        for name in module.ours
        if under(name, "commands")
        if not under(name, module.name, "commands._shared")
    ]

    assert offenders == []


def test_one_door_per_resource():
    """Each resource and each third-party package has one owning module, or one room."""
    offenders = [
        f"{module.name} imports {name}"
        for module in MODULES
        for package, owner in DOORS.items()
        if not re.fullmatch(owner, module.name)
        for name in module.imports - PURE
        if under(name, package)
    ]
    unused = [
        package
        for package in DOORS
        if not any(under(name, package) for module in MODULES for name in module.imports)
    ]

    assert offenders == []
    assert set(unused) <= {"click"}


def test_now_is_an_argument():
    """Only one module of each program asks for the date and time; others are given it."""
    offenders = [
        f"{module.name}: line {node.lineno}"
        for module in MODULES
        if not CLOCK.fullmatch(module.name)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}
        if isinstance(node.value, ast.Name | ast.Attribute)
        if ast.unparse(node.value) in {"datetime", "dt.datetime", "dt.date", "date"}
    ]

    assert offenders == []


def test_folders_can_be_taken_in():
    """A folder is small enough to be read as a list, and few modules lie loose."""
    counts = Counter(
        module.path.parent.relative_to(PACKAGE).as_posix()
        for module in MODULES
        if module.path.name != "__init__.py"
    )
    crowded = {
        folder: count
        for folder, count in counts.items()
        if count > (LOOSE if folder == "." else LARGEST)
    }

    assert crowded == {}


def test_every_room_states_its_contract():
    """A folder's ``__init__`` says in its docstring what goes in and comes out."""
    folders = {module.path.parent for module in MODULES}
    unsaid = [
        str(folder.relative_to(ROOT))
        for folder in folders
        if not ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    ]

    assert unsaid == []


def test_shape():
    """A module says what it is for in at most six lines, and has a name of its own.

    The exception tree is drawn in its module's docstring, which is what that file is for.
    """
    offenders = []
    for path in [*(module.path for module in MODULES), *(ROOT / "scripts").rglob("*.py")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstring = ast.get_docstring(tree, clean=False) or ""
        if not docstring or path.stem in {"utils", "helpers", "common", "constants"}:
            offenders.append(str(path))
        if len(docstring.splitlines()) > 6 and path.name != "errors.py":
            offenders.append(str(path))

    assert offenders == []


def test_tests_mirror_the_source():
    """A folder of tests that has a room's name lies where the room does, and most rooms have one."""
    rooms = {module.path.parent.relative_to(PACKAGE).as_posix() for module in MODULES}
    others = {"engines", "fakes", "faults", "golden", "law", "specs", "support"}
    folders = {
        path.parent.relative_to(ROOT / "tests").as_posix()
        for path in (ROOT / "tests").rglob("test_*.py")
    }

    assert {folder for folder in folders if folder.split("/")[0] not in others} <= rooms


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
