"""What holds for every provider: recorded answers and errors, addresses, groups and announcements."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from ratectl.fetch.failures import FailureKind, FetchError
from ratectl.fetch.providers import SOURCES
from ratectl.model.job import OUTPUT_KINDS, Pair, Provider
from ratectl.model.providers import PROVIDER_KINDS
from ratectl.outputs.formats import SINKS
from tests.fetch.providers.honest import HONEST

USD_INR = Pair(base="USD", quote="INR")
EUR_INR = Pair(base="EUR", quote="INR")
EUR_USD = Pair(base="EUR", quote="USD")
FRIDAY = dt.date(2026, 11, 20)


def test_every_kind_has_its_module():
    """The facts in the model and the modules name the same kinds, and each has a sample."""
    assert set(SOURCES) == set(PROVIDER_KINDS) == set(HONEST)
    assert set(SINKS) == set(OUTPUT_KINDS)


RECORDED = [
    ("exchangerate-api-v4", "exchangerate-api-v4/latest-USD.json", "95.07", "2026-11-20 00:00:01"),
    ("exchangerate-api-v4", "hostile/200-utf8-bom.json", "95.07", "2026-11-20 00:00:01"),
    (
        "exchangerate-api-open",
        "exchangerate-api-open/latest-USD.json",
        "95.071842",
        "2026-11-20 00:02:31",
    ),
    (
        "exchangerate-api-open",
        "exchangerate-api-open/latest-USD-eol-announced.json",
        "95.071842",
        "2026-11-20 00:02:31",
    ),
    (
        "exchangerate-api-v6",
        "exchangerate-api-v6/latest-USD.json",
        "95.0718",
        "2026-11-20 00:00:01",
    ),
    ("frankfurter", "frankfurter-v1/latest-USD-INR.json", "95.12", "2026-11-20"),
    ("frankfurter", "frankfurter-v1/sunday-2026-11-22-snaps-to-friday.json", "95.12", "2026-11-20"),
    ("currency-api-cdn", "currency-api-cdn/usd.min.json", "95.07199342", "2026-11-20"),
    ("currency-api-cdn", "currency-api-cdn/usd-stale-latest.min.json", "94.90112", "2026-11-18"),
    ("fred", "fred/fredgraph-DEXINUS.csv", "94.70", "2026-11-13"),
    ("fred", "fred/fredgraph-DEXINUS-old-header.csv", "83.30", "2023-11-13"),
    ("openexchangerates", "openexchangerates/latest.json", "95.0718", "2026-11-20 14:00:00"),
    (
        "openexchangerates",
        "openexchangerates/historical-2026-11-18.json",
        "95.0718",
        "2026-11-18 23:59:59",
    ),
]


@pytest.mark.parametrize(("kind", "name", "rate", "when"), RECORDED)
def test_recorded_answer(sample, parse, kind, name, rate, when):
    """A recorded answer gives the provider's own digits, rate date and publication time."""
    [one] = parse(kind, sample(name))

    assert str(one.rate) == rate
    assert str(one.rate_date) == when[:10]
    assert one.legs == ()
    published = one.provider_time
    assert (f"{published:%Y-%m-%d %H:%M:%S}" if published else str(one.rate_date)) == when


REFUSALS = [
    ("exchangerate-api-v4", 404, "exchangerate-api-v4/error-404-unsupported-base.json", "CONFIG"),
    ("exchangerate-api-open", 200, "exchangerate-api-open/error-unsupported-code.json", "CONFIG"),
    ("exchangerate-api-open", 404, "exchangerate-api-open/error-malformed-request.json", "CONFIG"),
    ("exchangerate-api-v6", 403, "exchangerate-api-v6/error-inactive-account.json", "REFUSED"),
    ("exchangerate-api-v6", 403, "exchangerate-api-v6/error-invalid-key.json", "REFUSED"),
    ("exchangerate-api-v6", 429, "exchangerate-api-v6/error-quota-reached.json", "REFUSED"),
    ("exchangerate-api-v6", 403, "exchangerate-api-v6/error-plan-upgrade-required.json", "REFUSED"),
    ("exchangerate-api-v6", 404, "exchangerate-api-v6/error-unsupported-code.json", "CONFIG"),
    ("exchangerate-api-v6", 200, "exchangerate-api-v6/error-malformed-request.json", "CONFIG"),
    ("exchangerate-api-v6", 404, "exchangerate-api-v6/error-no-data-available.json", "CONFIG"),
    ("frankfurter", 404, "frankfurter-v1/error-404-not-found.json", "CONFIG"),
    ("frankfurter", 422, "frankfurter-v1/error-422-bad-currency-pair.json", "CONFIG"),
    ("frankfurter", 422, "frankfurter-v1/error-422-invalid-date.json", "CONFIG"),
    ("frankfurter", 422, "frankfurter-v1/error-422-invalid-amount.json", "CONFIG"),
    ("currency-api-cdn", 404, "currency-api-cdn/error-404-jsdelivr.txt", "CONFIG"),
    ("fred", 400, "fred/error-400-bad-key.json", "CONFIG"),
    ("openexchangerates", 400, "openexchangerates/error-400-not_available.json", "CONFIG"),
    ("openexchangerates", 401, "openexchangerates/error-401-invalid_app_id.json", "REFUSED"),
    ("openexchangerates", 401, "openexchangerates/error-401-missing_app_id.json", "REFUSED"),
    ("openexchangerates", 403, "openexchangerates/error-403-not_allowed-base.json", "REFUSED"),
    (
        "openexchangerates",
        429,
        "openexchangerates/error-429-access_restricted-quota.json",
        "REFUSED",
    ),
]


