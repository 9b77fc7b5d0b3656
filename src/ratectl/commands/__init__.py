"""One file per verb: flags and clock in, one call, print a report."""
