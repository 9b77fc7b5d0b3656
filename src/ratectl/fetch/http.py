"""The only door to HTTP: verified TLS, no redirect elsewhere, 8 MiB at most, and a deadline from outside.

A socket timeout counts per address and leaves name lookup out, so every request runs in a thread that
is abandoned when its time is over. No text that leaves here holds a query, a path or a key.
"""

from __future__ import annotations

import os
import sys
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import quote, urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError, LocationValueError

from ratectl import __version__
from ratectl.fetch.failures import FailureKind, FetchError, classify_exception, of_proxy
from ratectl.runtime import trust
from ratectl.runtime.deadline import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

T = TypeVar("T")

MOST_BYTES = 8 * 1024 * 1024
MOST_REDIRECTS = 5
CHUNK = 65_536
GZIP = 16 + zlib.MAX_WBITS
"""Tells zlib to expect the header of gzip, which is all that we say we take."""
LONGEST_HOST = 255
CONNECT_SECONDS = 10.0
UNUSABLE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    LocationValueError,
)
"""What the HTTP library raises for a URL of which it can make no request."""
BUNDLES = frozenset({"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"})
"""The variables by which the library learns of roots."""
AGENT = f"ratectl/{__version__} (+https://pypi.org/project/ratectl/)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to ask a provider for."""

    url: str
    """May hold ``{key}``, which the secret takes the place of."""
    accept: str = "application/json"
    scheme: str = "Bearer"
    """The word before the secret in the Authorization header, for URLs that have no ``{key}``."""
    header: str = ""
    """The header that holds the secret alone; empty is Authorization with the word before it."""
    key: str = field(default="", repr=False)
    """The secret itself; empty sends none."""
    etag: str = ""
    """Of an answer that is still at hand: 304 then says that it holds."""
    fallback: Request | None = None
    """Asked instead where this one is not found (404), the server fails (5xx) or does not answer."""


class Response(NamedTuple):
    """What came back, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """How this machine reaches the network.

    A *proxy* wins over the environment's, empty leaves those; *ca_bundle* is a PEM file of
    further roots, empty means the library's own. Without *environment* nothing of it counts,
    as for a firing that an engine starts.
    """

    def __init__(self, *, proxy: str = "", ca_bundle: str = "", environment: bool = True) -> None:
        self.proxy = proxy
        self.ca_bundle = ca_bundle
        self.environment = environment

    def get(self, request: Request, *, seconds: float) -> Response:
        """Return the answer to *request* within *seconds*. Raises FetchError."""
        self._check_bundle()
        headers = {"Accept": request.accept, "Accept-Encoding": "gzip", "Cache-Control": "no-cache"}
        if request.etag:
            headers["If-None-Match"] = request.etag
        url = request.url
        if "{key}" in url:
            url = url.replace("{key}", quote(request.key, safe=""))
        elif request.key and request.header:
            headers[request.header] = request.key
        elif request.key:
            headers["Authorization"] = f"{request.scheme} {request.key}"
        return self._within(seconds, url, lambda: self._get(url, headers, seconds))

    def post(self, url: str, body: bytes, *, kind: str, seconds: float) -> None:
        """Post *body*, of the media type *kind*; nothing but its acceptance matters. Raises FetchError."""
        self._check_bundle()

        def send() -> int:
            with (
                self._session({"Content-Type": kind}) as session,
                session.post(
                    url,
                    data=body,
                    timeout=seconds,
                    allow_redirects=False,
                    verify=self._verify,
                    stream=True,  # an answer of any size is left unread
                ) as response,
            ):
                return response.status_code

        status = self._within(seconds, url, send)
        if status >= 300:
            raise FetchError(FailureKind.TRANSIENT, f"{host_of(url)}: HTTP {status}")

    def _within(self, seconds: float, url: str, work: Callable[[], T]) -> T:
        """Return what *work* gives within *seconds*; whatever goes wrong is a FetchError that names who did not answer."""
        try:
            return _within(seconds, host_of(url), work)
        except FetchError as failure:
            cause, proxy = failure.__cause__, self._proxy_for(url)
            if isinstance(cause, requests.exceptions.ProxyError):
                raise of_proxy(cause, proxy) from cause
            if proxy and isinstance(cause, TimeoutError | requests.Timeout):
                failure.args = (f"{failure} (asked by way of the proxy {proxy})",)
            raise

    def _proxy_for(self, url: str) -> str:
        """Return host and port of the proxy by which *url* is asked for, which may be the environment's."""
        known = self.proxy
        if not known and self.environment and host_of(url):
            found = requests.utils.get_environ_proxies(url)
            known = requests.utils.select_proxy(url, found) or ""
        return host_of(known if "://" in known else f"http://{known}")

    def _check_bundle(self) -> None:
        """Raise FetchError where another account could put roots of its own in the place of ours."""
        found = trust.fault(self.ca_bundle) if self.ca_bundle else None
        if found is not None:
            raise FetchError(FailureKind.REFUSED, f"ca_bundle: {found}")

    @property
    def _verify(self) -> str | None:
        """Given with each request, since REQUESTS_CA_BUNDLE would win over a session's own."""
        return self.ca_bundle or None

    def _session(self, headers: Mapping[str, str]) -> requests.Session:
        session = _Session()
        session.headers.update({"User-Agent": AGENT} | dict(headers))
        session.auth = _leave_headers_alone
        if self.proxy or not self.environment or not _environment_matters():
            session.trust_env = False
        if self.proxy:
            session.proxies = {"http": self.proxy, "https": self.proxy}
        return session

    def _get(self, url: str, headers: Mapping[str, str], seconds: float) -> Response:
        timeout = (min(CONNECT_SECONDS, seconds), seconds)
        with self._session(headers) as session:
            for _ in range(MOST_REDIRECTS):
                with session.get(
                    url, timeout=timeout, allow_redirects=False, stream=True, verify=self._verify
                ) as response:
                    if not response.is_redirect:
                        return Response(
                            status=response.status_code,
                            headers=response.headers,
                            body=_body(response),
                        )
                    url = _redirected(url, response.headers["Location"])
        raise FetchError(FailureKind.PORTAL, f"more than {MOST_REDIRECTS} redirects")


