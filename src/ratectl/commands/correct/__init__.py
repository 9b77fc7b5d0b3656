"""Commands that change what is recorded, by hand."""
