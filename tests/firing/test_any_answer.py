"""http-json reads any JSON and http-xml any XML: from a spec's table to what the real ratectl-fetch records."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from zoneinfo import ZoneInfo

import pytest

from ratectl import spec
from ratectl.errors import SpecError
from ratectl.journal import quarantine
from ratectl.journal.journal import Journal
from tests.fakes.station import LATE, now
from tests.support.rate_server import Fault

pytestmark = pytest.mark.network
TODAY = now().date()
DAY = dt.timedelta(days=1)


def text_of(provider, pairs='"USD/JPY"', more=""):
    """Return a spec with one job that asks one provider."""
    due = now() - LATE
    return (
        f'[providers.office]\nkind = "http-json"\n{provider}\n[jobs.usd-inr]\npairs = [{pairs}]\n'
        f'schedule = "every hour at :{due.minute:02}"\ntimezone = "UTC"\nproviders = ["office"]\n'
        f'output = "output.txt"\n{more}'
    ).replace('kind = "http-json"\nkind', "kind")


@pytest.fixture
def job_of(tmp_path, live_rates):
    """Read a spec of one provider, asked at the rate server, and one job."""
    (tmp_path / "office.key").write_text("s3cret-0123456789abcdef\n", encoding="utf-8")

    def read(provider, *, pairs='"USD/JPY"', more=""):
        text = text_of(provider, pairs, more).replace("URL", live_rates.url)
        path = tmp_path / "jobs.toml"
        [job] = spec.loads(text.encode(), path=path, host_timezone="UTC").jobs
        return job

    return read


@pytest.fixture
def fire(station, live_rates, job_of):
    """Install what a spec says, answer everything with *body*, fire, and return what was recorded as pair -> rate, day."""

    def run(provider, body, *, code=0, **options):
        station.install(job_of(provider, **options))
        whole = body if isinstance(body, bytes) else json.dumps(body).encode()
        live_rates.misbehave(Fault(body=whole), times=20)
        done = station.fetch()
        assert done.returncode == code, done.stderr
        run.stderr = done.stderr
        with Journal(station.state) as journal:
            quotes = [entry.quote for entry in journal.store().quotes("usd-inr")]
        return {str(quote.pair): (str(quote.rate), quote.rate_date) for quote in quotes}

    return run


ALPHA = {
    "Realtime Currency Exchange Rate": {
        "5. Exchange Rate": "155.27",
        "6. Last Refreshed": f"{TODAY} 07:01:02",
    }
}
TABLE = [
    {"no": "1", "rates": [{"code": "JPY", "mid": 155.27}, {"code": "EUR", "mid": 0.9}]},
    {"no": "2", "rates": []},
]


@pytest.mark.parametrize(
    ("provider", "body", "rate"),
    [
        ('rate = "0.rate"', [{"rate": 155.27}], "155.27"),
        ('rate = "[0].rate"', [{"rate": 155.27}], "155.27"),
        (
            'rate = "[quote={quote}].rate"',
            [{"quote": "EUR", "rate": 1}, {"quote": "JPY", "rate": 2.5}],
            "2.5",
        ),
        ('rate = "[0].rates[code=JPY].mid"', TABLE, "155.27"),
        ('rate = "0.rates[code={quote}].mid"', TABLE, "155.27"),
        ('rate = ["Realtime Currency Exchange Rate", "5. Exchange Rate"]', ALPHA, "155.27"),
        ('rate = ["rates/{quote}", "a b"]', {"rates/JPY": {"a b": 155.27}}, "155.27"),
        ('rate = ["rates", "[code=JPY]", "mid"]', TABLE[0], "155.27"),
        ('rate = "{base_lower}.{quote_lower}"', {"usd": {"jpy": 155.27}}, "155.27"),
        ('rate = "r"\nfactor = 100', {"r": 15527}, "155.27"),
        ('rate = "r"\nfactor = 100\ninvert = true', {"r": 0.64}, "156.25"),
        ('rate = "r"\ninvert = true', {"r": "0.0064"}, "156.25"),
        ('rate = "r"\ndecimal = ","', {"r": "155,27"}, "155.27"),
        ('rate = "r"\ndecimal = ","', {"r": "16.234,50"}, "16234.50"),
        ('rate = "r"\ndecimal = ","', {"r": "1.016.234"}, "1016234"),
        ('rate = "r"\ndecimal = ","', {"r": "16\u00a0234,5"}, "16234.5"),
        ('rate = "r"', {"r": "16,234.50"}, "16234.50"),
        ('rate = "r"', {"r": "1,016,234"}, "1016234"),
        ('rate = "r"', {"r": "16'234.5"}, "16234.5"),
        ('rate = "r"', {"r": "16 234"}, "16234"),
        ('rate = "list.-1.r"', {"list": [{"r": 1.5}, {"r": 155.27}]}, "155.27"),
        ('rate = "list[-2].r"', {"list": [{"r": 155.27}, {"r": 1.5}]}, "155.27"),
        ('rate = "[-1].r"', [{"r": 1.5}, {"r": 155.27}], "155.27"),
    ],
)
def test_where_the_rate_stands(fire, provider, body, rate):
    """Lists at the top, keys with dots, blanks or slashes, entries by a field, units and the other way round."""
    before = now().date()
    found = fire(f'url = "URL/any/{{base}}-{{quote}}"\n{provider}', body)

    assert found in [
        {"USD/JPY": (rate, day)} for day in (before, now().date())
    ]  # of the day it came


@pytest.mark.parametrize(
    ("decimal", "cell"),
    [(".", "16,234"), (",", "16.234"), (".", "1,2,3"), (".", "16,23.5"), (",", "1,5,5")],
)
def test_numbers_of_two_meanings(fire, decimal, cell):
    """What may be a thousand or a decimal sign is no number, and is shown as it was written."""
    table = f'url = "URL/any"\nrate = "r"\ndecimal = "{decimal}"'

    assert fire(table, {"r": cell}, code=65) == {}

    assert f"'{cell}'" in fire.stderr


@pytest.mark.parametrize("index", ["2", "-3"])
def test_entry_that_a_list_lacks(fire, index):
    """A place beyond either end of a list is none of its entries."""
    fire(f'url = "URL/any"\nrate = "{index}.r"', [{"r": 1}, {"r": 2}], code=65)

    assert f"nothing at '{index}.r'" in fire.stderr


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("0.r", []),
        ("observations.0.r", {"observations": []}),
        ("observations.-1.r", {"terms": {"url": "x"}, "observations": []}),
        ("rates.{quote}", {"date": "2026-11-20", "rates": {}}),
        ("[code={quote}].r", []),
        ("a.b", {}),
        ("data.rates.{quote}", {"data": None}),
    ],
)
def test_nothing_published(fire, path, body):
    """An answer whose list or table of rates is empty is bad data, never configuration."""
    assert fire(f'url = "URL/any"\nrate = "{path}"', body, code=65) == {}

    assert "is empty" in fire.stderr


BAD_CELLS = (0, -1.5, "0.0", "NaN", "soon", "", None, {}, [], True, "9" * 5000)


@pytest.mark.parametrize("cell", [*BAD_CELLS, "missing"])
@pytest.mark.parametrize("kind", ["json", "xml"])
def test_one_bad_cell(fire, station, kind, cell):
    """Of an answer with three currencies two are recorded, and the message names the third one and its day."""
    rates = {"JPY": 155.27, "EUR": 0.9, "INR": cell}
    if cell == "missing":
        del rates["INR"]
    if kind == "json":
        body = {"day": str(TODAY), "rates": rates}
        table = 'url = "URL/any/{base}"\nrate = "rates.{quote}"\ndate = "day"'
    else:
        cells = "".join(f'<r code="{code}">{rate}</r>' for code, rate in rates.items())
        body = f'<a day="{TODAY}">{cells}</a>'.encode()
        table = (
            'kind = "http-xml"\nurl = "URL/any/{base}"\nrate = "a.r[code={quote}]"\ndate = "a.day"'
        )

    code = 78 if cell == "missing" else 65
    found = fire(table, body, code=code, pairs='"USD/JPY", "USD/EUR", "USD/INR"')

    assert found == {"USD/JPY": ("155.27", TODAY), "USD/EUR": ("0.9", TODAY)}
    told = "has no USD/INR" if cell == "missing" else f"USD/INR of {TODAY} is "
    assert told in fire.stderr
    with Journal(station.state) as journal:
        held = list(quarantine.quarantine(journal.store()))
    assert len(held) == (0 if cell == "missing" else 1)


def stamp(*, milliseconds=False):
    seconds = int(dt.datetime.combine(TODAY, dt.time(), dt.UTC).timestamp()) + 1
    return seconds * (1000 if milliseconds else 1)


@pytest.mark.parametrize(
    ("written", "more"),
    [
        (stamp(), ""),
        (str(stamp()), ""),
        (stamp() + 0.25, ""),
        (f"{stamp()}.125", ""),
        (stamp(milliseconds=True), ""),
        (str(stamp(milliseconds=True)), ""),
        (f"{TODAY}", ""),
        (f"{TODAY}T16:00:00+02:00", ""),
        (f"{TODAY:%Y%m%d}", ""),
        (int(f"{TODAY:%Y%m%d}"), ""),
        (f"{TODAY:%Y%m%d}T160000Z", ""),
        (f"{TODAY:%a, %d %b %Y} 00:02:31 +0000", ""),
        (f"{TODAY:%d.%m.%Y}", 'date_format = "%d.%m.%Y"'),
        (f"{TODAY:%m/%d/%y %H:%M}", 'date_format = "%m/%d/%y %H:%M"'),
    ],
)
def test_forms_of_a_date(fire, written, more):
    """Every form of a date that such answers have is read, others by date_format."""
    found = fire(f'url = "URL/any"\nrate = "r"\ndate = "d"\n{more}', {"r": 155.27, "d": written})

    assert found == {"USD/JPY": ("155.27", TODAY)}


@pytest.mark.parametrize(
    "written", ["27/11/2026", "27 November 2026", "/Date(1795817374000)/", "soon"]
)
def test_other_forms_of_a_date(fire, written):
    """A date in a form of its own is bad data, and the key that says the form is named."""
    found = fire('url = "URL/any"\nrate = "r"\ndate = "d"', {"r": 2, "d": written}, code=65)

    assert found == {}
    assert "not a date; date_format says its form" in fire.stderr


def test_civil_day_of_another_zone(station, live_rates, job_of):
    """Without a date it is the job's civil day: fourteen hours ahead of UTC, or twelve behind."""
    ahead = now().astimezone(ZoneInfo("Pacific/Kiritimati"))
    zone = "Pacific/Kiritimati" if ahead.date() != now().date() else "Etc/GMT+12"
    job = dataclasses.replace(job_of('url = "URL/any"\nrate = "r"'), timezone=zone)
    station.install(job)
    live_rates.misbehave(Fault(body=b'{"r": 155.27}'), times=9)

    assert station.fetch().returncode == 0

    with Journal(station.state) as journal:
        [entry] = journal.store().quotes("usd-inr")
    there = entry.quote.observed_at.astimezone(ZoneInfo(zone)).date()
    assert entry.quote.rate_date == there != entry.quote.observed_at.date()


