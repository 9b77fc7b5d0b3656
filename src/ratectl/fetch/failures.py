"""What went wrong between us and a provider: a class for every failure, and what follows from it.

Statuses (429 with its ``Retry-After``, 403, 5xx), portals, TLS and network errors get their class here.
The provider's own request is the probe. There is no separate "is there internet" poll, which a captive
portal would fool.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import errno
import os
import re
import socket
import ssl
from enum import Enum
from typing import TYPE_CHECKING

from ratectl.errors import ConfigError, DataError, RatectlError, RefusedError, TryLaterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOST_SKEW = dt.timedelta(minutes=5)
UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN})
CLOCK_CODES = frozenset({9, 10})  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
TUNNEL = r"Tunnel connection failed: ([0-9]{3})"
"""How http.client tells that a proxy does not let us through to an https host."""
TRANSIENT_STATUSES = frozenset({408, 425, 429})


class FailureKind(Enum):
    """The classes of failure; the value is the word that a message begins with."""

    OFFLINE = "offline"
    DNS = "unknown host"
    PORTAL = "captive portal or firewall page"
    CLOCK = "clock"
    TRANSIENT = "provider down"
    NOT_YET = "not published yet"
    REFUSED = "refused"
    CONFIG = "configuration"
    DATA = "bad data"


RETRIED = frozenset(
    {FailureKind.OFFLINE, FailureKind.DNS, FailureKind.PORTAL, FailureKind.TRANSIENT}
)
"""Kinds that may pass within the same firing."""

ERRORS: Mapping[FailureKind, type[RatectlError]] = {
    FailureKind.OFFLINE: TryLaterError,
    FailureKind.DNS: TryLaterError,
    FailureKind.PORTAL: TryLaterError,
    FailureKind.CLOCK: TryLaterError,
    FailureKind.TRANSIENT: TryLaterError,
    FailureKind.NOT_YET: TryLaterError,
    FailureKind.DATA: DataError,
    FailureKind.REFUSED: RefusedError,
    FailureKind.CONFIG: ConfigError,
}
"""Which exit each class ends in, the most hopeful first."""


class FetchError(Exception):
    """One provider's failure. Its text carries no secret and no more than one line.

    Attributes:
        kind: its class.
        retry_after: seconds that the provider asked us to wait, 0 if it did not.
        body: the answer that failed, empty where there was none.
        proxy: the proxy that is at fault, and not the provider; empty where none is.
        is_notice: whether it came with status 200 and refused us, which a person should see.
        is_lack: whether the provider answered, and has none of the pairs that it was asked for.
        is_absent: whether it says no more than that there is no such page, as of a day without rates.
    """

    def __init__(self, kind: FailureKind, message: str, *, retry_after: float = 0) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after
        self.body = b""
        self.proxy = ""
        self.is_notice = False
        self.is_absent = False
        self.is_lack = False


def absent(message: str, kind: FailureKind = FailureKind.CONFIG) -> FetchError:
    """Return the failure of an address that has no page, or an empty one, which may be one of a day without rates."""
    failure = FetchError(kind, message)
    failure.is_absent = True
    return failure


def most_hopeful(failures: Sequence[tuple[str, FetchError]]) -> RatectlError:
    """Return the one error of a firing, from the last failure of each provider (name, failure).

    The most hopeful exit code wins; a word about each provider stays in the text.
    """
    order = list(ERRORS)
    kind = min((failure.kind for _, failure in failures), key=order.index)
    kinds = {failure.kind for _, failure in failures}
    if kinds <= {FailureKind.OFFLINE, FailureKind.DNS}:
        names = (
            f"the proxy {failure.proxy}" if failure.proxy else name for name, failure in failures
        )
        hosts = ", ".join(dict.fromkeys(names))
        return TryLaterError(f"{FailureKind.OFFLINE.value}: no way to {hosts}")
    text = "; ".join(f"{name}: {failure.kind.value}: {failure}" for name, failure in failures)
    return ERRORS[kind](text)


def classify_exception(error: BaseException, host: str) -> FetchError:
    """Return the class of what the HTTP library raised for a request to *host*."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            if cause.verify_code in CLOCK_CODES:
                return FetchError(
                    FailureKind.CLOCK,
                    f"{host}: {cause.verify_message}; is this machine's date right?",
                )
            return FetchError(FailureKind.PORTAL, f"{host}: certificate: {cause.verify_message}")
        if isinstance(cause, ssl.SSLError):  # its errno is OpenSSL's, not the system's
            return FetchError(FailureKind.TRANSIENT, f"{host}: no TLS: {cause.reason or 'closed'}")
        if isinstance(cause, socket.gaierror):
            return _of_lookup(cause, host)
        if isinstance(cause, OSError) and cause.errno in UNREACHABLE:
            return FetchError(FailureKind.OFFLINE, f"{host}: network unreachable")
        if isinstance(cause, TimeoutError):
            return FetchError(FailureKind.TRANSIENT, f"{host}: no answer in time")
        if isinstance(cause, ConnectionRefusedError):
            return FetchError(FailureKind.TRANSIENT, f"{host}: connection refused")
        if isinstance(cause, ConnectionError):
            return FetchError(FailureKind.TRANSIENT, f"{host}: connection closed")
        if isinstance(cause, OSError) and (tunnel := re.match(TUNNEL, str(cause))):
            return _of_tunnel(int(tunnel[1]))
        if isinstance(cause, OSError) and cause.errno:
            return FetchError(FailureKind.TRANSIENT, f"{host}: {os.strerror(cause.errno)}")
    return FetchError(FailureKind.TRANSIENT, f"{host}: {type(error).__name__}")


