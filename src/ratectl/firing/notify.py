"""Telling others: messages on failure and recovery, a dead-man's switch on every firing.

Best effort: nothing here can fail a firing, take time from its fetch, take longer than ``SECONDS`` after it, or show
a URL (it holds the secret).
The only user of Apprise, which is imported when a message is sent and never before.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from ratectl.errors import RatectlError
from ratectl.fetch.failures import FetchError
from ratectl.fetch.http import Request
from ratectl.model import notify_url
from ratectl.runtime import secrets
from ratectl.runtime.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ratectl.fetch.http import Transport
    from ratectl.model.job import Job

SECONDS = 8.0
"""For all messages of one moment together; they are sent side by side."""
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
NO_PROXIES = ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy")
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


class NotSentError(Exception):
    """Why a message could not be sent; shows no URL."""


class Notice(NamedTuple):
    """The message."""

    job: str
    event: str
    """failed or recovered."""
    text: str


class Notifier:
    """The recipients of one *job*; ``remarks`` names the messages that could not be sent."""

    def __init__(self, *, job: Job, transport: Transport) -> None:
        self.job = job
        self.transport = transport
        self.remarks: list[str] = []
        self._start: threading.Thread | None = None
        """What tells the dead-man's switch that a firing has begun, while the firing goes on."""

    def start(self) -> None:
        """Tell the dead-man's switch that a firing has begun, without waiting for it."""
        if self.job.ping:
            self._start = self._thread("ping", self._ping("/start"))

    def success(self, failures_before: int) -> None:
        """Ping the switch; notify the others only if they were notified of the failures before."""
        notice = Notice(
            job=self.job.name, event="recovered", text=f"{self.job.name}: recording again"
        )
        reported = failures_before >= self.job.notify_after
        self._tell(ping=self._ping(""), notice=notice if reported else None)

    def failure(self, failures: int, message: str) -> None:
        """Tell the switch why; tell the others once, when the *failures* in a row reach ``notify_after``."""
        from ratectl.runtime.visible import one_line  # noqa: PLC0415 - only where there is something to say

        text = one_line(f"{self.job.name}: {message}")
        notice = Notice(job=self.job.name, event="failed", text=text)
        reached = failures == self.job.notify_after
        self._tell(ping=self._ping("/fail", text), notice=notice if reached else None)

    def _ping(self, suffix: str, text: str = "") -> Callable[[], None]:
        """Return the ping of one moment, which carries *text*; healthchecks.io set the form of its URL."""
        parts = urlsplit(self.job.ping)
        url = parts._replace(path=parts.path.rstrip("/") + suffix).geturl()

        def send() -> None:
            if text:
                body = text.encode()
                self.transport.post(url, body, kind="text/plain", seconds=SECONDS)
            else:
                self.transport.get(Request(url=url, accept="*/*"), seconds=SECONDS)

        return send

    def _tell(self, *, ping: Callable[[], None], notice: Notice | None = None) -> None:
        """Send all that is to be sent, side by side, and wait for it no longer than ``SECONDS``."""
        sending = {"ping": self._after_start(ping)} if self.job.ping else {}
        if notice is not None:
            for name, url in self._addresses():
                sending[name] = partial(self._send, url, notice)
        if sending:
            with _environment(self.job):
                self._together(sending)

    def _after_start(self, ping: Callable[[], None]) -> Callable[[], None]:
        """Return *ping* as it is sent once the switch knows of the start, or has had half of the time for it."""
        started = self._start

        def send() -> None:
            if started is not None:
                started.join(SECONDS / 2)
            ping()

        return send

    def _thread(self, name: str, send: Callable[[], None]) -> threading.Thread:
        """Return a thread that sends, for what may not answer; nobody has to wait for it."""
        thread = threading.Thread(target=self._attempt, args=(name, send), daemon=True)
        thread.start()
        return thread

    def _addresses(self) -> Iterator[tuple[str, str]]:
        """Yield a name for people, and the URL, of every recipient."""
        for number, entry in enumerate(self.job.notify, 1):
            if not notify_url.is_reference(entry):
                yield f"notify {number} ({notify_url.scheme_of(entry)})", entry
                continue
            try:
                found = notify_url.urls_in(secrets.text_behind(entry, "notify"))
            except RatectlError as error:
                self.remarks.append(str(error))
                continue
            for line, url in found:
                yield f"notify {entry} line {line}", url

    def _together(self, sending: Mapping[str, Callable[[], None]]) -> None:
        deadline = Deadline(SECONDS)
        threads = {name: self._thread(name, send) for name, send in sending.items()}
        for name, thread in threads.items():
            thread.join(deadline.left())
            if thread.is_alive():
                self.remarks.append(f"{name}: timed out after {SECONDS:g} s")

    def _attempt(self, name: str, send: Callable[[], None]) -> None:
        try:
            send()
        except (FetchError, NotSentError) as error:
            self.remarks.append(f"{name}: {error}")
        except Exception as error:  # noqa: BLE001 - no service's bug may fail a firing
            self.remarks.append(f"{name}: not sent ({type(error).__name__})")

    def _send(self, url: str, notice: Notice) -> None:
        obstacle = notify_url.problem(url)
        if obstacle:
            raise NotSentError(obstacle)
        if notify_url.apprise_is_there() and _sent_by_apprise(url, notice):
            return
        if notify_url.scheme_of(url) not in notify_url.WEB:
            raise NotSentError("Apprise knows no such service, or not in this form")
        payload = {
            "job": notice.job,
            "event": notice.event,
            "text": notice.text,
            "content": notice.text,
        }
        body = json.dumps(payload).encode()
        self.transport.post(url, body, kind="application/json", seconds=SECONDS)


def _sent_by_apprise(url: str, notice: Notice) -> bool:
    """Send through the service that *url* is of; False where Apprise knows none. Raises NotSentError."""
    import apprise  # noqa: PLC0415 - takes a quarter of a second, and is an extra

    logging.getLogger("apprise").propagate = False  # shows parts of URLs, and on many lines
    service = apprise.Apprise.instantiate(url)
    if service is None:
        return False
    if not service.verify_certificate:  # whatever way of saying so we do not know
        raise NotSentError("it would not verify the certificate")
    kind = apprise.NotifyType.FAILURE if notice.event == "failed" else apprise.NotifyType.SUCCESS
    title = f"ratectl: {notice.job} {notice.event}"
    if not service.notify(body=notice.text, title=title, notify_type=kind):
        raise NotSentError("the service did not take it")
    return True


@contextlib.contextmanager
def _environment(job: Job) -> Iterator[None]:
    """Say the job's proxy and roots the only way that Apprise listens to."""
    said = dict.fromkeys(BUNDLES, job.ca_bundle) if job.ca_bundle else {}
    if job.proxy:
        said |= dict.fromkeys(PROXIES, job.proxy) | dict.fromkeys(NO_PROXIES, "")
    before = {name: os.environ.get(name) for name in said}
    os.environ.update(said)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