@pytest.mark.parametrize("place", ["header", "url", "bearer"])
def test_where_the_key_goes(fire, live_rates, place):
    """The key stands in the URL, in a header of its own, or in Authorization."""
    more = {"header": 'header = "X-Api-Key"', "url": "", "bearer": ""}[place]
    query = "?k={key}" if place == "url" else ""

    fire(f'url = "URL/any{query}"\nrate = "r"\napi_key = "file:office.key"\n{more}', {"r": 2})

    path, headers = live_rates.requests[0]
    secret = "s3cret-0123456789abcdef"
    assert (f"k={secret}" in path) == (place == "url")
    assert headers.get("x-api-key") == (secret if place == "header" else None)
    assert headers.get("authorization") == (f"Bearer {secret}" if place == "bearer" else None)


@pytest.mark.parametrize(
    "url",
    [
        "https://h/x?apikey=demo",
        "https://h/x?access_key=abc&base={base}",
        "https://h/x?token=9f8a",
        "https://h/x?api_key=1",
        "https://h/x?app_id=0123",
        "https://h/x?key=a",
        "https://h/x?q=0123456789abcdef0123456789abcdef",
        "https://h/v6/0123456789abcdef01234567/latest/{base}",
    ],
)
def test_secret_in_a_url(job_of, url):
    """A secret typed into a URL is refused, is not shown, and the advice is right when it is followed."""
    with pytest.raises(SpecError, match="looks like a secret") as caught:
        job_of(f'url = "{url}"\nrate = "r"')
    assert "0123456789abcdef" not in str(caught.value)
    with pytest.raises(SpecError, match="looks like a secret"):
        job_of(f'kind = "frankfurter"\nbase_url = "{url}"'.replace("{base}", ""))

    assert job_of('url = "https://h/x?apikey={key}"\nrate = "r"\napi_key = "file:office.key"')
    assert job_of(
        'url = "https://h/d?resource_id=3b10b6f9-b3b0-4fd0-a1c8-1d1b0a6a2f0c"\nrate = "r"'
    )


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('url = "https://h/{key}"\nrate = "r"', "api_key"),
        ('url = "https://h/"\nrate = "r"\nheader = "X-Key"', "api_key"),
        ('url = "https://h/"\nrate = "r["', "expected a path"),
        ('url = "https://h/"\nrate = "a..b"', "expected a path"),
        ('url = "https://h/"\nrate = "$.rates.JPY"', 'without "[$]."'),
        ('url = "https://h/"\nrate = "$[0].rate"', 'without "[$]"'),
        ('url = "https://h/"\nrate = "/rates/JPY"', "dots between"),
        ('url = "https://h/"\nrate = "r"\ndate = "$.date"', 'without "[$]."'),
        ('kind = "http-xml"\nurl = "https://h/"\nrate = "//Valute"', "dots between"),
        ('url = "https://h/"\nrate = "r"\nfactor = 0', "number of units"),
        (
            'url = "https://h/"\nrate = "r"\ndate = "d"\ndate_format = "%d.%m."',
            "year, month and day",
        ),
        ('url = "https://h/"\nrate = "r"\nheader = "X Key"\napi_key = "env:K"', "name of a header"),
        ('url = "https://h/{day}"\nrate = "r"', "unknown placeholder {day}"),
        ('kind = "frankfurter"\nfactor = 100', "takes no such key"),
    ],
)
def test_refused_tables(job_of, table, told):
    """What cannot be meant is refused before anything is asked."""
    with pytest.raises(SpecError, match=told):
        job_of(table)


