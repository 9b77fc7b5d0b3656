"""Wanted against found: choose the target, plan, execute steps, read back, and take back what does not hold (``install.py``)."""
