"""How much two pictures show the same drawn person, by what a scorer reads of the build.

Networks that know photographed people find no face in some drawings. What a renderer makes one
person of is known, though, and its scorer reads it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from latentfu_builtin.conditional_mapping.scored_attributes import ScoredAttributes

PERSON = ("face_width", "jaw", "nose_length", "eye_size", "eye_hue", "skin_tone")
"""What a person keeps, whatever the face does."""


def find_build_distance(
    attributes: ScoredAttributes,
) -> Callable[[Tensor, Tensor], Tensor] | None:
    """Pictures [N, 3, R, R] twice -> 1 - cosine of their builds [N]: 0 the same, 1 anybody.

    None where the scorer does not read all of :data:`PERSON`, or one of them is given over.
    """
    known = attributes.scorer.attributes
    if not set(PERSON) <= set(known) - set(attributes.names):
        return None
    columns = [known.index(name) for name in PERSON]

    def compare(first: Tensor, second: Tensor) -> Tensor:
        one, other = (attributes.read(each)[:, columns] for each in (first, second))  # [N, 6]
        return 1.0 - F.cosine_similarity(one, other, dim=1)

    return compare
