"""Which foreign encoder a state dict is, by its names and shapes and by what the file says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latentfu import BadInputError

from latentfu_builtin.encoders.foreign.sizes import (
    Shapes,
    Sizes,
    sizes_of_predictor,
    sizes_with_resnet34,
    sizes_with_trunk,
)

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Architecture:
    """A kind of foreign encoder.

    ``published``: the class's name, as checkpoints give it in ``opts.encoder_type``.
    ``looks_back``: it also takes its last reconstruction. ``absolute``: it gives codes, not
    offsets from the mean.
    """

    name: str
    published: str
    build: Callable[[Sizes], nn.Module]
    sizes: Callable[[Shapes], Sizes]
    looks_back: bool = False
    absolute: bool = False


def _pyramid(name: str) -> Callable[[Sizes], nn.Module]:
    def build(sizes: Sizes) -> nn.Module:
        from latentfu_builtin.networks.encoders import psp as pyramid

        network: nn.Module = getattr(pyramid, name)(sizes)
        return network

    return build


def _restyle(name: str) -> Callable[[Sizes], nn.Module]:
    def build(sizes: Sizes) -> nn.Module:
        from latentfu_builtin.networks.encoders import restyle

        network: nn.Module = getattr(restyle, name)(sizes)
        return network

    return build


def _predictor(sizes: Sizes) -> nn.Module:
    from latentfu_builtin.networks.encoders.image_to_latent import ImageToLatent

    return ImageToLatent(sizes)


_KNOWN = (
    Architecture("psp", "GradualStyleEncoder", _pyramid("PspEncoder"), sizes_with_trunk),
    Architecture("e4e", "Encoder4Editing", _pyramid("E4eEncoder"), sizes_with_trunk),
    Architecture(
        "psp-w", "BackboneEncoderUsingLastLayerIntoW", _pyramid("PspIntoW"), sizes_with_trunk
    ),
    Architecture(
        "psp-w-plus",
        "BackboneEncoderUsingLastLayerIntoWPlus",
        _pyramid("PspIntoWPlus"),
        sizes_with_trunk,
    ),
    Architecture(
        "restyle-psp",
        "BackboneEncoder",
        _restyle("RestyleEncoder"),
        sizes_with_trunk,
        looks_back=True,
    ),
    Architecture(
        "restyle-e4e",
        "ProgressiveBackboneEncoder",
        _restyle("RestyleProgressive"),
        sizes_with_trunk,
        looks_back=True,
    ),
    Architecture(
        "restyle-psp-resnet",
        "ResNetBackboneEncoder",
        _restyle("RestyleResnet"),
        sizes_with_resnet34,
        looks_back=True,
    ),
    Architecture(
        "restyle-e4e-resnet",
        "ResNetProgressiveBackboneEncoder",
        _restyle("RestyleResnetProgressive"),
        sizes_with_resnet34,
        looks_back=True,
    ),
    Architecture("image-to-latent", "ImageToLatent", _predictor, sizes_of_predictor, absolute=True),
)
ARCHITECTURES = {item.name: item for item in _KNOWN}
"""Every foreign encoder that is known, by name."""


def recognised(shapes: Shapes, opts: Mapping[str, object], asked: str | None) -> Architecture:
    """The architecture of a state dict; raises BadInputError when it is none of those known.

    ``asked``: its name, when the person knows better. pSp and e4e have the same tensors, as the
    two kinds of ReStyle have: there the file's own ``encoder_type`` decides.
    """
    possible = candidates(shapes)
    if asked is not None:
        return chosen(asked, possible)
    if not possible:
        raise BadInputError(
            "The file holds no encoder that is known: pSp, e4e, ReStyle or a seed's."
        )
    said = str(opts.get("encoder_type", ""))
    named = [item for item in possible if item.published == said]
    if named:
        return named[0]
    if len(possible) > 1:
        names = " or ".join(item.name for item in possible)
        raise BadInputError(f"The file does not say what it is: give --architecture {names}.")
    return possible[0]


def candidates(shapes: Shapes) -> list[Architecture]:
    """The architectures whose tensors these could be."""
    names: tuple[str, ...] = ()
    if "dense2.weight" in shapes and "resnet.0.weight" in shapes:
        names = ("image-to-latent",)
    elif "body.23.res_layer.1.weight" in shapes:
        names = with_trunk(shapes)
    elif "body.15.conv2.weight" in shapes and "styles.0.linear.weight" in shapes:
        names = ("restyle-psp-resnet", "restyle-e4e-resnet")
    return [ARCHITECTURES[name] for name in names]


def with_trunk(shapes: Shapes) -> tuple[str, ...]:
    """The names of those with the face-recognition trunk."""
    if "latlayer1.weight" in shapes:
        return ("psp", "e4e")
    if "output_layer_2.3.weight" in shapes:
        return ("psp-w-plus",)
    if "styles.0.linear.weight" in shapes:
        return ("restyle-psp", "restyle-e4e")
    return ("psp-w",) if "linear.weight" in shapes else ()


def chosen(name: str, possible: list[Architecture]) -> Architecture:
    """The one asked for, if the tensors could be its own; raises BadInputError."""
    if name not in ARCHITECTURES:
        raise BadInputError(f"There is no architecture {name!r}: {', '.join(ARCHITECTURES)}.")
    if ARCHITECTURES[name] not in possible:
        seen = " or ".join(item.name for item in possible) or "nothing that is known"
        raise BadInputError(f"The file does not hold a {name} encoder; it looks like {seen}.")
    return ARCHITECTURES[name]
