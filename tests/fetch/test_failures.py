"""Each class of failure, made by real sockets, TLS and HTTP on loopback, and the exit code it ends in."""

from __future__ import annotations

import datetime as dt
import errno
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests

from ratectl.errors import ConfigError, DataError, RefusedError, TryLaterError
from ratectl.fetch import failures as connectivity
from ratectl.fetch.failures import FailureKind, FetchError
from ratectl.fetch.http import MOST_BYTES, Request, Transport
from ratectl.model.job import Provider
from tests.support.rate_server import Fault, RateServer, demo_table

CERTIFICATES = Path(__file__).parent / "certificates"
NOW = dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC)
network = pytest.mark.network


def failure(url, *, seconds=5.0, **transport):
    with pytest.raises(FetchError) as caught:
        Transport(**transport).get(Request(url=url), seconds=seconds)
    return caught.value


def unused_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@network
class TestReaching:
    """What happens before any HTTP."""

    def test_unknown_host(self):
        """A name that does not resolve is an unknown host, or offline where no resolver answers."""
        assert failure("http://rates.invalid/").kind in {FailureKind.DNS, FailureKind.OFFLINE}

    def test_nobody_listens(self):
        """A refused connection is the provider's trouble."""
        assert failure(f"http://127.0.0.1:{unused_port()}/").kind is FailureKind.TRANSIENT

    def test_hang(self, rates):
        """A server that accepts and says nothing costs the time it was given and no more."""
        rates.misbehave(Fault(hang=True))

        assert failure(rates.url, seconds=0.3).kind is FailureKind.TRANSIENT

    def test_trickle(self):
        """A server that sends a byte now and then, below every socket timeout, is cut off from outside."""
        done = threading.Event()

        def trickle(listener):
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                while not done.wait(0.05):
                    connection.sendall(b"x")

        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=trickle, args=(listener,), daemon=True)
            thread.start()
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
            assert failure(url, seconds=0.5).kind is FailureKind.TRANSIENT
            done.set()
            thread.join(5)

    def test_reset(self, rates):
        """A reset connection is the provider's trouble."""
        rates.misbehave(Fault(reset=True))

        assert failure(f"{rates.url}/v4/latest/USD").kind is FailureKind.TRANSIENT

    def test_cut(self, rates):
        """An answer shorter than announced is not taken for a whole one."""
        rates.misbehave(Fault(cut=40))

        assert failure(f"{rates.url}/v4/latest/USD").kind is FailureKind.TRANSIENT

    def test_endless_body(self, rates):
        """An answer of more than 8 MiB is not read to its end."""
        rates.misbehave(Fault(body=b"x" * (MOST_BYTES + 1)))

        assert failure(rates.url).kind is FailureKind.DATA

    @pytest.mark.parametrize(
        "url", ["ftp://rates.example/", "http://[::1/v4", f"http://{'a' * 70}.example/"]
    )
    def test_broken_url(self, url):
        """A base URL that no request can be made of is a matter of configuration."""
        assert failure(url).kind is FailureKind.CONFIG


@network
class TestTls:
    """Certificates are always verified."""

    def fails(self, name, *, ca=None):
        with RateServer(demo_table(), certificate=CERTIFICATES / name) as server:
            bundle = str(CERTIFICATES / ca) if ca else ""
            return failure(f"{server.url}/v4/latest/USD", ca_bundle=bundle)

    def test_own_root(self):
        """A certificate of a root that ca_bundle names is accepted."""
        valid = CERTIFICATES / "valid.pem"
        with RateServer(demo_table(), certificate=valid) as server:
            response = Transport(ca_bundle=str(valid)).get(
                Request(url=f"{server.url}/v4/latest/USD"), seconds=5
            )
        assert response.status == 200

    @pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
    def test_root_of_the_environment(self, name, monkeypatch):
        """A root that the environment names counts where the spec names none, unless nothing of it does."""
        valid = CERTIFICATES / "valid.pem"
        for other in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.delenv(other, raising=False)
        monkeypatch.setenv(name, str(valid))
        with RateServer(demo_table(), certificate=valid) as server:
            asked = Request(url=f"{server.url}/v4/latest/USD")
            assert Transport().get(asked, seconds=5).status == 200
            with pytest.raises(FetchError):
                Transport(environment=False).get(asked, seconds=5)

    def test_unknown_root(self):
        """An unknown issuer smells of a portal."""
        assert self.fails("valid.pem").kind is FailureKind.PORTAL

    def test_other_host(self):
        """A certificate of another host smells of a portal."""
        assert self.fails("other-host.pem", ca="other-host.pem").kind is FailureKind.PORTAL

    def test_expired(self):
        """An expired certificate most often means that our own date is wrong."""
        assert self.fails("expired.pem", ca="expired.pem").kind is FailureKind.CLOCK

    def test_missing_bundle(self, rates):
        """A ca_bundle that is not there is a matter of configuration."""
        url = rates.url.replace("http:", "https:")
        assert failure(url, ca_bundle="/nowhere/ca.pem").kind is FailureKind.CONFIG