@pytest.mark.parametrize(
    ("days", "more", "code"),
    [
        (-9, "", 65),
        (-9, 'stale_after = "10d"', 0),
        (30, "", 65),
        (30, 'ahead = "40d"', 0),
    ],
)
def test_how_old_and_how_far_ahead(fire, days, more, code):
    """Weekly tables are a week old and monthly rates are dated ahead, where the spec says so."""
    day = TODAY + days * DAY

    found = fire(
        f'url = "URL/any"\nrate = "r"\ndate = "d"\n{more}', {"r": 2, "d": str(day)}, code=code
    )

    assert found == ({"USD/JPY": ("2", day)} if code == 0 else {})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"Note": "Our standard API call frequency is 5 calls per minute"}, 77),
        ({"Information": "Thank you! The rate limit is 25 requests per day."}, 77),
        ({"Information": "Please spread out your requests more sparingly (1 per second)."}, 77),
        ({"success": False, "error": {"code": 104, "info": "Monthly request volume reached"}}, 77),
        ({"success": False, "error": {"code": 101, "type": "missing_access_key"}}, 77),
        ({"success": False}, 65),
        ({"success": False, "r": 2}, 65),
        ({"Error Message": "Invalid API call."}, 65),
        ({"error": "no such currency"}, 65),
        ({"error": True, "message": "quota exceeded"}, 77),
        ({"status": "error", "message": "try tomorrow"}, 65),
        ({"error": {"message": "your key s3cret-0123456789abcdef is unknown"}}, 77),
        ("too many requests", 77),
        ([], 65),
        ([{"x": 1}], 65),
    ],
)
def test_notice_in_a_200(fire, station, body, code):
    """A notice in place of data is quota or bad data, never configuration, and its body is kept."""
    key = 'api_key = "file:office.key"'

    assert fire(f'url = "URL/any"\nrate = "r"\n{key}', body, code=code) == {}

    assert "s3cret" not in fire.stderr
    with Journal(station.state) as journal:
        [one] = quarantine.quarantine(journal.store())
        kept = quarantine.body(journal.store(), one.id)
    assert kept
    assert b"s3cret" not in kept


