"""Commands that bring jobs into the scheduler: write a spec, look at it, install it."""
