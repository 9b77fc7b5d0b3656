"""How long what failed is left alone before it is tried again: 4, 8, 16, 32 and then 60 minutes.

One rule for every engine, whatever wakes the job in between; ``firing/runner.py`` keeps to it. Read by wakeups that do nothing, so it imports nothing.
"""

FIRST_WAIT = 240
"""Seconds after the first failure; doubled with each further one in a row."""
LONGEST_WAIT = 3600


def wait(failures: int) -> int:
    """Return the seconds between the last of so many *failures* in a row and the next try."""
    return min(LONGEST_WAIT, FIRST_WAIT << min(failures - 1, 4))
