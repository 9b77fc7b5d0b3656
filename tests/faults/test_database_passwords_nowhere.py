"""The password of a shared journal and of a table output is looked for wherever a firing leaves or shows something."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from ratectl.model.job import Output
from tests.fakes.station import PYTHON, Station
from tests.faults.test_secrets_nowhere import ratectl
from tests.support.rate_server import Fault
from tests.support.share import share

pytestmark = [
    pytest.mark.engine,
    pytest.mark.network,
    pytest.mark.posix("looks into /proc, and at modes"),
]

RIGHT = "pl4nted-r1ght-password"
WRONG = "pl4nted-wr0ng-password"
FAILURES = {
    "success": "recorded",
    "no server": "No such file or directory",
    "a wrong password": "authentication failed",
    "a server that goes away": "terminating connection|closed the connection|No such file|refused",
    "TLS refused": "does not support SSL",
    "no such database": "does not exist",
    "a role without rights": "permission denied",
}
LOOKS = (
    ("status",),
    ("status", "--json"),
    ("list", "--json"),
    ("history", "usd-inr"),
    ("review", "--json"),
    ("doctor",),
    ("doctor", "--json"),
    ("run", "usd-inr", "--force"),
    ("run", "usd-inr", "--force", "--json"),
    ("backfill", "usd-inr"),
    ("report", "page.html"),
    ("rename", "usd-inr", "dollar"),
)


def clean(text, what):
    """Assert that no planted password is in *text*."""
    found = [password for password in (RIGHT, WRONG) if password in text]
    assert found == [], f"{what}: {text[:2000]}"


@pytest.fixture
def station(tmp_path):
    return Station(folder=tmp_path)


@pytest.fixture
def server(own_postgres):
    """A server that asks everybody but its owner for a password: asha may do everything, the guest nothing."""
    own_postgres.name = own_postgres.database()
    own_postgres.sql(
        own_postgres.name,
        f"CREATE ROLE asha LOGIN SUPERUSER PASSWORD '{RIGHT}'; CREATE ROLE guest LOGIN PASSWORD '{RIGHT}';"
        " REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
        f" REVOKE CREATE ON DATABASE {own_postgres.name} FROM PUBLIC",
    )
    rules = "local all ratectl trust\nlocal all all scram-sha-256\n"
    (own_postgres.data / "pg_hba.conf").write_text(rules)
    own_postgres.stop("fast")
    own_postgres.start()
    return own_postgres


@pytest.fixture
def without_tls():
    """A server that says, as PostgreSQL does, that it has no TLS; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(8)
                    connection.sendall(b"N")

        threading.Thread(target=refuse, daemon=True).start()
        yield listener.getsockname()[1]


def address(station, server, what, port):
    """Return the URL of the database for the case *what*, whose password stands in a file that it names."""
    user = "guest" if what == "a role without rights" else "asha"
    passfile = station.folder / "pgpass"
    password = WRONG if what == "a wrong password" else RIGHT
    passfile.write_text(f"*:*:*:*:{password}\n")
    passfile.chmod(0o600)
    if what == "TLS refused":
        return f"postgresql://{user}@127.0.0.1:{port}/rates?sslmode=require&passfile={passfile}"
    name = "nowhere" if what == "no such database" else server.name
    folder = station.folder if what == "no server" else server.folder
    return f"postgresql://{user}@/{name}?host={folder}&passfile={passfile}"


@pytest.mark.slow
@pytest.mark.parametrize("what", share(FAILURES))
def test_after_each_failure(station, server, live_rates, without_tls, what):
    """Neither what is said nor what is kept, by any command, holds the password; and the failure is the one that was meant."""
    url = address(station, server, what, without_tls)
    table = Output(kind="postgresql", target=url)
    outputs = (station.output("output.txt"), table)
    station.install(station.job(live_rates.url, journal=url, outputs=outputs, timeout=8))
    if what == "a server that goes away":
        live_rates.misbehave(Fault(delay=3), times=1)

    said = fired(station, server, live_rates, goes_away=what == "a server that goes away")
    clean(said, "ratectl-fetch -v")
    assert re.search(FAILURES[what], said), said
    for words in LOOKS:
        clean(ratectl(station, *words), " ".join(words))
    clean(ratectl(station, "journal", "copy", "sqlite", url), "journal copy")
    clean((server.folder / "log").read_text(), "the server's log")

    for path in station.folder.rglob("*"):
        if path.is_file() and path.name != "pgpass":
            clean(path.read_bytes().decode("utf-8", "replace"), path)


