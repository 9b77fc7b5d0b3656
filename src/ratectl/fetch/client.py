"""One provider asked for one thing: from a kept answer while it is good, over the network otherwise.

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
from ratectl.model.job import REQUEST_SECONDS
from ratectl.runtime import secrets
from ratectl.runtime.deadline import Deadline

if TYPE_CHECKING:
    import datetime as dt

    from ratectl.fetch.cache import ResponseCache
    from ratectl.fetch.http import Request, Response, Transport
    from ratectl.fetch.providers.query import PublishedRate, RateQuery
    from ratectl.model.job import Provider
    from ratectl.runtime.environment import Environment


class ProviderReply(NamedTuple):
    """What one provider said."""

    published: tuple[PublishedRate, ...]
    body: bytes
    received_at: dt.datetime
    """When the answer came, which for a kept one was earlier (aware, UTC, whole seconds)."""
    request: Request


class ProviderClient:
    """Everything that asking needs besides the question, and how many requests it took."""

    def __init__(self, transport: Transport, answers: ResponseCache, around: Environment) -> None:
        self.transport = transport
        self.answers = answers
        self.around = around
        self.requests = 0

    def ask(self, provider: Provider, ask: RateQuery, deadline: Deadline) -> ProviderReply:
        """Return what *provider* says about *ask*. Raises FetchError."""
        request = SOURCES[provider.kind].request(provider, ask, self.around.clock().date())
        request = _with_key(request, _secret(provider))
        with self.answers.turn(request, deadline) as ours:
            if not ours:
                raise FetchError(
                    FailureKind.TRANSIENT, "another firing is still asking for the same"
                )
            kept = self.answers.find(request)
            if kept is not None and kept.is_good(self.around.clock(), self.around.uptime()):
                return self._heard(provider, ask, request, kept)
            return self._fetched(provider, ask, request, kept, deadline)

    def forget(self, heard: ProviderReply) -> None:
        """Do not serve *heard* again: it holds what is not believed, and may be mended at its source."""
        self.answers.drop(heard.request)

    def _fetched(
        self,
        provider: Provider,
        ask: RateQuery,
        request: Request,
        kept: CachedResponse | None,
        deadline: Deadline,
    ) -> ProviderReply:
        if kept is not None and request.otherwise is None:
            request = dataclasses.replace(request, etag=kept.etag)
        most = min(deadline.left(), provider.timeout or REQUEST_SECONDS)
        answer = self._get(request, Deadline(most))
        now = self.around.clock().replace(microsecond=0)
        holds = kept if answer.status == 304 else None
        failure = (
            classify_clock(answer.headers, now) if holds else self._failure(provider, answer, now)
        )
        if failure is not None:
            failure.body = answer.body
            raise failure
        fetched = CachedResponse(
            body=holds.body if holds else answer.body,
            etag=_entity_tag(answer) or (holds.etag if holds else ""),
            received_at=now,
            uptime=self.around.uptime(),
            fresh_until=now,
        )
        heard = self._heard(provider, ask, request, fetched)
        self._keep(provider, ask, answer, fetched, heard)
        return heard

    def _get(self, request: Request, deadline: Deadline) -> Response:
        """Return the answer to *request*, or to the one that stands in for it while it is not to be had.

        One that hangs leaves as much time to each of those behind it.
        """
        seconds = deadline.left() / _links(request)
        if seconds <= 0:
            raise FetchError(FailureKind.TRANSIENT, "no time was left to ask")
        self.requests += 1
        try:
            answer = self.transport.get(request, seconds=seconds)
        except FetchError as failure:
            if request.otherwise is None or failure.kind not in RETRIED:
                raise
        else:
            down = answer.status == 404 or answer.status >= 500
            if request.otherwise is None or not down:
                return answer
        return self._get(request.otherwise, deadline)

    @staticmethod
    def _failure(provider: Provider, answer: Response, now: dt.datetime) -> FetchError | None:
        refusal = SOURCES[provider.kind].refusal(answer.status, answer.body)
        by_status = classify_status(answer.status, answer.headers, now)
        if by_status is not None:
            quota = answer.status == 429 and bool(provider.api_key)
            told = refusal is not None and refusal.kind is FailureKind.REFUSED
            return refusal if told and (quota or by_status.kind not in RETRIED) else by_status
        if refusal is not None:
            return refusal
        if answer.status != 200:
            return FetchError(FailureKind.DATA, f"HTTP {answer.status}")
        return classify_clock(answer.headers, now)

    @staticmethod
    def _heard(
        provider: Provider, ask: RateQuery, request: Request, kept: CachedResponse
    ) -> ProviderReply:
        try:
            published = SOURCES[provider.kind].parse(provider, ask, kept.body)
        except FetchError as failure:
            failure.body = kept.body
            raise
        return ProviderReply(
            published=published, body=kept.body, received_at=kept.received_at, request=request
        )

    def _keep(
        self,
        provider: Provider,
        ask: RateQuery,
        answer: Response,
        fetched: CachedResponse,
        heard: ProviderReply,
    ) -> None:
        today = fetched.received_at.date()
        promised = SOURCES[provider.kind].not_before(fetched.body) if ask.since is None else None
        dates = (one.rate_date or today for one in heard.published)
        until = fresh_until(
            answer.headers,
            fetched.received_at,
            not_before=promised,
            newest=max(dates, default=today),
        )
        if until is not None:
            self.answers.keep(heard.request, fetched._replace(fresh_until=until))


def _entity_tag(answer: Response) -> str:
    """Return the entity tag of *answer* if it has one that can be sent back (RFC 9110, section 8.8.3)."""
    tag = answer.headers.get("ETag", "")
    return tag if re.fullmatch(r'(W/)?"[\x21\x23-\x7e]*"', tag) else ""


def _links(request: Request) -> int:
    """Return how many requests may have to follow each other."""
    return 1 + (_links(request.otherwise) if request.otherwise else 0)


def _secret(provider: Provider) -> str:
    try:
        return secrets.resolve(provider.api_key)
    except RefusedError as error:
        raise FetchError(FailureKind.REFUSED, str(error)) from error


def _with_key(request: Request, secret: str) -> Request:
    otherwise = request.otherwise and _with_key(request.otherwise, secret)
    return dataclasses.replace(request, key=secret, otherwise=otherwise)
