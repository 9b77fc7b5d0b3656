"""Quotes already in the journal reach files and tables exactly once; formats/ has one module for each kind."""
