"""Directions of other projects, read, recognized and turned into direction files."""
