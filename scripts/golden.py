"""Rewrites the golden files under ``tests/golden`` from what ratectl renders now.

Run it after a change of rendering, then review the difference as a person:
``python scripts/golden.py && git diff tests/golden``.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from ratectl import spec
from ratectl.backends import BACKENDS
from ratectl.backends.host import Host
from ratectl.deploy import install, targets

if TYPE_CHECKING:
    from collections.abc import Collection

    from ratectl.backends.reader import Reader

GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden"


def cases() -> list[Path]:
    """Return the folders that hold a case: ``spec.toml`` and the ``host.json`` it is rendered for."""
    return sorted(path.parent for path in GOLDEN.glob("*/spec.toml"))


def rendered(case: Path, engines: Collection[str] = tuple(BACKENDS)) -> dict[str, bytes]:
    """Return every file of *case* for *engines* by its path below the case, ``BACKEND/NAME``."""
    facts = json.loads((case / "host.json").read_text(encoding="utf-8"))
    content = (case / "spec.toml").read_bytes()
    jobs = spec.loads(content, path=case / "spec.toml", host_timezone=facts["zone"]).jobs
    files: dict[str, bytes] = {}
    for name, own in facts["hosts"].items():
        if name not in engines:
            continue
        target = targets.Target(
            backend=BACKENDS[name],
            scope=facts["scope"] if facts["scope"] in BACKENDS[name].SCOPES else "user",
            host=_host(facts["zone"], own),
            reader=cast("Reader", SimpleNamespace()),  # rendering looks at nothing
        )
        files |= {f"{name}/{file}": data for file, data in install.files(target, jobs).items()}
    return files


def recorded(case: Path) -> dict[str, bytes]:
    """Return the golden files of *case* in the same form."""
    return {
        path.relative_to(case).as_posix(): path.read_bytes()
        for path in sorted(case.rglob("*"))
        if path.is_file() and path.parent != case
    }


def _host(zone: str, own: dict[str, Any]) -> Host:
    kind = PureWindowsPath if own["platform"] == "win32" else Path  # as that system spells it
    home = kind(own["home"])
    return Host(
        platform=own["platform"],
        zone=ZoneInfo(zone),
        fetch=tuple(own["fetch"]),
        state_dir=cast("Path", kind(own["state_dir"])),
        state_is_default=own["state_is_default"],
        user=own["user"],
        home=home,
        config_home=home / ".config",
        data_home=home / ".local" / "share",
        root=False,
    )


def main() -> None:
    """Rewrite every case."""
    argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0]).parse_args()
    for case in cases():
        for folder in (path for path in case.iterdir() if path.is_dir()):
            shutil.rmtree(folder)
        for name, data in rendered(case).items():
            path = case / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        print(f"{case.name}: {len(recorded(case))} files")


if __name__ == "__main__":
    main()
