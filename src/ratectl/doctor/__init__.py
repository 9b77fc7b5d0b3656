"""The doctor: ``scene.py`` gathers, the modules by subject look for one thing each, ``examine.py`` asks them all."""
