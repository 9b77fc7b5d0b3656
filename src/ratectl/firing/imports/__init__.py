"""Rates out of files that others, or an earlier ratectl, wrote: lines in, rows of the journal out, each once."""
