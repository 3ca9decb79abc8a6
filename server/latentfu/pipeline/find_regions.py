"""The regions of a layer as a picture: a mask of some of them, or a colored map of all."""

from __future__ import annotations

import colorsys

import numpy as np
import numpy.typing as npt

from latentfu.core.crop import Crop
from latentfu.core.errors import BadInputError
from latentfu.core.layer import Layer, MaskPixels
from latentfu.core.progress import Stopwatch
from latentfu.core.regions import RegionParser
from latentfu.pipeline.acting_regions import LEAST_SHARE, check_regions, require_parser, say_unsure
from latentfu.pipeline.align import Cropper, Placement
from latentfu.pipeline.crop import Floats, box_around
from latentfu.pipeline.region_map import RegionMap, RegionReader, place_region
from latentfu.plugin_manager import get_registry, pick
from latentfu.plugin_objects import Aligner, GeneratorSpec
from latentfu.protocol.replies import RegionReply, RegionsReply
from latentfu.protocol.requests import LayerRequest, RegionsRequest

_SIDE = 256
"""Pixels of the crop that is parsed."""
_OUT, _IN = 0.25, 0.75
"""Probability at which a mask is black, and at which it is white."""
_GOLDEN = 0.618034


class RegionFinder:
    """Finds regions in layers, without a generator."""

    def __init__(self, reader: RegionReader, cropper: Cropper) -> None:
        self._reader, self._cropper = reader, cropper

    def find(
        self,
        layer: Layer,
        request: RegionsRequest,
        spec: GeneratorSpec,
        placement: Placement,
        mask: MaskPixels | None,
        *,
        acting: tuple[str, ...] = (),
    ) -> tuple[Layer, RegionsReply]:
        """The mask (one channel, 255 inside) or the map (RGB), and what was found.

        ``mask``: says which of several faces is meant, and cuts the result to it. ``acting``:
        where the request's controls act; those of them that the picture has join its regions.

        Raises:
            NotInstalledError: no parser is installed, or none knows a region of that name.
            BadInputError: no face is found, its regions are not sure, or it has none of these.
        """
        watch = Stopwatch()
        parser = require_parser(spec)
        check_regions(request.regions, parser)
        aligner = choose_aligner(request, parser, spec)
        crop = self._cropper.crop(layer, aligner, _SIDE, placement, mask)
        watch.lap("crop")
        found = self._reader.read(parser, crop.image)
        if found.surety < parser.least_surety:
            raise BadInputError(say_unsure(found.surety))
        names = tuple(dict.fromkeys((*request.regions, *acting)))
        shown = _show_mask(layer, crop, found, names) if names else _show_map(layer, crop, found)
        if mask is not None:
            shown = np.where(mask[:, :, None] > 0, shown, 0).astype(np.uint8)
        watch.lap("regions")
        return Layer(shown), _describe(parser, crop, found, names, watch)


def choose_aligner(request: LayerRequest, parser: RegionParser, spec: GeneratorSpec) -> Aligner:
    """The one that was asked for, else one for what the parser knows, else the generator's."""
    known = get_registry().installed(Aligner)
    if request.aligner is not None:
        return pick(known, request.aligner, "aligner")
    for aligner in known.values():
        if set(aligner.domains) & set(parser.domains):
            return aligner
    return pick(known, spec.aligner, "aligner")


def _show_mask(
    layer: Layer, crop: Crop, found: RegionMap, names: tuple[str, ...]
) -> npt.NDArray[np.uint8]:
    """uint8 ``[H, W, 1]``: 255 where these regions are, soft at their edges."""
    probability = found.weigh(names)
    if (probability > 0.5).mean() < LEAST_SHARE:
        raise BadInputError(f"There is no {' or '.join(names)} in this picture.")
    sharp = np.clip((probability - _OUT) / (_IN - _OUT), 0.0, 1.0)
    return _place(layer, crop, sharp[:, :, None] * 255.0)


def _show_map(layer: Layer, crop: Crop, found: RegionMap) -> npt.NDArray[np.uint8]:
    """uint8 ``[H, W, 3]``: each region in its color, black outside the crop."""
    hues = np.arange(len(found.names)) * _GOLDEN
    colors = np.array([colorsys.hsv_to_rgb(hue % 1.0, 0.6, 0.95) for hue in hues], np.float32)
    return _place(layer, crop, colors[found.parts.argmax(axis=0)] * 255.0)


def _place(layer: Layer, crop: Crop, picture: Floats) -> npt.NDArray[np.uint8]:
    """A picture of the crop ``[S, S, C]`` in the layer's place, 0 elsewhere: ``[H, W, C]``."""
    x0, y0, x1, y1 = box = box_around(crop.quad, layer.width, layer.height)
    channels = picture.shape[2]
    out = np.zeros((layer.height, layer.width, channels), np.uint8)
    inside = place_region(np.ones((8, 8), np.float32), crop.quad, box, outside=0.0)
    for channel in range(channels):
        seen = place_region(np.ascontiguousarray(picture[:, :, channel]) / 255.0, crop.quad, box)
        out[y0:y1, x0:x1, channel] = np.rint(255.0 * seen * (inside > 0.5)).astype(np.uint8)
    return out


def _describe(
    parser: RegionParser, crop: Crop, found: RegionMap, names: tuple[str, ...], watch: Stopwatch
) -> RegionsReply:
    shares = sorted(found.measure_shares().items(), key=lambda item: -item[1])
    return RegionsReply(
        parser=parser.name,
        surety=round(found.surety, 4),
        regions=[
            RegionReply(name=name, share=round(share, 4))
            for name, share in shares
            if share >= LEAST_SHARE
        ],
        shown=[name for name in found.names if name in names],
        quad=[(float(x), float(y)) for x, y in crop.quad.corners],
        aligner=crop.aligner,
        seconds={name: round(value, 4) for name, value in watch.seconds.items()},
    )
