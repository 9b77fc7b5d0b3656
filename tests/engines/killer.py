"""Kills ratectl inside a sandbox, before each of its steps or at any time, or fills its disk, and runs the same command again.

Started as one process, which forks for each command so that none pays for imports. Prints what was
seen as JSON; ``test_killed.py`` judges it.
"""

# ruff: noqa: T201 - a program that prints its answers
from __future__ import annotations

import contextlib
import importlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import ratectl.__main__ as program
from ratectl import cli
from ratectl.deploy import execute

VERBS = ("install", "remove", "pause", "resume", "plan", "list")
LOADED = (*map(cli.module_of, VERBS), "iso4217", "jinja2", "pydantic")
"""What the commands would import when they begin (pydantic is typer's)."""
BEFORE = "[defaults]\npairs = ['USD/INR']\noutput = 'rates.txt'\n" + "".join(
    f"[jobs.{name}]\nschedule = 'every day at 0{hour}:17'\n" for hour, name in enumerate("ab")
)
AFTER = BEFORE.replace("00:17", "05:18").replace("[jobs.b]", "[jobs.c]")
"""One job at another time, one gone, one new."""
WRITES = (
    "write,pwrite64,fsync,fdatasync,ftruncate,mkdir,mkdirat,rename,renameat,renameat2,link,linkat"
)
"""Calls that a full disk refuses."""
WRITTEN = re.compile(r"^(\w+)\((?:\d+<([^>]*)>)?")
FOREIGN_TAB = b'MAILTO=""\n# theirs \xe9\n0 5 * * 1 date +\\%F >> /tmp/x\n'
FOREIGN_UNIT = "[Timer]\nOnCalendar=*-*-* 05:00\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One engine as this account sees it."""

    engine: str
    folder: Path
    """Of spec files."""

    @property
    def units(self) -> Path:
        mine = Path.home() / ".config/systemd/user"
        return mine if os.geteuid() else Path("/etc/systemd/system")

    @property
    def here(self) -> tuple[str, ...]:
        return ("--backend", self.engine, "--scope", "user" if os.geteuid() else "system")

    def there(self) -> dict[str, str]:
        """Return everything that the engine holds, ours and others'."""
        tab = subprocess.run(("crontab", "-l"), capture_output=True, check=False).stdout
        held = {"crontab": tab.decode("latin-1")}
        for path in sorted(self.units.rglob("*ratectl*")) + sorted(self.units.rglob("theirs*")):
            held[str(path)] = str(path.readlink()) if path.is_symlink() else path.read_text()
        stamps = (Path.home() / ".local/share" if os.geteuid() else Path("/var/lib")) / "systemd"
        held |= {str(path): "" for path in stamps.glob("timers/stamp-ratectl-*")}
        manager = ("systemctl", "--user" if os.geteuid() else "--system")
        rows = ("list-units", "--all", "--plain", "--no-legend", "ratectl-*.timer")
        known = subprocess.run((*manager, *rows), capture_output=True, text=True, check=False)
        return held | {f"ratectl- {row}": "" for row in known.stdout.splitlines()}

    def spec(self, text: str) -> str:
        path = self.folder / "jobs.toml"  # one file, edited in between
        path.write_text(text)
        return str(path)

    def command(self, what: str) -> list[str]:
        """Return the command line of *what*, whose spec stands in its file by then."""
        spec = self.spec(AFTER if what == "update" else BEFORE)
        return {
            "install": ["install", spec, *self.here],
            "update": ["install", spec, "--prune", *self.here],
            "move": ["install", spec, *self.here],
            "remove": ["remove", "--all"],
            "pause": ["pause", "a"],
            "resume": ["resume", "a"],
        }[what]

    def prepare(self, what: str) -> None:
        """Bring the account to where *what* begins."""
        ratectl(["remove", "--all"])
        if what == "install":
            return
        other = {"cron": "systemd", "systemd": "cron"}[self.engine]
        engine = other if what == "move" else self.engine
        scope = "system" if os.geteuid() == 0 else "user"
        ratectl(["install", self.spec(BEFORE), "--backend", engine, "--scope", scope])
        if what == "resume":
            ratectl(["pause", "a"])

    def seen(self, what: str) -> dict[str, object]:
        """Return what stands after *what* came to its end."""
        spec = AFTER if what == "update" else BEFORE
        plan = ["plan", self.spec(spec), "--detailed-exitcode", *self.here]
        listed = self.folder / "listed.json"
        ratectl(["list", "--json"], into=str(listed))
        rows = json.loads(listed.read_text())
        return {
            "plan": ratectl(plan) if what != "remove" else 0,
            "drift": {row["job"]: row["drift"] for row in rows if row["drift"]},
            "held": [
                row["job"] for row in rows if row["enabled"] and row["backend"] == self.engine
            ],
            "known": [row["job"] for row in rows],
            "there": self.there(),
        }


def ratectl(words: list[str], *, steps: int | None = None, into: str = "/dev/null") -> int:
    """Run ratectl to its end, or until it kills itself before step number *steps*; return its exit code."""
    return ended(started(words, steps=steps, into=into))


