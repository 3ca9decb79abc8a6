"""Which foreign encoder a state dict is, by its names and shapes and by what the file says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latentfu import BadInputError

from latentfu_builtin.networks.encoders.published_sizes import (
    PublishedSizes,
    Shapes,
    measure_predictor,
    measure_resnet34,
    measure_trunk,
)

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class PublishedArchitecture:
    """A kind of foreign encoder.

    ``published``: the class's name, as checkpoints give it in ``opts.encoder_type``.
    ``looks_back``: it also takes its last reconstruction. ``absolute``: it gives codes, not
    offsets from the mean.
    """

    name: str
    published: str
    build: Callable[[PublishedSizes], nn.Module]
    sizes: Callable[[Shapes], PublishedSizes]
    looks_back: bool = False
    absolute: bool = False


def _pyramid(name: str) -> Callable[[PublishedSizes], nn.Module]:
    def build(sizes: PublishedSizes) -> nn.Module:
        from latentfu_builtin.networks.encoders import psp as pyramid

        network: nn.Module = getattr(pyramid, name)(sizes)
        return network

    return build


def _restyle(name: str) -> Callable[[PublishedSizes], nn.Module]:
    def build(sizes: PublishedSizes) -> nn.Module:
        from latentfu_builtin.networks.encoders import restyle

        network: nn.Module = getattr(restyle, name)(sizes)
        return network

    return build


def _predictor(sizes: PublishedSizes) -> nn.Module:
    from latentfu_builtin.networks.encoders.image_to_latent import ImageToLatent

    return ImageToLatent(sizes)


_KNOWN = (
    PublishedArchitecture("psp", "GradualStyleEncoder", _pyramid("PspEncoder"), measure_trunk),
    PublishedArchitecture("e4e", "Encoder4Editing", _pyramid("E4eEncoder"), measure_trunk),
    PublishedArchitecture(
        "psp-w", "BackboneEncoderUsingLastLayerIntoW", _pyramid("PspIntoW"), measure_trunk
    ),
    PublishedArchitecture(
        "psp-w-plus",
        "BackboneEncoderUsingLastLayerIntoWPlus",
        _pyramid("PspIntoWPlus"),
        measure_trunk,
    ),
    PublishedArchitecture(
        "restyle-psp",
        "BackboneEncoder",
        _restyle("RestyleEncoder"),
        measure_trunk,
        looks_back=True,
    ),
    PublishedArchitecture(
        "restyle-e4e",
        "ProgressiveBackboneEncoder",
        _restyle("RestyleProgressive"),
        measure_trunk,
        looks_back=True,
    ),
    PublishedArchitecture(
        "restyle-psp-resnet",
        "ResNetBackboneEncoder",
        _restyle("RestyleResnet"),
        measure_resnet34,
        looks_back=True,
    ),
    PublishedArchitecture(
        "restyle-e4e-resnet",
        "ResNetProgressiveBackboneEncoder",
        _restyle("RestyleResnetProgressive"),
        measure_resnet34,
        looks_back=True,
    ),
    PublishedArchitecture(
        "image-to-latent", "ImageToLatent", _predictor, measure_predictor, absolute=True
    ),
)
PUBLISHED_ARCHITECTURES = {item.name: item for item in _KNOWN}
"""Every foreign encoder that is known, by name."""


def detect_architecture(
    shapes: Shapes, opts: Mapping[str, object], asked: str | None
) -> PublishedArchitecture:
    """The architecture of a state dict; raises BadInputError when it is none of those known.

    ``asked``: its name, when the person knows better. pSp and e4e have the same tensors, as the
    two kinds of ReStyle have: there the file's own ``encoder_type`` decides.
    """
    possible = find_candidates(shapes)
    if asked is not None:
        return _choose_architecture(asked, possible)
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


def find_candidates(shapes: Shapes) -> list[PublishedArchitecture]:
    """The architectures whose tensors these could be."""
    names: tuple[str, ...] = ()
    if "dense2.weight" in shapes and "resnet.0.weight" in shapes:
        names = ("image-to-latent",)
    elif "body.23.res_layer.1.weight" in shapes:
        names = _find_candidates_with_trunk(shapes)
    elif "body.15.conv2.weight" in shapes and "styles.0.linear.weight" in shapes:
        names = ("restyle-psp-resnet", "restyle-e4e-resnet")
    return [PUBLISHED_ARCHITECTURES[name] for name in names]


def _find_candidates_with_trunk(shapes: Shapes) -> tuple[str, ...]:
    """The names of those with the face-recognition trunk."""
    if "latlayer1.weight" in shapes:
        return ("psp", "e4e")
    if "output_layer_2.3.weight" in shapes:
        return ("psp-w-plus",)
    if "styles.0.linear.weight" in shapes:
        return ("restyle-psp", "restyle-e4e")
    return ("psp-w",) if "linear.weight" in shapes else ()


def _choose_architecture(name: str, possible: list[PublishedArchitecture]) -> PublishedArchitecture:
    """The one asked for, if the tensors could be its own; raises BadInputError."""
    if name not in PUBLISHED_ARCHITECTURES:
        raise BadInputError(
            f"There is no architecture {name!r}: {', '.join(PUBLISHED_ARCHITECTURES)}."
        )
    if PUBLISHED_ARCHITECTURES[name] not in possible:
        seen = " or ".join(item.name for item in possible) or "nothing that is known"
        raise BadInputError(f"The file does not hold a {name} encoder; it looks like {seen}.")
    return PUBLISHED_ARCHITECTURES[name]
