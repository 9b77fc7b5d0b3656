"""The relay of templates/relay: a real nginx in front of a provider, which a whole site asks instead.

Only the places in the file are exchanged: the provider's address and root, the folders, the port.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime as dt
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ratectl.fetch.http import Request, Transport
from ratectl.model.job import ClosedDays, Provider
from tests.fakes.station import Station, now
from tests.support.rate_server import Fault, RateServer, demo_table

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[2]
CONFIG = (ROOT / "templates" / "relay" / "nginx.conf").read_text(encoding="utf-8")
CERTIFICATES = ROOT / "tests" / "fetch" / "certificates"
NGINX = Path(sys.prefix) / "engines" / "nginx" / "usr" / "sbin" / "nginx"  # scripts/test.py's
OPEN = "exchangerate-api-open"
FIRINGS = 1000
OLD = 2.1
"""Seconds after which an answer that is valid for one is old: nginx counts whole ones."""
REAL = 24
"""So many of them are processes of ratectl-fetch with a state of their own, the others ask as it would."""


@pytest.fixture(autouse=True)
def _nginx():
    if not NGINX.exists():
        reason = f"not there: {NGINX} (scripts/test.py fetches it)"
        (pytest.fail if os.environ.get("RATECTL_REQUIRE_ENGINES") else pytest.skip)(reason)


def free_port():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


def placed(folder, port):
    """Return the example with every file below *folder*, and of the ports of this machine only *port*."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    own = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    places = {
        "/var/log/nginx/": f"{folder}/",
        "/var/cache/nginx/": f"{folder}/",
        "/run/nginx.pid": f"{folder}/nginx.pid",
        "listen 8080;": f"listen 127.0.0.1:{port};",
        "http {": f"http {{\n{own}",
    }
    return exchanged(CONFIG, places)


def exchanged(text, others):
    """Return *text* with each key of *others*, all of which it has, exchanged."""
    for place, other in others.items():
        assert place in text
        text = text.replace(place, other)
    return text


@contextlib.contextmanager
def relay(folder, url, *, root="other-host.pem", name="portal.example", valid="1h"):
    """Run nginx with the example's configuration in front of the rate server *url*; gives its address."""
    port = free_port()
    folder.mkdir()
    text = exchanged(
        placed(folder, port),
        {
            "/etc/ssl/certs/ca-certificates.crt": str(CERTIFICATES / root),
            "proxy_pass https://$provider;": f"proxy_pass {url};",
            "proxy_ssl_name $provider;": f"proxy_ssl_name {name};",
            "200 1h": f"200 {valid}",
        },
    )
    config = folder / "nginx.conf"
    config.write_text(text)
    inline = "daemon off; user root;" if os.geteuid() == 0 else "daemon off;"
    argv = (str(NGINX), "-e", f"{folder}/start.log", "-c", str(config), "-g", inline)
    with subprocess.Popen(argv, stderr=subprocess.PIPE) as nginx:
        try:
            wait_for(port, nginx)
            yield f"http://127.0.0.1:{port}/{OPEN}"
        finally:
            nginx.terminate()


def wait_for(port, nginx):
    for _ in range(200):
        assert nginx.poll() is None, nginx.stderr.read()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    pytest.fail("nginx did not come up")


def upstream(**changes):
    """A provider whose certificate is for a name."""
    return RateServer(demo_table(), certificate=CERTIFICATES / "other-host.pem", **changes)


def station(folder, url):
    """An installation whose job asks the relay at *url*."""
    folder.mkdir()
    site = Station(folder=folder)
    source = Provider(name=OPEN, kind=OPEN, base_url=url)
    site.install(site.job("", OPEN, providers=(source,), closed_days=ClosedDays.MARK))
    return site


def ask(url):
    """Ask as a firing would; return the status."""
    transport = Transport(environment=False)
    return transport.get(Request(url=f"{url}/latest/USD"), seconds=60)


def test_as_it_stands(tmp_path):
    """The example is taken by nginx with its own providers, certificates and name server."""
    config = tmp_path / "nginx.conf"
    config.write_text(placed(tmp_path, free_port()))
    argv = (str(NGINX), "-t", "-e", f"{tmp_path}/start.log", "-c", str(config))
    done = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr or os.geteuid() != 0


