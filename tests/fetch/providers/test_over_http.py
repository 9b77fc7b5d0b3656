"""Every provider over real HTTP, from the request to the recorded quote, against the rate server."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from decimal import Decimal

import pytest

from ratectl.errors import ConfigError, RefusedError
from ratectl.fetch.http import Transport
from ratectl.fetch.providers import SOURCES
from ratectl.fetch.providers._shared.query import RateQuery
from ratectl.journal.journal import Journal
from ratectl.model.job import Pair
from ratectl.model.providers import PROVIDER_KINDS, History

pytestmark = pytest.mark.network

KINDS = sorted(set(PROVIDER_KINDS) - {"http-json", "http-xml"})
DAILY = sorted(set(KINDS) - {"fred"})
PAIRS = tuple(Pair(base=text[:3], quote=text[4:]) for text in ("USD/INR", "EUR/JPY", "GBP/CAD"))


@pytest.fixture
def recorded(state, job, installed, fire):
    """Fire a job of one provider and return the quotes that it recorded."""

    def run(kind, **values):
        assert fire(installed(job(kind, **{"timeout": 60} | values))).error is None
        with Journal(state) as journal:
            return [entry.quote for entry in journal.store().quotes("usd-inr")]

    return run


@pytest.fixture
def asked(rates, job):
    """Ask the server about *pairs* as *kind* would, and return the answer's rates; a 404 leads on."""

    def run(kind, pairs=PAIRS, since=None, until=None):
        [provider] = job(kind).providers
        found = []
        for group in SOURCES[kind].groups(provider, pairs):
            query = RateQuery(pairs=group, since=since, until=until)
            request = SOURCES[kind].request(provider, query, rates.today)
            while True:
                keyed = dataclasses.replace(request, key="demo-key")
                response = Transport().get(keyed, seconds=5)
                if response.status != 404 or request.fallback is None:
                    break
                request = request.fallback
            refusal = SOURCES[kind].refusal(response.status, response.body)
            if refusal:
                raise refusal
            found += SOURCES[kind].parse(provider, query, response.body)
        return found

    return run


@pytest.mark.parametrize("kind", KINDS)
def test_recorded(recorded, kind):
    """A firing records each provider's rate, published or derived as it came, with its date."""
    quotes = recorded(kind, pairs=PAIRS)

    assert {quote.provider for quote in quotes} == {kind}
    assert {quote.pair for quote in quotes} == set(PAIRS)
    assert all(quote.kind == ("derived" if quote.legs else "published") for quote in quotes)


@pytest.mark.parametrize("kind", DAILY)
def test_they_agree(asked, kind):
    """All who publish daily say the same of a day, within the digits that each one gives."""
    usual = {one.pair: one.rate for one in asked("ecb")}

    found = asked(kind)

    assert {one.rate_date for one in found} == {dt.date(2026, 11, 20)}
    for one in found:
        assert abs(one.rate / usual[one.pair] - 1) < Decimal("0.01")


@pytest.mark.parametrize("kind", [k for k in KINDS if PROVIDER_KINDS[k].history is History.RANGES])
def test_a_range_means_the_same(asked, kind):
    """A range over a weekend has its weekdays, the day before it, oldest first, for each pair."""
    since, until = dt.date(2026, 10, 31), dt.date(2026, 11, 3)

    found = asked(kind, since=since, until=until)

    for pair in PAIRS:
        days = [one.rate_date for one in found if one.pair == pair]
        assert days == [dt.date(2026, 10, 30), dt.date(2026, 11, 2), until]


@pytest.mark.parametrize("kind", [k for k in KINDS if PROVIDER_KINDS[k].history is History.DAYS])
def test_a_day_of_a_weekend(asked, kind):
    """Those that know single days have Sundays too."""
    sunday = dt.date(2026, 11, 15)

    assert {one.rate_date for one in asked(kind, since=sunday, until=sunday)} == {sunday}


