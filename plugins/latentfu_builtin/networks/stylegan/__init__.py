"""StyleGAN 1, 2, 3, the attention mapping of W++, and what they have in common."""

from __future__ import annotations

import pkgutil


def list_architectures() -> list[str]:
    """The packages in this folder, each named as its files call their architecture."""
    return sorted(found.name for found in pkgutil.iter_modules(__path__) if found.ispkg)