@network
class TestRedirects:
    """A redirect elsewhere is a portal; one at home is followed."""

    def redirect(self, rates, location):
        rates.misbehave(Fault(status=302, headers={"Location": location}))

    def test_same_host(self, rates):
        """A provider may move within its host."""
        self.redirect(rates, "/v4/latest/USD")

        response = Transport().get(Request(url=f"{rates.url}/old"), seconds=5)

        assert response.status == 200

    @pytest.mark.parametrize(
        "location", ["http://portal.hotel.example/login", "https://127.0.0.1/", "//127.0.0.1:1/"]
    )
    def test_elsewhere(self, rates, location):
        """Another host, port or scheme is not asked."""
        self.redirect(rates, location)

        assert failure(f"{rates.url}/v4/latest/USD").kind is FailureKind.PORTAL
        assert len(rates.requests) == 1

    def test_nowhere(self, rates):
        """A Location that is no address is the provider's trouble, not a crash."""
        self.redirect(rates, "http://[::1")

        assert failure(f"{rates.url}/v4/latest/USD").kind is FailureKind.TRANSIENT

    def test_beyond_ascii(self, rates):
        """A Location of raw bytes is followed as far as it can be."""
        self.redirect(rates, "/\u00ff\u00fe")

        response = Transport().get(Request(url=f"{rates.url}/v4/latest/USD"), seconds=5)

        assert (response.status, rates.requests[-1][0]) == (404, "/%C3%BF%C3%BE")

    def test_endless(self, rates):
        """Redirects in a circle end."""
        for _ in range(10):
            self.redirect(rates, "/v4/latest/USD")

        assert failure(f"{rates.url}/v4/latest/USD").kind is FailureKind.PORTAL


@network
def test_headers(rates):
    """We say who we are, what we take, and that no cache may answer."""
    Transport().get(Request(url=rates.url, key="s3cret"), seconds=5)

    [(_, headers)] = rates.requests
    assert headers["user-agent"].startswith("ratectl/")
    assert "+https://" in headers["user-agent"]
    assert headers["accept"] == "application/json"
    assert headers["cache-control"] == "no-cache"
    assert headers["authorization"] == "Bearer s3cret"


@network
def test_no_secret_in_messages(rates):
    """Neither path, query nor password of a URL is ever shown."""
    rates.misbehave(Fault(reset=True))
    address = rates.url.removeprefix("http://")

    told = failure(f"http://user:pa55@{address}/v6/K3Y/latest?app_id=K3Y")

    assert "K3Y" not in str(told)
    assert "pa55" not in str(told)
    assert address in str(told)


NO_WAY = """
import sys
from ratectl.fetch import failures as connectivity
from ratectl.fetch.http import Request, Transport
for url in sys.argv[1:]:
    try:
        Transport().get(Request(url=url), seconds=5)
    except connectivity.FetchError as failure:
        print(failure.kind.name, failure)
"""


@network
def test_no_way_out():
    """Where the kernel knows no way, as in a namespace of its own, a firing is offline."""
    alone = ("unshare", "--map-root-user", "--net")
    if shutil.which("unshare") is None or subprocess.run((*alone, "true"), check=False).returncode:
        pytest.skip("no network namespace can be made here")
    urls = ("http://192.0.2.1/", "https://192.0.2.1/", "http://[2001:db8::1]/")
    argv = (*alone, sys.executable, "-c", NO_WAY, *urls)

    done = subprocess.run(argv, capture_output=True, text=True, check=True)

    assert [line.split(" ")[0] for line in done.stdout.splitlines()] == ["OFFLINE"] * 3


