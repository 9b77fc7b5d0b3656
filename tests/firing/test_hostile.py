"""Every hostile answer, served to a real ratectl-fetch: its exit code, one line, nothing appended, in time.

Dates in the recorded bodies are moved so that the day they call today is today.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import re
import shutil
import socket
from decimal import Decimal
from pathlib import Path

import pytest

from ratectl.journal.journal import Journal
from ratectl.journal.statements import add_quotes
from ratectl.model.job import Pair
from ratectl.model.quote import PUBLISHED, Quote
from tests.fakes.station import Station, in_time, now, provider
from tests.support.rate_server import Fault, RateServer
from tests.support.rate_table import demo_table

pytestmark = pytest.mark.network
HERE = Path(__file__).parents[1] / "fetch"
SAMPLES = HERE / "samples" / "hostile"
CERTIFICATES = HERE / "certificates"
RECORDED_ON = dt.date(2026, 11, 20)
DEADLINE = 3
"""Seconds that the job may take; the process is given two more to start and to end."""
LIMIT_KIB = 400 * 1024
"""Address space of a firing that is to survive what swells; the bombs hold three times as much."""

BODIES = {
    "200-billion-laughs.xml": 65,
    "200-captive-portal.html": 75,
    "200-duplicate-key.json": 65,
    "200-empty.json": 65,
    "200-future-date.json": 65,
    "200-inr-bool.json": 65,
    "200-inr-inf.json": 65,
    "200-inr-inverted.json": 65,
    "200-inr-longdigits.json": 65,
    "200-inr-nan.json": 65,
    "200-inr-negative.json": 65,
    "200-inr-null.json": 65,
    "200-inr-string.json": 65,
    "200-inr-x10.json": 65,
    "200-inr-x100.json": 65,
    "200-inr-zero.json": 65,
    "200-json-list.json": 65,
    "200-json-null.json": 65,
    "200-stale-date.json": 65,
    "200-success-no-rates.json": 65,
    "200-truncated.json": 65,
    "200-utf8-bom.json": 0,
    "200-waf-request-rejected.html": 75,
    "200-wrong-base-echo.json": 65,
    "302-location.txt": 75,
    "511-network-authentication-required.html": 75,
}
"""What a firing that meets this body ends with. Only the byte order mark is harmless."""

FAULTS = {
    "a byte every two seconds": (Fault(drip=2), 75),
    "reset before the answer": (Fault(reset=True), 75),
    "reset in mid-body": (Fault(cut=60, reset=True), 75),
    "cut in mid-body": (Fault(cut=60), 75),
    "no answer": (Fault(hang=True), 75),
    "50 MB": (Fault.huge(50_000_000), 65),
    "too many requests, in seconds": (Fault(status=429, headers={"Retry-After": "7200"}), 75),
    "redirect to another host": (Fault.redirect("http://portal.hotel.example/login"), 75),
    "redirect to another scheme": (Fault.redirect("https://127.0.0.1/v4/latest/USD"), 75),
    "redirect to a file": (Fault.redirect("file:///etc/passwd"), 75),
    "redirect in a circle": (Fault.redirect("/v4/latest/USD"), 75),
    "redirect to nowhere": (Fault.redirect("http://[::1"), 75),
    "packed in a way not asked for": (Fault(headers={"Content-Encoding": "br"}), 65),
    "packed, it says": (Fault(headers={"Content-Encoding": "gzip"}), 65),
    "deep nesting": (Fault(body=b"[" * 200_000), 65),
    "a number of a megabyte": (
        Fault(body=b'{"base":"USD","rates":{"INR":' + b"9" * 1_000_000 + b"}}"),
        65,
    ),
    "no UTF-8": (Fault(body=b'\xff\xfe{"base":"USD"}'), 65),
    "a header that is no date": (Fault(headers={"Retry-After": "soon"}, status=503), 75),
    "not found, as a page": (Fault(status=404, body=b"<html>not here</html>"), 65),
    "log in": (Fault(status=401, body=b"{}"), 77),
}
"""What else can go wrong with an answer, and what the firing ends with."""


@pytest.fixture
def station(tmp_path):
    """An installation that recorded 95.07 yesterday, whom the next answer is compared with."""
    place = Station(folder=tmp_path)
    yesterday = now() - dt.timedelta(days=1)
    quote = Quote(
        pair=Pair(base="USD", quote="INR"),
        rate=Decimal("95.07"),
        rate_date=yesterday.date(),
        provider="exchangerate-api-v4",
        provider_time=None,
        observed_at=yesterday,
        kind=PUBLISHED,
        legs=(),
    )
    with (
        Journal(place.state) as journal,
        journal.database.transaction() as connection,
    ):
        add_quotes(connection, "of-yesterday", yesterday, (quote,))
    return place


@pytest.fixture
def fire(station, live_rates):
    """Install a job that asks the rate server (or *url*) and fire it; it must end within its deadline + 2 s."""

    def run(*, url="", kind="exchangerate-api-v4", **options):
        changes = {name: options.pop(name) for name in ("ca_bundle",) if name in options}
        station.install(station.job(url or live_rates.url, kind, timeout=DEADLINE, **changes))
        return in_time(lambda: station.fetch(within=DEADLINE + 2, **options))

    return run


def of_today(body: bytes) -> bytes:
    """Return *body* with its dates moved by the days since it was recorded."""
    moved = now().date() - RECORDED_ON

    def move(match: re.Match[bytes]) -> bytes:
        return str(dt.date.fromisoformat(match[0].decode()) + moved).encode()

    return re.sub(rb"20\d\d-\d\d-\d\d", move, body)


def served(name: str) -> Fault:
    """Return the answer that the sample *name* is."""
    body = (SAMPLES / name).read_bytes()
    if name.startswith("302"):
        return Fault.redirect(re.search(rb"Location: (\S+)", body)[1].decode())
    kind = "text/html" if name.endswith("html") else "application/json"
    return Fault(status=int(name[:3]), body=of_today(body), headers={"Content-Type": kind})


def assert_refused(done, code, station):
    """Assert that a firing ended in *code*, told so in one line, and left the output alone."""
    assert done.returncode == code, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("ratectl-fetch: usd-inr: ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert station.lines() == []
    assert station.recorded() == []


def test_every_sample_has_its_code():
    """The table speaks of all recorded bodies and of no others."""
    assert set(BODIES) == {path.name for path in SAMPLES.iterdir()}


@pytest.mark.parametrize("name", BODIES)
def test_hostile_body(fire, station, live_rates, name):
    """A recorded body that is not an honest answer is told apart and not recorded."""
    live_rates.misbehave(served(name), times=1000)
    kind = "ecb" if name.endswith(".xml") else "exchangerate-api-v4"

    done = fire(kind=kind)

    if BODIES[name]:
        assert_refused(done, BODIES[name], station)
    else:
        assert (done.returncode, done.stderr) == (0, "")
        assert [rate for _, rate in station.recorded()] == ["95.07"]


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_hostile_server(fire, station, live_rates, name):
    """Whatever else a server does, the firing ends in time, in the exit code of its class."""
    fault, code = FAULTS[name]
    live_rates.misbehave(fault, times=1000)

    assert_refused(fire(), code, station)


def test_retry_after_as_a_date(fire, station, live_rates):
    """A provider that asks for patience until tomorrow is asked once."""
    tomorrow = email.utils.format_datetime(now() + dt.timedelta(days=1), usegmt=True)
    live_rates.misbehave(Fault(status=429, headers={"Retry-After": tomorrow}), times=1000)

    assert_refused(fire(), 75, station)
    assert len(live_rates.requests) == 1


def test_wrong_content_type(fire, station, live_rates):
    """The body decides: JSON called a web page is JSON."""
    live_rates.misbehave(Fault(headers={"Content-Type": "text/html"}), times=1000)

    assert fire().returncode == 0
    assert len(station.lines()) == 1


@pytest.mark.skipif(shutil.which("sh") is None, reason="the limit is set by a shell")
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.gzip_balloon(1200), 65),
        (Fault.gzip_bomb(1200), 65),
        (Fault.huge(50_000_000), 65),
        (Fault(), 0),
    ],
    ids=["balloon", "bomb", "50 MB", "honest answer"],
)
@pytest.mark.posix("the limit is set by a shell")
def test_what_swells_takes_bounded_memory(fire, station, live_rates, fault, code):
    """In 400 MiB of address space, 1200 MB packed into a few bytes are refused; the honest answer fits."""
    live_rates.misbehave(fault, times=1000)
    limited = ("sh", "-c", f'ulimit -v {LIMIT_KIB} && exec "$@"', "sh")

    done = fire(before=limited)

    assert "more than" in done.stderr or "not asked for" in done.stderr or code == 0
    if code:
        assert_refused(done, code, station)
    else:
        assert (done.returncode, len(station.lines())) == (0, 1)


@pytest.mark.parametrize("name", ["other-host.pem", "expired.pem"])
def test_certificates(fire, station, name):
    """A certificate of another host, or an expired one, is exit 75 and never gone past."""
    pem = CERTIFICATES / name
    with RateServer(demo_table(), certificate=pem) as server:
        done = fire(url=server.url, ca_bundle=str(pem))

    assert_refused(done, 75, station)
    assert ("clock" in done.stderr) is (name == "expired.pem")


def test_keys_of_a_connection(fire, station, monkeypatch):
    """A file that the surroundings name for the keys of TLS connections is not written to."""
    log = station.folder / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    pem = CERTIFICATES / "other-host.pem"
    with RateServer(demo_table(), certificate=pem) as server:
        fire(url=server.url, ca_bundle=str(pem))

    assert not log.exists()


def test_nobody_listens_anywhere(station):
    """Four providers on four addresses where nobody listens: one line that names each."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(4)]
        for number, one in enumerate(held):
            one.bind((f"127.0.0.{number + 1}", 0))  # bound and not listening: refused
        urls = [f"http://{socket.getsockname()[0]}:{socket.getsockname()[1]}" for socket in held]
        kinds = ("exchangerate-api-v4", "exchangerate-api-open", "frankfurter", "ecb")
        providers = tuple(provider(k, u) for k, u in zip(kinds, urls, strict=True))
        station.install(station.job(urls[0], timeout=DEADLINE, providers=providers))
        done = in_time(lambda: station.fetch(within=DEADLINE + 2))

    assert_refused(done, 75, station)
    assert all(kind in done.stderr for kind in kinds)


def test_stand_in_hangs_too(station, live_rates):
    """An address that stands in for one that hangs has no more than the time that is left."""
    live_rates.misbehave(Fault(hang=True), times=12)
    station.install(station.job(live_rates.url, "currency-api-cdn", timeout=DEADLINE))

    done = in_time(lambda: station.fetch(within=DEADLINE + 2))

    assert_refused(done, 75, station)
