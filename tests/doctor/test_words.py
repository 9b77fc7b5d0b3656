"""The words of the checks are a contract with programs: each stands in the manual, and nothing else does."""

from __future__ import annotations

import re
from pathlib import Path

from ratectl.doctor.entries import SPEC_CHECKS
from ratectl.doctor.network import CHECKS

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    *(ROOT / "src/ratectl/doctor").glob("*.py"),
    ROOT / "src/ratectl/commands/mend/doctor.py",
]


def test_every_check_is_documented():
    """Every word that a finding can carry is in the manual's table, and every word there is one."""
    text = "\n".join(path.read_text() for path in SOURCES)
    said = (
        set(re.findall(r'check(?:=| = )"([a-z-]+)"', text))
        | set(CHECKS.values())
        | set(SPEC_CHECKS.values())
    )
    said |= set(re.findall(r'(?:return|else) "((?:program|spec)-[a-z-]+)"', text))
    page = (ROOT / "src/ratectl/manual/monitoring.md").read_text(encoding="utf-8")
    section = page.partition("## Is it really running?")[2].partition("\n## ")[0]
    table = "".join(line for line in section.splitlines() if line.startswith("| "))

    assert said == set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", table))
