"""The sizes of a StyleGAN2 network: everything needed to build one without its weights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

MAPPINGS = ("mlp", "joined", "attention")
"""Kinds of mapping networks: StyleGAN2's own; the same with labels normalized together with z,
as TensorFlow's conditional networks have it; and that of W++."""


@dataclass(frozen=True)
class StyleGAN2Config:
    """Sizes of a StyleGAN2 generator (and of a discriminator that fits it).

    `channels` lists the feature channels at 4, 8, 16, ... px up to `resolution`.
    `mapping_lr_multiplier` scales the learning rate of the mapping MLP (0.01 in the paper).
    `c_dim`: how many labels a conditional network takes; 0 for none. `conv_clamp`: the largest
    magnitude of features, None for no limit (StyleGAN2-ADA's guard for float16). `mapping`: the
    kind of mapping network, one of MAPPINGS. With "attention" each style has a z of its own, of
    `z_dim` numbers.
    """

    resolution: int = 64
    z_dim: int = 64
    w_dim: int = 256
    mapping_layers: int = 4
    mapping_lr_multiplier: float = 0.01
    channels: tuple[int, ...] = (256, 256, 256, 128, 64)
    c_dim: int = 0
    conv_clamp: float | None = None
    mapping: str = "mlp"

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", tuple(int(c) for c in self.channels))
        if self.resolution < 8 or self.resolution & (self.resolution - 1):
            raise ValueError(
                f"resolution must be a power of two of at least 8, not {self.resolution}"
            )
        if len(self.channels) != len(self.resolutions):
            raise ValueError(
                f"channels must list {len(self.resolutions)} numbers, one for each of the "
                f"resolutions {self.resolutions}, not {len(self.channels)}"
            )
        numbers = (self.mapping_lr_multiplier, self.conv_clamp or 0.0, self.c_dim)
        if not all(isinstance(number, int | float) for number in numbers):
            raise ValueError("the learning rate, the clamp and the labels must be numbers")
        if self.mapping not in MAPPINGS:
            raise ValueError(f"the mapping must be one of {MAPPINGS}, not {self.mapping!r}")
        if min(self.channels) < 1 or self.z_dim < 1 or self.w_dim < 1 or self.mapping_layers < 1:
            raise ValueError("all sizes of a network must be at least 1")
        if self.mapping == "attention" and (self.c_dim or self.w_dim % 16):
            raise ValueError("the attention mapping takes no labels, and a w_dim divisible by 16")
        if self.mapping == "joined" and not self.c_dim:
            raise ValueError("the joined mapping is for networks with labels")

    @property
    def resolutions(self) -> tuple[int, ...]:
        """4, 8, ... up to `resolution`."""
        return tuple(2**k for k in range(2, self.resolution.bit_length()))

    @property
    def num_layers(self) -> int:
        """How many 3x3 convolutions the synthesis network has: one at 4 px, two at each larger."""
        return 2 * len(self.resolutions) - 1

    @property
    def num_ws(self) -> int:
        """How many styles the synthesis network reads: 2 log2(resolution) - 2."""
        return 2 * len(self.resolutions)

    @property
    def z_numbers(self) -> int:
        """How many random numbers a picture is made of."""
        return self.z_dim * (self.num_ws if self.mapping == "attention" else 1)

    def layer_resolution(self, layer: int) -> int:
        """The pixel size of the features that synthesis layer `layer` gives."""
        return 4 << ((layer + 1) // 2)

    def layer_channels(self, layer: int) -> int:
        """The channels of the features that synthesis layer `layer` gives."""
        return self.channels[(layer + 1) // 2]

    def to_json(self) -> str:
        """One line of JSON that `from_json` reads back."""
        values = asdict(self)
        unused = [name for name in ("c_dim", "conv_clamp") if not values[name]]
        unused += ["mapping"] if self.mapping == "mlp" else []
        return json.dumps({k: v for k, v in values.items() if k not in unused}, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> StyleGAN2Config:
        """The config that `to_json` wrote; ValueError in one sentence for anything else."""
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"the network's config is not JSON: {error}") from error
        names = {field.name for field in fields(StyleGAN2Config)}
        if not isinstance(values, dict) or not set(values) <= names:
            raise ValueError(f"the network's config must be an object with only {sorted(names)}")
        try:
            return StyleGAN2Config(**values)
        except TypeError as error:
            raise ValueError(f"the network's config has a wrong type in it: {error}") from error


def default_channels(resolution: int, base: int = 4096, limit: int = 256) -> tuple[int, ...]:
    """Channels per resolution by the paper's rule: base / resolution, at most `limit`.

    With the defaults: 256 at 4 to 16 px, 128 at 32 px, 64 at 64 px, 32 at 128 px.
    """
    count = resolution.bit_length() - 2
    return tuple(max(8, min(limit, base // 2**k)) for k in range(2, 2 + count))