def test_days_by_date(station, live_rates, job_of, typed):
    """{date} makes it a provider with history, one request for each day."""
    station.install(job_of('url = "URL/any/{date}?d={date:%d/%m/%Y}"\nrate = "r"'))
    live_rates.misbehave(Fault(body=b'{"r": 2}'), times=99)

    done = typed("backfill", "usd-inr", "--since", "2026-11-02", "--until", "2026-11-04")

    assert done.returncode == 0, done.stderr + done.stdout
    assert sorted(path for path, _ in live_rates.requests) == [
        f"/any/2026-11-0{day}?d=0{day}/11/2026" for day in (2, 3, 4)
    ]
    with Journal(station.state) as journal:
        days = {entry.quote.rate_date.day for entry in journal.store().quotes("usd-inr")}
    assert days == {2, 3, 4}


@pytest.mark.parametrize(("late", "code"), [(2, 0), (7200, 65)])
def test_stamped_after_midnight(station, live_rates, job_of, typed, late, code):
    """An archive that stamps the end of a day some seconds after midnight means that day."""
    provider = 'url = "URL/any/{date}"\nrate = "r"\ndate = "t"'
    station.install(job_of(provider))
    end = dt.datetime(2026, 11, 3, tzinfo=dt.UTC).timestamp() + late
    live_rates.misbehave(Fault(body=json.dumps({"r": 2, "t": end}).encode()), times=99)

    done = typed("backfill", "usd-inr", "--since", "2026-11-02", "--until", "2026-11-02")

    assert done.returncode == code, done.stderr + done.stdout
    with Journal(station.state) as journal:
        days = {str(entry.quote.rate_date) for entry in journal.store().quotes("usd-inr")}
    assert days == ({"2026-11-02"} if code == 0 else set())


