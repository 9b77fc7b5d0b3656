"""Instructions instead of time: each command against its yardstick, and a firing taken apart down to its floor.

cachegrind counts what the processor ran, so a busy machine changes nothing (Debian's package ``valgrind``).
The floor is a program that does by hand what a firing must do, and imports nothing else for it.
"""

from __future__ import annotations

import argparse
import compileall
import os
import re
import shutil
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if not __package__:
    # Started by its path: modules are found from the checkout on, so that each has one name.
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from ratectl.deploy import host_facts
from scripts import bench
from scripts.benchmarks import floor, looks

if TYPE_CHECKING:
    from collections.abc import Callable

Command = tuple[str, ...]
COUNTED = re.compile(r"I\s+refs:\s+([\d,]+)")
FAST = (sys.executable, "-I", "-S", "-c")
"""How the floor starts: as a firing does, without ``site``."""
ROOMS = (
    *("model", "schedule", "runtime", "journal", "fetch", "outputs", "firing"),
    *("spec", "backends", "deploy", "views", "commands"),
)
"""Our rooms in the order in which they import each other."""
LIBRARIES = """
import sys
sys.path += {folders!r}
sys.modules["charset_normalizer"] = None
import warnings
warnings.simplefilter("ignore")
"""
BY_HAND = """
import os
book = sqlite3.connect({folder!r} + "/by-hand.sqlite3", isolation_level=None)
book.execute("PRAGMA journal_mode = WAL")
book.execute("PRAGMA synchronous = FULL")
book.execute("CREATE TABLE rates (slot, pair, rate)")
for turn in range(3):
    book.execute("BEGIN IMMEDIATE")
    book.execute("INSERT INTO rates VALUES (?, ?, ?)", (turn, "USD/INR", str(rate)))
    book.execute("COMMIT")
output = os.open({folder!r} + "/by-hand.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.write(output, f"{{rate}}\\n".encode())
os.fsync(output)
"""
"""The least that is durable: a claim, the rate and what became of it, each committed, and a line that is synced."""


def main() -> int:
    """Count, and print both tables."""
    argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0]).parse_args()
    if not shutil.which("valgrind"):
        print("instructions.py: valgrind is missing: apt-get install valgrind", file=sys.stderr)
        return 1
    compileall.compile_dir(bench.ROOT / "src", quiet=1)
    with tempfile.TemporaryDirectory(prefix="ratectl-instructions-") as name:
        folder = Path(name)
        server = (bench.PYTHON, str(bench.ROOT / "tests/support/rate_server.py"))
        with subprocess.Popen(server, stdout=subprocess.PIPE, text=True) as rates:
            url = rates.stdout.readline().strip() if rates.stdout else ""
            try:
                print(of_commands(folder, url))
                print(of_a_firing(folder, url))
                print(of_a_look(folder))
            finally:
                rates.terminate()
    return 0


