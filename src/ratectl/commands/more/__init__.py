"""Commands for what is beside that: sources, texts of engines, other journals, the foreground, the manual."""