CBR = (
    '<?xml version="1.0" encoding="windows-1251"?><ValCurs Date="{day:%d.%m.%Y}" name="Курсы">'
    "<Valute ID='R1'><CharCode>EUR</CharCode><Nominal>1</Nominal><Value>90,5</Value></Valute>"
    "<Valute ID='R2'><CharCode>JPY</CharCode><Nominal>100</Nominal><Value>52,25</Value></Valute>"
    "</ValCurs>"
)
BNR = (
    '<DataSet xmlns="http://www.bnr.ro/xsd"><Body><Cube date="{day}"><Rate currency="JPY" '
    'multiplier="100">2.9</Rate><Rate currency="EUR">5.09</Rate></Cube></Body></DataSet>'
)


@pytest.mark.parametrize(
    ("document", "encoding", "table", "rate"),
    [
        (
            CBR,
            "windows-1251",
            (
                'rate = "ValCurs.Valute[CharCode={base}].Value"\ndate = "ValCurs.Date"\n'
                'date_format = "%d.%m.%Y"\ndecimal = ","\nfactor = 100'
            ),
            "0.5225",
        ),
        (
            BNR,
            "utf-8",
            (
                'rate = "DataSet.Body.Cube.Rate[currency={base}]"\ndate = "DataSet.Body.Cube.date"\n'
                "factor = 100"
            ),
            "0.029",
        ),
    ],
)
def test_xml(fire, document, encoding, table, rate):
    """XML of central banks is read by path, attributes and text alike, in their own encodings."""
    body = document.format(day=TODAY).encode(encoding)

    found = fire(f'kind = "http-xml"\nurl = "URL/any"\n{table}', body, pairs='"JPY/RUB"')

    assert found == {"JPY/RUB": (rate, TODAY)}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'<!DOCTYPE a [<!ENTITY b "ha">]><a><r>&b;</r></a>', 65),
        (b"<!DOCTYPE html><html><body>log in</body></html>", 75),
        (b"<a><r>2</r>", 65),
        (b'{"r": 2}', 65),
        (b"", 65),
    ],
)
def test_not_this_xml(fire, body, code):
    """Entities, pages and what is cut off give no rate."""
    table = 'kind = "http-xml"\nurl = "URL/any"\nrate = "a.r"'

    assert fire(table, body, code=code, more='timeout = "2s"\n') == {}


