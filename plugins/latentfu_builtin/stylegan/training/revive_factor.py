"""Reviving a dead factor: making a network listen to a number of z that it overlooks.

Something small moves the loss little: as long as w hardly depends on its number no layer learns to
draw it, and as long as no layer draws it w has no reason to. Here its number gets a unit of w to
itself, loud and not yet read by any style, in the place of the unit that mattered least.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from latentfu import write_tensors
from torch import Tensor

from latentfu_builtin.networks.stylegan.layers import LRELU_GAIN, EqualLinear, lrelu
from latentfu_builtin.networks.stylegan.stylegan2 import (
    StyleGAN2,
    StyleGAN2Config,
    normalize_2nd_moment,
)
from latentfu_builtin.networks.stylegan.stylegan2.network import Mapping
from latentfu_builtin.networks.training_state import pick_tensors
from latentfu_builtin.stylegan.training.checkpoint import (
    read_checkpoint,
    without_moments,
)

LOUD = 8.0
"""How far w moves with its number, which other numbers do by about one."""
SAMPLES = 4000


def revive_in_checkpoint(checkpoint: Path, place: int, above: float, output: Path) -> None:
    """Write the checkpoint anew with generator and average listening to z's number at `place`.

    above: where the number begins to matter. The optimizers begin afresh. ValueError when the
    network's mapping is not a plain MLP or has no such number.
    """
    tensors, notes = read_checkpoint(checkpoint)
    names = ("generator", "ema")
    networks = [StyleGAN2(StyleGAN2Config.from_json(notes["config"])) for _ in names]
    for name, network in zip(names, networks, strict=True):
        network.load_state_dict(pick_tensors(tensors, name) or pick_tensors(tensors, "ema"))
    revive_factor(networks, place, above)
    kept = without_moments(tensors)
    for name, network in zip(names, networks, strict=True):
        changed = {f"{name}.{key}": value for key, value in network.state_dict().items()}
        kept |= {
            key: value.to(kept.get(key, value).dtype).contiguous() for key, value in changed.items()
        }
    counters = json.loads(notes["counters"]) | {"steps": 0}  # the rate warms up again
    write_tensors(output, kept, notes | {"counters": json.dumps(counters)})


@torch.no_grad()
def revive_factor(networks: list[StyleGAN2], place: int, above: float = 0.0) -> None:
    """Give z's number at `place` a unit of w, the same one in all copies of a network.

    Numbers below `above` leave the unit near 0. What the units taken over said on average is
    kept in the biases. ValueError as in `revive_in_checkpoint`.
    """
    mapping = networks[0].mapping
    if not isinstance(mapping, Mapping) or mapping.c_dim:
        raise ValueError("only a plain mapping of z can be made to listen to one of its numbers")
    if not 0 <= place < mapping.z_dim:
        raise ValueError(f"z has the numbers 0 to {mapping.z_dim - 1}, not {place}")
    units = _find_least_units(networks[0])
    for network in networks:
        _take_over(network, units, place, above)


def _list_readers(network: StyleGAN2) -> list[list[EqualLinear]]:
    """Who reads the units of each mapping layer: the next layer; of the last, all styles."""
    layers: list[EqualLinear] = list(network.mapping.layers)  # type: ignore[arg-type]
    styles = [conv.affine for conv in [*network.synthesis.convs, *network.synthesis.rgbs]]
    return [*([layer] for layer in layers[1:]), styles]


def _find_least_units(network: StyleGAN2) -> list[tuple[int, Tensor]]:
    """In each mapping layer the unit that its readers need least, and its mean."""
    z = torch.randn(SAMPLES, network.mapping.z_dim, generator=torch.Generator().manual_seed(0))
    x, found = normalize_2nd_moment(z), []
    for layer, reading in zip(network.mapping.layers, _list_readers(network), strict=True):
        x = lrelu(layer(x))  # [SAMPLES, units]
        weight = torch.cat([one.weight for one in reading])  # [numbers that are read into, units]
        unit = int((weight.norm(dim=0) * x.std(dim=0)).argmin())
        found.append((unit, x[:, unit].mean()))
    return found


def _take_over(
    network: StyleGAN2, units: list[tuple[int, Tensor]], place: int, above: float
) -> None:
    """Lead z's number at `place` through the units to w, where no style reads it yet."""
    layers: list[EqualLinear] = list(network.mapping.layers)  # type: ignore[arg-type]
    for (unit, mean), reading in zip(units, _list_readers(network), strict=True):
        for one in reading:
            one.bias.add_(one.weight[:, unit] * mean * (one.weight_gain / one.bias_gain))
            one.weight[:, unit] = 0.0
    source = place
    for layer, (unit, _) in zip(layers, units, strict=True):
        last = layer is layers[-1]
        layer.weight[unit] = 0.0
        layer.bias[unit] = 0.0
        layer.weight[unit, source] = (LOUD if last else 1.0) / (layer.weight_gain * LRELU_GAIN)
        source = unit
    layers[0].bias[units[0][0]] = -above / (LRELU_GAIN * layers[0].bias_gain)
