"""The budgets that need a real scheduler: measured inside the test suite's sandbox, as root.

Each function of ``INSIDE`` runs in its sandbox and may change the scheduler there freely.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmarks.floor import peak
from scripts.benchmarks.sidebyside import Row, compare

if TYPE_CHECKING:
    from collections.abc import Callable

PYTHON = sys.executable
RATECTL = str(Path(PYTHON).with_name("ratectl"))
ONE_LINE = "import typer; app = typer.Typer(); app.command()(lambda: typer.echo('one line')); app()"
BY_HAND = """
import subprocess, tomllib
import typer

app = typer.Typer()


@app.command()
def main() -> None:
    with open("{spec}", "rb") as file:
        tomllib.load(file)
    subprocess.run(("crontab", "{same}"), check=True)


app()
"""
UNITS = Path("/etc/systemd/system")
BY_HAND_STATE = Path("~/.local/state/by-hand").expanduser()
LIST = "ratectl list, 10 jobs"
IN_CRON = (2500, 5000)
IN_SYSTEMD = 1000
MEMORY = ", peak memory"
FLOOR = ", its floor"
FLOOR_BY_HAND = str(Path(__file__).with_name("install_by_hand.py"))
FEWER = 5
"""Of so many jobs a quick run installs one."""


def names(kind: str, *, quick: bool) -> list[str]:
    """Return the names of the rows that are measured in a sandbox of *kind*."""
    by = FEWER if quick else 1
    if kind == "cron":
        rows = [into(count // by, "cron") for count in IN_CRON]
        return [LIST, *rows, f"{rows[-1]}{FLOOR}", f"{rows[-1]}{MEMORY}"]
    name = into(IN_SYSTEMD // by, "systemd")
    return [name, f"{name}{FLOOR}"]


def into(count: int, engine: str) -> str:
    """Return the name of the row about *count* jobs."""
    return f"install {count} jobs, {engine}"


def measured_inside(kind: str, sandbox: str, bench: str, *, quick: bool) -> list[Row]:
    """Return the rows that *bench* measures in a sandbox of *kind*."""
    options = ("--inside", kind, "--json", *(("--quick",) if quick else ()))
    argv = (PYTHON, sandbox, "run", kind, PYTHON, bench, *options)
    answer = subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout
    return [Row(**row) for row in json.loads(answer)]


def inside_cron(*, quick: bool) -> list[Row]:
    """The list of ten jobs, and thousands of jobs written into a user's crontab."""
    install(10, "cron")
    app = (PYTHON, "-c", ONE_LINE)
    label = "typer app that prints one line"
    rows = [compare(LIST, label, 1.25, (RATECTL, "list"), app, times=3 if quick else 30)]
    remove()
    times, by = (1, FEWER) if quick else (5, 1)
    rows += [into_crontab(count // by, times=times) for count in IN_CRON]
    most = IN_CRON[-1] // by
    return [*rows, into_crontab(most, times=times, floor=True), memory_of(most)]


def memory_of(count: int) -> Row:
    """The most memory that the install of *count* jobs has, against that of half as many."""
    most = []
    for number in (count, count // 2):
        empty_crontab()
        options = ("--backend", "cron", "--scope", "user")
        most.append(peak((RATECTL, "install", spec_of(number), *options)))
    return Row(
        name=f"{into(count, 'cron')}{MEMORY}",
        yardstick="half as many",
        budget=2.0,
        ours=most[0],
        against=most[1],
        ratio=round(most[0] / most[1], 3),
        unit="KiB",
    )


def into_crontab(count: int, *, times: int, floor: bool = False) -> Row:
    """``ratectl install`` of *count* jobs, or the *floor* of it, against a typer program that reads the same spec and starts ``crontab FILE``."""
    install(count, "cron")
    same = Path("/tmp/crontab")  # noqa: S108 - the sandbox's own
    same.write_bytes(subprocess.run(("crontab", "-l"), capture_output=True, check=True).stdout)
    remove()
    script = BY_HAND.format(spec=spec_of(count), same=same)
    ours = (RATECTL, "install", spec_of(count), "--backend", "cron", "--scope", "user")
    return compare(
        into(count, "cron") + (FLOOR if floor else ""),
        "typer, tomllib on the same file, crontab FILE",
        4.0,
        by_hand("cron", count) if floor else ours,
        (PYTHON, "-c", script),
        times=times,
        reset=empty_crontab,
    )


def empty_crontab() -> None:
    """Bring the account back to no crontab, no journal, and into a second without a write of ours."""
    remove()
    subprocess.run(("crontab", "-r"), capture_output=True, check=False)
    empty_state()
    time.sleep(1.1)  # install waits for a new second after the last change: not to be measured


def by_hand(engine: str, count: int) -> tuple[str, ...]:
    """Return the command of the program that does an install's duties by hand."""
    return (PYTHON, FLOOR_BY_HAND, engine, spec_of(count), str(BY_HAND_STATE))


def empty_state() -> None:
    """Bring the journal, and what the floor keeps instead, to nothing."""
    for folder in (Path("~/.local/state/ratectl").expanduser(), BY_HAND_STATE):
        shutil.rmtree(folder, ignore_errors=True)


def inside_systemd(*, quick: bool) -> list[Row]:
    """A thousand timers (a quick run has fewer) that run, against all of it by hand: files, links, one daemon-reload, start."""
    times, count = (1, IN_SYSTEMD // FEWER) if quick else (5, IN_SYSTEMD)
    install(count, "systemd")
    same = Path("/tmp/units")  # noqa: S108 - the sandbox's own
    same.mkdir()
    for unit in UNITS.glob("ratectl-*"):
        shutil.copy(unit, same)
    ours = (RATECTL, "install", spec_of(count), "--backend", "systemd")
    files = f"cp {same}/* {UNITS}/ && sync"
    links = f"mkdir -p {UNITS}/timers.target.wants && cd {same} && ln -s -t {UNITS}/timers.target.wants {UNITS}/*.timer"
    working = f"{files} && {links} && systemctl daemon-reload && systemctl start *.timer"
    label = "the same files, sync, one daemon-reload, enable and start, by hand"
    name, against = into(count, "systemd"), ("sh", "-c", working)
    floor = (*by_hand("systemd", count), str(same))
    return [
        compare(name, label, 1.2, ours, against, times=times, reset=no_units),
        compare(f"{name}{FLOOR}", label, 1.2, floor, against, times=times, reset=no_units),
    ]


def no_units() -> None:
    """Bring systemd back to none of our units, and the journal to nothing."""
    remove()
    ours = [unit for start in ("ratectl-*", "by-hand-*") for unit in UNITS.rglob(start)]
    timers = {unit.name for unit in ours if unit.suffix == ".timer"}
    if timers:
        subprocess.run(("systemctl", "stop", *timers), check=True)
    for unit in ours:
        unit.unlink()
    subprocess.run(("systemctl", "daemon-reload"), check=True)
    empty_state()
    time.sleep(1.1)


def install(count: int, backend: str) -> None:
    """Install *count* jobs for real, unmeasured."""
    scope = ("--scope", "user") if backend == "cron" else ()
    subprocess.run(
        (RATECTL, "install", spec_of(count), "--backend", backend, *scope),
        stdout=subprocess.DEVNULL,
        check=True,
    )


def remove() -> None:
    """Remove every job, unmeasured; that there is none is fine."""
    subprocess.run((RATECTL, "remove", "--all"), capture_output=True, check=False)


def spec_of(count: int) -> str:
    """Return the path of a spec with *count* daily jobs at times that differ."""
    path = Path(f"/tmp/jobs-{count}.toml")  # noqa: S108 - the sandbox's own
    if not path.exists():
        path.write_text(
            "[defaults]\npairs = ['USD/INR']\n"
            + "".join(
                f"[jobs.job-{n}]\nschedule = 'every day at {n // 60 % 24:02}:{n % 60:02}'\n"
                f"output = '/tmp/rates/{n}.txt'\n"
                for n in range(count)
            )
        )
    return str(path)


INSIDE: dict[str, Callable[..., list[Row]]] = {"cron": inside_cron, "systemd": inside_systemd}
