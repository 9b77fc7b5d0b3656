"""Planted secrets are looked for wherever a firing leaves or shows something, after each kind of failure."""

from __future__ import annotations

import base64
import dataclasses
import itertools
import json
import os
import re
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.fakes.station import PYTHON, Station, provider
from tests.support.rate_server import Fault
from tests.support.share import share

pytestmark = [pytest.mark.network, pytest.mark.posix("looks into /proc, and at modes")]

KEY = "pl4nted/key+0123456789"
TOKEN = "pl4nted-token-abcdef"
BASE64 = base64.b64encode(KEY.encode()).decode()
SMALL_HEX = quote(KEY, safe="").replace("%2F", "%2f").replace("%2B", "%2b")
FORMS = (
    KEY,
    quote(KEY, safe=""),
    json.dumps(KEY)[1:-1],
    TOKEN,
    BASE64[:20],
    SMALL_HEX,
    KEY.upper(),
)
ECHO = json.dumps(
    {"error": True, "result": "error", "error-type": f"bad key {KEY}", "message": f"Bearer {KEY}",
     "status": 401, "description": f"{KEY} and {quote(KEY, safe='')}, {BASE64}, {SMALL_HEX}, {KEY.upper()}"}
).encode()  # fmt: skip
ODD = json.dumps(
    {"base": "USD", "timestamp": int(time.time()), "rates": {"INR": 0.0105}, "license": f"{KEY} {BASE64} {SMALL_HEX} {KEY.upper()}",
     "result": "success", "base_code": "USD", "conversion_rates": {"INR": 0.0105},
     "time_last_update_unix": int(time.time()), "note": KEY}
).encode()  # fmt: skip
FAILURES = {
    "refused, and told back": Fault(status=401, body=ECHO),
    "forbidden": Fault(status=403, body=ECHO),
    "gone": Fault(status=404, body=ECHO),
    "quota": Fault(status=429, body=ECHO, headers={"Retry-After": "1"}),
    "broken": Fault(status=500, body=ECHO),
    "in a header": Fault(status=200, body=ECHO, headers={"Content-Encoding": BASE64}),
    "led to itself": Fault.redirect(f"/{BASE64}?key={quote(KEY, safe='')}"),
    "an answer of another kind": Fault(body=ECHO),
    "a rate that is held": Fault(body=ODD),
    "no JSON": Fault(body=b"<html>" + KEY.encode()),
    "led elsewhere": Fault.redirect(f"http://other.invalid/{quote(KEY, safe='')}"),
    "cut off": Fault(cut=3),
    "reset": Fault(reset=True),
}
KINDS = {
    "in the address": {"kind": "exchangerate-api-v6", "path": "/v6"},
    "in a header": {"kind": "openexchangerates", "path": "/api"},
}
LOOKS = (
    ("status",),
    ("status", "--json"),
    ("list", "--json"),
    ("history", "usd-inr"),
    ("history", "usd-inr", "--json"),
    ("review",),
    ("review", "--json"),
    ("review", "show", "1"),
    ("doctor", "--json"),
    ("run", "usd-inr", "--force"),
    ("run", "usd-inr", "--force", "--json"),
    ("backfill", "usd-inr"),
    ("status", "--prometheus", "metrics.prom"),
    ("report", "page.html"),
    ("providers", "office", "--json"),
    ("history", "usd-inr", "--format", "csv-quotes"),
    ("next", "usd-inr"),
    ("chart", "usd-inr"),
)


def clean(text, what):
    """Assert that no planted secret is in *text*."""
    found = [form for form in FORMS if form in text]
    assert found == [], f"{what}: {text[:2000]}"


@pytest.fixture
def station(tmp_path):
    return Station(folder=tmp_path)


def planted(station, url, kind, path):
    """Install a job whose key and whose notify address are planted secrets."""
    key, address = station.folder / "office.key", station.folder / "notify.url"
    key.write_text(f"{KEY}\n")
    address.write_text(f"{url.replace('http', 'json')}/hook/{TOKEN}\n")
    for file in (key, address):
        file.chmod(0o600)
    source = dataclasses.replace(
        provider("exchangerate-api-v4", url),
        name="office",
        kind=kind,
        base_url=f"{url}{path}",
        api_key=f"file:{key}",
    )
    job = station.job(url, providers=(source,), notify=(f"file:{address}",), timeout=6)
    station.install(job)
    return job