@pytest.mark.parametrize("long_ago", [200, 300])
def test_old_range_of_the_ecb(asked, rates, long_ago):
    """Days beyond the 90-day file come out of the zip, the same as they once were in the XML."""
    since = rates.today - dt.timedelta(days=long_ago)
    until = since + dt.timedelta(days=7)
    zipped = asked("ecb", since=since, until=until)

    rates.clock.now -= dt.timedelta(days=long_ago - 20)
    recent = asked("ecb", since=since, until=until)

    assert zipped == recent
    assert [path.rpartition("/")[2] for path, _ in rates.requests] == [
        "eurofxref-hist.zip",
        "eurofxref-hist-90d.xml",
    ]


def test_release_that_is_late(asked, rates):
    """Before today's snapshot is out, the newest one is asked for, and says of which day it is."""
    rates.clock.now = rates.clock.now.replace(hour=1)

    found = asked("currency-api-cdn")

    assert {one.rate_date for one in found} == {dt.date(2026, 11, 19)}
    assert rates.asked("/npm/@fawazahmed0/currency-api@latest/") == len(PAIRS)


@pytest.mark.parametrize("header", ["authorization", None])
def test_where_the_key_travels(recorded, rates, header):
    """The key goes into the header or the path, whichever the provider reads, and nowhere else."""
    recorded("openexchangerates" if header else "exchangerate-api-v6")

    [(path, headers)] = rates.requests
    assert path == ("/api/latest.json" if header else "/v6/demo-key/latest/USD")
    assert headers.get("authorization") == ("Token demo-key" if header else None)


@pytest.mark.parametrize("kind", [k for k in KINDS if PROVIDER_KINDS[k].needs_key])
def test_wrong_key(job, installed, fire, tmp_path, rates, kind):
    """A key that the provider does not know is refused once, without being shown."""
    (tmp_path / "wrong.key").write_text("hunter2")
    [provider] = job(kind).providers
    wrong = dataclasses.replace(provider, api_key=f"file:{tmp_path / 'wrong.key'}")

    error = fire(installed(job(kind, providers=(wrong,)))).error

    assert isinstance(error, RefusedError)
    assert "invalid" in str(error)
    assert "hunter2" not in str(error)
    assert len(rates.requests) == 1


@pytest.mark.parametrize("kind", DAILY)
def test_unknown_base(job, installed, fire, kind):
    """A base that the provider lacks is a matter of the spec, and the error names the provider."""
    error = fire(installed(job(kind, pairs=(Pair(base="XOF", quote="USD"),)))).error

    assert isinstance(error, ConfigError)
    assert kind in str(error)


