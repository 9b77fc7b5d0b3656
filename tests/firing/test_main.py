"""ratectl-fetch as the OS starts it: arguments, exit codes, what it says, and what it does not import."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ratectl.firing.__main__ as program
from ratectl import __version__
from ratectl.firing import command_line
from ratectl.journal.journal import Journal
from ratectl.model.job import Provider
from tests.fakes import station

pytestmark = pytest.mark.network
SCRIPT = str(Path(program.__file__))
HEAVY = {
    "sqlite3",
    "functools",
    "collections",
    "zoneinfo",
    "dataclasses",
    "json",
    "pathlib",
    "typing",
    "argparse",
    "re",
    "requests",
    "typer",
    "platformdirs",
    "ratectl.model",
    "ratectl.schedule",
}
UNUSED = {
    "secrets",
    "idna.core",
    "importlib.metadata._meta",
    "ratectl.firing.revisit",
    "ratectl.model.cluster",
    "ratectl.outputs.table_queue",
    "ratectl.runtime.visible",
    # what urllib.request and random load, which are there and have not run; from Python 3.12 on certifi needs random
    *(("urllib.error",) if sys.platform == "linux" else ()),
    *(("_random",) if sys.platform == "linux" and sys.version_info < (3, 12) else ()),
}
"""Modules that no firing needs which records one rate in a text file."""


def fetch(*arguments, python=("-I", "-S"), **options):
    """Run ratectl-fetch the way an artefact does."""
    return subprocess.run(
        (sys.executable, *python, SCRIPT, *arguments),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


@pytest.fixture
def live(job, live_rates, installed, changed):
    """Install a job on the real clock whose only slot near by was due a while ago."""

    def install(**changes):
        provider = Provider(
            name="exchangerate-api-v4", kind="exchangerate-api-v4", base_url=f"{live_rates.url}/v4"
        )
        due = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=3)
        hourly = job(schedule_texts=(f"every hour at :{due.minute:02}",), timezone="UTC")
        usd = changed(hourly, providers=(provider,), **changes)
        return installed(usd, since=due - dt.timedelta(minutes=2))

    return install


def test_nobody_can_hear(state):
    """The exit code stays what it is where a complaint cannot be written, as on a full disk."""
    with Path("/dev/full").open("w") as full:
        argv = (sys.executable, "-I", "-S", SCRIPT, "nope", "--state", str(state))
        assert subprocess.run(argv, stderr=full, timeout=60, check=False).returncode == 78


def test_success_is_silent(live, state, lines):
    """A good firing says nothing, so that cron sends no mail."""
    live()

    done = fetch("usd-inr", "--state", str(state))

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(lines()) == 1


def test_guesses_no_encodings(live, state):
    """A tenth of a firing went into modules that guess how a text is encoded, and no text is read by guessing.

    Should a new requests no longer go without them, or say so aloud, this fails.
    """
    live()

    done = fetch("usd-inr", "--state", str(state), python=("-I", "-S", "-X", "importtime"))

    assert done.returncode == 0
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "requests.models" in loaded
    assert not [name for name in loaded if name.startswith(("chardet.", "charset_normalizer."))]
    assert "Warning" not in done.stderr


def test_leaves_out_what_it_does_not_need(live, state):
    """What costs much and serves no ordinary firing stays out: it is loaded where it is used."""
    live()

    done = fetch("usd-inr", "--state", str(state), python=("-I", "-S", "-X", "importtime"))

    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert done.returncode == 0
    assert not loaded & UNUSED


def test_verbose(live, state):
    """With -v it says in one line what it recorded."""
    live()

    done = fetch("-v", "usd-inr", f"--state={state}")

    assert re.search(r"recorded USD/INR 9\d(\.\d+)? \(exchangerate-api-v4\)$", done.stdout.strip())


def test_failure_is_one_line(live, state, live_rates, changed, lines):
    """Without a way to the provider: exit 75, one line on stderr, nothing appended, and the slot stays due."""
    usd = live(timeout=1)
    [provider] = usd.providers
    offline = changed(usd, providers=(changed(provider, base_url="http://rates.invalid/v4"),))
    record(state, offline)

    done = fetch("usd-inr", "--state", str(state))

    assert done.returncode == 75
    assert done.stdout == ""
    assert done.stderr == "ratectl-fetch: usd-inr: offline: no way to exchangerate-api-v4\n"
    assert lines() == []
    record(state, changed(usd, providers=(changed(provider, base_url=f"{live_rates.url}/v4"),)))
    assert fetch("usd-inr", "--state", str(state)).returncode == 0
    assert len(lines()) == 1


def record(state, job):
    station.install(state, job, since=station.now())


def test_nothing_due_imports_next_to_nothing(job, installed, state):
    """A wakeup with nothing due does not load what only a firing needs, nor the packages installed beside us."""
    installed(job(), since=dt.datetime.now(dt.UTC))
    assert fetch("usd-inr", "--state", str(state)).returncode == 0  # stores when to look again

    done = fetch("usd-inr", "--state", str(state), python=("-X", "importtime", "-I", "-S"))

    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert done.returncode == 0
    assert "_sqlite3" in loaded
    assert not loaded & HEAVY
    assert "site" not in loaded


def test_modules_of_python_come_first(state, tmp_path):
    """What is installed beside ratectl under the name of a module of Python's own is not taken for it."""
    package = tmp_path / "site-packages/ratectl"
    shutil.copytree(Path(SCRIPT).parents[1], package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("json", "enum", "decimal", "zoneinfo"):
        (package.parent / f"{name}.py").write_text("raise SystemExit('not the module of Python')")

    argv = (sys.executable, "-I", "-S", str(package / "firing/__main__.py"), "nobody")
    done = subprocess.run(
        (*argv, "--state", str(state)), capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 78
    assert "not installed" in done.stderr


def test_version_that_was_started(tmp_path):
    """Where the interpreter brings another version of ratectl along, the one whose file was started answers."""
    other = tmp_path / "ratectl/__init__.py"
    other.parent.mkdir()
    other.write_text("raise SystemExit('another version')")
    program = (
        "import runpy, sys\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        f"sys.argv = [{SCRIPT!r}, '--version']\n"
        f"runpy.run_path({SCRIPT!r}, run_name='__main__')"
    )

    argv = (sys.executable, "-I", "-c", program)
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    assert (done.stdout.strip(), done.stderr) == (f"ratectl-fetch {__version__}", "")


@pytest.mark.parametrize("cut", ["", "sys.modules['_functools'] = None\n"])
def test_database_without_functools(cut):
    """The database answers, again and again, where it found one function of functools, and where there is none to find."""
    program = (
        f"import sys\n{cut}sys.path.append({str(Path(SCRIPT).parents[2])!r})\n"
        "from ratectl.firing.command_line import _sqlite3\n"
        "connection = _sqlite3().connect(':memory:')\n"
        "for number in (*range(300), 5):\n"
        "    assert connection.execute(f'SELECT {number}').fetchone() == (number,)\n"
        "import functools, sqlite3\n"
        "assert sqlite3.connect(':memory:').execute('SELECT 1').fetchone() == (1,)\n"
        "print(callable(functools.partial))"
    )

    argv = (sys.executable, "-I", "-S", "-c", program)
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    assert (done.stdout.strip(), done.stderr) == ("True", "")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "which JOB?"),
        (("a", "b"), 2, "one JOB at a time"),
        (("--frobnicate", "a"), 2, "no --frobnicate"),
        (("a", "--state"), 2, "--state needs a value"),
        (("a", "--slot", "2026-11-20", "--force"), 2, "exclude each other"),
        (("nobody",), 78, "not installed"),
    ],
)
def test_misuse(state, arguments, code, said):
    """Wrong usage is one clear line and exit 2; an unknown job is exit 78."""
    done = fetch(*arguments, *(("--state", str(state)) if code == 78 else ()))

    assert done.returncode == code
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_unreadable_slot(live, state):
    """A --slot that is no time is a usage error."""
    live()

    done = fetch("usd-inr", "--state", str(state), "--slot", "yesterday")

    assert done.returncode == 2
    assert "ISO 8601" in done.stderr


