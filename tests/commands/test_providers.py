"""``ratectl providers`` tells what each rate source gives, wants, and whether it answers."""

import json
import re

import pytest

from ratectl.fetch.providers.catalog import INFO
from ratectl.model.providers import PROVIDER_KINDS, TEMPLATE_KINDS
from tests.support.rate_server import Fault

DEAD = "http://127.0.0.1:9"
JOB = '[jobs.usd-inr]\npairs = ["USD/INR"]\nschedule = "every day at 10:30"\noutput = "out.txt"\n'
OFFICE = (
    '[providers.office]\nkind = "http-json"\nurl = "{url}/v4/latest/{{base}}"\n'
    'rate = "rates.{{quote}}"\ndate = "date"\n'
)


@pytest.fixture
def spec_of(tmp_path):
    """Write a spec with one job and *more*, and return its path."""

    def write(more="", *, chain=("frankfurter",)):
        path = tmp_path / "jobs.toml"
        path.write_text(f"{JOB}providers = {json.dumps(chain)}\n{more}", encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def told(ratectl):
    """Return the exit code, and by name what ``--json`` says of each source."""

    def ask(*words):
        answer = ratectl("providers", *words, "--json")
        return answer.code, {fact["provider"]: fact for fact in json.loads(answer.out)}

    return ask


def test_facts_of_every_kind():
    """There are facts for exactly the kinds there are, each with its sources, and days where there is a history."""
    assert list(INFO) == list(PROVIDER_KINDS)
    for kind, info in INFO.items():
        assert bool(info.first_day) == bool(PROVIDER_KINDS[kind].history)
        assert all(url.startswith("https://") for url in info.sources)
        assert bool(info.sources) == bool(info.home) == (kind not in TEMPLATE_KINDS)


def test_offline(ratectl):
    """Without a spec and without the network, every kind is listed with its terms, and none is asked."""
    answer = ratectl("providers", "--offline")

    assert answer.code == 0
    blocks = answer.out.split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == list(PROVIDER_KINDS)
    assert "\n  answers " not in answer.out
    assert "  limit      1,000 requests a month on the free plan\n" in answer.out
    assert "  credit     the Federal Reserve (H.10) and FRED\n" in answer.out


@pytest.mark.parametrize(("columns", "most"), [("80", 80), ("200", 100)])
def test_width(ratectl, monkeypatch, columns, most):
    """Lines are broken at the terminal's width, at 100 columns at most; only an address may be longer."""
    monkeypatch.setenv("COLUMNS", columns)

    lines = ratectl("providers", "--offline").out.splitlines()

    assert [line for line in lines if len(line) > most and "https://" not in line] == []
    assert max(len(line) for line in lines if "https://" not in line) > most - 20


@pytest.mark.network
def test_one_that_answers(ratectl, spec_of, live_rates):
    """A source that a job names is asked for the job's pair, where the spec says that it lives."""
    base_url = f'[providers.exchangerate-api-v4]\nbase_url = "{live_rates.url}/v4"\n'
    path = spec_of(base_url, chain=("exchangerate-api-v4",))

    answer = ratectl("providers", "exchangerate-api-v4", "--spec", path)

    assert answer.code == 0
    assert re.search(rf"  answers    yes: USD/INR [\d.]+ of {live_rates.today}\n", answer.out)
    assert f"base URL   {live_rates.url}/v4\n" in answer.out
    assert answer.out.endswith("\n\n1 of 1 answers\n")


@pytest.mark.network
def test_one_down(told, spec_of, live_rates):
    """One that is down says so beside one that answers, and the exit code is 0."""
    path = spec_of(
        f'[providers.frankfurter]\nbase_url = "{DEAD}"\n'
        f'[providers.ecb]\nbase_url = "{live_rates.url}/stats/eurofxref"\n'
    )

    code, facts = told("frankfurter", "ecb", "--spec", path)

    assert code == 0
    assert facts["frankfurter"]["jobs"] == ["usd-inr"]
    assert facts["frankfurter"]["answer"] == {
        "state": "failed",
        "text": "provider down: 127.0.0.1:9: connection refused",
        "pair": None,
        "rate": None,
        "rate_date": None,
    }
    assert facts["ecb"]["answer"]["state"] == "answers"


@pytest.mark.network
def test_all_down(ratectl, spec_of):
    """Where sources were asked and none gave a rate, the exit code says to try later."""
    path = spec_of(f'[ratectl]\nproxy = "{DEAD}"\n')

    answer = ratectl("providers", "--spec", path)

    assert answer.code == 75
    assert answer.out.endswith("\n\n0 of 6 answer; 2 need a key\n")


@pytest.mark.network
def test_hanging(told, spec_of, live_rates):
    """One that never answers is given up at the timeout that the spec gives it."""
    live_rates.misbehave(Fault(hang=True))
    path = spec_of(f'[providers.frankfurter]\nbase_url = "{live_rates.url}/v1"\ntimeout = "1s"\n')

    code, facts = told("frankfurter", "--spec", path)

    assert code == 75
    assert "no answer" in facts["frankfurter"]["answer"]["text"]


def test_one_that_needs_a_key(told, spec_of, monkeypatch):
    """One whose key is missing needs a key: it is not asked, and nothing has failed."""
    monkeypatch.delenv("RATES_KEY", raising=False)
    path = spec_of('[providers.openexchangerates]\napi_key = "env:RATES_KEY"\n')

    code, facts = told("openexchangerates", "exchangerate-api-v6", "--spec", path)

    assert code == 0
    assert {fact["answer"]["state"] for fact in facts.values()} == {"needs-key"}
    assert "RATES_KEY is not set" in facts["openexchangerates"]["answer"]["text"]
    assert "[providers.exchangerate-api-v6]" in facts["exchangerate-api-v6"]["answer"]["text"]


def test_key_of_a_unit(told, spec_of):
    """A key that systemd loads for a job's unit cannot be read here, which is no failure either."""
    path = spec_of('[providers.openexchangerates]\napi_key = "credential:rates"\n')

    code, facts = told("openexchangerates", "--spec", path)

    assert (code, facts["openexchangerates"]["answer"]["state"]) == (0, "needs-key")
    assert "credential:rates" in facts["openexchangerates"]["answer"]["text"]


@pytest.mark.network
def test_key(told, spec_of, live_rates, tmp_path):
    """A key that is there is used, and one that the source refuses is a failure."""
    (tmp_path / "good").write_text("demo-key\n")
    (tmp_path / "bad").write_text("nobodys\n")
    path = spec_of(
        f'[providers.openexchangerates]\nbase_url = "{live_rates.url}/api"\napi_key = "file:good"\n'
        f'[providers.exchangerate-api-v6]\nbase_url = "{live_rates.url}/v6"\napi_key = "file:bad"\n'
    )

    _, facts = told("openexchangerates", "exchangerate-api-v6", "--spec", path)

    assert facts["openexchangerates"]["answer"]["state"] == "answers"
    assert facts["exchangerate-api-v6"]["answer"]["state"] == "failed"
    assert facts["exchangerate-api-v6"]["answer"]["text"].startswith("refused: invalid-key")


@pytest.mark.network
def test_own_source(told, spec_of, live_rates):
    """A source of the spec's own stands at the end, with its address, and is asked for its job's pair."""
    path = spec_of(OFFICE.format(url=live_rates.url), chain=("office",))

    _, facts = told("office", "--spec", path)

    office = facts["office"]
    assert (office["kind"], office["jobs"]) == ("http-json", ["usd-inr"])
    assert office["base_url"] == f"{live_rates.url}/v4/latest/{{base}}"
    assert office["answer"]["pair"] == "USD/INR"
    assert office["answer"]["rate_date"] == str(live_rates.today)
    assert live_rates.asked("/v4/latest/USD") == 1


@pytest.mark.network
def test_pair_that_it_lacks(ratectl, spec_of, live_rates):
    """A source that answers and lacks the pair has answered."""
    path = spec_of(OFFICE.format(url=live_rates.url).replace("{quote}", "nowhere.{quote}"))

    answer = ratectl("providers", "office", "--spec", path)

    assert answer.code == 0
    told = (
        "answers yes: it has no USD/INR: nothing at 'rates.nowhere.INR' in the answer, which has "
    )
    assert told in " ".join(answer.out.split())


def test_default_spec(ratectl, spec_of, tmp_path, monkeypatch):
    """The installation's own spec counts when none is named, and one with issues is left out with a word."""
    monkeypatch.setenv("RATECTL_CONFIG_DIR", str(tmp_path))
    spec_of(OFFICE.format(url=DEAD))
    assert "\n\noffice\n  kind       http-json\n" in ratectl("providers", "--offline").out

    path = spec_of("[providers.office]\n")
    answer = ratectl("providers", "--offline")

    assert answer.code == 0
    assert "office" not in answer.out
    assert answer.err == (
        f"ratectl: {path} is left out: it has issues, which `ratectl check` shows\n"
    )


def test_named_spec_with_issues(ratectl, spec_of):
    """A spec that was named is not passed over in silence."""
    answer = ratectl("providers", "--offline", "--spec", spec_of("[providers.office]\n"))

    assert (answer.code, answer.out) == (78, "")


def test_unknown_name(ratectl, spec_of):
    """A name that is none says which one may be meant, the spec's own ones included."""
    path = spec_of(OFFICE.format(url=DEAD))

    near = ratectl("providers", "ofice", "--spec", path)
    far = ratectl("providers", "bank-of-canada", "--spec", path)

    assert (near.code, far.code) == (2, 2)
    assert 'there is no provider "ofice" (did you mean "office"?)' in near.err
    assert 'there is no provider "bank-of-canada"; there are exchangerate-api-v4,' in far.err


def test_order(told):
    """Sources come in the order they were named, each once."""
    _, facts = told("fred", "ecb", "fred", "--offline")

    assert list(facts) == ["fred", "ecb"]
    assert facts["ecb"]["answer"] is None
    assert (facts["ecb"]["past_days"], facts["ecb"]["first_day"]) == ("ranges", "1999-01-04")