def test_same_url_for_every_job_of_a_base(asked, rates):
    """Jobs that share a base ask frankfurter the same, so that an answer at hand serves them all."""
    for quote in ("INR", "JPY", "CAD"):
        asked("frankfurter", pairs=(Pair(base="USD", quote=quote),))

    assert {path for path, _ in rates.requests} == {"/v1/latest?base=USD"}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_new_is_cheap(rates, job, kind):
    """An answer has a tag; asked with it again, the server says 304 without a body, and counts the request."""
    [provider] = job(kind).providers
    query = RateQuery(pairs=PAIRS[:1])
    request = dataclasses.replace(
        SOURCES[kind].request(provider, query, rates.today), key="demo-key"
    )
    first = Transport().get(request, seconds=5)
    again = Transport().get(dataclasses.replace(request, etag=first.headers["ETag"]), seconds=5)

    assert (first.status, again.status, again.body) == (200, 304, b"")
    assert len(rates.requests) == 2
    cached = first.headers.get("Cache-Control")
    assert cached == ("public, max-age=86400" if kind == "frankfurter" else None)


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("/v4/latest/XOF", 404, "unsupported_code"),
        ("/v6/latest/XOF", 404, "unsupported-code"),
        ("/v6/demo-key/latest/XOF", 404, "unsupported-code"),
        ("/v6/demo-key/history/USD/2026/11/18", 403, "plan-upgrade-required"),
        ("/v6/demo-key/quota", 200, "requests_remaining"),
        ("/v6/demo-key/elsewhere", 404, "malformed-request"),
        ("/v6/wrong/latest/USD", 403, "invalid-key"),
        ("/v1/latest?base=XOF", 404, "not found"),
        ("/v1/latest?base=USD&symbols=USD", 422, "bad currency pair"),
        ("/v1/2026-13-01", 422, "invalid date"),
        ("/v1/2026-11-14..2026-11-15?base=USD", 200, '"start_date":"2026-11-13"'),
        ("/v1/2027-01-01..2027-01-02?base=USD", 404, "not found"),
        ("/v1/2027-01-01?base=USD", 200, '"date":"2026-11-20"'),
        ("/v1/1990-01-01..1990-01-02", 404, "not found"),
        ("/npm/@fawazahmed0/currency-api@2026-11-21/v1/currencies/usd.min.json", 404, "2026-11-21"),
        ("/npm/@fawazahmed0/currency-api@2024-03-01/v1/currencies/usd.min.json", 404, "2024-03-01"),
        ("/npm/@fawazahmed0/currency-api@2026-11-13/v1/currencies/usd.min.json", 404, "release"),
        ("/npm/@fawazahmed0/currency-api@latest/v1/currencies/xof.min.json", 404, "file"),
        ("/api/latest.json", 401, "missing_app_id"),
        ("/api/latest.json?app_id=wrong", 401, "invalid_app_id"),
        ("/api/latest.json?app_id=demo-key&base=EUR", 403, "not_allowed"),
        ("/api/latest.json?app_id=demo-key&symbols=INR", 200, '"rates":{"INR"'),
        ("/api/historical/2027-01-01.json?app_id=demo-key", 400, "not_available"),
        ("/api/historical/soon.json?app_id=demo-key", 400, "not_available"),
        ("/api/elsewhere?app_id=demo-key", 404, "not_found"),
        ("/graph/fredgraph.csv?id=DEXWHAT", 404, "Not Found"),
        ("/graph/fredgraph.csv?id=DEXINUS&cosd=soon", 400, "Bad Request"),
        ("/graph/fredgraph.csv?id=DEXINUS&cosd=2026-11-09", 200, "2026-11-11,\n2026-11-12,"),
        ("/stats/eurofxref/elsewhere.xml", 404, "Not Found"),
    ],
)
def test_errors_of_the_server(rates, path, status, word):
    """The server errs as the real providers do, where clients must understand it."""
    rates.unreleased.add(dt.date(2026, 11, 13))

    found, _, body = rates.answer(path, {})

    assert found == status
    assert word in body.decode()


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        ("2026-11-20T09:30", "2026-11-13"),
        ("2026-11-23T20:14", "2026-11-13"),
        ("2026-11-23T20:15", "2026-11-20"),
        ("2026-11-27T00:00", "2026-11-20"),
    ],
)
def test_weekly_release(rates, now, newest):
    """FRED's week appears on the Monday evening after it."""
    rates.clock.now = dt.datetime.fromisoformat(f"{now}Z")

    _, _, body = rates.answer("/graph/fredgraph.csv?id=DEXINUS,DEXUSEU", {})

    assert body.decode().splitlines()[-1].startswith(f"{newest},")


@pytest.mark.parametrize(
    "kind", ["exchangerate-api-v4", "exchangerate-api-open", "exchangerate-api-v6"]
)
def test_announced_update(rates, job, kind):
    """Those that announce their next update announce it for the night to come."""
    [provider] = job(kind).providers
    request = SOURCES[kind].request(provider, RateQuery(pairs=PAIRS[:1]), rates.today)
    body = Transport().get(dataclasses.replace(request, key="demo-key"), seconds=5).body
    assert json.loads(body)

    assert SOURCES[kind].not_before(body).date() == dt.date(2026, 11, 21)