def test_help_and_version():
    """Both are answered without a state directory."""
    assert "--slot T" in fetch("--help").stdout
    assert fetch("--version").stdout.startswith("ratectl-fetch ")


def test_damaged_journal(state):
    """A damaged journal is exit 74 and one line."""
    state.mkdir()
    (state / "journal.sqlite3").write_bytes(b"not a database, by any means" * 50)

    done = fetch("usd-inr", "--state", str(state))

    assert done.returncode == 74
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("python", [("-I", "-S"), ("-I",), ()])
def test_every_way_to_start(live, state, lines, python):
    """With or without site and isolation, the script finds its own package and requests."""
    live()

    assert fetch("usd-inr", "--state", str(state), python=python).returncode == 0
    assert len(lines()) == 1


def test_as_a_module(live, state, lines):
    """`python -m ratectl.firing` is the same program."""
    live()

    subprocess.run(
        (sys.executable, "-m", "ratectl.firing", "usd-inr", "--state", str(state)), check=True
    )

    assert len(lines()) == 1


def test_parallel_wakeups(live, state, lines, live_rates):
    """Twenty wakeups of one job at once record its slot once."""
    live()
    argv = (sys.executable, "-I", "-S", SCRIPT, "usd-inr", "--state", str(state))

    processes = [subprocess.Popen(argv) for _ in range(20)]

    assert {process.wait() for process in processes} == {0}
    slots = {line[:10] for line in lines()}
    with Journal(state) as journal:
        recorded = [entry.slot for entry in journal.store().quotes("usd-inr")]
    assert len(lines()) == len(recorded) == len(set(recorded)) == len(live_rates.requests)
    assert slots


