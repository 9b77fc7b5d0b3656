"""ratectl-fetch as artefacts start it: ``python -I -S`` and this file, which finds its package by its own place.

Python compiles the file that it starts anew each time, so there is next to nothing in it.
"""

import os
import sys

if not __package__:
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib costs 4 ms
    # After Python's own modules; what another version of us may lie in comes with site, and then after this one.
    place = len(sys.path) if sys.flags.no_site else 0
    sys.path.insert(place, os.path.dirname(os.path.dirname(here)))  # noqa: PTH120

from ratectl.firing.command_line import main

if __name__ == "__main__":
    main()
