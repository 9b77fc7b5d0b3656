"""Telling others: webhooks on failure and recovery, a dead-man's switch on every firing.

Best effort: nothing here can fail a firing, take longer than a few seconds, or show a URL (it holds the secret).
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ratectl.firing.connectivity import FetchError
from ratectl.firing.transport import Request

if TYPE_CHECKING:
    from ratectl.firing.transport import Transport
    from ratectl.model import Job

SECONDS = 4.0
"""For one message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifier:
    """The URLs of one job."""

    job: Job
    transport: Transport

    @property
    def reserve(self) -> float:
        """Seconds of the firing's time that must be left for messages."""
        return SECONDS if self.job.ping or self.job.notify else 0.0

    def start(self) -> None:
        """Tell the dead-man's switch that a firing has begun."""
        self._ping("/start")

    def success(self, failures_before: int) -> None:
        """Tell the switch; tell the webhooks only if they heard of the failures before."""
        self._ping("")
        if failures_before >= self.job.notify_after:
            self._post("recovered", f"{self.job.name}: recording again")

    def failure(self, failures: int, message: str) -> None:
        """Tell the switch; tell the webhooks once, when the *failures* in a row reach ``notify_after``."""
        self._ping("/fail")
        if failures == self.job.notify_after:
            self._post("failed", f"{self.job.name}: {message}")

    def _ping(self, suffix: str) -> None:
        if self.job.ping:
            request = Request(url=self.job.ping.rstrip("/") + suffix, accept="*/*")
            with contextlib.suppress(FetchError):
                self.transport.get(request, seconds=SECONDS)

    def _post(self, event: str, text: str) -> None:
        payload = {"job": self.job.name, "event": event, "text": text, "content": text}
        for url in self.job.notify:
            with contextlib.suppress(FetchError):
                self.transport.post(url, payload, seconds=SECONDS)
