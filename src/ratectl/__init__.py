"""Records exchange rates unattended, on the operating system's own schedules."""

__version__ = "1.0.0"
