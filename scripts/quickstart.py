"""The main job, for real, in a throw-away folder: spec, one fetch, the OS scheduler, the lines, removal.

Needs only a python3 (3.11+) with venv and pip. Everything it makes but ``.venv`` lies in
a ``.quickstart-*`` folder of the checkout and is gone at the end, also after Ctrl-C; what is
not gone is named. A crontab, unit or journal of your own is never touched.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

sys.dont_write_bytecode = True  # before the imports beside it, which would leave it behind

if not __package__:
    # Started by its path: modules are found from the checkout on, so that each has one name.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from scripts.environment import ROOT, SetupError, ensure, program  # noqa: E402
from scripts.traces import Traces, bytecode  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

TO_END = (signal.SIGINT, signal.SIGTERM)
PUBLIC = "https://api.exchangerate-api.com/v4"
JOB = f"quickstart-{os.getpid()}"
AHEAD = """\
This waits twice: for pip, which fetches a dozen packages into .venv on the first run (about a minute), and
  for the scheduler, which writes a line at its next full minute (systemd a little sooner; where none runs,
  it takes ten seconds in the foreground). It leaves nothing but .venv."""
PATIENCE = 150
"""Seconds to wait for a line: at most one minute is expected."""
SOON = 15
"""Seconds until the first slot, where a scheduler need not wait for the full minute: the job is set up meanwhile."""
LATE = 45
"""A second of the minute from which a slow machine's firing may reach into the next one."""
GRACE = 10
"""Seconds that a process of ours is given to end."""
NO_ENGINE = 69
"""Exit code of ratectl where no scheduler runs."""
SPEC = """\
[jobs.{job}]
pairs     = ["USD/INR"]
schedule  = "{schedule}"
providers = ["exchangerate-api-v4"]
output    = "{output}"
overlap   = "wait"

[providers.exchangerate-api-v4]
base_url = "{base_url}"
"""


class NotSeenError(Exception):
    """What should have happened did not; the text says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The throw-away folder and what is in it."""

    folder: Path

    @property
    def output(self) -> Path:
        """Where the rates are appended."""
        return self.folder / "output.txt"

    @property
    def spec(self) -> Path:
        """The spec of the one job."""
        return self.folder / "config" / "jobs.toml"

    def lines(self) -> list[str]:
        """Return the whole lines recorded so far."""
        text = self.output.read_text() if self.output.exists() else ""
        return text.split("\n")[:-1]

    def ratectl(self, *arguments: str) -> int:
        """Show the command, run it with its output on the terminal, return its exit code."""
        print(f"\n  $ ratectl {' '.join(arguments)}", flush=True)
        argv = (str(program("ratectl")), *arguments)
        return subprocess.run(argv, env=self.environment(), check=False).returncode

    def must(self, *arguments: str) -> None:
        """As :meth:`ratectl`, and raise NotSeenError unless the exit code is 0."""
        code = self.ratectl(*arguments)
        if code:
            raise NotSeenError(f"`ratectl {' '.join(arguments)}` ended with {code}")

    def environment(self) -> dict[str, str]:
        """Return our environment with ratectl's folders moved into this one."""
        return os.environ | {
            "RATECTL_CONFIG_DIR": str(self.folder / "config"),
            "RATECTL_STATE_DIR": str(self.folder / "state"),
        }


