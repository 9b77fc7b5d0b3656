"""`ratectl render`: files for every engine on any machine, and nothing else."""

from __future__ import annotations

import plistlib
from pathlib import Path

import pytest

from ratectl import __version__
from ratectl.commands.more.render import render
from ratectl.errors import ConfigError, SpecError, UsageError

SPEC = """
[jobs.usd-inr]
pairs = ["USD/INR"]
schedule = "every day at 10:30"
timezone = "Asia/Kolkata"
output = "/srv/rates.txt"
"""


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "jobs.toml"
    path.write_text(SPEC)
    return path


@pytest.mark.parametrize(
    ("backend", "names"),
    [
        ("cron", ["crontab"]),
        ("systemd", ["ratectl-usd-inr.service", "ratectl-usd-inr.timer"]),
        ("windows", ["usd-inr.xml"]),
        ("launchd", ["ratectl.usd-inr.plist"]),
    ],
)
def test_names(spec, tmp_path, backend, names):
    """Each engine's files have the names that programs rely on."""
    out = tmp_path / "out" / "deep"

    render(spec, backend=backend, out=out, host_timezone="Asia/Kolkata")

    assert sorted(path.name for path in out.iterdir()) == names


def test_the_program_can_be_named(spec, tmp_path):
    """For another system the program to call is given by hand."""
    render(spec, backend="launchd", out=tmp_path, program="/opt/x/ratectl-fetch")

    values = plistlib.loads((tmp_path / "ratectl.usd-inr.plist").read_bytes())
    assert values["ProgramArguments"] == ["/opt/x/ratectl-fetch", "usd-inr", "--again"]


def test_what_a_scheduler_cannot_wake(spec, tmp_path):
    """A refusal says that nothing was written, and its example names the image of this version."""
    out = tmp_path / "out"

    with pytest.raises(ConfigError) as told:
        render(spec, backend="kubernetes", out=out)

    assert "so nothing was written:" in str(told.value)
    assert f'image = "registry.example/ratectl:{__version__}"' in str(told.value)
    assert not out.exists()


def test_the_host_zone_is_the_target_s(spec, tmp_path):
    """Lines are meant in the zone of the machine that they are for."""
    render(spec, backend="cron", out=tmp_path, host_timezone="UTC")

    assert b"\n0 5 * * * " in (tmp_path / "crontab").read_bytes()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"backend": "at"}, "no such scheduler"),
        ({"backend": "cron", "host_timezone": "Mars/Base"}, "no such IANA zone"),
        ({"backend": "windows", "scope": "system"}, "windows has user"),
    ],
)
def test_what_cannot_be_meant(spec, tmp_path, options, told):
    """An unknown engine, zone or scope is refused, and nothing is written."""
    with pytest.raises(UsageError, match=told):
        render(spec, out=tmp_path / "out", **options)

    assert not (tmp_path / "out").exists()


def test_a_broken_spec_writes_nothing(tmp_path):
    """A spec with an issue gives no file."""
    path = tmp_path / "jobs.toml"
    path.write_text("[jobs.x]\n")

    with pytest.raises(SpecError):
        render(path, backend="cron", out=tmp_path / "out")

    assert not (tmp_path / "out").exists()
    assert Path(path).exists()
