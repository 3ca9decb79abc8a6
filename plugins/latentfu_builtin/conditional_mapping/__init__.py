"""Editing by a reference picture: a trained conditional mapping gives a layer its attributes."""
