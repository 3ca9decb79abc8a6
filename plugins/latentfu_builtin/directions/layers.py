"""Ranges of layers on the command line, and the names of a network's style weights."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click
from latentfu import BadInputError

if TYPE_CHECKING:
    import torch
    from latentfu import Generator

AFFINES = ("affine", "style", "modulation", "style_mod.dense.linear")


class LayerRange(click.ParamType[tuple[int, int]]):
    """``4-7`` or ``4``: first and last, both included."""

    name = "first-last"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", str(value).strip())
        if found is None:
            self.fail(f"{value!r} is not like 4-7 (first and last layer).", param, ctx)
        first, last = int(found[1]), int(found[2] or found[1])
        if first > last:
            self.fail(f"{value!r} runs backwards: write {last}-{first}.", param, ctx)
        return first, last


LAYERS = LayerRange()


def style_prefix(generator: Generator, layer: int) -> str:
    """The name, up to .weight or .bias, of what makes the style of a layer out of w.

    BadInputError where the generator shows none.
    """
    if not 0 <= layer < len(generator.layers):
        raise BadInputError(f"{generator.name} shows no layer {layer}.")
    root = generator.layers[layer].weight.removesuffix(".weight")
    for word in AFFINES:
        name = f"{root}.{word}"
        if has(generator, f"{name}.weight"):
            return name
    raise BadInputError(f"{generator.name} does not show how layer {layer} reads its style.")


def has(generator: Generator, name: str) -> bool:
    """Whether the generator has weights of this name."""
    try:
        generator.parameter(name)
    except BadInputError:
        return False
    return True


def style_weights(generator: Generator, layers: range) -> torch.Tensor:
    """The style weights of these layers, one below the other: ``[sum of channels, w_dim]``."""
    import torch

    names = [f"{style_prefix(generator, layer)}.weight" for layer in layers]
    return torch.cat([generator.parameter(name).detach().double().cpu() for name in names])
