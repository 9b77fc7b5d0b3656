"""One provider asked for one thing: from a cached response while it is fresh, over the network otherwise.

A body is kept for others only after it was parsed; every failure leaves here as a FetchError with the
body that caused it.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, NamedTuple

from ratectl.errors import RefusedError
from ratectl.fetch.cache import CachedResponse, fresh_until
from ratectl.fetch.failures import RETRIED, FailureKind, FetchError, classify_clock, classify_status
from ratectl.fetch.providers import SOURCES
from ratectl.fetch.providers._shared.query import PublishedRate, UnusableRate
from ratectl.model.job import REQUEST_SECONDS
from ratectl.runtime import secrets
from ratectl.runtime.deadline import Deadline

if TYPE_CHECKING:
    import datetime as dt

    from ratectl.fetch.cache import ResponseCache
    from ratectl.fetch.http import Request, Response, Transport
    from ratectl.fetch.providers._shared.query import RateQuery
    from ratectl.model.job import Provider
    from ratectl.runtime.environment import Environment


class ProviderReply(NamedTuple):
    """What one provider said."""

    published: tuple[PublishedRate, ...]
    body: bytes
    received_at: dt.datetime
    """When the answer came, which for a cached one was earlier (aware, UTC, whole seconds)."""
    request: Request
    unusable: tuple[UnusableRate, ...] = ()
    """Cells of the body that cannot be rates."""


class ProviderClient:
    """Everything that asking needs besides the question, and how many requests it took."""

    def __init__(self, transport: Transport, cache: ResponseCache, env: Environment) -> None:
        self.transport = transport
        self.cache = cache
        self.env = env
        self.requests = 0
        self.ask_anew = False
        """Even where an answer of a moment ago would do."""

    def ask(self, provider: Provider, query: RateQuery, deadline: Deadline) -> ProviderReply:
        """Return what *provider* says about *query*. Raises FetchError."""
        secret = _secret(provider)
        request = SOURCES[provider.kind].request(provider, query, self.env.clock().date())
        request = _with_key(request, secret)
        try:
            return self._ask(provider, query, request, deadline)
        except FetchError as failure:
            failure.args = (secrets.hidden(str(failure), secret),)
            raise

    def _ask(
        self, provider: Provider, query: RateQuery, request: Request, deadline: Deadline
    ) -> ProviderReply:
        with self.cache.lock(request, deadline) as ours:
            if not ours:
                raise FetchError(
                    FailureKind.TRANSIENT, "another firing is still asking for the same"
                )
            cached = self.cache.find(request)
            fresh = cached is not None and cached.is_fresh(self.env.clock(), self.env.uptime())
            if cached is not None and fresh and not self.ask_anew:
                return self._reply(provider, query, request, cached)
            return self._fetched(provider, query, request, cached, deadline)

    def forget(self, reply: ProviderReply) -> None:
        """Do not serve *reply* again: it holds what is not believed, and may be mended at its source."""
        self.cache.drop(reply.request)

    def _fetched(
        self,
        provider: Provider,
        query: RateQuery,
        request: Request,
        cached: CachedResponse | None,
        deadline: Deadline,
    ) -> ProviderReply:
        if cached is not None and request.fallback is None:
            request = dataclasses.replace(request, etag=cached.etag)
        seconds = min(deadline.left(), provider.timeout or REQUEST_SECONDS)
        response = self._get(request, Deadline(seconds))
        now = self.env.clock().replace(microsecond=0)
        unchanged = cached if response.status == 304 else None
        failure = (
            classify_clock(response.headers, now)
            if unchanged
            else self._failure(provider, response, now)
        )
        if failure is not None:
            raise _with_body(failure, response.body, request, status=response.status)
        fetched = CachedResponse(
            body=unchanged.body if unchanged else response.body,
            etag=_entity_tag(response) or (unchanged.etag if unchanged else ""),
            received_at=now,
            uptime=self.env.uptime(),
            fresh_until=now,
        )
        reply = self._reply(provider, query, request, fetched)
        self._keep(provider, query, response, fetched, reply)
        return reply

    def _get(self, request: Request, deadline: Deadline) -> Response:
        """Return the answer to *request*, or to the one that stands in for it while it is not to be had.

        One that hangs leaves as much time to each of those behind it.
        """
        seconds = deadline.left() / _links(request)
        if seconds <= 0:
            raise FetchError(FailureKind.TRANSIENT, "no time was left to ask")
        self.requests += 1
        try:
            response = self.transport.get(request, seconds=seconds)
        except FetchError as failure:
            if request.fallback is None or failure.kind not in RETRIED:
                raise
        else:
            body = secrets.hidden_in_body(response.body, request.key)
            response = response._replace(body=body)
            down = response.status == 404 or response.status >= 500
            if request.fallback is None or not down:
                return response
        return self._get(request.fallback, deadline)

    @staticmethod
    def _failure(provider: Provider, response: Response, now: dt.datetime) -> FetchError | None:
        refusal = SOURCES[provider.kind].refusal(response.status, response.body)
        by_status = classify_status(response.status, response.headers, now)
        if by_status is not None:
            quota = response.status == 429 and bool(provider.api_key)
            reported = refusal is not None and refusal.kind is FailureKind.REFUSED
            return refusal if reported and (quota or by_status.kind not in RETRIED) else by_status
        if refusal is not None:
            return refusal
        if response.status != 200:
            return FetchError(FailureKind.DATA, f"HTTP {response.status}")
        return classify_clock(response.headers, now)

    @staticmethod
    def _reply(
        provider: Provider, query: RateQuery, request: Request, cached: CachedResponse
    ) -> ProviderReply:
        try:
            answered = SOURCES[provider.kind].parse(provider, query, cached.body)
        except FetchError as failure:
            raise _with_body(failure, cached.body, request) from failure
        return ProviderReply(
            published=tuple(rate for rate in answered if isinstance(rate, PublishedRate)),
            unusable=tuple(rate for rate in answered if isinstance(rate, UnusableRate)),
            body=cached.body,
            received_at=cached.received_at,
            request=request,
        )

    def _keep(
        self,
        provider: Provider,
        query: RateQuery,
        response: Response,
        fetched: CachedResponse,
        reply: ProviderReply,
    ) -> None:
        today = fetched.received_at.date()
        promised = SOURCES[provider.kind].not_before(fetched.body) if query.since is None else None
        dates = (rate.rate_date or today for rate in reply.published)
        until = fresh_until(
            response.headers,
            fetched.received_at,
            not_before=promised,
            newest_date=max(dates, default=today),
        )
        if until is not None:
            self.cache.keep(reply.request, fetched._replace(fresh_until=until))


def _entity_tag(response: Response) -> str:
    """Return the entity tag of *response* if it has one that can be sent back (RFC 9110, section 8.8.3)."""
    tag = response.headers.get("ETag", "")
    return tag if re.fullmatch(r'(W/)?"[\x21\x23-\x7e]*"', tag) else ""


def _with_body(
    failure: FetchError, body: bytes, request: Request, *, status: int = 200
) -> FetchError:
    """Return *failure* with the answer that it is about; a key that the answer repeats is in neither."""
    text = str(failure)
    if request.key:
        text = text.replace(request.key, "***")
        body = body.replace(request.key.encode(), b"***")
    with_body = FetchError(failure.kind, text, retry_after=failure.retry_after)
    with_body.body = body
    with_body.is_absent = failure.is_absent
    with_body.is_lack = failure.is_lack
    with_body.is_notice = status == 200 and failure.kind is FailureKind.REFUSED
    return with_body


def _links(request: Request) -> int:
    """Return how many requests may have to follow each other."""
    return 1 + (_links(request.fallback) if request.fallback else 0)


def _secret(provider: Provider) -> str:
    try:
        return secrets.resolve(provider.api_key)
    except RefusedError as error:
        raise FetchError(FailureKind.REFUSED, str(error)) from error


def _with_key(request: Request, secret: str) -> Request:
    fallback = request.fallback and _with_key(request.fallback, secret)
    return dataclasses.replace(request, key=secret, fallback=fallback)
