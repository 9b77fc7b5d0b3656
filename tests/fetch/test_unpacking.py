"""Packed answers: whole ones are read whatever their pieces, broken ones are told, big ones are left."""

from __future__ import annotations

import gzip
import zlib

import pytest

from ratectl.fetch import http
from ratectl.fetch.failures import FailureKind, FetchError
from ratectl.fetch.http import MOST_BYTES, Request, Transport
from tests.support.rate_server import Fault

BODY = b'{"base": "USD", "rates": {"INR": 95.07}}'
NOISE = bytes(number * number % 251 for number in range(100_000))


@pytest.fixture
def get(rates):
    """Return what the transport makes of a body packed as *coding*."""

    def ask(body, coding="gzip", **fault):
        headers = {"Content-Encoding": coding}
        rates.misbehave(Fault(body=body, headers=headers, **fault))
        return Transport().get(Request(url=f"{rates.url}/v4/latest/USD"), seconds=10).body

    return ask


@pytest.mark.network
@pytest.mark.parametrize(
    ("packed", "plain"),
    [
        (gzip.compress(BODY), BODY),
        (gzip.compress(b""), b""),
        (b"", b""),
        (gzip.compress(BODY) + gzip.compress(BODY), BODY * 2),
        (gzip.compress(NOISE * 20), NOISE * 20),
        (gzip.compress(bytes(http.CHUNK)), bytes(http.CHUNK)),
        (gzip.compress(bytes(MOST_BYTES)), bytes(MOST_BYTES)),
    ],
    ids=["one", "nothing packed", "nothing", "two members", "many pieces", "one piece", "8 MiB"],
)
def test_whole(get, packed, plain):
    """Every byte comes out, however it was packed and in how many pieces it arrives."""
    assert get(packed) == plain


@pytest.mark.network
@pytest.mark.parametrize("coding", ["identity", "Identity", ""])
def test_not_packed(get, coding):
    """A body that says it is as it is, is."""
    assert get(BODY, coding) == BODY


@pytest.mark.network
@pytest.mark.parametrize(
    ("body", "coding", "kind"),
    [
        (gzip.compress(BODY)[:-9], "gzip", FailureKind.TRANSIENT),
        (gzip.compress(BODY)[:5], "gzip", FailureKind.TRANSIENT),
        (gzip.compress(bytes(MOST_BYTES + 1)), "gzip", FailureKind.DATA),
        (BODY, "gzip", FailureKind.DATA),
        (gzip.compress(BODY) + b"and more", "gzip", FailureKind.DATA),
        (zlib.compress(BODY), "deflate", FailureKind.DATA),
        (gzip.compress(gzip.compress(BODY)), "gzip, gzip", FailureKind.DATA),
    ],
    ids=["cut off", "hardly begun", "8 MiB and 1", "plain", "a tail", "deflate", "twice"],
)
def test_broken(get, body, coding, kind):
    """What is cut off may come whole the next time; what was never asked for, or is no gzip, is bad data."""
    with pytest.raises(FetchError) as caught:
        get(body, coding)

    assert caught.value.kind is kind


@pytest.mark.network
def test_only_gzip_is_asked_for(rates):
    """We say that we take what we can bound."""
    Transport().get(Request(url=rates.url), seconds=5)

    assert rates.requests[0][1]["accept-encoding"] == "gzip"