def test_a_thousand_firings(tmp_path, record_property):
    """A thousand hosts fire at the same time, all have the rate, and the provider was asked once."""
    with upstream() as rates, relay(tmp_path / "relay", rates.url) as url:
        alone = {"Cache-Control": "private, no-store", "Vary": "*", "Set-Cookie": "a=b"}
        rates.misbehave(Fault(delay=0.5, headers=alone))  # many ask before the first is answered
        sites = [station(tmp_path / f"host{number}", url) for number in range(REAL)]
        with concurrent.futures.ThreadPoolExecutor(32) as crowd:
            fired = [crowd.submit(site.fetch) for site in sites]
            asked = [crowd.submit(ask, url) for _ in range(FIRINGS - REAL)]
            done = [future.result() for future in fired]
            answers = [future.result() for future in asked]

        assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * REAL
        assert {len(site.lines()) for site in sites} == {1}
        assert {answer.status for answer in answers} == {200}
        assert not any("Set-Cookie" in answer.headers for answer in answers)
        assert len({answer.body for answer in answers}) == 1
        assert len(rates.requests) == 1
        [(path, headers)] = rates.requests
        assert (path, headers["host"]) == ("/v6/latest/USD", "open.er-api.com")
        record_property("figures", f"{FIRINGS} firings, {len(rates.requests)} upstream request")


def test_a_provider_that_is_down(tmp_path):
    """The last answer goes on being served, and what is recorded of it has its own day."""
    day = dt.timedelta(days=1)
    folder = tmp_path / "relay"
    with upstream(clock=lambda: dt.datetime.now(dt.UTC) - day) as rates:
        context = relay(folder, rates.url, valid="1s")
        url = context.__enter__()
        body = ask(url).body
    try:
        time.sleep(OLD)
        stale = ask(url)
        site = station(tmp_path / "host", url)
        done = site.fetch()
    finally:
        context.__exit__(None, None, None)

    assert (stale.status, stale.body) == (200, body)
    assert stale.headers["X-Cache-Status"] == "STALE"
    assert (done.returncode, done.stderr) == (0, "")
    updated = dt.datetime.fromtimestamp(json.loads(body)["time_last_update_unix"], dt.UTC)
    assert updated.date() < now().date()
    assert [line.partition(" (")[2] for line in site.lines()] == [f"of {updated:%d/%m/%Y})"]


@pytest.mark.parametrize("status", [429, 503])
def test_a_provider_that_refuses(tmp_path, status):
    """A refusal does not reach the hosts while there is a last answer."""
    with upstream() as rates, relay(tmp_path / "relay", rates.url, valid="1s") as url:
        ask(url)
        time.sleep(OLD)
        rates.misbehave(Fault(status=status, headers={"Retry-After": "1200"}), times=9)

        assert ask(url).status == 200
        assert len(rates.requests) == 2


def test_asked_again_when_it_is_old(tmp_path):
    """After its time the answer is asked for once more, by its entity tag."""
    with upstream() as rates, relay(tmp_path / "relay", rates.url, valid="1s") as url:
        ask(url)
        time.sleep(OLD)
        again = ask(url)

        assert again.headers["X-Cache-Status"] == "REVALIDATED"
        assert [("if-none-match" in headers) for _, headers in rates.requests] == [False, True]


@pytest.mark.parametrize("wrong", [{"root": "valid.pem"}, {"name": "open.er-api.com"}])
def test_a_provider_that_is_another(tmp_path, wrong):
    """A certificate of an unknown root or for another name is not accepted, and the hosts are told to try later."""
    with upstream() as rates, relay(tmp_path / "relay", rates.url, **wrong) as url:
        assert ask(url).status == 502
        assert rates.requests == []
        assert station(tmp_path / "host", url).fetch().returncode == 75


def test_keys_stay_at_home(tmp_path):
    """What belongs to one host only, its cookies and its key, goes no further."""
    with upstream() as rates, relay(tmp_path / "relay", rates.url) as url:
        request = Request(url=f"{url}/latest/USD", key="demo-key")
        assert Transport(environment=False).get(request, seconds=10).status == 200

        [(_, headers)] = rates.requests
        assert not headers.keys() & {"authorization", "cookie", "accept-encoding"}
