"""What speaks against an entry where it would stand: other accounts' hands, closed folders, another state directory."""
