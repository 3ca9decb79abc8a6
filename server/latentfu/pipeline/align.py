"""Crops of layers, found once: moving a slider looks for no face."""

from __future__ import annotations

from latentfu.core.crop import Crop, Quad
from latentfu.core.layer import Layer, MaskPixels
from latentfu.hookspecs import Aligner
from latentfu.pipeline import crop as cropping
from latentfu.pipeline.lru_cache import Recent
from latentfu.pipeline.placement import MANUAL, Placement, found_in, pick_quad, quad_by_hand


class Cropper:
    """Finds the square to work on and cuts it out; keeps the newest answers."""

    def __init__(self, room: int = 8) -> None:
        self._quads: Recent[list[Quad]] = Recent(room)
        self._crops: Recent[Crop] = Recent(room)

    def crop(
        self,
        layer: Layer,
        aligner: Aligner,
        resolution: int,
        placing: Placement,
        mask: MaskPixels | None = None,
    ) -> Crop:
        """The crop of ``layer`` where ``placing`` says, else where ``aligner`` finds it.

        ``mask``: of several faces the selected one. Raises BadInputError.
        """
        placing.check()
        cropping.check_layer(layer)
        digest = layer.digest()
        if placing.by_hand:
            quad, name = quad_by_hand(placing, aligner), MANUAL
        else:
            key = (digest, aligner.name)
            quads = self._quads.get_or_make(key, lambda: found_in(layer, aligner))
            quad, name = pick_quad(quads, placing, mask, aligner), aligner.name

        def make() -> Crop:
            return cropping.cut(layer, quad, resolution, name, aligner.padding)

        return self._crops.get_or_make((digest, quad, name, resolution, aligner.padding), make)
