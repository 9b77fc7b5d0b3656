"""Addresses in a spec: what no request can be made for is refused with its line, before anything is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratectl import spec
from ratectl.errors import SpecError

JOB = """[jobs.usd-inr]
pairs = ["USD/INR"]
schedule = "every day at 10:30"
output = "rates.txt"
"""
PROXY = '[ratectl]\nproxy = "{}"\n' + JOB
PING = JOB + 'ping = "{}"\n'
NOTIFY = JOB + 'notify = ["{}"]\n'
BASE = JOB + '[providers.ecb]\nbase_url = "{}"\n'
TEMPLATE = (
    JOB + 'providers = ["mine"]\n[providers.mine]\nkind = "http-json"\nrate = "rate"\nurl = "{}"\n'
)
PLACES = {"proxy": (PROXY, 2), "ping": (PING, 5), "base_url": (BASE, 6), "url": (TEMPLATE, 9)}
IMPOSSIBLE = {
    "http://h:99999/": "port from 1 to 65535",
    "http://h:0/": "port from 1 to 65535",
    "http://h:-1/": "port from 1 to 65535",
    "http://h:http/": "port from 1 to 65535",
    "http://h/a b": "no blanks",
    "http://h h/": "no blanks",
    " http://h/": "no blanks",
    "https://h/{{base": "a brace is not closed",
    "https://h/base}}": "a brace is not closed, or not opened",
    "http://[::1/": "is no URL",
    "http://h..example/": "1 to 63 characters",
    "http://.example/": "1 to 63 characters",
}


def issues(text):
    with pytest.raises(SpecError) as error:
        spec.loads(text.encode(), path=Path("/srv/jobs.toml"), host_timezone="UTC")
    return error.value.issues


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("url", IMPOSSIBLE)
def test_impossible(place, url):
    """Wherever an address stands, one that no request can be made for is one issue on its line, which says why."""
    template, line = PLACES[place]

    [issue] = issues(template.format(url.format()))

    assert (issue.line, IMPOSSIBLE[url] in issue.message) == (line, True), issue.message


@pytest.mark.parametrize(
    ("place", "url", "whole"),
    [
        ("proxy", "proxy.example:3128", "http://proxy.example:3128"),
        ("proxy", "http:proxy.example:3128", "http://proxy.example:3128"),
        ("ping", "hc", "https://hc"),
        ("ping", "//hc.example/uuid", "https://hc.example/uuid"),
        ("base_url", "rates.example/v4", "https://rates.example/v4"),
    ],
)
def test_without_a_scheme(place, url, whole):
    """An address without http:// or https:// is told so, and as it would be right."""
    template, line = PLACES[place]

    [issue] = issues(template.format(url))

    assert (issue.line, issue.message) == (
        line,
        f'the scheme is missing: expected "{whole}", found "{url}"',
    )


def test_a_login_without_a_scheme():
    """A password is not shown, also where the scheme before it is missing."""
    [issue] = issues(PROXY.format("me:T0KEN@proxy.example:3128"))

    assert issue.message == "a user name or password must not stand in the spec"


@pytest.mark.parametrize("url", ["http://h:99999/T0KEN", "http://h:x/T0KEN", "http://h..x/T0KEN"])
def test_impossible_recipients(url):
    """A recipient of messages is held to the same, and its address, which may be a secret, is not shown."""
    [issue] = issues(NOTIFY.format(url))

    assert issue.line == 5
    assert "expected a " in issue.message
    assert "T0KEN" not in issue.message


@pytest.mark.parametrize(
    "url",
    [
        "http://h:65535/",
        "https://rates.example.",
        "http://[::1]:8080/v4",
        "http://127.0.0.1:8377/v4",
        "https://münchen.example/",
    ],
)
@pytest.mark.parametrize("place", ["proxy", "ping", "base_url"])
def test_possible(place, url):
    """What can be asked is taken as it stands."""
    template, _ = PLACES[place]

    spec.loads(template.format(url).encode(), path=Path("/srv/jobs.toml"), host_timezone="UTC")


@pytest.mark.parametrize("url", ["https://h/{base}/{quote}.json", "https://{base_lower}.h/{quote}"])
def test_placeholders(url):
    """Whole placeholders are no fault of an address."""
    spec.loads(
        TEMPLATE.replace("{}", url).encode(), path=Path("/srv/jobs.toml"), host_timezone="UTC"
    )
