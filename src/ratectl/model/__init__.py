"""Frozen values that more than one stage speaks of: jobs, quotes, kinds of providers. No I/O, no clock."""
