"""Recorded answers of each provider, and what portals, firewalls and broken upstreams answer instead."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from ratectl.firing.connectivity import Class, FetchError
from ratectl.firing.providers import SOURCES
from ratectl.firing.providers.ask import Ask
from ratectl.firing.sinks import SINKS
from ratectl.model import OUTPUT_KINDS, PROVIDER_KINDS, Pair, Provider

USD_INR = Pair(base="USD", quote="INR")
EUR_INR = Pair(base="EUR", quote="INR")
EUR_USD = Pair(base="EUR", quote="USD")
FRIDAY = dt.date(2026, 11, 20)
V4 = Provider(name="exchangerate-api-v4", kind="exchangerate-api-v4")


def parse(kind, body, *pairs, day=None):
    provider = Provider(name=kind, kind=kind)
    return SOURCES[kind].parse(provider, Ask(pairs=pairs or (USD_INR,), since=day, until=day), body)


def url(kind, *pairs, day=None, today=FRIDAY):
    provider = Provider(name=kind, kind=kind)
    return SOURCES[kind].request(provider, Ask(pairs=pairs, since=day, until=day), today).url


def test_every_kind_has_its_module():
    """The facts in the model and the modules name the same kinds."""
    assert set(SOURCES) == set(PROVIDER_KINDS)
    assert set(SINKS) == set(OUTPUT_KINDS)


@pytest.mark.parametrize(
    ("kind", "name", "rate", "published"),
    [
        ("exchangerate-api-v4", "exchangerate-api-v4/latest-USD.json", "95.07", "00:00:01"),
        ("exchangerate-api-open", "exchangerate-api-open/latest-USD.json", "95.071842", "00:02:31"),
        (
            "exchangerate-api-open",
            "exchangerate-api-open/latest-USD-eol-announced.json",
            "95.071842",
            "00:02:31",
        ),
        ("frankfurter", "frankfurter-v1/latest-USD-INR.json", "95.12", None),
        ("frankfurter", "frankfurter-v1/sunday-2026-11-22-snaps-to-friday.json", "95.12", None),
        ("exchangerate-api-v4", "hostile/200-utf8-bom.json", "95.07", "00:00:01"),
    ],
)
def test_recorded_answer(sample, kind, name, rate, published):
    """A recorded answer gives the provider's own digits, rate date and publication time."""
    [one] = parse(kind, sample(name))

    assert str(one.rate) == rate
    assert one.rate_date == FRIDAY
    assert one.legs == ()
    assert (one.provider_time and f"{one.provider_time:%H:%M:%S}") == published


def test_ecb_cross(sample):
    """A cross comes from both legs of one day, with twelve significant digits, and names them."""
    [one] = parse("ecb", sample("ecb/eurofxref-daily.xml"))

    assert one.rate == Decimal("95.1197862806")
    assert [str(leg.pair) for leg in one.legs] == ["EUR/INR", "EUR/USD"]
    assert one.rate_date == FRIDAY


def test_ecb_own_base(sample):
    """A euro rate is the ECB's own number, not a derived one."""
    euro = parse("ecb", sample("ecb/eurofxref-daily.xml"), EUR_INR, EUR_USD)

    assert [(str(one.rate), one.legs) for one in euro] == [("110.3770", ()), ("1.1604", ())]


@pytest.mark.parametrize(
    ("day", "found"),
    [("2026-11-18", "2026-11-18"), ("2026-11-15", "2026-11-13"), ("2026-11-22", "2026-11-20")],
)
def test_ecb_history(sample, day, found):
    """A closed day is answered with the publication before it."""
    *_, one = parse(
        "ecb", sample("ecb/eurofxref-hist-90d.xml"), EUR_INR, day=dt.date.fromisoformat(day)
    )

    assert one.rate_date == dt.date.fromisoformat(found)


def test_unknown_quote_is_left_out(sample):
    """A currency that the answer lacks gives no rate, the others do."""
    pairs = (USD_INR, Pair(base="USD", quote="NPR"))

    assert [
        one.pair
        for one in parse(
            "exchangerate-api-v4", sample("exchangerate-api-v4/latest-USD.json"), *pairs
        )
    ] == [USD_INR]


