"""The sizes of a StyleGAN3 network, as its checkpoint says them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

Sides = tuple[int, int]


@dataclass(frozen=True)
class InputConfig:
    """The Fourier features that the network begins with.

    ``size``: width and height of the grid in samples; ``sampling_rate`` and ``bandwidth`` in
    samples and cycles per side of the picture.
    """

    channels: int
    size: Sides
    sampling_rate: float
    bandwidth: float


@dataclass(frozen=True)
class LayerConfig:
    """One layer: a modulated convolution and an activation between two resamplings.

    ``rate``: samples per side of the picture that come out; ``out_size`` is larger, since
    there is a margin around the picture. ``up``, ``down``: by how much the signal is resampled
    before and after the activation.
    ``padding``: left, right, top, bottom of the upsampled signal, negative to crop; ``clamp``:
    largest magnitude of the activation; ``up_taps``, ``down_taps``: shapes of the filters,
    empty where there is none.
    """

    in_channels: int
    out_channels: int
    out_size: Sides
    rate: float
    kernel: int
    up: int
    down: int
    padding: tuple[int, int, int, int]
    to_rgb: bool
    clamp: float | None
    up_taps: tuple[int, ...]
    down_taps: tuple[int, ...]


@dataclass(frozen=True)
class StyleGAN3Config:
    """Everything that is needed to build the network without its weights."""

    resolution: int
    z_dim: int
    w_dim: int
    c_dim: int
    mapping_layers: int
    mapping_lr_multiplier: float
    output_scale: float
    input: InputConfig
    layers: tuple[LayerConfig, ...]

    def __post_init__(self) -> None:
        widest = 4 * self.resolution + 256
        if not 4 <= self.resolution <= 8192 or not all(4 <= s <= widest for s in self.input.size):
            raise ValueError("the sizes of the network are out of range")
        if not self.input.sampling_rate > 0:
            raise ValueError("the sampling rate must be above 0")
        for one in self.layers:
            fits = all(1 <= s <= widest for s in one.out_size)
            if not fits or not all(1 <= t <= 256 for t in (*one.up_taps, *one.down_taps)):
                raise ValueError("a layer's size or its filters are out of range")
            if not (1 <= one.up <= 16 and 1 <= one.down <= 16 and 1 <= one.kernel <= 16):
                raise ValueError("a layer's resampling or kernel is out of range")
            if one.rate <= 0 or any(abs(p) > widest for p in one.padding):
                raise ValueError("a layer's rate or padding is out of range")

    @property
    def num_ws(self) -> int:
        """One style for the input and one for each layer."""
        return 1 + len(self.layers)

    def to_json(self) -> str:
        """One line of JSON that `from_json` reads back."""
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_json(text: str) -> StyleGAN3Config:
        """The config that `to_json` wrote; ValueError in one sentence for anything else."""
        try:
            values = json.loads(text)
            begin = values.pop("input")
            layers = values.pop("layers")
            return StyleGAN3Config(
                input=InputConfig(**{**begin, "size": tuple(begin["size"])}),
                layers=tuple(
                    LayerConfig(**{k: plain(v) for k, v in one.items()}) for one in layers
                ),
                **values,
            )
        except (TypeError, KeyError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"the network's config cannot be read: {error}") from error


def plain(value: Any) -> Any:
    """Lists of JSON as tuples."""
    return tuple(value) if isinstance(value, list) else value
