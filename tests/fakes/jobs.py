"""Jobs for tests, through the spec's own reader: TOML in, values out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ratectl import spec
from ratectl.model.cluster import Cluster
from ratectl.model.job import Output


def jobs(*names, host_timezone="Asia/Kolkata", **keys):
    """Return one job for each name, all with the same *keys* as TOML texts."""
    values = {
        "pairs": '["USD/INR"]',
        "schedule": '"every day at 10:30"',
        "output": '"/home/tester/rates.txt"',
        "timezone": '"Asia/Kolkata"',
    }
    body = "\n".join(f"{key} = {value}" for key, value in (values | keys).items())
    text = "\n".join(f"[jobs.{name}]\n{body}" for name in names)
    return spec.loads(
        text.encode(), path=Path("/home/tester/jobs.toml"), host_timezone=host_timezone
    ).jobs


def in_a_cluster(one, **cluster):
    """Return the job *one* as it would be for Kubernetes: recorded in PostgreSQL."""
    where = {"image": "registry.example/ratectl:1.0.0", "namespace": "rates"} | cluster
    url = "postgresql://recorder@db.example/rates"
    output = Output(kind="postgresql", target=url)
    return replace(one, outputs=(output,), journal=url, kubernetes=Cluster(**where))


def job(name="usd-inr", **keys):
    """Return one job."""
    return jobs(name, **keys)[0]