@pytest.mark.parametrize(
    ("body", "code", "told"),
    [
        ("<ValCurs>\n    Error in parameters\n</ValCurs>", 65, "Error in parameters"),
        ("<error><code>5</code><message>Invalid date</message></error>", 65, "5 Invalid date"),
        ('<error code="104">quota reached</error>', 77, "104 quota reached"),
        ("<r><success>false</success><info>x</info></r>", 65, "success is false"),
        ("<r><error>your key is unknown</error></r>", 77, "your key is unknown"),
        ("<a><b/></a>", 65, "is empty"),
        ("<a/>", 65, "is empty"),
    ],
)
def test_notice_in_xml(fire, station, body, code, told):
    """A notice in XML is quota or bad data, never configuration, and its body is kept."""
    table = 'kind = "http-xml"\nurl = "URL/any"\nrate = "a.b.c"'

    assert fire(table, body.encode(), code=code) == {}

    assert told in fire.stderr
    with Journal(station.state) as journal:
        [one] = quarantine.quarantine(journal.store())
        assert quarantine.body(journal.store(), one.id) == body.encode()


@pytest.mark.parametrize("place", ["0", "-1"])
def test_one_entry_in_xml(fire, place):
    """Where a list of XML has one entry only, that is its first and its last."""
    table = f'kind = "http-xml"\nurl = "URL/any"\nrate = "a.day.{place}.rate"'

    found = fire(table, b'<a><day rate="155.27"/></a>')

    assert [rate for rate, _ in found.values()] == ["155.27"]


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("Rates.JPY", "base, rates"),
        ("rates.jpy", "EUR, JPY"),
        ("rates.JPY.mid", "155.27"),
        ("motto.x", "a text"),
        ("list.mid", "a list of 2"),
        ("list.9.mid", "a list of 2"),
    ],
)
def test_a_path_that_leads_nowhere(fire, path, there):
    """The message says how far the path leads, and what stands there."""
    body = {"base": "USD", "rates": {"EUR": 1, "JPY": 155.27}, "list": [{"mid": 1}, {"mid": 2}]}
    body["motto"] = (
        "of 34 letters is all that is before s3cret-0123456789abcdef"  # a cut key hides nowhere
    )

    assert fire(f'url = "URL/any"\nrate = "{path}"', body, code=78) == {}

    assert f"has no USD/JPY: nothing at '{path}' in the answer, which has {there}" in fire.stderr
    assert "s3c" not in fire.stderr