def main() -> int:
    """Set up, show the whole path, clean up, verify; 0 when everything was seen."""
    argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0]).parse_args()
    signal.signal(signal.SIGTERM, interrupted)
    began = time.monotonic()
    say(AHEAD)
    try:
        with without_bytecode():
            say("Installing ratectl into .venv ...")
            ensure()
            print(f"  done after {seconds(began)}", flush=True)
            before = Traces.look()
            with throw_away_folder(before) as stage:
                engine = show(stage)
        say(verified())
    except (SetupError, NotSeenError) as error:
        print(f"\nquickstart: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # who read it went away, and everything is removed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        but = " but .venv" if (ROOT / ".venv").exists() else ""
        print(f"\nquickstart: interrupted, and everything it made{but} is removed", file=sys.stderr)
        return 130
    ratectl = program("ratectl").relative_to(ROOT)
    last = "install" if engine else "serve"
    say(
        f"Done in {seconds(began)}. Next: `{ratectl} init`, edit the spec it names, then `{ratectl} {last}`."
    )
    return 0


def seconds(began: float) -> str:
    """Return how long ago *began* was, a time of the monotonic clock."""
    return f"{time.monotonic() - began:.0f} s"


def interrupted(*_: object) -> NoReturn:
    """Treat a request to end as Ctrl-C, so that it cleans up, too."""
    raise KeyboardInterrupt


@contextlib.contextmanager
def without_bytecode() -> Iterator[None]:
    """Remove afterwards what Python compiled of the checkout meanwhile, also in the scheduler's firings."""
    before = bytecode(ROOT)
    try:
        yield
    finally:
        for path in bytecode(ROOT) - before:
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # it held some before
                path.parent.rmdir()


@contextlib.contextmanager
def throw_away_folder(before: Traces) -> Iterator[Stage]:
    """Yield a stage; whatever happens, nothing of it stays in the scheduler or on disk.

    Raises NotSeenError naming what is left all the same, on a machine that was as *before*.
    """
    folder = Path(tempfile.mkdtemp(prefix=".quickstart-", dir=ROOT))
    stage = Stage(folder=folder)
    stage.spec.parent.mkdir()
    why = ""
    try:
        yield stage
    except NotSeenError as error:
        why = f"{error}; "
        raise
    finally:
        with undisturbed():
            if (folder / "state").exists():
                argv = (str(program("ratectl")), "remove", JOB)
                subprocess.run(argv, env=stage.environment(), capture_output=True, check=False)
            wait_for_the_last_firing(folder)
            shutil.rmtree(folder, ignore_errors=True)
            if left := Traces.look().beyond(before, folder, JOB):
                raise NotSeenError(f"{why}left behind: {'; '.join(left)}")


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Ignore further wishes to end meanwhile: a second Ctrl-C must not leave a crontab line or a process behind."""
    held = {number: signal.signal(number, signal.SIG_IGN) for number in TO_END}
    try:
        yield
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)


def end(process: subprocess.Popen[Any]) -> None:
    """Have *process* end, by force where it does not within some seconds, and wait until it has."""
    with undisturbed():
        process.terminate()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def show(stage: Stage) -> str:
    """Do the main job once and show each step; return the engine that did it, or an empty text."""
    with rate_source() as base_url:
        write_spec(stage, base_url, schedule="every minute")
        engine, why = scheduler(stage)
        second = second_soon() if engine == "systemd" else 0
        if second:  # systemd can say a second exactly, the others the full minute
            write_spec(stage, base_url, schedule=f"every minute at :{second:02}")
        elif not engine:  # then nothing needs a minute
            write_spec(stage, base_url, schedule="every 5 seconds")
        say(f"A spec in {stage.spec.relative_to(ROOT)}: what to record, when, and where to:\n")
        print("    " + stage.spec.read_text().strip().replace("\n", "\n    "))
        stage.must("check", str(stage.spec))
        if engine:
            say(f"`ratectl install` would use {engine} here. Installing, then fetching once now:")
            by_the_system(stage, engine, second)
        else:
            say(f"{why[:1].upper()}{why[1:]}")
            say("So it records in the foreground: two slots, ten seconds at most ...")
            in_the_foreground(stage, slots=2)
    return engine


def second_soon() -> int:
    """Return a second some way ahead in which a firing ends before its minute does, or it would wait for the next one."""
    second = int(time.time() + SOON) % 60
    return second if 0 < second < LATE else 1


def write_spec(stage: Stage, base_url: str, *, schedule: str) -> None:
    """Write the spec of a job with this *schedule*, whose provider is at *base_url*."""
    output = stage.output.as_posix()
    text = SPEC.format(job=JOB, output=output, base_url=base_url, schedule=schedule)
    stage.spec.write_text(text)


def in_the_foreground(stage: Stage, *, slots: int) -> None:
    """Record *slots* slots with ``ratectl serve``, showing each line when it appears; then end it."""
    print(f"\n  $ ratectl serve {stage.spec}", flush=True)
    argv = (str(program("ratectl")), "serve", str(stage.spec))
    with subprocess.Popen(argv, env=stage.environment()) as serving:
        try:
            for number in range(slots):
                wait_for_lines(stage, number + 1, serving)
                show_line(stage, number)
        finally:
            end(serving)


def wait_for_lines(
    stage: Stage, count: int, serving: subprocess.Popen[bytes] | None = None
) -> None:
    """Return when the output has *count* lines, *serving* has ended, or patience has."""
    end = time.monotonic() + PATIENCE
    while len(stage.lines()) < count and time.monotonic() < end:
        if serving and serving.poll() is not None:
            return
        time.sleep(0.2)


def by_the_system(stage: Stage, engine: str, second: int) -> None:
    """Install into *engine*, see it fire by itself at *second* of a minute, list, and remove."""
    stage.must("install", str(stage.spec), "--backend", engine)
    stage.must("run", JOB, "--force")
    by_hand = len(stage.lines())
    show_line(stage, max(by_hand - 1, 0))
    say(f"Nothing of ours runs now. {engine} wakes it {until(second)} ...")
    wait_for_lines(stage, by_hand + 1)
    show_line(stage, by_hand)
    stage.must("list")
    stage.must("remove", JOB)


def until(second: int) -> str:
    """Return in words how long it is until that *second* of a minute."""
    left = (second - int(time.time())) % 60 or 60
    return f"in {left} s, at {f'second {second}' if second else 'the full minute'}"


def show_line(stage: Stage, place: int) -> None:
    """Print the line at *place* of the output file, counted from 0; raise NotSeenError when there is none."""
    lines = stage.lines()
    if len(lines) <= place:
        stage.ratectl("list")
        raise NotSeenError(f"{stage.output.name} did not grow within {PATIENCE} seconds")
    print(f"\n  {stage.output.relative_to(ROOT)}, line {place + 1}:   {lines[place]}", flush=True)


@contextlib.contextmanager
def rate_source() -> Iterator[str]:
    """Yield the base URL of the public provider, or of a local demonstration server."""
    reason = unreachable()
    if not reason:
        say(f"The internet is reachable: rates come from {PUBLIC}")
        yield PUBLIC
        return
    say(f"The public rate provider is not reachable ({reason}).")
    print(
        "  A local server with made-up demonstration rates takes its place; they stay in the folder."
    )
    argv = (str(program("python")), str(ROOT / "tests/support/rate_server.py"), "--data", "demo")
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = server.stdout.readline().strip() if server.stdout else ""
            yield f"{address}/v4"
        finally:
            end(server)


def unreachable() -> str:
    """Return why the public provider gives no rate, or an empty text when it does."""
    try:
        url = f"{PUBLIC}/latest/USD"
        with urllib.request.urlopen(url, timeout=8) as answer:  # noqa: S310 - https, as spelled above
            return "" if "INR" in json.load(answer)["rates"] else "it knows no INR"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return str(getattr(error, "reason", error)) or type(error).__name__


def scheduler(stage: Stage) -> tuple[str, str]:
    """Return the engine that ``ratectl install`` would take here; or none, and its reason."""
    argv = (str(program("ratectl")), "plan", str(stage.spec), "--json")
    done = subprocess.run(
        argv, env=stage.environment(), capture_output=True, text=True, check=False
    )
    if done.returncode == NO_ENGINE:
        return "", done.stderr.removeprefix("ratectl: ").strip()
    if done.returncode:
        raise NotSeenError(f"`ratectl plan` ended with {done.returncode}: {done.stderr.strip()}")
    return str(json.loads(done.stdout)["backend"]), ""


def wait_for_the_last_firing(folder: Path) -> None:
    """Let a firing that the scheduler began in this very second come to its end, if that is soon."""
    last = time.monotonic() + GRACE
    while Traces.processes(str(folder)) and time.monotonic() < last:
        time.sleep(0.1)


def verified() -> str:
    """Return what was found when the machine was compared with what it was."""
    crontab = " the crontab is the same byte for byte," if shutil.which("crontab") else ""
    return (
        f"Verified: the folder is gone,{crontab} and no unit,\n"
        "  process or file of this run is left but the environment in .venv."
    )


def say(text: str) -> None:
    """Print one step."""
    print(f"\n* {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
