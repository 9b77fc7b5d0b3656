"""Metrics in Prometheus' text format, read back by Prometheus' own parser."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ratectl.views import prometheus
from tests.views.conftest import SLOT, fired


@pytest.fixture
def samples():
    """Return the samples of statuses: name and labels -> value."""

    def read(*found):
        families = text_string_to_metric_families(prometheus.exposition(found))
        return {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }

    return read


def test_of_a_job(samples, status):
    """Each job has its gauges, and each pair its rate with the provider."""
    found = samples(status(missed=3, failures=1, drift=("a", "b")))
    job = ("job", "usd-inr")
    rate = (("base", "USD"), job, ("provider", "frankfurter"), ("quote", "INR"))

    assert found == {
        ("ratectl_job_enabled", job): 1,
        ("ratectl_next_slot_timestamp_seconds", job): SLOT.timestamp() + 86_400,
        ("ratectl_last_slot_timestamp_seconds", job): SLOT.timestamp(),
        ("ratectl_last_slot_recorded", job): 1,
        ("ratectl_missed_slots", job): 3,
        ("ratectl_consecutive_failures", job): 1,
        ("ratectl_drift", job): 2,
        ("ratectl_rate", *rate): 95.12,
        ("ratectl_rate_observed_timestamp_seconds", *rate): SLOT.timestamp() + 3,
    }


def test_what_is_unknown_is_left_out(samples, status):
    """A job without a past or a future has no such samples, rather than made-up numbers."""
    found = samples(status(next=None, last=None, recent={}))

    assert {name for name, *_ in found} == {
        "ratectl_job_enabled",
        "ratectl_missed_slots",
        "ratectl_consecutive_failures",
        "ratectl_drift",
    }


def test_a_failed_slot_is_not_recorded(samples, status):
    """The last slot counts as recorded only with a rate."""
    found = samples(status(last=fired("failed")))

    assert found["ratectl_last_slot_recorded", ("job", "usd-inr")] == 0


def test_without_jobs(samples):
    """Without jobs there are no samples, and the text is still valid."""
    assert samples() == {}
