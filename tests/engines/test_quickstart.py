"""The quick start on machines where cron, systemd or no scheduler at all runs: all at the same time.

It uses the checkout's ``.venv``, which is up to date only when scripts/test.py made it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.engine

CHECKOUT = Path(__file__).resolve().parents[2]
SANDBOX = str(Path(__file__).with_name("sandbox.py"))
QUICKSTART = (sys.executable, str(CHECKOUT / "scripts/quickstart.py"))
WITHOUT_CRON = ("sh", "-c", 'kill "$(pidof cron)" && sleep 0.5 && exec "$@"', "sh")
LINGERING = """
chown tester . scripts src && loginctl enable-linger tester
until [ -e /run/user/$(id -u tester)/bus ]; do sleep 0.1; done
exec setpriv --reuid tester --regid tester --init-groups env -u XDG_RUNTIME_DIR HOME=/home/tester "$@"
"""
"""An ordinary user as in ``su`` or ``ssh host command``: nothing says where the user's manager is."""
WHAT_IS_LEFT = """
compiled() { find . -path ./.venv -prune -o -name __pycache__ -print; }
cd "$0" && rm -rf $(compiled) && "$@" && echo "left:$(compiled)$(find . -maxdepth 1 -name ".quickstart*")"
"""
LOOKING = ("sh", "-c", WHAT_IS_LEFT, str(CHECKOUT))
MACHINES = {
    "cron": ("cron", *LOOKING, *QUICKSTART),
    "systemd": ("systemd", *LOOKING, *QUICKSTART),
    "lingering": ("systemd", *LOOKING, "sh", "-c", LINGERING, "sh", *QUICKSTART),
    "nothing": ("cron", *LOOKING, *WITHOUT_CRON, *QUICKSTART),
}
INTERRUPTING = """
"$@" >/tmp/said 2>&1 & running=$!
until grep -q "output.txt, line 1" /tmp/said; do sleep 0.1; done
kill -TERM $running; wait $running; echo "code:$?" >>/tmp/said; cat /tmp/said
"""
FIRST_LINES = ("sh", "-c", '"$@" | head -n 2', "sh")


@pytest.fixture(scope="module")
def checkout(every_engine):
    """The checkout, where scripts/test.py has brought its environment up to date."""
    assert every_engine is None
    if Path(sys.prefix) != CHECKOUT / ".venv":
        pytest.skip("not run from the checkout's .venv, as scripts/test.py does")
    return CHECKOUT


@pytest.fixture(scope="module")
def said(checkout):
    """What the quick start said on each machine; there is no network on any of them."""
    assert checkout.is_dir()
    running = {
        name: subprocess.Popen(
            (sys.executable, SANDBOX, "run", *command),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name, command in MACHINES.items()
    }
    heard = {name: process.communicate()[0] for name, process in running.items()}
    for name, process in running.items():
        assert process.returncode == 0, f"{name}:\n{heard[name]}"
    return heard


@pytest.mark.parametrize(
    ("machine", "engine"), [("cron", "cron"), ("systemd", "systemd"), ("lingering", "systemd")]
)
def test_with_a_scheduler(said, machine, engine):
    """What `install` would use is used: one line by hand, one by the system, and that is said before the wait."""
    assert f"`ratectl install` would use {engine} here" in said[machine]
    when = "the full minute" if engine == "cron" else r"(second \d+|the full minute)"
    assert re.search(rf"{engine} wakes it in \d+ s, at {when} \.\.\.", said[machine])
    assert [said[machine].count(f"output.txt, line {n}:") for n in (1, 2)] == [1, 1]
    assert "then `.venv/bin/ratectl install`." in said[machine].splitlines()[-2]


def test_without_a_scheduler(said):
    """Where no scheduler runs, that is said, two slots are recorded in the foreground, and so it would go on."""
    assert "No scheduler of the operating system runs here" in said["nothing"]
    assert [said["nothing"].count(f"output.txt, line {n}:") for n in (1, 2)] == [1, 1]
    assert "then `.venv/bin/ratectl serve`." in said["nothing"].splitlines()[-2]


@pytest.mark.parametrize("machine", MACHINES)
def test_nothing_is_left(said, machine):
    """Afterwards there is no file of the run in the checkout, compiled ones included, but the environment."""
    assert "Verified: the folder is gone" in said[machine]
    assert said[machine].splitlines()[-1] == "left:"


@pytest.mark.parametrize("machine", MACHINES)
def test_says_what_it_waits_for(said, machine):
    """Before anything else it says what it will wait for, and at the end how long it took."""
    first, *_others, last, _left = [line for line in said[machine].splitlines() if line]

    assert first.startswith("* This waits twice: for pip")
    assert re.match(r"\* Done in \d+ s\. Next: ", last)


def test_without_the_internet(said):
    """Where the provider cannot be reached, that is said, and demonstration rates take its place."""
    assert all("not reachable" in text for text in said.values())


def test_whose_reader_goes_away(checkout):
    """Piped into `head`, it ends when nobody reads it any more, without a traceback, and leaves nothing."""
    argv = (sys.executable, SANDBOX, "run", "cron", *LOOKING, *FIRST_LINES, *QUICKSTART)

    done = subprocess.run(
        argv,
        cwd=checkout,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    _, first, *rest = done.stdout.splitlines()
    assert first.startswith("* This waits twice")
    assert rest == ["left:"]


def test_interrupted_in_the_foreground(checkout):
    """Told to end while `serve` records, it waits for that, removes all but the environment, and says just this."""
    argv = ("sh", "-c", INTERRUPTING, "sh", *QUICKSTART)
    done = subprocess.run(
        (sys.executable, SANDBOX, "run", "cron", *LOOKING, *WITHOUT_CRON, *argv),
        cwd=checkout,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    assert done.stdout.splitlines()[-3:] == [
        "quickstart: interrupted, and everything it made but .venv is removed",
        "code:130",
        "left:",
    ]
