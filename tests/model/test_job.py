"""Jobs as values: their plain form, and what they refuse."""

import dataclasses
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratectl.model.job import CatchUp, ClosedDays, Job, Overlap, Pair, Provider
from tests.fakes.jobs import job

JOB = job()


@given(
    pairs=st.lists(st.builds(Pair, base=st.just("USD"), quote=st.sampled_from(["INR", "EUR"]))),
    providers=st.lists(st.builds(Provider, name=st.text(), kind=st.text(), timeout=st.integers())),
    catch_up=st.sampled_from(CatchUp),
    overlap=st.sampled_from(Overlap),
    closed_days=st.sampled_from(ClosedDays),
    agree=st.decimals("0.000001", 1, places=6),
    tags=st.lists(st.text()),
)
def test_plain_form_is_lossless(pairs, providers, catch_up, overlap, closed_days, agree, tags):
    """A job that went through JSON is the same job."""
    before = dataclasses.replace(
        JOB,
        pairs=tuple(pairs),
        providers=tuple(providers),
        catch_up=catch_up,
        overlap=overlap,
        closed_days=closed_days,
        agree=agree,
        tags=tuple(tags),
    )

    assert Job.from_plain(json.loads(before.to_json())) == before
    assert json.loads(before.to_json()) == json.loads(json.dumps(before.to_plain()))


def test_decimals_stay_exact():
    """A fraction keeps its digits in the plain form."""
    plain = dataclasses.replace(JOB, agree=Decimal("0.0150")).to_plain()

    assert plain["agree"] == "0.0150"


def test_unknown_key_of_a_snapshot_is_refused():
    """A snapshot of a newer version is not half-understood."""
    with pytest.raises(TypeError):
        Job.from_plain(JOB.to_plain() | {"colour": "red"})
