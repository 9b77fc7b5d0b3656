"""Two rate servers in a network of their own that has nothing but ``lo``: one answers, the other hangs.

Started through ``unshare --net``; prints a line when both serve, and ends with its stdin.
"""

from __future__ import annotations

import sys
from pathlib import Path

ANSWERS, HANGS = 8377, 8378

if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    sys.path[:0] = [str(here), str(here.parents[1])]
    from rootfs import raise_loopback

    from tests.support.rate_server import Fault, RateServer, demo_table

    raise_loopback()
    with RateServer(demo_table(), port=ANSWERS), RateServer(demo_table(), port=HANGS) as hanging:
        hanging.misbehave(Fault(hang=True), times=1000)
        print("serving", flush=True)  # noqa: T201
        sys.stdin.read()
