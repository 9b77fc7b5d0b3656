"""Lint, format and types of the whole checkout: ``check.py``, inside the environment.

Runs everything even when something fails, so that one run names every problem.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "--quiet", "."),
    ("mypy",),
)


def main() -> int:
    """Run every check and return the first failure's exit code."""
    argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0]).parse_args()
    codes = []
    for module, *arguments in CHECKS:
        print(f"$ {' '.join((module, *arguments))}", flush=True)
        argv = (sys.executable, "-m", module, *arguments)
        codes.append(subprocess.run(argv, cwd=ROOT, check=False).returncode)
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main())
