"""The budgets of the design, as ratios measured side by side in one run: table, or ``--json``.

Each row alternates ours and the yardstick (A B A B ...) and compares medians, so
that a busy machine slows both. An engine that is missing gives a row "not measured: why".
"""

from __future__ import annotations

import argparse
import compileall
import datetime as dt
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if not __package__:
    # Started by its path: modules are found from the checkout on, so that each has one name.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from ratectl import spec
from ratectl.deploy import host_facts
from ratectl.journal.journal import Journal
from scripts.benchmarks import firing_by_hand, floor, looks, shared, size, slots
from scripts.benchmarks.engines import INSIDE, measured_inside, names
from scripts.benchmarks.sidebyside import Row, compare, not_measured

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
OUTPUTS = ("output.txt", "output.csv", "output.jsonl", "output.ledger", "output.beancount")
SPEC = """
[jobs.usd-inr]
pairs = ["USD/INR"]
schedule = "{schedule}"
providers = ["exchangerate-api-v4"]
output = {outputs}
[providers.exchangerate-api-v4]
base_url = "{url}/v4"
"""
ONE_LINE_APP = """
import typer

app = typer.Typer()


@app.command()
def main() -> None:
    typer.echo("one line")


app()
"""
PYTHON = sys.executable
RATECTL = str(Path(PYTHON).with_name("ratectl"))