class _Session(requests.Session):
    """One that leaves redirects to us, where the library would stumble over a Location that is no address."""

    def resolve_redirects(self, *_: object, **__: object) -> Iterator[requests.Response]:
        """Prepare no further request."""
        return iter(())


def _environment_matters() -> bool:
    """Tell whether the environment may name a proxy or roots: where it cannot, the library need not load what looks for them.

    Windows and macOS keep proxies in their settings, too.
    """
    return sys.platform in {"win32", "darwin"} or any(
        name.upper().endswith("_PROXY") or name in BUNDLES for name in os.environ
    )


def host_of(url: str) -> str:
    """Return the host and port of *url*, which is all that an error text may show of it; none if it has none."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def _within(seconds: float, host: str, work: Callable[[], T]) -> T:
    """Return what *work* gives within *seconds*; whatever goes wrong is a FetchError that names *host*."""
    try:
        return within(seconds, work)
    except FetchError:
        raise
    except TimeoutError as error:
        raise FetchError(FailureKind.TRANSIENT, f"{host}: {error}") from error
    except Exception as error:
        meaning = _meaning(error, host)
        if meaning is None:
            raise
        raise meaning from error


def _meaning(error: Exception, host: str) -> FetchError | None:
    """Return what *error* says about *host*; None for one that is a bug."""
    if not host or isinstance(error, UNUSABLE):
        return FetchError(FailureKind.CONFIG, f"{host or 'base_url'}: not a usable URL")
    if isinstance(error, zlib.error):
        return FetchError(FailureKind.DATA, f"{host}: an answer that cannot be unpacked")
    if isinstance(error, requests.RequestException | HTTPError):
        return classify_exception(error, host)
    if isinstance(error, ValueError):  # a Location that is no address, for one
        return FetchError(FailureKind.TRANSIENT, f"{host}: an answer against the rules")
    if isinstance(error, OSError):  # requests says so of an unreadable CA bundle
        return FetchError(FailureKind.CONFIG, str(error))
    return None


def _body(response: requests.Response) -> bytes:
    """Return the body, unpacked by ourselves: what a few bytes swell to is bounded before it exists."""
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in {"gzip", "identity", ""}:
        raise FetchError(
            FailureKind.DATA, f"an answer packed as {coding[:40]!r}, which was not asked for"
        )
    body = bytearray()
    for chunk in _unpacked(_raw(response)) if coding == "gzip" else _raw(response):
        body += chunk
        if len(body) > MOST_BYTES:
            raise FetchError(FailureKind.DATA, f"an answer of more than {MOST_BYTES} bytes")
    return bytes(body)


def _raw(response: requests.Response) -> Iterator[bytes]:
    yield from response.raw.stream(CHUNK, decode_content=False)


def _unpacked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what the gzip members in *chunks* hold, in pieces of a bounded size."""
    member, whole = zlib.decompressobj(GZIP), True
    for chunk in chunks:
        rest, more = chunk, False
        while rest or more:
            if member.eof:
                member = zlib.decompressobj(GZIP)
            piece = member.decompress(rest, CHUNK)
            whole = member.eof
            rest = member.unused_data if whole else member.unconsumed_tail
            more = len(piece) == CHUNK and not whole
            yield piece
    if not whole:
        raise FetchError(FailureKind.TRANSIENT, "a packed answer that is cut off")


def _redirected(url: str, location: str) -> str:
    there = urljoin(url, location)
    if urlsplit(there)[:2] != urlsplit(url)[:2]:
        host = "".join(filter(str.isprintable, host_of(there)))[:LONGEST_HOST]
        raise FetchError(FailureKind.PORTAL, f"redirected to {urlsplit(there).scheme}://{host}")
    return there


def _leave_headers_alone(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from looking into ~/.netrc, whose entry would replace our own Authorization."""
    return request