def test_zone_data_change_is_noticed(job, installed, state, tmp_path):
    """A stored next slot is not trusted once the zone data it came from has changed."""
    installed(job(), since=dt.datetime.now(dt.UTC))
    zone = tmp_path / "zone"
    zone.write_text("rules")
    far = dt.datetime.now(dt.UTC) + dt.timedelta(days=300)
    with Journal(state) as journal:
        journal.set_next_due(
            journal.installed_job("usd-inr").job,
            far,
            now=dt.datetime.now(dt.UTC),
            zone_file=str(zone),
            zone_stamp=f"{zone.stat().st_mtime_ns}:{zone.stat().st_size}",
        )
    assert command_line._known_code(str(state), "usd-inr") == 0

    zone.write_text("new rules")

    assert command_line._known_code(str(state), "usd-inr") is None


def test_old_answer_is_not_trusted(job, installed, state):
    """A stored next slot is looked at again after a day."""
    installed(job(), since=dt.datetime.now(dt.UTC))
    assert fetch("usd-inr", "--state", str(state)).returncode == 0
    assert command_line._known_code(str(state), "usd-inr") == 0

    with Journal(state) as journal, journal.database.transaction() as connection:
        connection.execute("UPDATE jobs SET checked_at = checked_at - 86401")

    assert command_line._known_code(str(state), "usd-inr") is None


SURROUNDINGS = ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_surroundings_decide_nothing(live, state, lines, monkeypatch, name):
    """A proxy or a certificate file that a shell, a crontab or a manager sets does not reach a firing."""
    live()
    monkeypatch.setenv(name, "http://127.0.0.1:9")

    done = fetch("usd-inr", "--state", str(state))

    assert (done.returncode, done.stderr) == (0, "")
    assert len(lines()) == 1


@pytest.mark.parametrize("name", ["OPENSSL_CONF", "OPENSSL_MODULES", "HOSTALIASES", "PYTHONPATH"])
def test_surroundings_are_forgotten(monkeypatch, name):
    """What has a library load code, or look for hosts elsewhere, is gone before one is loaded."""
    monkeypatch.setattr(os, "environ", {name: "/somewhere/of/others"})

    command_line._forget_surroundings()

    assert name not in os.environ


def test_netrc_is_not_asked(live, state, live_rates, monkeypatch, tmp_path):
    """Passwords of a netrc file are sent to nobody."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ana password s3cret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    live()

    assert fetch("usd-inr", "--state", str(state)).returncode == 0
    assert live_rates.requests
    assert all("Authorization" not in headers for _path, headers in live_rates.requests)
