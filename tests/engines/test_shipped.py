"""What people install, installed as they do it: wheel and sdist by pip, pipx and uv into nothing, upgraded, removed.

No index is asked: the locked wheels that the image is made of (tests/engines/setup/container.py) are there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("packages are installed on Linux", allow_module_level=True)


from tests.engines.conftest import start
from tests.engines.setup import container

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[2]
WHEELS = container.HOME / "wheels"
OFFLINE = {
    "PIP_NO_INDEX": "1",
    "PIP_FIND_LINKS": str(WHEELS),
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "UV_OFFLINE": "1",
    "UV_NO_INDEX": "1",
    "UV_FIND_LINKS": str(WHEELS),
    "UV_PYTHON": sys.executable,
    "UV_PYTHON_DOWNLOADS": "never",
}
PIP = (sys.executable, "-m", "pip", "--quiet", "--no-cache-dir")
PROGRAMS = {"ratectl", "ratectl-fetch", "ratectl-fetchw"}
COPIES = ("src", "templates", "README.md", "LICENSE", "pyproject.toml", "CHANGELOG.md")
"""What a wheel is built from."""


@pytest.fixture(scope="module", autouse=True)
def wheels():
    """Fail, or skip where engines are not required, without the locked wheels."""
    if not (WHEELS.exists() and list(WHEELS.glob("made-*"))):
        reason = "no locked wheels (scripts/test.py fetches them)"
        pytest.fail(reason) if os.environ.get("RATECTL_REQUIRE_ENGINES") else pytest.skip(reason)


def built(source, folder, kind):
    """Return the *kind* ("wheel" or "sdist") that the checkout at *source* builds into *folder*."""
    code = f"import os, sys; os.chdir(sys.argv[1])\nfrom hatchling.build import build_{kind} as build\n"
    argv = (sys.executable, "-c", f"{code}print(build(sys.argv[2]))", str(source), str(folder))
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The sdist of this checkout."""
    return built(ROOT, tmp_path_factory.mktemp("sdist"), "sdist")