@pytest.mark.parametrize(("kind", "status", "name", "expected"), REFUSALS)
def test_error_answer(sample, parse, kind, status, name, expected):
    """Each provider's own error bodies are understood, and never taken for rates."""
    body = sample(name)

    assert SOURCES[kind].refusal(status, body).kind is FailureKind[expected]
    with pytest.raises(FetchError):
        parse(kind, body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"result":"error","error":"invalid-key"}', "REFUSED"),
        (b'{"result":"error","error":"unsupported-code"}', "CONFIG"),
        (b'{"result":"error"}', "REFUSED"),
    ],
)
def test_v6_other_spelling(body, expected):
    """Some answers name their error under "error"; one without a name is taken for a matter of the key."""
    assert SOURCES["exchangerate-api-v6"].refusal(200, body).kind is FailureKind[expected]


@pytest.mark.parametrize("kind", HONEST)
def test_good_answer_is_no_refusal(sample, kind):
    """A good answer is not taken for an error."""
    assert SOURCES[kind].refusal(200, sample(HONEST[kind][0])) is None


@pytest.mark.parametrize("kind", HONEST)
def test_refusal_is_one_short_line(kind):
    """However an error body is made, what we say of it is one line of printable text."""
    word = "x\\n\\u001b[31m\\ud800" + "y" * 10_000
    keys = ("result", "error-type", "error_type", "error", "message", "error_message")
    body = "{" + ",".join(f'"{key}":"{word}"' for key in keys) + "}"

    for status, text in itertools.product(
        (200, 400, 404, 422), (body, body.replace(word, "error", 1))
    ):
        failure = SOURCES[kind].refusal(status, text.encode())
        assert failure is None or (str(failure).isprintable() and len(str(failure)) < 150)


OTHERS = {  # bodies of these providers under paths that we never ask
    ("exchangerate-api-v6", "exchangerate-api-v6/history-USD-2026-11-18.json"),
    ("exchangerate-api-v6", "exchangerate-api-v6/quota.json"),
    ("fred", "fred/observations-DEXINUS.json"),
    ("ecb", "ecb/eurofxref.zip"),
}


@pytest.mark.parametrize(("kind", "name"), sorted(OTHERS))
def test_body_of_another_path(sample, parse, kind, name):
    """What the provider answers elsewhere is not mistaken for what we asked."""
    with pytest.raises(FetchError) as caught:
        parse(kind, sample(name))

    assert caught.value.kind is FailureKind.DATA


def test_every_sample_is_tried(request):
    """No sample lies about unused."""
    root = request.path.parents[1] / "samples"
    files = [path.relative_to(root) for path in root.rglob("*") if path.is_file()]
    found = {path.as_posix() for path in files if path.parts[0] != "hostile"}
    named = {name for _, name, *_ in RECORDED} | {name for _, _, name, _ in REFUSALS}
    named |= {name for _, name in OTHERS}
    named |= {"ecb/eurofxref-daily.xml", "ecb/eurofxref-hist-90d.xml"}
    named |= {"ecb/eurofxref-hist.csv", "ecb/eurofxref-hist.zip"}
    named |= {"frankfurter-v1/range-2026-11-14..2026-11-20-USD-INR.json"}

    assert found == {name for name in named if not name.startswith("hostile/")}


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("exchangerate-api-v4", "https://api.exchangerate-api.com/v4/latest/USD"),
        ("exchangerate-api-open", "https://open.er-api.com/v6/latest/USD"),
        ("exchangerate-api-v6", "https://v6.exchangerate-api.com/v6/{key}/latest/USD"),
        ("frankfurter", "https://api.frankfurter.dev/v1/latest?base=USD"),
        ("ecb", "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml"),
        (
            "currency-api-cdn",
            "https://cdn.jsdelivr.net/npm/@fawazahmed0/currency-api@2026-11-20/v1/currencies/usd.min.json",
        ),
        (
            "fred",
            "https://fred.stlouisfed.org/graph/fredgraph.csv?id=DEXINUS,DEXUSEU&cosd=2026-10-23&coed=2026-11-20",
        ),
        ("openexchangerates", "https://openexchangerates.org/api/latest.json"),
        ("http-json", "https://rates.internal/USD.json"),
    ],
)
def test_url_of_the_newest(request_for, kind, path):
    """The addresses are the providers' own, and one request asks for all quotes of a base."""
    assert request_for(kind, "USD/INR USD/EUR").url == path


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("frankfurter", "/v1/2026-11-14..2026-11-18?base=USD&symbols=INR,EUR"),
        ("ecb", "/stats/eurofxref/eurofxref-hist-90d.xml"),
        ("fred", "?id=DEXINUS,DEXUSEU&cosd=2026-11-02&coed=2026-11-18"),
    ],
)
def test_url_of_a_range(request_for, kind, path):
    """A range is one request, which reaches back to the publication before its first day."""
    found = request_for(kind, "USD/INR USD/EUR", "2026-11-14", "2026-11-18").url

    assert found.endswith(path)


