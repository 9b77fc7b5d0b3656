"""TOML text -> Jobs, or one SpecError with every issue of the file."""

from __future__ import annotations

from ratectl.spec.document import Spec, job_digest, load, loads, read

__all__ = ["Spec", "job_digest", "load", "loads", "read"]
