"""What a pix2pixHD network is made of, and how to tell it from its tensors."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from latentfu import BadInputError

Shapes = Mapping[str, tuple[int, ...]]
ARCHITECTURE = "pix2pixhd"
STREETS = 35
"""Labels of the published street networks; a 36th input says where objects end."""


@dataclass(frozen=True)
class Pix2PixHDConfig:
    """Sizes by the published options: ``width`` is ngf, ``down``/``blocks`` those of the global
    generator, ``enhancers`` and ``local_blocks`` of the local enhancer (0: only the global one).

    Inputs are ``labels`` one-hot planes, one plane of edges if ``edges``, and ``features`` planes
    that a network trained with an encoder reads (0 here). ``resolution``, ``height``: of the
    pictures that the weights were trained for; other multiples of 2^(down + enhancers) work.
    """

    labels: int = STREETS
    edges: bool = True
    features: int = 0
    width: int = 64
    down: int = 4
    blocks: int = 9
    enhancers: int = 0
    local_blocks: int = 3
    resolution: int = 1024
    height: int = 512

    def __post_init__(self) -> None:
        if min(self.labels, self.width, self.resolution, self.height) < 1:
            raise BadInputError("A pix2pixHD network needs labels, a width and a size.")
        if min(self.down, self.blocks, self.enhancers, self.features) < 0:
            raise BadInputError("The sizes of a pix2pixHD network cannot be below 0.")
        if self.resolution % self.step or self.height % self.step:
            raise BadInputError(
                f"The size {self.resolution} x {self.height} is not a multiple of {self.step}."
            )

    @property
    def inputs(self) -> int:
        """Channels that the first convolution reads."""
        return self.labels + self.edges + self.features

    @property
    def step(self) -> int:
        """Sides of pictures are multiples of this."""
        return int(2 ** (self.down + self.enhancers))

    def to_json(self) -> str:
        """One line of JSON that ``from_json`` reads back."""
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_json(text: str) -> Pix2PixHDConfig:
        """The config that ``to_json`` wrote; BadInputError for anything else."""
        try:
            values = json.loads(text)
            known = {item.name for item in fields(Pix2PixHDConfig)}
            if isinstance(values, dict) and set(values) <= known:
                return Pix2PixHDConfig(**values)
        except (ValueError, TypeError) as error:
            raise BadInputError(f"The network's config cannot be read: {error}.") from error
        raise BadInputError(f"The network's config must be an object with only {sorted(known)}.")


def is_pix2pixhd(shapes: Shapes) -> bool:
    """Whether tensors of these names and shapes look like a pix2pixHD generator."""
    first = shapes.get("model.1.weight", ())
    names = "model.1.bias" in shapes and any(".conv_block.1.weight" in name for name in shapes)
    return names and len(first) == 4 and first[-1] == 7


def config_from_shapes(
    shapes: Shapes, resolution: int = 1024, height: int = 512
) -> Pix2PixHDConfig:
    """The config of a state dict; BadInputError where it is not a pix2pixHD generator's."""
    if not is_pix2pixhd(shapes):
        raise BadInputError("These tensors are no pix2pixHD generator's: model.1 is missing.")
    inputs = shapes["model.1.weight"][1]
    enhancers = len({m[1] for n in shapes if (m := re.match(r"model(\d+)_1\.1\.weight$", n))})
    blocks = sorted({int(m[1]) for n in shapes if (m := re.match(r"model\.(\d+)\.conv_bl", n))})
    down = (blocks[0] - 4) // 3
    local = {m[1] for n in shapes if (m := re.match(r"model1_2\.(\d+)\.conv_block", n))}
    last = f"model{enhancers}_1.1.weight" if enhancers else "model.1.weight"
    labels, edges, features = _split_inputs(inputs)
    return Pix2PixHDConfig(
        labels, edges, features, shapes[last][0], down, len(blocks), enhancers, len(local),
        resolution, height,
    )  # fmt: skip


def _split_inputs(inputs: int) -> tuple[int, bool, int]:
    """Tell labels, edges and features apart: the published street networks read 36 or 39 planes."""
    if inputs in (STREETS + 1, STREETS + 4):
        return STREETS, True, inputs - STREETS - 1
    return inputs, False, 0
