"""The names of the regions of a face, without anything that takes time to import."""

from __future__ import annotations

FACE_REGIONS: tuple[str, ...] = (
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
"""What the parser tells apart, in the order of its channels: those of the people renderer."""