class Home:
    """A home directory in which there is nothing yet, and what is installed from there."""

    def __init__(self, folder):
        self.folder = folder
        self.bin = folder / ".local" / "bin"

    def run(self, *argv, code=0):
        """Return what *argv* says; another exit code than *code* fails the test."""
        plain = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(self.folder)}
        done = subprocess.run(
            argv,
            cwd=self.folder,
            env=plain | OFFLINE,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, f"{argv}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def traces(self):
        """Return what has our name below the home."""
        return sorted(str(path) for path in self.folder.rglob("*ratectl*"))


def by_pip(home, package):
    """Install *package* into an environment of its own; return its programs' folder and how to uninstall it."""
    environment = home.folder / "env"
    home.run(sys.executable, "-m", "venv", "--without-pip", str(environment))
    pip = (*PIP, "--python", str(environment / "bin" / "python"))
    home.run(*pip, "install", "--no-compile", str(package))
    return environment / "bin", (*pip, "uninstall", "--yes", "ratectl")


def by_pipx(home, package):
    """The same with ``pipx install``."""
    pipx = (sys.executable, "-m", "pipx")
    options = ("--pip-args=--no-cache-dir", "--python", sys.executable)
    home.run(*pipx, "install", *options, str(package))
    return home.bin, (*pipx, "uninstall", "ratectl")


def by_uv(home, package):
    """The same with ``uv tool install``."""
    uv = (str(Path(sys.executable).with_name("uv")), "tool")
    home.run(*uv, "install", "--no-cache", str(package))
    return home.bin, (*uv, "uninstall", "ratectl")


INSTALLERS = {"pip": by_pip, "pipx": by_pipx, "uv": by_uv}
MANUALS = {"pip": "env/share/man/man1", "pipx": ".local/share/man/man1"}
"""Where the page is found by ``man``, for the installers that see to it."""


@pytest.mark.parametrize("installer", INSTALLERS)
@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_installed_and_gone(request, tmp_path, installer, kind):
    """From nothing to the first check of a spec, and back: no file with our name stays in the home."""
    home = Home(tmp_path)
    programs, removal = INSTALLERS[installer](home, request.getfixturevalue(kind))

    assert {path.name for path in programs.glob("ratectl*")} == PROGRAMS
    assert re.fullmatch(
        r"ratectl \d+\.\d+\.\d+\n", home.run(str(programs / "ratectl"), "--version")
    )
    home.run(str(programs / "ratectl"), "init", "--yes", "jobs.toml")
    assert "1 job, no issues" in home.run(str(programs / "ratectl"), "check", "jobs.toml")
    assert "not installed" in home.run(str(programs / "ratectl-fetch"), "usd-inr", code=78)
    if installer in MANUALS:
        assert (tmp_path / MANUALS[installer] / "ratectl.1").is_file()

    home.run(*removal)
    assert [path for path in home.traces() if "/pipx/" not in path] == []  # its own logs and locks


def test_the_sdist_is_whole(sdist, wheel, tmp_path):
    """The wheel that is built from the sdist is the one that the checkout builds, to the byte."""
    shutil.unpack_archive(sdist, tmp_path)
    [source] = tmp_path.iterdir()

    assert built(source, tmp_path, "wheel").read_bytes() == wheel.read_bytes()


@pytest.fixture(scope="module")
def machine():
    """A machine of its own, on which nothing of ours is installed."""
    yield from start("cron")


@pytest.fixture(scope="module")
def newer(tmp_path_factory):
    """A wheel of this checkout that calls itself a later version."""
    folder = tmp_path_factory.mktemp("newer")
    for name in COPIES:
        part = ROOT / name
        copy = shutil.copytree if part.is_dir() else shutil.copy
        copy(part, folder / name)
    for path in (folder / "pyproject.toml", folder / "src" / "ratectl" / "__init__.py"):
        text, changed = re.subn(
            r'(?m)^((__)?version(__)? = ").*"', r'\g<1>99.0.0"', path.read_text()
        )
        assert changed == 1
        path.write_text(text)
    return built(folder, folder, "wheel")


class Owner:
    """An account with ratectl in an environment of its own and a job in cron."""

    def __init__(self, account, wheel):
        self.account = account
        self.home = account.home
        account.write_spec("usd-inr", account.engine.rates)
        account.run(sys.executable, "-m", "venv", "--without-pip", f"{self.home}/env")
        self.install_package(wheel)
        self.ratectl("install")

    def install_package(self, wheel):
        self.account.write(f"{self.home}/{wheel.name}", wheel.read_bytes())
        offline = (f"{name}={value}" for name, value in OFFLINE.items())
        pip = (*PIP, "--python", f"{self.home}/env/bin/python", "install", "--no-compile")
        self.account.run("env", *offline, *pip, "--upgrade", f"{self.home}/{wheel.name}")

    def ratectl(self, *words, code=0):
        done = self.account.run(f"{self.home}/env/bin/ratectl", *words, code=code)
        return (done.stdout + done.stderr).decode()

    def fire(self):
        """Run the job's line of the crontab as cron would, once more than it is due; return its exit code."""
        self.ratectl_state("UPDATE jobs SET settled_until = settled_until - 60, next_due = 0")
        line = "crontab -l | sed -n 's/^\\* \\* \\* \\* \\* //p' | sed 's/\\\\%/%/g'"
        said = self.account.sh(f'env -i HOME="$HOME" PATH=/usr/bin:/bin sh -c "$({line})"; echo $?')
        return int(said.split()[-1])

    def drift(self):
        """Return how the job's entry differs from what this account's ratectl would install."""
        [row] = json.loads(self.ratectl("list", "--json"))
        return row["drift"]

    def ratectl_state(self, statement):
        code = "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as j: j.execute(sys.argv[2])"
        journal = f"{self.home}/.local/state/ratectl/journal.sqlite3"
        self.account.run(sys.executable, "-c", code, journal, statement)


def test_upgrade(machine, wheel, newer):
    """After an upgrade of the package the installed entry works as it stands, and nothing has drifted."""
    owner = Owner(machine.account("tester"), wheel)
    assert owner.fire() == 0

    owner.install_package(newer)

    assert "99.0.0" in owner.ratectl("--version")
    assert owner.fire() == 0
    assert "nothing to do" in owner.ratectl("install")
    assert owner.drift() == []


def test_new_python(machine, wheel):
    """An environment that came by another Python has its packages elsewhere: doctor tells, install mends."""
    owner = Owner(machine.account("keeper"), wheel)
    owner.account.sh(
        "cd ~/env/lib/python3*/site-packages && mkdir -p ~/env/lib/python3.99/site-packages && "
        "mv ratectl ~/env/lib/python3.99/site-packages/ && "
        'echo "$HOME/env/lib/python3.99/site-packages" > moved.pth'
    )

    assert owner.fire() != 0
    assert owner.drift() == ["differs from what would be installed now"]
    told = owner.ratectl("doctor", code=78)
    assert "program-missing" in told
    assert "ratectl install" in told
    owner.ratectl("install")

    assert owner.fire() == 0
    assert "program-missing" not in owner.account.sh("~/env/bin/ratectl doctor 2>&1")
