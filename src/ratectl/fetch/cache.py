"""Responses that are still fresh, a private file each, so that ten jobs on one base make one request.

Best effort: a lost entry costs one request, so writes are not fsynced and errors are ignored.
 File names are digests, since an address may hold a key.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from ratectl.fetch.failures import MOST_SKEW
from ratectl.runtime import locks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ratectl.fetch.http import Request
    from ratectl.runtime.deadline import Deadline

LONGEST = dt.timedelta(hours=26)
"""However far ahead a provider announces its next publication: a slip of its must not silence us."""
SHARED = dt.timedelta(minutes=10)
"""How long ``max-age`` is believed of an answer that is older than today: the next publication may be near."""
MOST_BYTES = 1024 * 1024
OLD = 8 * 86_400
"""Seconds after which a cached response is deleted."""
TURNS = 256
"""Lock files; two addresses that share one only wait for each other."""


class CachedResponse(NamedTuple):
    """One answer. Times are aware, in UTC."""

    body: bytes
    etag: str
    received_at: dt.datetime
    uptime: float
    """What ``Environment.uptime`` gave then, in seconds."""
    fresh_until: dt.datetime
    """Until then it need not be asked for again."""

    def is_fresh(self, now: dt.datetime, uptime: float) -> bool:
        """Tell whether it may stand for an answer of *now*.

        Never when the clock was set since, or the machine was off: an answer of the
        provider would then say whether the clock is right, and this one cannot.
        """
        passed = (now - self.received_at).total_seconds()
        steady = abs(passed - (uptime - self.uptime)) <= MOST_SKEW.total_seconds()
        return steady and self.received_at <= now < self.fresh_until


class ResponseCache:
    """The responses cached in one state directory."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir

    @contextlib.contextmanager
    def lock(self, request: Request, until: Deadline) -> Iterator[bool]:
        """Hold the right to ask *request*, so that whoever waits finds the answer; False when time is over."""
        number = int(_digest(request)[:4], 16) % TURNS
        with locks.acquire(self.state_dir / "locks" / f"ask-{number:02x}.lock", until=until) as got:
            yield got

    def find(self, request: Request) -> CachedResponse | None:
        """Return the response cached for *request*, fresh or stale."""
        try:
            head, _, body = self._path(request).read_bytes().partition(b"\n")
            value = json.loads(head)
            return CachedResponse(
                body=body,
                etag=value["etag"],
                received_at=dt.datetime.fromtimestamp(value["received_at"], dt.UTC),
                uptime=float(value["uptime"]),
                fresh_until=dt.datetime.fromtimestamp(value["fresh_until"], dt.UTC),
            )
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            return None

    def keep(self, request: Request, cached: CachedResponse) -> None:
        """Keep an answer that may serve again: it is fresh, or its entity tag can be asked about."""
        if len(cached.body) > MOST_BYTES or not (
            cached.etag or cached.fresh_until > cached.received_at
        ):
            return
        head = {
            "etag": cached.etag,
            "received_at": cached.received_at.timestamp(),
            "uptime": cached.uptime,
            "fresh_until": cached.fresh_until.timestamp(),
        }
        path = self._path(request)
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = path.with_suffix(".new")  # ours alone, since it is our turn
            draft.touch(mode=0o600)
            draft.write_bytes(json.dumps(head).encode() + b"\n" + cached.body)
            draft.replace(path)
            _delete_old(path.parent, cached.received_at.timestamp() - OLD)

    def drop(self, request: Request) -> None:
        """Delete the response cached for *request*, which failed a check."""
        with contextlib.suppress(OSError):
            self._path(request).unlink(missing_ok=True)

    def _path(self, request: Request) -> Path:
        return self.state_dir / "answers" / _digest(request)


def fresh_until(
    headers: Mapping[str, str],
    received_at: dt.datetime,
    *,
    not_before: dt.datetime | None,
    newest_date: dt.date,
) -> dt.datetime | None:
    """Return until when a response is fresh; None when it must not be cached at all.

    *not_before* is what the provider says of its next publication, *newest_date* the newest rate date in it.
    The rest is RFC 9111: ``no-store``, ``no-cache``, ``max-age`` less ``Age``.
    """
    control = headers.get("Cache-Control", "").lower()
    if "no-store" in control:
        return None
    until = received_at
    if not_before is not None:
        until = min(not_before, received_at + LONGEST)
    match = re.search(r"max-age=([0-9]{1,9})", control)
    if match and "no-cache" not in control:
        age = dt.timedelta(seconds=int(match[1]) - _age(headers))
        tomorrow = received_at.replace(hour=0, minute=0, second=0) + dt.timedelta(days=1)
        longest = tomorrow - received_at if newest_date >= received_at.date() else SHARED
        until = max(until, received_at + min(age, longest))
    return until


def _age(headers: Mapping[str, str]) -> int:
    text = headers.get("Age", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _digest(request: Request) -> str:
    secret = hashlib.sha256(request.key.encode()).hexdigest()
    return hashlib.sha256(f"{request.url}\n{request.accept}\n{secret}".encode()).hexdigest()[:40]


def _delete_old(folder: Path, before: float) -> None:
    """Delete the files of *folder* that nobody wrote since *before*; one that goes meanwhile, or cannot go, keeps no other."""
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.stat().st_mtime < before:
                    os.unlink(entry)  # noqa: PTH108 - an entry knows its path
