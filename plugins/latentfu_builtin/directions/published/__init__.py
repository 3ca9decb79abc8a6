"""Directions of other projects, read, recognised and turned into direction files."""
