"""Makes what README, manual and manual page show: tables, the manual page, the recorded session, the pictures.

Without a word it rewrites the tables of the README and the manual, and the manual page. The session needs root on Linux after
scripts/test.py, the picture the extra ``dev`` and Chromium.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

if not __package__:
    # Started by its path: modules are found from the checkout on, so that each has one name.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

TABLES = ("readme", "manpage")
KINDS = (*TABLES, "session", "picture")


def main(words: list[str]) -> int:
    """Make the document that the first of *words* names, which is given the others."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument(
        "kind", nargs="?", choices=KINDS, help="readme and manpage where none is named"
    )
    parser.add_argument("more", nargs="*", help="of `picture`: a folder for those of every state")
    flags = parser.parse_args(words)
    if flags.more and flags.kind in TABLES:
        parser.error(f"{flags.kind} takes no other word")
    if flags.kind is None:
        return max(main([kind]) for kind in TABLES)
    code: int = importlib.import_module(f"scripts.docs.{flags.kind}").main(flags.more)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