def main() -> int:
    """Measure every row and print them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--quick", action="store_true", help="few repeats and small sizes: proves it runs"
    )
    parser.add_argument("--inside", choices=sorted(INSIDE), help=argparse.SUPPRESS)
    flags = parser.parse_args()
    compileall.compile_dir(ROOT / "src", quiet=1)  # as pip does when it installs
    if flags.inside:
        rows = INSIDE[flags.inside](quick=flags.quick)
    else:
        rows = everything(quick=flags.quick)
    print(json.dumps([asdict(row) for row in rows], indent=2) if flags.json else table(rows))
    return 0


def everything(*, quick: bool) -> list[Row]:
    """Return the rows of this machine, and those measured in a sandbox beside it."""
    # First, while this process has done nothing else: all other rows are measured in processes of their own.
    of_slots = slots.rows(quick=quick)
    with tempfile.TemporaryDirectory(prefix="ratectl-bench-") as name:
        rows = [
            *wake(Path(name) / "wake", quick=quick),
            *firing(Path(name) / "firing", quick=quick),
            *command_line(Path(name), quick=quick),
            *size.rows(Path(name) / "size", quick=quick),
            *looks.rows(Path(name) / "looks", quick=quick),
            *shared.rows(Path(name) / "shared", quick=quick),
            *of_slots,
        ]
    for kind in ("cron", "systemd"):
        sandbox = str(ROOT / "tests/engines/sandbox.py")
        probe = (PYTHON, sandbox, "missing", kind)
        reason = subprocess.run(probe, capture_output=True, text=True, check=True).stdout.strip()
        if reason:
            rows += [not_measured(label, reason) for label in names(kind, quick=quick)]
        else:
            rows += measured_inside(kind, sandbox, __file__, quick=quick)
    return rows


def wake(folder: Path, *, quick: bool) -> list[Row]:
    """A wakeup that finds nothing due, against an interpreter that does nothing; and a day of them."""
    install(folder, url="http://127.0.0.1:9", schedule="every day at 00:00", now=moment())
    ours = (*host_facts.fetch_argv(), "usd-inr", "--state", str(folder))
    subprocess.run(ours, check=True)  # the first wakeup computes and stores the next due slot
    against = (PYTHON, "-I", "-c", "pass")
    times = 5 if quick else 60
    return [
        compare("wake, nothing due", "python -I -c pass", 1.15, ours, against, times=times),
        floor.day_of_wakeups(ours, quick=quick),
    ]


def firing(folder: Path, *, quick: bool) -> list[Row]:
    """A whole firing (fetch, record, append to five outputs, sync), against fetching the same with requests alone."""
    server = (PYTHON, str(ROOT / "tests/support/rate_server.py"))
    times = 3 if quick else 100
    with subprocess.Popen(server, stdout=subprocess.PIPE, text=True) as rates:
        url = rates.stdout.readline().strip() if rates.stdout else ""
        commands: Iterator[tuple[str, ...]] = iter(
            [due(folder / str(number), url) for number in range(times + 1 + MEASURED)]
        )
        script = f"import requests; requests.get('{url}/v4/latest/USD')"
        label, bare = "python -c 'import requests; requests.get(url)'", (PYTHON, "-c", script)
        by_hand = firing_by_hand.whole(folder, f"{url}/v4/latest/USD", OUTPUTS)
        rows = [
            compare("one firing", label, 1.0, lambda: next(commands), bare, times=times),
            compare("one firing, its floor", label, 1.0, by_hand, bare, times=times // 2 + 1),
            floor.memory_of_a_firing(lambda: next(commands), bare, label, times=MEASURED),
        ]
        rates.terminate()
    written = sum(file.stat().st_size > 0 for file in folder.glob("*/output.*"))
    if written != len(OUTPUTS) * (times + 1 + MEASURED):
        raise RuntimeError(f"only {written} files of {times + 1 + MEASURED} firings have a rate")
    return rows


MEASURED = 15
"""Firings whose memory is measured: the medians of three differ by half a per cent."""


def due(folder: Path, url: str) -> tuple[str, ...]:
    """Return the command of a job whose one slot, of a minute ago, is due, and whose files are there as after an earlier one."""
    schedule = size.just_passed(moment())
    install(folder, url=url, schedule=schedule, now=moment() - dt.timedelta(minutes=3))
    for name in OUTPUTS:
        (folder / name).touch()
    return (*host_facts.fetch_argv(), "usd-inr", "--state", str(folder))


def command_line(folder: Path, *, quick: bool) -> list[Row]:
    """The help text and each command that only looks, against the smallest typer program."""
    app = folder / "one_line.py"
    app.write_text(ONE_LINE_APP)
    ours, against = (RATECTL, "--help"), (PYTHON, str(app))
    label, times = "typer app that prints one line", 3 if quick else 30
    return [
        compare("ratectl --help", label, 1.25, ours, against, times=times),
        *floor.rows_of_looks(folder, against, quick=quick),
    ]


def install(folder: Path, *, url: str, schedule: str, now: dt.datetime) -> None:
    """Record the job in a journal in *folder*, as an install does, without any scheduler."""
    folder.mkdir(parents=True)
    path = folder / "jobs.toml"
    outputs = [str(folder / name) for name in OUTPUTS]
    path.write_text(SPEC.format(outputs=json.dumps(outputs), url=url, schedule=schedule))
    loaded = spec.load(path, host_timezone="UTC")
    with Journal(folder) as journal:
        for job in loaded.jobs:
            journal.record_job(
                job,
                spec=str(path),
                digest="",
                backend="cron",
                scope="user",
                host_timezone="UTC",
                now=now,
            )


def moment() -> dt.datetime:
    """Return the time now, in whole seconds."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def digits(figure: float) -> int:
    """Return the decimals that show a figure to a thousandth where it is small."""
    return 1 if figure >= 1 else 3


def table(rows: list[Row]) -> str:
    """Return *rows* as text for people."""
    lines = [f"{'what':<34}{'ours':>12}{'against':>12}{'ratio':>8}{'budget':>8}  against what"]
    for row in rows:
        if row.ratio is None:
            lines.append(f"{row.name:<34}not measured: {row.reason}")
            continue
        mark = "" if row.ratio <= row.budget else "   OVER BUDGET"
        scale = 1000 if row.unit == "ms" else 1
        times = "".join(
            f"{x * scale:>8.{digits(x * scale)}f} {row.unit:<3}" for x in (row.ours, row.against)
        )
        lines.append(
            f"{row.name:<34}{times}{row.ratio:>7.2f}x{row.budget:>7.2f}x  {row.yardstick}{mark}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
