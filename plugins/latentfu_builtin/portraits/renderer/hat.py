"""A brimmed hat, in head coordinates."""

from __future__ import annotations

import torch
from torch import Tensor

from latentfu_builtin.portraits.renderer.anatomy import Anatomy
from latentfu_builtin.portraits.renderer.shapes import Point, blend, ellipsoid, present

BRIM_Y = 0.43


def hat_solid(p: Point, a: Anatomy) -> Tensor:
    """Distance to crown and brim, ``[N, P]``; far away where no hat is worn."""
    e = a.extras
    # The hat sits a little lower at the back.
    y = p.y - BRIM_Y + 0.08 * p.z
    width = a.skull.half_width * 1.02 + 0.045
    crown = ellipsoid(Point(p.x, y, p.z + 0.1), width, 0.36 + 0.13 * e.hat, 0.59)
    crown = torch.maximum(crown, -y)
    # The brim curls up at the sides.
    lifted = y - 0.12 * p.x * p.x
    brim = ellipsoid(Point(p.x, lifted, p.z + 0.06), width + 0.17, 0.03, 0.8)
    return present(blend(crown, brim, 0.04), e.hat_on, 0.4)
