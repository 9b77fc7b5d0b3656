"""Wanted against found: choose the target, plan, execute steps, read back, roll back. The only door to subprocess."""
