"""Rate sources: one module per kind with ``groups``, ``request``, ``refusal`` and ``parse``, all pure.

What is fixed about each kind stands in ``model.PROVIDER_KINDS``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ratectl.firing.providers import (
    ecb,
    exchangerate_api_open,
    exchangerate_api_v4,
    frankfurter,
    http_json,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from ratectl.firing.connectivity import FetchError
    from ratectl.firing.providers.ask import Ask, Published
    from ratectl.firing.transport import Request
    from ratectl.model import Pair, Provider


class Source(Protocol):
    """What each module of this package offers."""

    def groups(self, provider: Provider, pairs: Sequence[Pair]) -> tuple[tuple[Pair, ...], ...]:
        """Return *pairs* split into those that one request can answer."""

    def request(self, provider: Provider, ask: Ask, today: dt.date) -> Request:
        """Return the request for one group; *today* is the UTC day."""

    def refusal(self, status: int, body: bytes) -> FetchError | None:
        """Return what an error answer of this provider means, None where it is not one."""

    def parse(self, provider: Provider, ask: Ask, body: bytes) -> tuple[Published, ...]:
        """Return a rate for each pair that *body* has one for. Raises FetchError."""

    def not_before(self, body: bytes) -> dt.datetime | None:
        """Return before when nothing newer than *body*, which was parsed, appears; None if it does not say."""


SOURCES: dict[str, Source] = {
    "exchangerate-api-v4": exchangerate_api_v4,
    "exchangerate-api-open": exchangerate_api_open,
    "frankfurter": frankfurter,
    "ecb": ecb,
    "http-json": http_json,
}
