"""``python -m ratectl`` is ``ratectl``: the folder that one stands in, where Python looks first, has no part in it."""

import os
import sys

if not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:  # noqa: PTH109 - before pathlib is loaded
    del sys.path[0]

from ratectl.cli import main

main()
