"""The sizes of a StyleGAN1 network."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

FUSED_FROM = 128
"""From this size on the doubling is part of the convolution."""


@dataclass(frozen=True)
class StyleGAN1Config:
    """``mapping``: outputs of the mapping's layers; ``channels``: at 4, 8, ... ``resolution``.

    ``c_dim``: how many labels a conditional network takes; 0 for none.
    """

    resolution: int
    z_dim: int
    mapping: tuple[int, ...]
    channels: tuple[int, ...]
    c_dim: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "mapping", tuple(self.mapping))
        object.__setattr__(self, "channels", tuple(self.channels))
        if not self.mapping or self.resolution != 2 << len(self.channels):
            raise ValueError(
                f"{len(self.channels)} sizes from 4 px do not end at {self.resolution} px"
            )

    @property
    def w_dim(self) -> int:
        """Numbers of a style."""
        return self.mapping[-1]

    @property
    def num_ws(self) -> int:
        """Two layers at each size, a style each."""
        return 2 * len(self.channels)

    def layer_resolution(self, layer: int) -> int:
        """The side of the features that a layer gives, in pixels."""
        return 4 << (layer // 2)

    def to_json(self) -> str:
        """One line of JSON that `from_json` reads back."""
        values = asdict(self)
        if not self.c_dim:
            del values["c_dim"]
        return json.dumps(values, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> StyleGAN1Config:
        """The config that `to_json` wrote; ValueError in one sentence for anything else."""
        try:
            return StyleGAN1Config(**json.loads(text))
        except (TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"the network's config cannot be read: {error}") from error
