"""The program ``ratectl``, which is ``python -m ratectl``, too: the folder that one stands in, where Python looks first, has no part in it."""

import gc
import os
import sys

COLLECTED = 100_000
"""Python looks for garbage among so many new objects, and not among each 700 or 2,000, its own numbers.

A command that only looks makes fewer, with those of its libraries: what Python would look at over and over is no garbage.
"""

if not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:  # noqa: PTH109 - before pathlib is loaded
    del sys.path[0]


def main() -> None:
    """Run the command line."""
    gc.set_threshold(COLLECTED)
    from ratectl import cli  # noqa: PLC0415 - loaded after that

    try:
        cli.main()
    finally:
        gc.disable()  # Python looks once more at its end, when all goes anyway


if __name__ == "__main__":
    main()
