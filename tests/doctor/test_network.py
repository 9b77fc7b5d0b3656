"""What a firing at night would meet on its way out, seen from a shell that may know more than the engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratectl.fetch import probe
from ratectl.fetch.failures import FailureKind, FetchError
from ratectl.fetch.probe import ProviderProbe
from tests.doctor.conftest import SPEC
from tests.support.rate_server import Fault, RateServer, demo_table

pytestmark = pytest.mark.network

DEAD = "http://127.0.0.1:9"


def checks(told):
    return {(finding["check"], finding["severity"], finding["job"]) for finding in told.findings}


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_proxy_of_the_shell(cron, monkeypatch, name):
    """A proxy that only the shell knows is a fault where providers do not answer without it."""
    cron.reinstall(provider=DEAD)
    monkeypatch.setenv(name, "http://user:secret@127.0.0.1:1")

    told = cron.doctor()
    [one, _] = told.of("proxy-only-in-shell")

    assert told.code == 78
    assert one["severity"] == "fault"
    assert name in one["text"]
    assert "secret" not in told.text
    assert one["mend"] == f"ratectl install {SPEC}"


def test_proxy_that_is_not_needed(cron, monkeypatch):
    """Where every provider answers without the shell's proxy, that is a warning; unasked, it is a fault."""
    monkeypatch.setenv("http_proxy", DEAD)

    assert checks(cron.doctor("one")) == {("proxy-only-in-shell", "warning", "one")}
    assert cron.doctor("one", "--offline").code == 78


@pytest.mark.parametrize(
    ("variables", "job"),
    [
        ({"https_proxy": DEAD}, ""),
        ({"http_proxy": DEAD, "no_proxy": "localhost, 127.0.0.1"}, ""),
        ({"http_proxy": DEAD, "NO_PROXY": "*"}, ""),
    ],
)
def test_proxy_that_does_not_matter(cron, monkeypatch, variables, job):
    """A proxy for other addresses is nothing to speak of."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert cron.doctor(*filter(None, [job])).findings == []


def test_proxy_of_the_spec(cron, rates, monkeypatch):
    """A proxy in the spec is the one that is asked through, whatever the shell says."""
    monkeypatch.setenv("http_proxy", rates.url)
    cron.reinstall(more=f'[ratectl]\nproxy = "{DEAD}"')

    assert {check for check, *_ in checks(cron.doctor())} == {"provider-down"}


def test_one_provider_of_two(cron, rates):
    """A provider that is down is a warning for a job that another one answers."""
    cron.reinstall(
        job='providers = ["exchangerate-api-open", "exchangerate-api-v4"]',
        more=f'[providers.exchangerate-api-open]\nbase_url = "{DEAD}"',
    )

    assert checks(cron.doctor()) == {("provider-down", "warning", "one")}
    assert rates.asked("/v4") == 1


def test_two_that_have_to_agree(cron):
    """A job that wants two to agree has a fault when one of its two is down."""
    cron.reinstall(
        job='agree = "1%"\nproviders = ["exchangerate-api-open", "exchangerate-api-v4"]',
        more=f'[providers.exchangerate-api-open]\nbase_url = "{DEAD}"',
    )

    assert checks(cron.doctor()) == {("provider-down", "fault", "one")}


PAGE = b"<!doctype html><html><body>Please log in</body></html>"


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        (Fault(status=403, body=b"{}"), "provider-refused"),
        (Fault(status=503, body=b"{}"), "provider-down"),
        (Fault(status=511, body=PAGE), "provider-behind-portal"),
        (Fault(body=PAGE, headers=(("Content-Type", "text/html"),)), "provider-behind-portal"),
        (Fault(body=b'{"rates": 7}'), "provider-bad-data"),
        (Fault(reset=True), "provider-down"),
    ],
)
def test_failures_are_told_apart(cron, rates, fault, check):
    """What stands between us and a provider has a word of its own, and one request finds it for all jobs."""
    rates.misbehave(fault)

    assert checks(cron.doctor()) == {(check, "fault", "one"), (check, "fault", "two")}
    assert rates.asked("/v4") == 1


def test_a_portal_is_looked_at_where_the_provider_is(cron, rates):
    """The fix asks the provider's own scheme, host and port."""
    rates.misbehave(Fault(status=511, body=PAGE))

    assert f"\n    fix: curl -v {rates.url}/\n" in cron.ask().text


