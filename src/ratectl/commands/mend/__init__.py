"""Commands that find what is wrong with installed jobs, and change how they run."""
