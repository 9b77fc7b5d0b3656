"""Instructions instead of time: each command against its yardstick, and a firing taken apart down to its floor, with its memory.

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
from typing import TYPE_CHECKING, NamedTuple

if not __package__:
    # Started by its path: modules are found from the checkout on, so that each has one name.
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from ratectl.deploy import host_facts
from scripts import bench
from scripts.benchmarks import firing_by_hand, floor, looks
from scripts.benchmarks.firing_by_hand import FAST

if TYPE_CHECKING:
    from collections.abc import Callable

Command = tuple[str, ...]
COUNTED = re.compile(r"I\s+refs:\s+([\d,]+)")
ROOMS = (
    *("model", "schedule", "runtime", "journal", "fetch", "outputs", "firing"),
    *("spec", "backends", "deploy", "views", "commands"),
)
"""Our rooms in the order in which they import each other."""


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


class Taken(NamedTuple):
    """What a program took."""

    instructions: float
    kib: float
    """The most memory that it had at once."""

    def __sub__(self, other: Taken) -> Taken:
        """Return how much more this is than *other*."""
        return Taken(self.instructions - other.instructions, self.kib - other.kib)


def measured(argv: Command) -> Taken:
    """Return what *argv* takes, which runs twice for it."""
    return Taken(counted(argv), floor.peak(argv))


def line(what: str, taken: Taken) -> str:
    """Return a row of a table of parts."""
    return f"{what:<34}{millions(taken.instructions):>9}{taken.kib / 1024:>7.1f}"


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
    programs = firing_by_hand.parts(folder, f"{url}/v4/latest/USD", bench.OUTPUTS)
    found = [(what, measured((*FAST, program))) for what, program in programs.items()]
    lines = [f"\n{'a firing by its parts':<34}{'millions':>9}{'MiB':>7}"]
    lines.append(line(*found[0]))
    lines += [line(what, now - before) for (_, before), (what, now) in pairwise(found)]
    lines.append(line("the floor: all of these", found[-1][1]))
    lines += of_our_rooms(
        firing_by_hand.loading(),
        loaded,
        lambda program: measured((*FAST, program)),
        within="with deferred():",
    )
    whole = Taken(
        counted(bench.due(folder / "all", url)), floor.peak(bench.due(folder / "peak", url))
    )
    lines.append(line("a whole firing", whole))
    bare = (bench.PYTHON, "-c", f"import requests; requests.get('{url}/v4/latest/USD')")
    lines.append(line("the bare request", measured(bare)))
    return "\n".join(lines)


def of_a_look(folder: Path) -> str:
    """Return what the parts of ``ratectl list`` take: a typer program, and loading our rooms."""
    env, setting, script, *words = looks.look(folder / "three", "list")
    argv = (env, setting, script, *words)
    start = (bench.PYTHON, "-P", "-c")
    head = "import re, typer, typer.main, _sqlite3\n"
    app = folder / "one_line.py"
    app.write_text(bench.ONE_LINE_APP)
    least, whole = measured((bench.PYTHON, str(app))), measured(argv)
    lines = [f"\n{'list by its parts':<34}{'millions':>9}{'MiB':>7}"]
    lines.append(line("a typer program that prints a line", least))
    loaded = modules((env, setting, bench.PYTHON, script, *words))
    lines += of_our_rooms(head, loaded, lambda program: measured((*start, program)))
    return "\n".join([*lines, line("the whole command", whole)])


def of_our_rooms(
    program: str, loaded: list[str], measure: Callable[[str], Taken], *, within: str = "if True:"
) -> list[str]:
    """Return what loading each of our rooms takes after those above it, *within* a block, with what *program* loads being there already."""
    before, lines = measure(program), []
    for room in ROOMS:
        names = [name for name in loaded if name.split(".")[1:2] == [room]]
        if not names:
            continue
        program += "\n    ".join((within, *(f"import {name}" for name in names))) + "\n"
        now = measure(program)
        lines.append(line(f"loading {room}", now - before))
        before = now
    return lines


def modules(argv: Command) -> list[str]:
    """Return the modules of ours that the firing *argv* loads."""
    place = next(n for n, word in enumerate(argv) if Path(word).name.startswith("python")) + 1
    argv = (*argv[:place], "-X", "importtime", *argv[place:])
    timed = subprocess.run(argv, capture_output=True, text=True, check=True)
    names = (line.rpartition("|")[2].strip() for line in timed.stderr.splitlines())
    return [name for name in names if name.startswith("ratectl.")]


def millions(number: float) -> str:
    """Return *number* in millions."""
    return f"{number / 1e6:.0f}"


if __name__ == "__main__":
    sys.exit(main())