def fired(station, server, rates, *, goes_away):
    """Return all that a firing with ``-v`` said; while it was at work no process showed the password."""
    process = subprocess.Popen(
        (*station.argv(), "-v"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        for name in ("cmdline", "environ"):
            clean(shown(process.pid, name), name)
        if goes_away and rates.requests:
            server.stop()
            break
        time.sleep(0.02)
    said, _ = process.communicate(timeout=60)
    return said


def shown(pid, name):
    """Return what the process *pid* and those that it started show; one that ended shows nothing."""
    text = ""
    for place in (Path(f"/proc/{pid}"), *children(pid)):
        try:
            text += (place / name).read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
    return text


def children(pid):
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [Path("/proc", child) for child in found]


@pytest.mark.parametrize("place", ["the environment", "the URL"])
@pytest.mark.parametrize("what", ["a wrong password", "no such database", "success"])
def test_given_otherwise(station, server, live_rates, monkeypatch, place, what):
    """Nor does a password of the environment, or one that a person typed into a URL, come back."""
    bare, _, rest = address(station, server, what, 0).partition("&passfile")
    assert rest
    password = WRONG if what == "a wrong password" else RIGHT
    url = bare if place == "the environment" else bare.replace("asha@", f"asha:{password}@")
    if place == "the environment":
        monkeypatch.setenv("PGPASSWORD", password)
        station.install(station.job(live_rates.url, journal=url, timeout=8))
        done = station.fetch("-v")
        clean(done.stdout + done.stderr, "ratectl-fetch -v")
        for words in LOOKS[:8]:
            clean(ratectl(station, *words), " ".join(words))
    (station.folder / "pgpass").unlink()
    clean(ratectl(station, "journal", "create", url), "journal create")
    clean(ratectl(station, "journal", "copy", "sqlite", url), "journal copy")
    spec = station.folder / "jobs.toml"
    spec.write_text(
        f'[ratectl]\njournal = "{url}"\n[jobs.usd-inr]\npairs = ["USD/INR"]\n'
        f'schedule = "every day at 10:30"\ntimezone = "UTC"\noutput = "{url}"\n'
    )
    for words in (("check",), ("check", "--json"), ("plan", "--backend", "cron")):
        clean(ratectl(station, *words, str(spec)), words)
    spec.unlink()
    for path in station.folder.rglob("*"):
        if path.is_file():
            clean(path.read_bytes().decode("utf-8", "replace"), path)


def test_in_what_is_installed(station, server):
    """No engine's native text, nor what is shown of a spec, holds more than the name of the file with the password."""
    url = address(station, server, "success", 0)
    spec = station.folder / "jobs.toml"
    spec.write_text(
        f'[ratectl]\njournal = "{url}"\n[jobs.usd-inr]\npairs = ["USD/INR"]\n'
        f'schedule = "every day at 10:30"\ntimezone = "UTC"\noutput = "{url}"\n'
    )
    for engine in ("cron", "systemd", "launchd", "windows"):
        out = station.folder / engine
        said = ratectl(station, "render", str(spec), "--backend", engine, "--out", str(out))
        assert list(out.rglob("*")), said
        for path in out.rglob("*"):
            if path.is_file():
                text = path.read_bytes().decode("utf-8", "replace").replace("\0", "")
                clean(text, path)


BUG = """
import sys
from ratectl.journal import rate_store
def bug(*_, **__):
    raise ZeroDivisionError("a bug")
for name, value in vars(rate_store.RateStore).items():
    if name in {"settle", "claim", "quotes", "last_firing"}:
        setattr(rate_store.RateStore, name, bug)
sys.argv = ["ratectl", "run", "usd-inr", "--force"]
from ratectl.__main__ import main
main()
"""


def test_in_a_traceback(station, server, live_rates):
    """A bug right beside the database keeps its traceback, and that holds no password."""
    url = address(station, server, "success", 0)
    station.install(station.job(live_rates.url, journal=url))
    environment = {**os.environ, "RATECTL_STATE_DIR": str(station.state)}
    done = subprocess.run(
        (PYTHON, "-c", BUG),
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert "ZeroDivisionError: a bug" in done.stderr
    clean(json.dumps(done.stdout + done.stderr), "a traceback")
