"""What speaks against an entry where it would stand: other accounts' hands, closed folders, files that cannot be written, another state directory, nobody who serves it."""
