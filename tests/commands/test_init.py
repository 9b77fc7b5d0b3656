"""``ratectl init`` writes a spec that is right as it stands."""

import stat
import sys

import pytest

from ratectl.spec import load


def test_starter_is_valid(ratectl, tmp_path):
    """The starter spec loads, holds what was asked for, and is private."""
    path = tmp_path / "new" / "jobs.toml"

    answer = ratectl(
        *("init", str(path), "--pair", "EUR/USD", "--schedule", "every weekday at 16:30"),
        *("--output", "rates.csv"),
    )

    (job,) = load(path, host_timezone="UTC").jobs
    assert answer.code == 0
    assert str(path) in answer.out
    assert (job.name, str(job.pairs[0])) == ("eur-usd", "EUR/USD")
    assert job.schedule_texts == ("every weekday at 16:30",)
    assert str(job.outputs[0]) == f"csv:{path.parent / 'rates.csv'}"
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_existing_file_is_left(ratectl, spec):
    """A spec that exists is never overwritten."""
    before = spec.read_bytes()

    answer = ratectl("init", str(spec))

    assert answer.code == 2
    assert "exists already" in answer.err
    assert spec.read_bytes() == before


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("--pair", "USD/INX", 78),
        ("--schedule", "every dya", 78),
        ("--schedule", "every day\nat 10:30", 2),
        ("--output", 'a".xyz', 78),
    ],
)
def test_wrong_values_write_nothing(ratectl, tmp_path, option, value, code):
    """A value that the spec would refuse is refused now, and no file is left."""
    path = tmp_path / "jobs.toml"

    assert ratectl("init", str(path), option, value).code == code
    assert not path.exists()


def test_odd_values_are_quoted(ratectl, tmp_path):
    """Quotes and backslashes arrive in the spec as they were typed."""
    path = tmp_path / "jobs.toml"

    assert ratectl("init", str(path), "--output", r'a "b" \c.txt').code == 0

    (job,) = load(path, host_timezone="UTC").jobs
    assert job.outputs[0].target == str(tmp_path / r'a "b" \c.txt')
