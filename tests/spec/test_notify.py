"""Whom a job tells: what a spec accepts, what it refuses, and that no issue shows a URL."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ratectl import spec
from ratectl.errors import SpecError
from ratectl.model import notify_url

SPEC = """
[jobs.a]
pairs = ["USD/INR"]
schedule = "every day"
output = "a.txt"
notify = {}
"""


def load(tmp_path, notify):
    loaded = spec.loads(
        SPEC.format(notify).encode(), path=tmp_path / "jobs.toml", host_timezone="UTC"
    )
    return loaded.jobs[0].notify


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.invalid/a?b=c",
        "tgram://12345:abc/678",
        "ntfy://topic",
        "jsons://host:8443/path?verify=yes",
        "mailtos://smtp.invalid?to=me@home.invalid",
        "credential:hook",
        "env:RATES_URL",
    ],
)
def test_accepted(tmp_path, url):
    """A URL of any service, or a reference, is kept as it stands."""
    assert load(tmp_path, f'"{url}"') == (url,)


def test_file_is_found_from_the_spec(tmp_path):
    """A relative file is meant beside the spec, since a firing runs elsewhere; it need not be there yet."""
    assert load(tmp_path, '"file:urls"') == (f"file:{tmp_path / 'urls'}",)


def test_file_is_looked_into(tmp_path):
    """A URL that cannot be used is an issue with file and line, also where it stands in a file."""
    (tmp_path / "urls").write_text("# ours\nmailto://me:hunter2@mail.invalid\njson://h?verify=no\n")

    with pytest.raises(SpecError) as caught:
        load(tmp_path, '"file:urls"')

    [issue] = caught.value.issues
    assert issue.message.startswith(f"{tmp_path / 'urls'}:3: verify=no is refused")


def test_file_may_hold_logins(tmp_path):
    """A user name and a password belong into the file."""
    (tmp_path / "urls").write_text("mailto://me:hunter2@mail.invalid\n")

    assert load(tmp_path, '"file:urls"') == (f"file:{tmp_path / 'urls'}",)


def test_file_of_bytes(tmp_path):
    """A file that is no text is an issue."""
    (tmp_path / "urls").write_bytes(b"\xff\xfe")

    with pytest.raises(SpecError, match="one URL a line"):
        load(tmp_path, '"file:urls"')


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        ("json://h/?verify=no", True),
        ("json://h/?VERIFY=False", True),
        ("json://h/?a=b&verify=0", True),
        ("json://h/?a=b;verify=off", True),
        ("json://h/#?verify=no", True),
        ("json://h/?verif%79=no", True),
        ("json://h/?verify=n%6F", True),
        ("json://h/?verify", True),
        ("json://h/?verify=yes", False),
        ("json://h/?+verify=yes", False),
        ("json://h/verify=no", False),
        ("json://h/?format=verify=no", False),
    ],
)
def test_no_insecure_switch(url, refused):
    """However it is spelled, nothing turns the checking of certificates off."""
    assert notify_url.problem(url).startswith("verify=no is refused") is refused


WITHOUT = """
import sys
sys.modules["apprise"] = None  # which is how an absent package looks
from ratectl import cli
sys.argv = ["ratectl", *sys.argv[1:]]
cli.main()
"""


@pytest.mark.network
@pytest.mark.parametrize("verb", ["check", "plan", "install"])
def test_without_the_library(tmp_path, verb):
    """Where Apprise is not installed, a URL that needs it is an issue that says what to install."""
    path = tmp_path / "jobs.toml"
    path.write_text(SPEC.format('["https://hooks.invalid/x", "ntfy://t0pic"]'))
    argv = (sys.executable, "-c", WITHOUT, verb, str(path))

    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 78
    assert "6: jobs.a.notify: ntfy://...: needs the Apprise library" in done.stdout + done.stderr
    assert "pip install 'ratectl[notify]'" in done.stdout + done.stderr
    assert "t0pic" not in done.stdout + done.stderr
