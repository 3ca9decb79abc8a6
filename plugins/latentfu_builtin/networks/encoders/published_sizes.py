"""The sizes of a foreign encoder, read off its tensors: the shapes in the file decide."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from math import isqrt

from latentfu import BadInputError

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class PublishedSizes:
    """``channels``: of the input, 6 where the current reconstruction comes beside the picture.

    ``entry``: channels after the first layer; ``widths``: after each stage of the trunk;
    ``styles``: how many codes come out (1 for w); ``depth``: their length; ``hidden``: of the
    dense layer before the last, where there is one.
    """

    channels: int
    entry: int
    widths: tuple[int, ...]
    styles: int
    depth: int
    hidden: int = 0

    def to_json(self) -> str:
        """One line that :meth:`from_json` reads back."""
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_json(text: str) -> PublishedSizes:
        """What :meth:`to_json` wrote; raises BadInputError for anything else."""
        try:
            values = json.loads(text)
            whole = {name: int(values[name]) for name in values if name != "widths"}
            sizes = PublishedSizes(widths=tuple(int(width) for width in values["widths"]), **whole)
            if min(sizes.channels, sizes.entry, sizes.styles, sizes.depth, *sizes.widths) < 1:
                raise ValueError("they have to be 1 or more")
            return sizes
        except (TypeError, ArithmeticError, RecursionError, ValueError, LookupError) as error:
            raise BadInputError(f"The encoder's sizes cannot be read: {error}.") from error


def _indices(shapes: Iterable[str], start: str) -> list[int]:
    """The numbers that come after ``start`` in the names, sorted."""
    found = (re.match(rf"{re.escape(start)}(\d+)\.", name) for name in shapes)
    return sorted({int(match.group(1)) for match in found if match})


def measure_trunk(shapes: Shapes) -> PublishedSizes:
    """Sizes of an encoder with the face-recognition trunk and style heads or a dense end."""
    first = shapes["input_layer.0.weight"]
    widths = tuple(shapes[f"body.{last}.res_layer.1.weight"][0] for last in (2, 6, 20, 23))
    return _measure_end(shapes, PublishedSizes(first[1], first[0], widths, 0, 0))


def measure_resnet34(shapes: Shapes) -> PublishedSizes:
    """Sizes of a ReStyle encoder on ResNet-34."""
    first = shapes["conv1.weight"]
    widths = tuple(shapes[f"body.{last}.conv2.weight"][0] for last in (2, 6, 12, 15))
    return _measure_end(shapes, PublishedSizes(first[1], first[0], widths, 0, 0))


def _measure_end(shapes: Shapes, sizes: PublishedSizes) -> PublishedSizes:
    """``sizes`` with what the heads give, or the dense layer that takes their place."""
    heads = _indices(shapes, "styles.")
    values = asdict(sizes)
    if heads:
        depth = shapes["styles.0.linear.weight"][0]
        return PublishedSizes(**{**values, "styles": len(heads), "depth": depth})
    outputs, inputs = shapes["linear.weight"]
    return PublishedSizes(**{**values, "styles": outputs // inputs, "depth": inputs})


def measure_predictor(shapes: Shapes) -> PublishedSizes:
    """Sizes of the image-to-latent network of the StyleGAN projects on ResNet-50."""
    squeezed, last = shapes["conv2d.weight"][:2]
    outputs, hidden = shapes["dense2.weight"]
    side = isqrt(shapes["dense1.weight"][1] // squeezed)
    if side != 8:
        raise BadInputError(f"The predictor was made for pictures of {side * 32} px, not 256.")
    depth = 512 if outputs % 512 == 0 else outputs
    return PublishedSizes(
        3, shapes["resnet.0.weight"][0], (squeezed, last), outputs // depth, depth, hidden
    )