def test_url_of_a_day(request_for):
    """Providers that know single days name the day in the path, and nothing is asked instead."""
    cdn = request_for("currency-api-cdn", since="2026-11-18")
    oxr = request_for("openexchangerates", since="2026-11-18")

    assert cdn.url.endswith("/npm/@fawazahmed0/currency-api@2026-11-18/v1/currencies/usd.min.json")
    assert oxr.url == "https://openexchangerates.org/api/historical/2026-11-18.json"
    assert cdn.fallback is oxr.fallback is None


def test_keys_travel_where_the_provider_reads_them(request_for):
    """One key has a place in the path, the other a header of its own kind; requests hold none yet."""
    asked = {kind: request_for(kind) for kind in SOURCES}

    assert {kind for kind, one in asked.items() if "{key}" in one.url} == {"exchangerate-api-v6"}
    assert {kind: one.scheme for kind, one in asked.items() if one.scheme != "Bearer"} == {
        "openexchangerates": "Token"
    }
    assert all(one.key == "" for one in asked.values())


def test_mirror(request_for):
    """A base URL of one's own takes the place of the provider's, with or without a last slash."""
    for kind in set(SOURCES) - {"http-json", "http-xml"}:
        one = request_for(kind, base_url="http://127.0.0.1:8080/mirror/")
        assert one.url.startswith("http://127.0.0.1:8080/mirror/")
        assert "//" not in one.url.removeprefix("http://")


def test_groups():
    """Pairs are asked by base where an answer has one base, else all at once."""
    pairs = (USD_INR, EUR_INR, Pair(base="USD", quote="EUR"))
    sizes = {
        kind: [len(group) for group in source.groups(Provider(name=kind, kind=kind), pairs)]
        for kind, source in SOURCES.items()
    }

    assert {kind for kind, found in sizes.items() if found == [3]} == {
        "ecb",
        "fred",
        "openexchangerates",
    }
    assert all(found in ([3], [2, 1]) for found in sizes.values())


@pytest.mark.parametrize("kind", HONEST)
def test_unknown_quote_is_left_out(sample, parse, kind):
    """A currency that the answer lacks gives no rate, the others do."""
    assert [one.pair for one in parse(kind, sample(HONEST[kind][0]), "USD/INR USD/XOF")] == [
        USD_INR
    ]


@pytest.mark.parametrize(
    ("kind", "name", "moment"),
    [
        ("exchangerate-api-v4", "exchangerate-api-v4/latest-USD.json", "2026-11-21T00:00:00+00:00"),
        (
            "exchangerate-api-open",
            "exchangerate-api-open/latest-USD.json",
            "2026-11-21T00:22:01+00:00",
        ),
        ("exchangerate-api-v6", "exchangerate-api-v6/latest-USD.json", "2026-11-21T00:00:01+00:00"),
    ],
)
def test_not_before(sample, kind, name, moment):
    """Providers that publish once a day say when the next rates come."""
    assert SOURCES[kind].not_before(sample(name)).isoformat() == moment


@pytest.mark.parametrize(
    "kind", sorted(set(HONEST) - {k for k in HONEST if "exchangerate-api" in k})
)
def test_not_before_unknown(sample, kind):
    """The others do not say."""
    assert SOURCES[kind].not_before(sample(HONEST[kind][0])) is None


@pytest.mark.parametrize(
    "following", [b"0", b"null", b"true", b'"soon"', b"-5", b"1e99", b"4102444800"]
)
def test_not_before_absurd(sample, following):
    """No next update, or one more than two days off, is none: it must not silence us for years."""
    body = sample("exchangerate-api-open/latest-USD.json").replace(b"1795220521", following)

    assert SOURCES["exchangerate-api-open"].not_before(body) is None


def test_not_before_the_end_of_time():
    """The last day that there is has no midnight after it."""
    assert SOURCES["exchangerate-api-v4"].not_before(b'{"date":"9999-12-31"}') is None


def test_range_of_frankfurter(sample, parse):
    """The answer reaches back to the day before the range, and what lies outside is left out."""
    body = sample("frankfurter-v1/range-2026-11-14..2026-11-20-USD-INR.json")

    def days(since, until):
        return [one.rate_date.day for one in parse("frankfurter", body, "USD/INR", since, until)]

    assert days("2026-11-14", "2026-11-20") == [13, 16, 17, 18, 19, 20]
    assert days("2026-11-14", "2026-11-15") == [13]
    assert days("2026-11-18", "2026-11-18") == [17, 18]