def test_urls():
    """The paths are the providers' own, and one request asks for all quotes of a base."""
    two = (USD_INR, Pair(base="USD", quote="EUR"))

    assert url("exchangerate-api-v4", USD_INR) == "https://api.exchangerate-api.com/v4/latest/USD"
    assert url("exchangerate-api-open", USD_INR) == "https://open.er-api.com/v6/latest/USD"
    assert (
        url("frankfurter", *two) == "https://api.frankfurter.dev/v1/latest?base=USD&symbols=INR,EUR"
    )
    assert "/v1/2026-11-18..2026-11-18?" in url("frankfurter", USD_INR, day=dt.date(2026, 11, 18))
    assert url("ecb", USD_INR).endswith("/eurofxref-daily.xml")
    assert url("ecb", USD_INR, day=dt.date(2026, 11, 18)).endswith("/eurofxref-hist-90d.xml")
    assert url("ecb", USD_INR, day=dt.date(2020, 1, 3)).endswith("/eurofxref-hist.xml")


def test_groups():
    """Pairs are asked by base; the ECB's one document holds all of them."""
    pairs = (USD_INR, EUR_INR, Pair(base="USD", quote="EUR"))

    assert [len(g) for g in SOURCES["frankfurter"].groups(V4, pairs)] == [2, 1]
    assert [len(g) for g in SOURCES["ecb"].groups(V4, pairs)] == [3]


HOSTILE_JSON = {
    "200-captive-portal.html": Class.PORTAL,
    "200-waf-request-rejected.html": Class.PORTAL,
    "511-network-authentication-required.html": Class.PORTAL,
    "200-duplicate-key.json": Class.DATA,
    "200-empty.json": Class.DATA,
    "200-inr-bool.json": Class.DATA,
    "200-inr-inf.json": Class.DATA,
    "200-inr-longdigits.json": Class.DATA,
    "200-inr-nan.json": Class.DATA,
    "200-inr-negative.json": Class.DATA,
    "200-inr-null.json": Class.DATA,
    "200-inr-string.json": Class.DATA,
    "200-inr-zero.json": Class.DATA,
    "200-json-list.json": Class.DATA,
    "200-json-null.json": Class.DATA,
    "200-success-no-rates.json": Class.DATA,
    "200-truncated.json": Class.DATA,
    "200-wrong-base-echo.json": Class.DATA,
}
JUDGED_BY_THE_GATE = {
    "200-future-date.json",
    "200-stale-date.json",
    "200-inr-x10.json",
    "200-inr-x100.json",
    "200-inr-inverted.json",
}


@pytest.mark.parametrize("name", HOSTILE_JSON)
def test_hostile_answer(sample, name):
    """What is not this provider's honest answer gives no number, and says which class it is."""
    with pytest.raises(FetchError) as caught:
        parse("exchangerate-api-v4", sample(f"hostile/{name}"))

    assert caught.value.kind is HOSTILE_JSON[name]


def test_every_hostile_sample_is_tried(request):
    """No sample lies about unused."""
    folder = request.path.parents[1] / "samples" / "hostile"
    others = {"200-utf8-bom.json", "200-billion-laughs.xml", "302-location.txt"}

    assert {p.name for p in folder.iterdir()} == set(HOSTILE_JSON) | JUDGED_BY_THE_GATE | others


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("hostile/200-billion-laughs.xml", Class.DATA),
        ("hostile/200-captive-portal.html", Class.PORTAL),
        ("hostile/200-waf-request-rejected.html", Class.PORTAL),
        ("hostile/200-empty.json", Class.DATA),
        ("hostile/200-json-list.json", Class.DATA),
    ],
)
def test_hostile_xml(sample, name, kind):
    """Entities are never expanded; a web page is a portal's; the rest is not XML."""
    with pytest.raises(FetchError) as caught:
        parse("ecb", sample(name))

    assert caught.value.kind is kind