def ratectl(station, *words):
    """Return all that ``ratectl`` *words* said."""
    environment = {
        **os.environ,
        "RATECTL_STATE_DIR": str(station.state),
        "RATECTL_CONFIG_DIR": str(station.folder / "config"),
    }
    done = subprocess.run(
        (PYTHON, "-m", "ratectl", *words),
        cwd=station.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("what", "kind"), share(itertools.product(FAILURES, KINDS)))
def test_after_each_failure(station, live_rates, what, kind):
    """Neither what is said nor what is kept, by any command, holds the key or the token."""
    planted(station, live_rates.url, **KINDS[kind])
    live_rates.misbehave(FAILURES[what], times=1000)

    done = station.fetch("-v")
    clean(done.stdout + done.stderr, "ratectl-fetch -v")
    for words in LOOKS:
        clean(ratectl(station, *words), " ".join(words))

    for path in station.folder.rglob("*"):
        if path.is_file() and path.name not in {"office.key", "notify.url"}:
            clean(path.read_bytes().decode("utf-8", "replace"), path)


def test_in_what_a_process_shows(station, live_rates):
    """While a firing waits for its provider, its command line and environment show nothing."""
    planted(station, live_rates.url, **KINDS["in the address"])
    live_rates.misbehave(Fault(hang=True), times=10)
    process = subprocess.Popen(station.argv(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while not live_rates.requests and process.poll() is None:
            time.sleep(0.05)
        for name in ("cmdline", "environ"):
            shown = Path(f"/proc/{process.pid}/{name}")
            if shown.exists():
                clean(shown.read_bytes().decode("utf-8", "replace"), name)
    finally:
        process.kill()
        process.communicate()


def test_in_what_is_installed(station, live_rates):
    """No engine's native text holds more than the reference to a secret."""
    planted(station, live_rates.url, **KINDS["in a header"])
    spec = station.folder / "jobs.toml"
    spec.write_text(
        '[providers.openexchangerates]\napi_key = "file:office.key"\n'
        '[jobs.usd-inr]\npairs = ["USD/INR"]\nschedule = "every day at 10:30"\ntimezone = "UTC"\n'
        'providers = ["openexchangerates"]\noutput = "out.txt"\nnotify = ["file:notify.url"]\n'
    )
    for engine in ("cron", "systemd", "launchd", "windows"):
        out = station.folder / engine
        said = ratectl(station, "render", str(spec), "--backend", engine, "--out", str(out))
        assert list(out.rglob("*")), said
        for path in out.rglob("*"):
            if path.is_file():
                clean(re.sub("\0", "", path.read_bytes().decode("utf-8", "replace")), path)
    for words in (("check",), ("check", "--json"), ("plan", "--backend", "cron")):
        clean(ratectl(station, *words, str(spec)), words)


BUG = """
import sys
from ratectl.fetch.providers import {module} as provider
def parse(*_, **__):
    raise ZeroDivisionError("a bug")
for name in ("quotes", "read", "parse", "answer"):
    if hasattr(provider, name):
        setattr(provider, name, parse)
sys.argv = ["ratectl", "run", "usd-inr", "--force"]
from ratectl.__main__ import main
main()
"""


def test_in_a_traceback(station, live_rates):
    """A bug right where an answer is read keeps its traceback, and that holds no secret."""
    planted(station, live_rates.url, **KINDS["in the address"])
    live_rates.misbehave(Fault(body=ODD), times=10)
    environment = {**os.environ, "RATECTL_STATE_DIR": str(station.state)}
    code = BUG.format(module="exchangerate_api_v6")

    done = subprocess.run(
        (PYTHON, "-c", code), env=environment, capture_output=True, text=True, check=False
    )

    assert "ZeroDivisionError: a bug" in done.stderr
    clean(done.stdout + done.stderr, "a traceback")