def test_one_cause_is_one_line(cron, rates):
    """A provider that is down is one line for all jobs, with one command."""
    rates.misbehave(Fault(status=503, body=b"{}"))
    down = cron.ask().text

    assert down.count("fault: ") == 1
    assert "fault: provider-down: one, two: " in down
    assert "\n    fix: wait until it can be reached; `ratectl doctor` looks again\n" in down
    assert "1 fault · 0 warnings in 2 jobs" in down


def test_what_is_owed_is_asked_for_again(cron, rates):
    """Where a slot is owed, the command of a provider that is down settles it."""
    rates.misbehave(Fault(status=503, body=b"{}"))
    with cron.journal() as journal:
        journal.count_failure("one", cron.machine.now, lambda _: cron.machine.now)

    assert {found["mend"] for found in cron.doctor().of("provider-down")} == {"ratectl run one"}


def test_no_network_is_one_line(cron, monkeypatch):
    """A machine without a network is one line for all jobs, whichever providers they have."""
    hosts = {"one": ("a.example", "b.example"), "two": ("c.example",)}
    said = {
        job: [
            ProviderProbe(
                name, name, FetchError(FailureKind.OFFLINE, f"{name}: name lookup failed")
            )
            for name in names
        ]
        for job, names in hosts.items()
    }
    monkeypatch.setattr(probe, "providers", lambda *_: said)

    text = cron.ask().text

    assert text.count("fault: ") == 1
    assert "provider-offline: one, two: offline: none of its providers can be reached" in text
    assert "(name lookup failed)" in text


@pytest.mark.parametrize(
    ("certificate", "check"), [("valid", "provider-behind-portal"), ("expired", "clock-wrong")]
)
def test_certificates(cron, certificate, check):
    """A certificate of nobody's is not let pass, and one that is out of date lets us doubt the clock."""
    pem = Path(__file__).parents[1] / "fetch" / "certificates" / f"{certificate}.pem"
    trusted = pem if certificate == "expired" else None
    with RateServer(demo_table(), certificate=pem, clock=lambda: cron.machine.now) as server:
        bundle = f'[ratectl]\nca_bundle = "{trusted}"' if trusted else ""
        cron.reinstall(provider=server.url, more=bundle)
        if trusted:
            cron.machine.files[trusted] = b""

        told = cron.doctor("one")

    assert checks(told) == {(check, "fault", "one")}
    assert "certificate" in told.text


def test_offline(cron, rates):
    """With --offline nobody is asked anything."""
    cron.reinstall(provider=DEAD)

    assert cron.doctor("--offline").findings == []
    assert rates.requests == []


def test_key_in_the_environment(cron, monkeypatch):
    """A key that stands in the shell's environment is not there at night."""
    monkeypatch.setenv("OFFICE_KEY", "secret")
    url = f"{cron.url}/v4/latest/{{base}}"
    cron.reinstall(
        job='providers = ["office"]',
        more=f'[providers.office]\nkind = "http-json"\nurl = "{url}"\nrate = "rates.{{quote}}"\n'
        'api_key = "env:OFFICE_KEY"',
    )

    told = cron.doctor()

    assert checks(told) == {("key-in-environment", "warning", "one")}
    assert told.findings[0]["mend"] == (
        "(umask 077 && printenv OFFICE_KEY > /home/tester/office.key)"
    )
    assert "secret" not in told.text


def test_ca_bundle(cron, tmp_path):
    """A bundle of roots that is gone keeps every request from being made."""
    bundle = tmp_path / "roots.pem"
    bundle.touch()
    cron.reinstall(more=f'[ratectl]\nca_bundle = "{bundle}"')

    told = cron.doctor("--offline")  # the machine has no such file

    assert checks(told) == {("ca-bundle-missing", "fault", job) for job in ("one", "two")}


def test_databases(cron, postgres):
    """A database that lets us in is well, one that does not answer is a fault."""
    cron.reinstall(output=postgres.url(postgres.database()))
    assert cron.doctor().findings == []

    cron.reinstall(output="postgresql://rates@127.0.0.1:9/rates")
    told = cron.doctor()

    assert checks(told) == {("database-unreachable", "fault", "one")}
    assert told.findings[0]["mend"] == "psql postgresql://rates@127.0.0.1:9/rates -c 'SELECT 1'"


def test_shared_journal_out_of_reach(cron):
    """A record that several hosts share and that does not answer is a fault, and no reason to doubt the engine."""
    cron.reinstall(more='[ratectl]\njournal = "postgresql://rates@127.0.0.1:9/rates"')
    cron.wait(days=2)

    told = cron.doctor()

    assert {check for check, *_ in checks(told)} == {"database-unreachable", "clock-wrong"}
