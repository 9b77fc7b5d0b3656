"""Status as metrics for node-exporter's textfile collector; gauges, for the journal keeps what they count.

Names and units: https://prometheus.io/docs/practices/naming/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from ratectl.journal.rows import unix
from ratectl.runtime.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ratectl.views.status import JobStatus


class _Metric(NamedTuple):
    name: str
    meaning: str
    value: Callable[[JobStatus], float | None]
    """None: this job has none."""


OF_JOBS = (
    _Metric("ratectl_job_enabled", "Whether something wakes the job.", lambda s: float(s.enabled)),
    _Metric(
        "ratectl_next_slot_timestamp_seconds",
        "The next slot.",
        lambda s: float(unix(s.next)) if s.next else None,
    ),
    _Metric(
        "ratectl_last_slot_timestamp_seconds",
        "The newest slot that anything became of.",
        lambda s: float(unix(s.last.slot)) if s.last else None,
    ),
    _Metric(
        "ratectl_last_slot_recorded",
        "Whether that slot ended with a rate.",
        lambda s: float(s.last.outcome == "recorded") if s.last else None,
    ),
    _Metric(
        "ratectl_missed_slots",
        "Slots that were never settled, since the installation.",
        lambda s: float(s.missed),
    ),
    _Metric(
        "ratectl_consecutive_failures", "Failed firings in a row.", lambda s: float(s.failures)
    ),
    _Metric(
        "ratectl_drift",
        "Differences between what was installed and what the scheduler and the spec say.",
        lambda s: float(len(s.drift)),
    ),
)


class _Collector:
    """What the registry asks for its metrics."""

    def __init__(self, found: Sequence[JobStatus]) -> None:
        self._found = found

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield each metric with a sample for each job, or each pair of a job."""
        for metric in OF_JOBS:
            family = GaugeMetricFamily(metric.name, metric.meaning, labels=["job"])
            for status in self._found:
                if (value := metric.value(status)) is not None:
                    family.add_metric([status.job], value)
            yield family
        yield from self._rates()

    def _rates(self) -> Iterator[GaugeMetricFamily]:
        labels = ["job", "base", "quote", "provider"]
        rate = GaugeMetricFamily("ratectl_rate", "The newest rate.", labels=labels)
        seen = GaugeMetricFamily(
            "ratectl_rate_observed_timestamp_seconds",
            "When the newest rate was received.",
            labels=labels,
        )
        for status in self._found:
            for pair, entries in status.recent.items():
                quote = entries[-1].quote
                which = [*map(visible, (status.job, pair.base, pair.quote, quote.provider))]
                rate.add_metric(which, float(quote.rate))
                seen.add_metric(which, float(unix(quote.observed_at)))
        yield rate
        yield seen


def exposition(found: Sequence[JobStatus]) -> str:
    """Return *found* in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Collector(found))
    return generate_latest(registry).decode()
