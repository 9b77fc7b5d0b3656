"""Providers that know single days: the daily snapshots on a CDN, and openexchangerates."""

from __future__ import annotations

import pytest

from ratectl.fetch.failures import FetchError
from ratectl.fetch.providers import SOURCES


def chain(request):
    """Return the URLs that are asked in turn while each one is a 404."""
    return [request.url, *(chain(request.fallback) if request.fallback else ())]


def test_newest_snapshot(request_for):
    """Today's release first, as "latest" is cached for days; then the project's second address likewise."""
    file = "v1/currencies/eur.min.json"

    assert chain(request_for("currency-api-cdn", "EUR/INR")) == [
        f"https://cdn.jsdelivr.net/npm/@fawazahmed0/currency-api@2026-11-20/{file}",
        f"https://cdn.jsdelivr.net/npm/@fawazahmed0/currency-api@latest/{file}",
        f"https://2026-11-20.currency-api.pages.dev/{file}",
        f"https://latest.currency-api.pages.dev/{file}",
    ]


def test_mirror_of_snapshots(request_for):
    """Where the spec names a mirror, nobody else is asked."""
    asked = request_for("currency-api-cdn", base_url="https://rates.invalid/npm")

    assert [url.split("/")[2] for url in chain(asked)] == ["rates.invalid"] * 2


def test_missing_release_and_missing_currency():
    """A day without release and a currency without file are told apart."""
    refusal = SOURCES["currency-api-cdn"].refusal

    assert "release" in str(
        refusal(404, b"Couldn't find the requested release version 2026-11-21.")
    )
    assert "currency" in str(refusal(404, b"Couldn't find the requested file /v1/x in y."))
    assert refusal(503, b"release version") is None


@pytest.mark.parametrize(
    ("kind", "name", "day", "rate"),
    [
        ("currency-api-cdn", "currency-api-cdn/usd.min.json", "2026-11-20", "95.07199342"),
        (
            "openexchangerates",
            "openexchangerates/historical-2026-11-18.json",
            "2026-11-18",
            "95.0718",
        ),
    ],
)
def test_a_past_day(sample, parse, kind, name, day, rate):
    """The answer for a past day must be of that day."""
    [one] = parse(kind, sample(name), since=day)

    assert (str(one.rate), str(one.rate_date)) == (rate, day)
    with pytest.raises(FetchError, match=f"asked for 2026-11-17, the answer is of {day}"):
        parse(kind, sample(name), since="2026-11-17")


def test_small_letters(sample, parse):
    """Codes are small letters there, and the base is the name of the table."""
    body = sample("currency-api-cdn/usd.min.json")

    assert [str(one.pair) for one in parse("currency-api-cdn", body, "USD/EUR USD/GBP")] == [
        "USD/EUR",
        "USD/GBP",
    ]
    with pytest.raises(FetchError, match="'eur'"):
        parse("currency-api-cdn", body, "EUR/INR")


def test_free_plan_crosses(sample, parse):
    """With base USD alone, other bases are crosses of one answer and say so."""
    published, cross, inverse = parse(
        "openexchangerates", sample("openexchangerates/latest.json"), "USD/INR EUR/INR INR/USD"
    )

    assert published.legs == ()
    assert [str(leg.pair) for leg in cross.legs] == ["USD/INR", "USD/EUR"]
    assert [str(leg.pair) for leg in inverse.legs] == ["USD/INR"]
    assert cross.rate * cross.legs[1].rate == pytest.approx(published.rate)
    assert {one.provider_time for one in (published, cross, inverse)} == {published.provider_time}


def test_another_base_is_refused(parse):
    """A paid plan's mirror with another base is not mistaken for dollars."""
    body = b'{"timestamp":1795183200,"base":"EUR","rates":{"INR":110.2}}'

    with pytest.raises(FetchError, match="USD"):
        parse("openexchangerates", body)
