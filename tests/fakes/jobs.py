"""Jobs for tests, through the spec's own reader: TOML in, values out."""

from __future__ import annotations

from pathlib import Path

from ratectl import spec


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


def job(name="usd-inr", **keys):
    """Return one job."""
    return jobs(name, **keys)[0]
