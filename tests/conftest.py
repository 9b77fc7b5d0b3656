"""What every test stands on: no network and no subprocess by accident, and the rate server where asked for.

The guard is an audit hook: it sees what C code does too, and cannot be patched around. Tests marked
``network`` may talk to loopback and start processes, tests marked ``engine`` may do anything.
"""

from __future__ import annotations

import ipaddress
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import hypothesis
import pytest

import tests.support.postgres
from tests.support.rate_server import RateServer, demo_table
from tests.support.share import AGAIN, THIRDS, VARIABLE, share

pytest_plugins = ("tests.support.firings",)

ROOT = Path(__file__).resolve().parents[1]
STARTS_PROCESS = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile"}
)
TALKS = frozenset({"socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"})

WINE_FAILED = 1359
"""ERROR_INTERNAL_ERROR: so ends, once in thousands of times, the start of a program under a busy Wine."""

LONGEST_FIRST = (
    "engines/test_killed.py",
    "test_scripts.py",
    "firing/test_three_hosts.py",
    "engines/test_journey.py",
    "engines/test_restarted.py",
    "engines/test_kubernetes.py",
    "engines/test_year_of_systemd.py",
    "engines/test_year_of_cron.py",
    "engines/test_mends.py",
    "engines/test_cron.py",
    "engines/test_ansible.py",
    "engines/test_quickstart.py",
    "engines/test_clocks.py",
)
"""Files of minutes, which would otherwise come last for having few tests, with nothing left to do beside them."""


def pytest_collection_modifyitems(config, items):
    """Begin with the longest files, when each is one worker's; of the long tests take this run's share."""
    long = [item for item in items if item.get_closest_marker("long")]
    left_out = set(long) - set(share(long))
    if AGAIN in os.environ:
        left_out |= _repeated_another_time(items)
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}

    def place(item):
        parts = item.path.relative_to(Path(__file__).parent).as_posix()
        return places.get(parts, len(places))

    items.sort(key=place)


def _repeated_another_time(items):
    """The tests that know nothing of this system, in files that are not of this run's third."""
    common = [item for item in items if not item.get_closest_marker("windows")]
    files = sorted({item.path for item in common if "windows" not in item.path.parts})
    now = set(share(files, shares=THIRDS))
    return {item for item in common if item.path in files and item.path not in now}


class Guard:
    """What the running test may do; between tests everything."""

    def __init__(self):
        self.loopback = True
        self.anything = True

    def __call__(self, event, arguments):
        if self.anything or (event not in STARTS_PROCESS and event not in TALKS):
            return
        if event in STARTS_PROCESS:
            if not self.loopback:
                raise AssertionError(
                    f"{event} {arguments[0]!r}: mark the test `network` or `engine`"
                )
        elif not self.loopback or not _is_loopback(event, arguments):
            raise AssertionError(f"{event} {arguments!r}: this test may not talk to the network")


def _is_loopback(event, arguments):
    address = (
        arguments[0] if event in {"socket.getaddrinfo", "socket.gethostbyname"} else arguments[1]
    )
    host = address[0] if isinstance(address, tuple) else address
    if host in {None, "localhost"} or not isinstance(host, str) or host.startswith(("/", "\0")):
        return True  # AF_UNIX, or this machine
    if host.endswith(".invalid"):
        return True  # RFC 2606: resolves nowhere, which is what such a test is about
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")
GUARD = Guard()
sys.addaudithook(GUARD)


def _patient(create):
    """Return what starts a program of Windows, and does so again where Wine failed in itself."""

    def start(*arguments):
        for _ in range(5):
            try:
                return create(*arguments)
            except OSError as error:
                if error.winerror != WINE_FAILED:
                    raise
                time.sleep(1)
        return create(*arguments)

    return start


if sys.platform == "win32":
    subprocess._winapi.CreateProcess = _patient(subprocess._winapi.CreateProcess)

signal.signal(signal.SIGINT, signal.default_int_handler)
"""Ctrl-C reaches what the tests start also where the suite runs in the background, which ignores it."""


@pytest.fixture(autouse=True)
def _no_network_and_no_subprocess(request):
    """Hold each test to what its markers allow."""
    GUARD.loopback = request.node.get_closest_marker("network") is not None
    GUARD.anything = request.node.get_closest_marker("engine") is not None
    yield
    GUARD.loopback = GUARD.anything = True


@pytest.fixture(autouse=True, scope="session")
def _own_home(tmp_path_factory):
    """Keep every test, and what it starts, away from this account's spec, journal and proxies."""
    home = tmp_path_factory.mktemp("home")
    before = dict(os.environ)
    os.environ["RATECTL_CONFIG_DIR"] = str(home / "config")
    os.environ["RATECTL_STATE_DIR"] = str(home / "state")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        os.environ.pop(name, None)
        os.environ.pop(name.lower(), None)
    yield
    os.environ.clear()
    os.environ.update(before)


def pytest_runtest_setup(item):
    """Leave out, with the reason, what the running system has no counterpart of."""
    posix = item.get_closest_marker("posix")
    if posix and sys.platform == "win32":
        pytest.skip(f"not on Windows: {posix.args[0]}")
    honest = item.get_closest_marker("real_clock")
    if honest and "WALL_OFFSET" in os.environ:
        pytest.skip(f"the clock is moved: {honest.args[0]}")
    if item.get_closest_marker("windows") and sys.platform != "win32":
        pytest.skip("on Windows only: `python3 tests/engines/setup/wine.py -m pytest -m windows`")


def pytest_report_header():
    """Say which share of the long tests this run does."""
    return f"share of the long tests: {os.environ.get(VARIABLE, '0')} ({VARIABLE})"


def pytest_terminal_summary(terminalreporter):
    """Show the figures that tests recorded, also those of workers, whose own output nobody sees."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in report.user_properties:
                if name == "figures":
                    terminalreporter.write_line(f"{report.nodeid}: {value}")


@pytest.fixture
def rates(clock):
    """A rate server with made-up rates, whose clock is the test's and stands at FRIDAY."""
    with RateServer(demo_table(), clock=clock) as server:
        yield server


@pytest.fixture
def live_rates():
    """The same on the real clock, for programs that read it themselves."""
    with RateServer(demo_table()) as server:
        yield server


@pytest.fixture
def state(tmp_path):
    """A state directory that does not exist yet."""
    return tmp_path / "state"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The path of a wheel built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = "import os, sys; os.chdir(sys.argv[1])\nfrom hatchling.build import build_wheel\n"
    argv = (sys.executable, "-c", f"{build}build_wheel(sys.argv[2])", str(ROOT), str(folder))
    subprocess.run(argv, check=True, capture_output=True)
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server for the session; ask it for a ``database()`` of the test's own."""
    yield from tests.support.postgres.serving()


@pytest.fixture
def own_postgres():
    """A PostgreSQL server that the test may stop, kill and start."""
    yield from tests.support.postgres.serving()


@pytest.fixture
def database(postgres):
    """The name of a new database."""
    return postgres.database()


@pytest.fixture
def url(postgres, database):
    """The URL of that database."""
    return postgres.url(database)