def started(
    words: list[str], *, steps: int | None = None, into: str = "/dev/null", told: str = "/dev/null"
) -> int:
    """Fork ratectl, which speaks *into* a file and complains in *told*; return its process id as it begins."""
    begun, begins = os.pipe()
    child = os.fork()
    if child:
        os.close(begins)
        os.read(begun, 1)
        os.close(begun)
        return child
    for stream, name in enumerate(("/dev/null", into, told)):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC), stream)
    if steps is not None:
        die_before(steps)
    code = 1
    with contextlib.suppress(BaseException):
        try:
            os.close(begins)
            sys.argv = ["ratectl", *words]
            program.main()
            code = 0
        except SystemExit as ending:
            code = ending.code if isinstance(ending.code, int) else 0
        except BaseException:  # noqa: BLE001 - what the interpreter would print
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def die_before(steps: int) -> None:
    """Let the process kill itself when it is about to perform one step more than *steps*."""
    perform, left = execute.perform, iter(range(steps))

    def counted(all_steps: object, on_progress: object = lambda _: None) -> None:
        del on_progress
        for step in all_steps:  # type: ignore[attr-defined]
            if next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            perform((step,))

    execute.perform = counted  # type: ignore[assignment]


def ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def at_every_step(place: Place, what: str) -> list[dict[str, object]]:
    """Kill *what* before each of its steps in turn, and run it again."""
    cases: list[dict[str, object]] = []
    while True:
        place.prepare(what)
        code = ratectl(place.command(what), steps=len(cases))
        if code != -signal.SIGKILL:
            return [*cases, {"killed": code, "again": 0, **place.seen(what)}]
        again = ratectl(place.command(what))
        cases.append({"killed": code, "again": again, **place.seen(what)})


def at_random(place: Place, times: int, seed: int) -> list[dict[str, object]]:
    """Kill install and remove in turn, unmodified, after a random delay, and run the same again."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    cases: list[dict[str, object]] = []
    longest = 0.5
    place.prepare("install")
    for number in range(times):
        what = ("install", "remove")[number % 2]
        begun = time.monotonic()
        child = started(place.command(what))
        time.sleep(chance.uniform(0, longest))
        os.kill(child, signal.SIGKILL)
        killed = ended(child)
        if killed == 0:
            longest = max(0.2, time.monotonic() - begun)
        again = ratectl(place.command(what))
        cases.append({"what": what, "killed": killed, "again": again, **place.seen(what)})
    return cases


def under_strace(place: Place, what: str, *options: str) -> tuple[int, str, str]:
    """Run *what* under strace, which sees none of its children; return its exit code, its complaint and its calls."""
    log = place.folder / "strace.log"
    argv = ("strace", "-y", "-qq", "-o", str(log), "-e", f"trace={WRITES}", *options)
    program = (sys.executable, "-m", "ratectl", *place.command(what))
    done = subprocess.run(
        (*argv, *program), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr, log.read_text()


def points(log: str) -> list[tuple[str, int]]:
    """Return each call in *log* on a file: its name, and which one of that name it is."""
    counts: dict[str, int] = {}
    found = []
    for line in log.splitlines():
        call = WRITTEN.match(line)
        if not call:
            continue
        name, path = call.groups()
        counts[name] = counts.get(name, 0) + 1
        if path is None or (path.startswith("/") and not path.startswith("/dev/")):
            found.append((name, counts[name]))
    return found


def full_disk(place: Place, what: str, tenth: str) -> list[dict[str, object]]:
    """Let one call after the other find no space on the disk, a tenth of all, and run *what* again."""
    place.prepare(what)
    code, said, log = under_strace(place, what)
    assert code == 0, said
    chosen = points(log) if tenth == "all" else points(log)[int(tenth) % 10 :: 10]
    cases: list[dict[str, object]] = []
    for name, number in chosen:
        place.prepare(what)
        code, said, log = under_strace(place, what, f"--inject={name}:error=ENOSPC:when={number}")
        again = ratectl(place.command(what))
        told = {"call": f"{name} {number}", "met": "INJECTED" in log, "code": code, "said": said}
        cases.append({**told, "again": again, **place.seen(what)})
    return cases


def together(place: Place) -> list[dict[str, object]]:
    """Start three installs at once."""
    place.prepare("install")
    children = [started(place.command("install")) for _ in range(3)]
    return [{"killed": 0, "again": max(map(ended, children)), **place.seen("install")}]


def interrupted(place: Place, times: int) -> list[dict[str, object]]:
    """Press Ctrl-C at other moments of updates, and run the same again."""
    cases: list[dict[str, object]] = []
    place.prepare("update")
    begun = time.monotonic()
    ratectl(place.command("update"))
    whole = time.monotonic() - begun
    for number in range(times):
        place.prepare("update")
        child = started(place.command("update"), told=str(place.folder / "said"))
        time.sleep(whole * (number + 1) / times)
        os.kill(child, signal.SIGINT)
        killed = ended(child)
        said = (place.folder / "said").read_text()
        again = ratectl(place.command("update"))
        cases.append({"killed": killed, "said": said, "again": again, **place.seen("update")})
    return cases


def main(engine: str, how: str, what: str, repeats: str = "") -> None:
    """Prepare the account with what is not ours, do *how*, and print what was seen."""
    for module in LOADED:
        importlib.import_module(module)
    folder = Path.home() / "specs"
    folder.mkdir(exist_ok=True)
    place = Place(engine=engine, folder=folder)
    place.units.mkdir(parents=True, exist_ok=True)
    (place.units / "theirs.timer").write_text(FOREIGN_UNIT)
    subprocess.run(("crontab", "-"), input=FOREIGN_TAB, check=True)
    ratectl(["remove", "--all"])
    before = place.there()
    cases = {
        "steps": lambda: at_every_step(place, what),
        "random": lambda: at_random(place, int(repeats), int(what)),
        "full": lambda: full_disk(place, what, repeats),
        "together": lambda: together(place),
        "interrupted": lambda: interrupted(place, int(what)),
    }[how]()
    place.prepare("install")
    subprocess.run(("crontab", "-r"), check=True)
    (place.units / "theirs.timer").unlink()
    print(json.dumps({"before": before, "cases": cases}))


if __name__ == "__main__":
    main(*sys.argv[1:])
