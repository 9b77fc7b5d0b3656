"""The doctor: ``observations.py`` gathers, the modules by subject look for one thing each, ``diagnose.py`` asks them all."""
