"""The record: what is installed, which slots are settled with which quotes, what waits for an output. All SQL against it is here."""