def counted(argv: Command) -> int:
    """Return how many instructions *argv* itself takes, and not those of an ``env`` before it. Raises RuntimeError where it fails."""
    surroundings = dict(os.environ)
    if argv[0] == "env":
        name, _, value = argv[1].partition("=")
        surroundings[name] = value
        argv = (bench.PYTHON, *argv[2:])
    with tempfile.NamedTemporaryFile() as out:
        tool = ("valgrind", "--tool=cachegrind", "--cache-sim=no")
        into = f"--cachegrind-out-file={out.name}"
        done = subprocess.run(
            (*tool, into, *argv), env=surroundings, capture_output=True, text=True, check=False
        )
    found = COUNTED.search(done.stderr)
    if done.returncode or found is None:
        raise RuntimeError(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return int(found[1].replace(",", ""))


def of_commands(folder: Path, url: str) -> str:
    """Return the table of whole commands, each after one run that is not counted."""
    app = folder / "one_line.py"
    app.write_text(bench.ONE_LINE_APP)
    state = folder / "three"
    looks.install(state, 3)
    words = floor.WORDS | {"check": (str(state / "jobs.toml"),)}
    shown = {verb: looks.look(state, verb, *words.get(verb, ())) for verb in floor.LOOKS}
    bare = f"import requests; requests.get('{url}/v4/latest/USD')"
    bench.install(folder / "wake", url=url, schedule="every day at 00:00", now=bench.moment())
    wake = (*host_facts.fetch_argv(), "usd-inr", "--state", str(folder / "wake"))
    fired = bench.due(folder / "fired", url)
    subprocess.run(wake, check=True)
    rows = [
        ("wakeup", wake, (bench.PYTHON, "-I", "-c", "pass")),
        ("firing", fired, (bench.PYTHON, "-c", bare)),
        *((verb, argv, (bench.PYTHON, str(app))) for verb, argv in shown.items()),
    ]
    lines = [f"{'millions of instructions':<26}{'ours':>8}{'against':>9}{'ratio':>7}"]
    known: dict[Command, int] = {}
    for what, ours, against in rows:
        known[against] = known.get(against) or counted(against)
        mine = counted(ours)
        ratio = mine / known[against]
        lines.append(f"{what:<26}{millions(mine):>8}{millions(known[against]):>9}{ratio:>6.2f}x")
    return "\n".join(lines)


def of_a_firing(folder: Path, url: str) -> str:
    """Return what the parts of a firing take: each program does what the one before it does, and one thing more."""
    loaded = modules(bench.due(folder / "seen", url))
    head = LIBRARIES.format(folders=[str(bench.ROOT / "src"), *libraries()])
    asked = f"\nrate = requests.get('{url}/v4/latest/USD').json()['rates']['INR']\n"
    code = (
        head + "import _sqlite3 as sqlite3, requests" + asked + BY_HAND.format(folder=str(folder))
    )
    programs = [
        ("the interpreter", "pass"),
        ("_sqlite3", head + "import _sqlite3"),
        ("requests and urllib3", head + "import _sqlite3 as sqlite3, requests"),
        ("the request", head + "import _sqlite3 as sqlite3, requests" + asked),
        ("commits and append by hand", code),
    ]
    found = [(what, counted((*FAST, program))) for what, program in programs]
    lines = [f"\n{'a firing by its parts':<34}{'millions':>9}"]
    lines += [f"{found[0][0]:<34}{millions(found[0][1]):>9}"]
    lines += [f"{what:<34}{millions(n - before):>9}" for (_, before), (what, n) in pairwise(found)]
    lines.append(f"{'the floor: all of these':<34}{millions(found[-1][1]):>9}")
    program = head + "import _sqlite3 as sqlite3, requests\n"
    lines += of_our_rooms(program, loaded, lambda program: counted((*FAST, program)))
    lines.append(f"{'a whole firing':<34}{millions(counted(bench.due(folder / 'all', url))):>9}")
    return "\n".join(lines)


def of_a_look(folder: Path) -> str:
    """Return what the parts of ``ratectl list`` take: a typer program, and loading our rooms."""
    env, setting, script, *words = looks.look(folder / "three", "list")
    argv = (env, setting, script, *words)
    start = (bench.PYTHON, "-P", "-c")
    head = "import re, typer, typer.main, _sqlite3\n"
    app = folder / "one_line.py"
    app.write_text(bench.ONE_LINE_APP)
    least, whole = counted((bench.PYTHON, str(app))), counted(argv)
    lines = [f"\n{'list by its parts':<34}{'millions':>9}"]
    lines += [f"{'a typer program that prints a line':<34}{millions(least):>9}"]
    loaded = modules((env, setting, bench.PYTHON, script, *words))
    lines += of_our_rooms(head, loaded, lambda program: counted((*start, program)))
    return "\n".join([*lines, f"{'the whole command':<34}{millions(whole):>9}"])


def of_our_rooms(program: str, loaded: list[str], count: Callable[[str], int]) -> list[str]:
    """Return what loading each of our rooms takes after those above it, with what *program* loads being there already."""
    before, lines = count(program), []
    for room in ROOMS:
        names = [name for name in loaded if name.split(".")[1:2] == [room]]
        if not names:
            continue
        program += "".join(f"import {name}\n" for name in names)
        now = count(program)
        lines.append(f"{'loading ' + room:<34}{millions(now - before):>9}")
        before = now
    return lines


def modules(argv: Command) -> list[str]:
    """Return the modules of ours that the firing *argv* loads."""
    place = next(n for n, word in enumerate(argv) if Path(word).name.startswith("python")) + 1
    argv = (*argv[:place], "-X", "importtime", *argv[place:])
    timed = subprocess.run(argv, capture_output=True, text=True, check=True)
    names = (line.rpartition("|")[2].strip() for line in timed.stderr.splitlines())
    return [name for name in names if name.startswith("ratectl.")]


def libraries() -> list[str]:
    """Return the folders in which the libraries lie."""
    return [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]


def millions(number: int) -> str:
    """Return *number* in millions."""
    return f"{number / 1e6:.0f}"


if __name__ == "__main__":
    sys.exit(main())
