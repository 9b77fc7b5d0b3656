"""A pair that a provider is known not to have is warned of by check and install, and nothing else is."""

from __future__ import annotations

import pytest

from ratectl import cli
from ratectl.fetch.providers import fred
from ratectl.model import unknown_pairs
from ratectl.model.providers import OF_THE_ECB, OF_THE_FED
from tests.deploy.test_install import Office
from tests.fakes.jobs import job

SPEC = """
[jobs.won]
pairs = ["EUR/KPW", "EUR/USD"]
schedule = "every day at 18:00"
providers = ["ecb"]
output = "won.txt"
"""


def warned(**keys):
    return list(unknown_pairs.warnings([job(**keys)]))


def test_the_lists_are_those_of_the_providers():
    """FRED's list is that of the series that we ask for; both have the euro and the dollar."""
    assert {*fred.SERIES, fred.HUB} == OF_THE_FED
    assert {"EUR", "USD", "INR"} <= OF_THE_ECB


@pytest.mark.parametrize("provider", ["ecb", "fred"])
def test_a_pair_that_nobody_has(provider):
    """It is told with the provider, and that no other of the job stands in."""
    [text] = warned(pairs='["EUR/KPW", "EUR/USD"]', providers=f'["{provider}"]')

    assert text.endswith(
        f"{provider} publishes no EUR/KPW; no other provider of the job does; `ratectl providers` shows who gives what"
    )


def test_a_pair_that_another_may_have():
    """The other provider is named."""
    [text] = warned(pairs='["USD/NGN"]', providers='["ecb", "exchangerate-api-open"]')

    assert "ecb publishes no USD/NGN; exchangerate-api-open may; " in text


@pytest.mark.parametrize("pair", ["USD/INR", "EUR/USD", "AUD/ZAR"])
@pytest.mark.parametrize("provider", ["ecb", "fred", "frankfurter", "exchangerate-api-v4"])
def test_pairs_that_are_had(provider, pair):
    """Of pairs that a provider has, and of providers whose currencies are many, nothing is said."""
    assert warned(pairs=f'["{pair}"]', providers=f'["{provider}"]') == []


def test_check(tmp_path, capsys):
    """`check` warns."""
    path = tmp_path / "jobs.toml"
    path.write_text(SPEC, encoding="utf-8")
    with pytest.raises(SystemExit):
        cli.main(["check", str(path)])

    said = " ".join(capsys.readouterr().out.split())
    assert "ecb publishes no EUR/KPW" in said


def test_install(tmp_path):
    """`install` warns, and installs."""
    prepared = Office(tmp_path).install(job(pairs='["EUR/KPW"]', providers='["ecb"]'))

    assert [text for text in prepared.warnings if "ecb publishes no EUR/KPW" in text]
