"""Makes what README, manual and manual page show: ``documents.py [readme | manpage | session | picture]``.

Without a word it rewrites the tables of the README and the manual, and the manual page. The session needs root on Linux after
scripts/test.py, the picture the extra ``dev`` and Chromium.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

if not __package__:
    # Started by its path: modules are found from the checkout on, so that each has one name.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

KINDS = ("readme", "manpage", "session", "picture")


def main(words: list[str]) -> int:
    """Make the document that the first of *words* names, which is given the others."""
    if not words:
        return max(main([kind]) for kind in ("readme", "manpage"))
    if words[0] not in KINDS:
        print((__doc__ or "").split("\n", 1)[0], file=sys.stderr)
        return 2
    code: int = importlib.import_module(f"scripts.docs.{words[0]}").main(words[1:])
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
