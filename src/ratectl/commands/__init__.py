"""One file per verb, in the folder of its group in ``ratectl --help``: flags and clock in, one call, one view printed."""
