"""What portals, firewalls, broken upstreams and damaged lines answer: never a rate, and never a crash."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ratectl.fetch.failures import FailureKind, FetchError
from ratectl.fetch.providers import SOURCES
from ratectl.fetch.providers._shared.query import RateQuery
from ratectl.model.job import Pair
from tests.fetch.providers.conftest import rates_of
from tests.fetch.providers.honest import HONEST, provider_of

USD_INR = Pair(base="USD", quote="INR")

HOSTILE = {
    "200-captive-portal.html": FailureKind.PORTAL,
    "200-waf-request-rejected.html": FailureKind.PORTAL,
    "511-network-authentication-required.html": FailureKind.PORTAL,
    "200-duplicate-key.json": FailureKind.DATA,
    "200-empty.json": FailureKind.DATA,
    "200-inr-bool.json": FailureKind.DATA,
    "200-inr-inf.json": FailureKind.DATA,
    "200-inr-longdigits.json": FailureKind.DATA,
    "200-inr-nan.json": FailureKind.DATA,
    "200-inr-negative.json": FailureKind.DATA,
    "200-inr-null.json": FailureKind.DATA,
    "200-inr-string.json": FailureKind.DATA,
    "200-inr-zero.json": FailureKind.DATA,
    "200-json-list.json": FailureKind.DATA,
    "200-json-null.json": FailureKind.DATA,
    "200-success-no-rates.json": FailureKind.DATA,
    "200-truncated.json": FailureKind.DATA,
    "200-wrong-base-echo.json": FailureKind.DATA,
}
JUDGED_BY_THE_GATE = {
    "200-future-date.json",
    "200-stale-date.json",
    "200-inr-x10.json",
    "200-inr-x100.json",
    "200-inr-inverted.json",
}
BELIEVED = {  # by one that cannot know better
    ("http-json", "200-inr-string.json"),  # numbers may be texts there
    ("http-json", "200-wrong-base-echo.json"),  # nothing is known of an echo
    ("http-json", "200-success-no-rates.json"),  # gives no rate, which is an answer too
}


def test_every_hostile_sample_is_tried(request):
    """No sample lies about unused."""
    folder = request.path.parents[1] / "samples" / "hostile"
    others = {"302-location.txt", "200-utf8-bom.json", "200-billion-laughs.xml"}

    assert {p.name for p in folder.iterdir()} == set(HOSTILE) | JUDGED_BY_THE_GATE | others


@pytest.mark.parametrize(
    ("kind", "name"), [case for case in itertools.product(HONEST, HOSTILE) if case not in BELIEVED]
)
def test_hostile_answer(sample, parse, kind, name):
    """What is not this provider's honest answer gives no number, and says which class it is."""
    with pytest.raises(FetchError) as caught:
        parse(kind, sample(f"hostile/{name}"))

    assert caught.value.kind is HOSTILE[name]


@pytest.mark.parametrize("kind", HONEST)
def test_entities_are_not_expanded(sample, parse, kind):
    """XML that grows when read is refused unread, by the one provider that speaks XML too."""
    with pytest.raises(FetchError):
        parse(kind, sample("hostile/200-billion-laughs.xml"))


BAD_NUMBERS = (
    "true",
    "null",
    "NaN",
    "1e999",
    "-95.07",
    "0",
    "0.0",
    "{}",
    "[]",
    "95,07",
    "9" * 30,
    "1e-13",
)


@pytest.mark.parametrize(("kind", "number"), list(itertools.product(HONEST, BAD_NUMBERS)))
def test_bad_number(sample, parse, kind, number):
    """In the provider's own shape too, anything but a positive number of sane size is refused."""
    name, honest = HONEST[kind]
    body = sample(name)
    assert honest.encode() in body

    with pytest.raises(FetchError) as caught:
        parse(kind, body.replace(honest.encode(), number.encode(), 1))

    assert caught.value.kind is FailureKind.DATA


@pytest.mark.parametrize("kind", sorted(set(HONEST) - {"fred"}))
def test_cut_off(sample, parse, kind):
    """An answer that ends anywhere too early is not believed up to there.

    FRED's table has no end of its own; there the length that the server announced decides.
    """
    body = sample(HONEST[kind][0]).rstrip()

    for length in range(0, len(body), 7):
        with pytest.raises(FetchError):
            parse(kind, body[:length])


TOKENS = (
    b'"\\ud800"',
    b"1e400000",
    b"9999-99-99",
    b"9999-12-31",
    b"\xff\xfe",
    b"\x00",
    b"[[[[",
    b",,",
    b"\n",
    b"{}",
)


def outcome(source, provider, ask, body):
    """Return the rates and the announcement in *body*, or the FetchError; anything else escapes."""
    try:
        return rates_of(source.parse(provider, ask, body)), source.not_before(body)
    except FetchError as failure:
        return failure, None


@pytest.mark.parametrize("kind", HONEST)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_damaged_answer(sample, kind, data):
    """Whatever bytes stand in an honest answer, nothing but a sane rate or a FetchError comes of it."""
    body = bytearray(sample(HONEST[kind][0]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        until = data.draw(st.integers(at, min(len(body), at + 12)))
        body[at:until] = data.draw(st.binary(max_size=8) | st.sampled_from(TOKENS))
    provider = provider_of(kind)

    found, following = outcome(SOURCES[kind], provider, RateQuery(pairs=(USD_INR,)), bytes(body))

    if isinstance(found, FetchError):
        assert 0 < len(str(found)) < 200
        assert str(found).isprintable()
    else:
        assert all(one.rate.is_finite() and one.rate > 0 for one in found)
        assert following is None or following.tzinfo is not None


@pytest.mark.parametrize("kind", HONEST)
@given(body=st.binary(max_size=64) | st.binary(max_size=64).map(b"PK\x03\x04".__add__))
def test_noise(kind, body):
    """Noise is no rate, for anyone."""
    provider = provider_of(kind)

    with pytest.raises(FetchError):
        rates_of(SOURCES[kind].parse(provider, RateQuery(pairs=(USD_INR,)), body))


def test_amount_of_frankfurter(parse):
    """Rates for another amount than one unit are refused, whatever stands there."""
    for amount in ("2", '"\\ud800\\n"', "[]"):
        body = f'{{"amount":{amount},"base":"USD","date":"2026-11-20","rates":{{"INR":190.24}}}}'
        with pytest.raises(FetchError, match="one unit") as caught:
            parse("frankfurter", body.encode())
        assert str(caught.value).isprintable()
