"""Wanted pairs and days in, believed quotes or reasons out. Knows HTTP and providers, writes nothing."""