def test_ecb_cut_off(sample):
    """A document that ends too early is not believed up to there."""
    body = sample("ecb/eurofxref-hist-90d.xml")

    with pytest.raises(FetchError, match="cut off"):
        parse("ecb", body[: len(body) // 2])


@pytest.mark.parametrize(
    ("kind", "status", "name", "expected"),
    [
        (
            "exchangerate-api-v4",
            404,
            "exchangerate-api-v4/error-404-unsupported-base.json",
            Class.CONFIG,
        ),
        (
            "exchangerate-api-open",
            200,
            "exchangerate-api-open/error-unsupported-code.json",
            Class.CONFIG,
        ),
        (
            "exchangerate-api-open",
            404,
            "exchangerate-api-open/error-malformed-request.json",
            Class.CONFIG,
        ),
        ("frankfurter", 404, "frankfurter-v1/error-404-not-found.json", Class.CONFIG),
        ("frankfurter", 422, "frankfurter-v1/error-422-bad-currency-pair.json", Class.CONFIG),
        ("frankfurter", 422, "frankfurter-v1/error-422-invalid-date.json", Class.CONFIG),
    ],
)
def test_error_answer(sample, kind, status, name, expected):
    """Each provider's own error bodies are understood."""
    assert SOURCES[kind].refusal(status, sample(name)).kind is expected


@pytest.mark.parametrize("kind", ["exchangerate-api-v4", "exchangerate-api-open", "frankfurter"])
def test_good_answer_is_no_refusal(sample, kind):
    """A good answer is not taken for an error."""
    names = {"frankfurter": "frankfurter-v1/latest-USD-INR.json"}

    assert SOURCES[kind].refusal(200, sample(names.get(kind, f"{kind}/latest-USD.json"))) is None


class TestHttpJson:
    """Any other URL, with paths into its body."""

    OFFICE = Provider(
        name="office",
        kind="http-json",
        base_url="https://rates.internal/{base}.json",
        rate="rates.{quote}",
        date="date",
    )

    def parse(self, body, **changes):
        values = {field: getattr(self.OFFICE, field) for field in self.OFFICE.__slots__}
        provider = Provider(**values | changes)
        return SOURCES["http-json"].parse(provider, Ask(pairs=(USD_INR,)), body)

    def test_paths(self):
        """Rate and date are found at their dotted paths."""
        [one] = self.parse(b'{"date":"2026-11-20","rates":{"INR":95.070}}')

        assert (str(one.rate), one.rate_date) == ("95.070", FRIDAY)

    def test_lists_texts_and_unix_dates(self):
        """A step may pick from a list; rates may be texts and dates Unix times."""
        [one] = self.parse(b'{"d":[{"v":"95.07","t":1795132801}]}', rate="d.0.v", date="d.0.t")

        assert (str(one.rate), one.rate_date) == ("95.07", FRIDAY)

    def test_no_date(self):
        """An answer without a date gives none."""
        [one] = self.parse(b'{"rates":{"INR":95.07}}', date="")

        assert one.rate_date is None

    @pytest.mark.parametrize(
        "value", [b"true", b"null", b'"95,07"', b'"-1"', b"{}", b'"NaN"', b"-0"]
    )
    def test_not_a_rate(self, value):
        """Anything but a positive number, or its text, is refused."""
        with pytest.raises(FetchError):
            self.parse(b'{"date":"2026-11-20","rates":{"INR":' + value + b"}}")

    def test_absent(self):
        """A path that leads nowhere gives no rate."""
        assert self.parse(b'{"date":"2026-11-20","rates":{}}') == ()

    def test_url(self):
        """Currencies are filled in, and a URL that names the quote is asked once for each pair."""
        ask = Ask(pairs=(USD_INR,))
        source = SOURCES["http-json"]
        each = Provider(name="o", kind="http-json", base_url="https://h/{base}/{quote}")

        assert source.request(self.OFFICE, ask, FRIDAY).url == "https://rates.internal/USD.json"
        assert source.request(each, ask, FRIDAY).url == "https://h/USD/INR"
        assert len(source.groups(each, (USD_INR, EUR_INR, EUR_USD))) == 3