def of_proxy(error: BaseException, proxy: str) -> FetchError:
    """Return the class of what went wrong between us and *proxy*, a host and port."""
    failure = classify_exception(error, f"the proxy {proxy}" if proxy else "the proxy")
    if not proxy or re.search(TUNNEL, str(error)):
        return failure
    failure.proxy = proxy
    return failure


def classify_status(status: int, headers: Mapping[str, str], now: dt.datetime) -> FetchError | None:
    """Return the class of an HTTP *status* whatever its body, None where the body decides."""
    if status == 511:
        return FetchError(FailureKind.PORTAL, "HTTP 511, the network wants a log-in")
    if status in TRANSIENT_STATUSES or status >= 500:
        wait = retry_after(headers.get("Retry-After", ""), now)
        return FetchError(FailureKind.TRANSIENT, f"HTTP {status}", retry_after=wait)
    if status == 407:
        return FetchError(FailureKind.REFUSED, "the proxy answers HTTP 407, it wants a log-in")
    if status in {401, 402, 403}:
        return FetchError(FailureKind.REFUSED, f"HTTP {status}; key, plan or permission")
    return None


def classify_clock(headers: Mapping[str, str], now: dt.datetime) -> FetchError | None:
    """Return a clock failure when the answer's ``Date`` (plus ``Age``) is more than 5 minutes from *now*."""
    try:
        there = email.utils.parsedate_to_datetime(headers.get("Date", ""))
        age = dt.timedelta(seconds=int(headers.get("Age", "0")))
        if there.tzinfo is None:
            return None
        skew = now - there - age
    except (ValueError, OverflowError):
        return None
    if abs(skew) <= MOST_SKEW:
        return None
    side = "ahead of" if skew > dt.timedelta(0) else "behind"
    return FetchError(
        FailureKind.CLOCK,
        f"this machine's clock is {round(abs(skew).total_seconds())} s {side} the provider's",
    )


def retry_after(text: str, now: dt.datetime) -> float:
    """Return the seconds that a ``Retry-After`` header asks for, in either of its forms; 0 for none."""
    if text.isascii() and text.strip().isdigit():
        return float(text)
    try:
        until = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0.0
    return max(0.0, (until - now).total_seconds()) if until.tzinfo else 0.0


def _of_tunnel(status: int) -> FetchError:
    kind = FailureKind.REFUSED if status in {401, 403, 407} else FailureKind.TRANSIENT
    return FetchError(kind, f"the proxy answers HTTP {status}")


def _of_lookup(error: socket.gaierror, host: str) -> FetchError:
    if error.errno == socket.EAI_NONAME:
        return FetchError(FailureKind.DNS, f"{host}: no such host")
    return FetchError(FailureKind.OFFLINE, f"{host}: name lookup failed")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield *error* and everything it wraps: as cause, context, ``reason`` or argument."""
    pending: list[object] = [error]
    seen: set[int] = set()
    while pending:
        item = pending.pop(0)
        if isinstance(item, BaseException) and id(item) not in seen:
            seen.add(id(item))
            yield item
            pending += [item.__cause__, item.__context__, getattr(item, "reason", None), *item.args]
