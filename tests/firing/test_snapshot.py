"""A job's snapshot as text: what fits comes back as it was, and everything else is named by its place."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from ratectl.errors import ConfigError
from ratectl.firing.snapshot import job_in


def test_round_trip(job, changed):
    """A job comes back equal from its own text."""
    full = changed(job(), agree=Decimal("0.01"), tags=("a",), notify=("ntfy://x",))

    assert job_in(full.to_json()) == full


def test_defaults(job):
    """What an older version did not write yet has its default."""
    plain = job().to_plain()
    del plain["tags"], plain["ca_bundle"]

    assert job_in(json.dumps(plain)) == job()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", r"it is \[\], expected an object"),
        ("null", "it is None, expected an object"),
    ],
)
def test_no_object(text, said):
    """Text that is no object at all is refused as such."""
    with pytest.raises(ConfigError, match=f"--snapshot: {said}"):
        job_in(text)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"timezone": 5}, "timezone is 5, expected a text"),
        ({"jitter": True}, "jitter is True, expected a whole number"),
        ({"enabled": "yes"}, "enabled is 'yes', expected true or false"),
        ({"pairs": "USD/INR"}, "pairs is 'USD/INR', expected a list"),
        ({"pairs": [{"base": "USD"}]}, r"pairs\[0\].quote is missing"),
        ({"pairs": []}, "pairs is empty"),
        (
            {"providers": [{"name": "x", "kind": "y"}]},
            r"providers\[0\].kind is 'y', expected one of exch",
        ),
        ({"outputs": [{"kind": "fax", "target": "1"}]}, r"outputs\[0\].kind is 'fax'"),
        ({"catch_up": "sometimes"}, "'sometimes' is not a valid CatchUp"),
        ({"agree": "much"}, "--snapshot: "),
        ({"colour": "red"}, "colour is not known here"),
    ],
)
def test_what_is_wrong(job, changes, said):
    """Each fault is named with its place, what was found and what was expected."""
    with pytest.raises(ConfigError, match=said):
        job_in(json.dumps(job().to_plain() | changes))


def test_all_at_once(job):
    """Several faults are told together."""
    plain = job().to_plain() | {"timeout": "90s", "colour": "red"}
    del plain["name"]

    with pytest.raises(
        ConfigError, match="colour is not known here; name is missing; timeout is '90s'"
    ):
        job_in(json.dumps(plain))


GOLDEN = sorted((Path(__file__).resolve().parents[1] / "golden").glob("*/kubernetes/*.yaml"))


@pytest.mark.parametrize("manifest", GOLDEN, ids=lambda path: path.stem)
def test_manifests_hold_one(manifest):
    """What a recorded manifest starts is a job that a pod takes."""
    cron_job = yaml.safe_load(manifest.read_text(encoding="utf-8"))
    pod = cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    name, flag, text = container["args"]

    assert flag == "--snapshot"
    assert job_in(text.replace("$$", "$")).name == name


def test_there_are_manifests():
    """The recorded manifests are found."""
    assert len(GOLDEN) > 3