@pytest.mark.parametrize("number", [errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN])
def test_unreachable(number):
    """Every way in which a network can be out of reach is offline."""
    wrapped = requests.ConnectionError(OSError(number, "?"))

    assert connectivity.classify_exception(wrapped, "h").kind is FailureKind.OFFLINE


def test_other_trouble_has_its_name():
    """What the kernel says beyond that is shown, such as a firewall's refusal."""
    told = connectivity.classify_exception(
        requests.ConnectionError(OSError(errno.EACCES, "?")), "h"
    )

    assert (told.kind, str(told)) == (FailureKind.TRANSIENT, "h: Permission denied")


@network
@pytest.mark.parametrize(
    ("status", "kind"), [(407, FailureKind.REFUSED), (502, FailureKind.TRANSIENT)]
)
def test_proxy_that_lets_nobody_through(status, kind):
    """A proxy that wants a log-in is a matter of permission, one that fails will mend."""

    def refuse(listener):
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=refuse, args=(listener,), daemon=True)
        thread.start()
        proxy = f"http://127.0.0.1:{listener.getsockname()[1]}"
        told = failure("https://rates.invalid/", proxy=proxy)
        thread.join(5)

    assert (told.kind, str(told)) == (kind, f"the proxy answers HTTP {status}")


@network
@pytest.mark.parametrize("url", ["http://rates.example/v4", "https://rates.example/v4"])
@pytest.mark.parametrize("said_by", ["spec", "environment"])
def test_proxy_that_refuses(url, said_by, monkeypatch):
    """A proxy that is not there is named as the proxy, with its port and without its login, and not the provider."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    if said_by == "environment":
        monkeypatch.setenv("http_proxy", f"http://me:secret@{address}")
        monkeypatch.setenv("https_proxy", f"http://me:secret@{address}")
        monkeypatch.delenv("no_proxy", raising=False)

    told = failure(url, proxy=f"http://{address}" if said_by == "spec" else "")

    assert (told.kind, str(told)) == (
        FailureKind.TRANSIENT,
        f"the proxy {address}: connection refused",
    )


@network
def test_proxy_that_nobody_knows():
    """Where the proxy's own name is not known the way that is missing is the one to the proxy."""
    told = failure("https://rates.example/v4", proxy="http://proxy.invalid:3128")

    assert str(told).startswith("the proxy proxy.invalid:3128: ")
    assert str(connectivity.most_hopeful([("ecb", told), ("fred", told)])) == (
        "offline: no way to the proxy proxy.invalid:3128"
    )


@network
def test_proxy_that_hangs():
    """Where no answer comes in time the proxy that was asked is named beside the provider."""
    with socket.create_server(("127.0.0.1", 0)) as listener:  # which takes all and never answers
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        told = failure("http://rates.example/v4", proxy=f"http://{address}", seconds=1)

    assert str(told).startswith("rates.example: no answer")
    assert str(told).endswith(f"(asked by way of the proxy {address})")


@network
def test_proxy(rates):
    """A proxy of the spec is asked in the place of the provider."""
    request = Request(url="http://rates.invalid/v4/latest/USD")

    response = Transport(proxy=rates.url).get(request, seconds=5)

    assert response.status == 200
    assert rates.requests[0][0] == "http://rates.invalid/v4/latest/USD"


@network
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(status=503), 75),
        (Fault(status=500), 75),
        (Fault(status=408), 75),
        (Fault(status=429, headers={"Retry-After": "3600"}), 75),
        (Fault(status=511, body=b"<html>"), 75),
        (Fault(status=403, body=b"{}"), 77),
        (Fault(status=401, body=b"{}"), 77),
        (Fault(status=200, body=b"<html>Sign in</html>"), 75),
        (Fault(status=404, body=b'{"error_type":"unsupported_code"}'), 78),
        (Fault(status=404, body=b"nothing"), 65),
        (Fault(status=200, body=b"[]"), 65),
        (Fault(reset=True), 75),
    ],
    ids=lambda value: str(getattr(value, "status", value)),
)
def test_exit_codes(job, installed, fire, lines, rates, fault, code):
    """Each answer ends in the exit code of its class, one line of text, and nothing appended."""
    rates.misbehave(fault, times=10_000)

    report = fire(installed(job(timeout=1)))

    assert report.error.exit_code == code
    assert "\n" not in str(report.error)
    assert lines() == []


