"""What several commands share: options, terminals, progress, date ranges, files they write."""
