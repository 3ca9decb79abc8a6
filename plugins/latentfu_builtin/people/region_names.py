"""The names of the regions of a person, without anything that takes time to import."""

from __future__ import annotations

REGIONS: tuple[str, ...] = (
    "background",
    "skin",
    "eyes",
    "brows",
    "nose",
    "mouth",
    "teeth",
    "hair",
    "ears",
    "neck",
    "clothes",
    "glasses",
    "hat",
    "earrings",
)
"""Names of the numbers in a picture's region map, and of the parser's channels."""