@network
def test_clock(job, installed, fire, rates, clock):
    """A machine whose date is off by more than five minutes says "clock" and does not record."""
    rates.clock = lambda: clock() - dt.timedelta(minutes=7)

    report = fire(installed(job()))

    assert report.error.exit_code == 75
    assert "clock" in str(report.error)
    assert "420 s ahead" in str(report.error)


@network
def test_refused_key_is_not_shown(job, installed, fire, rates, tmp_path):
    """A key that the provider refuses is exit 77, and the key is nowhere in the message."""
    (tmp_path / "key").write_text("s3cret\n")
    office = Provider(
        name="office",
        kind="http-json",
        base_url=f"{rates.url}/{{base}}.json?k={{quote}}",
        rate="rates.{quote}",
        api_key=f"file:{tmp_path / 'key'}",
    )
    rates.misbehave(Fault(status=401, body=b"{}"))

    report = fire(installed(job(providers=(office,))))

    assert report.error.exit_code == 77
    assert "s3cret" not in str(report.error)
    assert rates.requests[0][1]["authorization"] == "Bearer s3cret"


@network
def test_offline_is_one_short_line(job, installed, fire, lines, changed):
    """Without a network there is one line, which names who could not be reached."""
    usd = job(timeout=1)
    [provider] = usd.providers
    nowhere = changed(provider, base_url="http://rates.invalid/v4")

    report = fire(installed(changed(usd, providers=(nowhere,))))

    assert str(report.error) == "offline: no way to exchangerate-api-v4"
    assert report.error.exit_code == 75
    assert lines() == []


@pytest.mark.parametrize(
    ("kinds", "error"),
    [
        ([FailureKind.REFUSED, FailureKind.TRANSIENT], TryLaterError),
        ([FailureKind.CONFIG, FailureKind.DATA], DataError),
        ([FailureKind.CONFIG, FailureKind.REFUSED], RefusedError),
        ([FailureKind.CONFIG], ConfigError),
        ([FailureKind.OFFLINE, FailureKind.DNS], TryLaterError),
    ],
)
def test_most_hopeful_exit_wins(kinds, error):
    """Of several providers' failures the one that time may mend decides the exit code."""
    failures = [(f"p{n}", FetchError(kind, "why")) for n, kind in enumerate(kinds)]

    assert type(connectivity.most_hopeful(failures)) is error


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0),
        ("120", 120),
        ("Fri, 20 Nov 2026 09:31:00 GMT", 60),
        ("Fri, 20 Nov 2026 09:00:00 GMT", 0),
        ("soon", 0),
        ("\u00b2", 0),
        ("Mon, 01 Jan 99999999999999 00:00:00 GMT", 0),
    ],
)
def test_retry_after(text, seconds):
    """Both forms of Retry-After are understood."""
    assert connectivity.retry_after(text, NOW) == seconds


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (socket.EAI_NONAME, FailureKind.DNS),
        (socket.EAI_AGAIN, FailureKind.OFFLINE),
        (socket.EAI_FAIL, FailureKind.OFFLINE),
    ],
)
def test_name_lookup(number, kind):
    """A resolver that says "no such host" is not the same as no resolver."""
    assert connectivity.classify_exception(socket.gaierror(number, "?"), "h").kind is kind


@pytest.mark.parametrize(
    ("headers", "off"),
    [
        ({}, False),
        ({"Date": "nonsense"}, False),
        ({"Date": "Fri, 20 Nov 2026 09:34:00 GMT"}, False),
        ({"Date": "Fri, 20 Nov 2026 09:36:00 GMT"}, True),
        ({"Date": "Fri, 20 Nov 2026 08:30:00 GMT"}, True),
        ({"Date": "Fri, 20 Nov 2026 08:30:00 GMT", "Age": "3600"}, False),
        ({"Date": "Fri, 20 Nov 2026 08:30:00 GMT", "Age": "9" * 18}, False),
        ({"Date": "Mon, 01 Jan 99999999999999 00:00:00 GMT"}, False),
    ],
)
def test_clock_skew(headers, off):
    """The Date header, moved on by a cache's Age, is compared with our clock."""
    assert (connectivity.classify_clock(headers, NOW) is not None) is off


@network
def test_plain_http_where_tls_is_expected(rates):
    """A portal that speaks plain HTTP on the TLS port is named as that, not as an error of the system."""
    with pytest.raises(FetchError, match="no TLS: ") as caught:
        Transport().get(Request(url=rates.url.replace("http:", "https:")), seconds=5)

    assert caught.value.kind is FailureKind.TRANSIENT
