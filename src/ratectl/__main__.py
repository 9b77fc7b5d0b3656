"""``python -m ratectl`` is ``ratectl``."""

from ratectl.cli import main

main()
