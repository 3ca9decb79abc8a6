"""The style weights of a network's layers, and a channel of a style as a direction.

Wu et al. 2021, StyleSpace (arXiv 2011.12799).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from latentfu import BadInputError, Direction, Generator, random_latents

from latentfu_builtin.directions.seeded_samples import describe_weights

if TYPE_CHECKING:
    import torch
    from latentfu import Generator


_AFFINES = ("affine", "style", "modulation", "style_mod.dense.linear")


def _style_prefix(generator: Generator, layer: int) -> str:
    """The name, up to .weight or .bias, of what makes the style of a layer out of w.

    BadInputError where the generator shows none.
    """
    if not 0 <= layer < len(generator.layers):
        raise BadInputError(f"{generator.name} shows no layer {layer}.")
    root = generator.layers[layer].weight.removesuffix(".weight")
    for word in _AFFINES:
        name = f"{root}.{word}"
        if _has_parameter(generator, f"{name}.weight"):
            return name
    raise BadInputError(f"{generator.name} does not show how layer {layer} reads its style.")


def _has_parameter(generator: Generator, name: str) -> bool:
    """Whether the generator has weights of this name."""
    try:
        generator.parameter(name)
    except BadInputError:
        return False
    return True


def style_weights(generator: Generator, layers: range) -> torch.Tensor:
    """The style weights of these layers, one below the other: ``[sum of channels, w_dim]``."""
    import torch

    names = [f"{_style_prefix(generator, layer)}.weight" for layer in layers]
    return torch.cat([generator.parameter(name).detach().double().cpu() for name in names])


def make_channel_direction(text: str, generator: Generator, asked: dict[str, Any]) -> Direction:
    """The direction of ``LAYER_CHANNEL``, e.g. 15_45; a step is the channel's own spread.

    Layers are counted as in the paper: the style of the first convolution is 0, that of its
    picture 1, and then two convolutions and a picture for each size. BadInputError.
    """
    found = re.fullmatch(r"(\d{1,3})[_:](\d{1,4})", text)
    if found is None:
        raise BadInputError(f"{text!r} is not like 15_45 (layer and channel of the style).")
    layer, channel = int(found[1]), int(found[2])
    prefix, style = _find_style(layer, generator)
    weight = generator.parameter(f"{prefix}.weight").detach().double().cpu().numpy()
    if channel >= len(weight):
        raise BadInputError(f"The style {layer} has the channels 0 to {len(weight) - 1}.")
    latent = random_latents(generator, 2000, seed=0).codes[:, style].double().cpu().numpy()
    gain = 1.0 / np.sqrt(weight.shape[1])
    spread = float((latent @ weight[channel]).std()) * gain
    vector = np.zeros(len(weight), dtype=np.float32)
    vector[channel] = max(spread, 1e-6) * (-1 if asked["flip"] else 1)
    return Direction(
        vector=vector,
        space="w+" if "w+" in generator.spaces else generator.spaces[-1],
        name=asked["name"] or f"style-{layer}-{channel}",
        **describe_weights(generator),
        plus=asked["plus"],
        group="channels",
        unit="standard deviations of the channel",
        method="style channel (StyleSpace)",
        parameter=f"{prefix}.bias",
        minimum=-20.0,
        maximum=20.0,
    )


def _find_style(layer: int, generator: Generator) -> tuple[str, int]:
    """The affine layer of a style in the paper's count, and the code that it reads."""
    if layer == 0:
        return _style_prefix(generator, 0), 0
    size, place = divmod(layer - 2, 3) if layer >= 2 else (-1, 2)
    if place == 2:
        prefix = f"synthesis.rgbs.{size + 1}.affine"
        if not _has_parameter(generator, f"{prefix}.weight"):
            raise BadInputError(f"{generator.name} shows no style {layer}.")
        return prefix, min(2 * (size + 1) + 1, generator.num_ws - 1)
    convolution = 2 * size + 1 + place
    return _style_prefix(generator, convolution), generator.layers[convolution].style
