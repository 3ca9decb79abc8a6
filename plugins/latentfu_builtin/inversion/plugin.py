"""What this package brings: inverters by optimisation and beyond, losses, the aligner center."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from latentfu import (
    Aligner,
    Command,
    Generator,
    Inversion,
    InversionRequest,
    Inverter,
    Level,
    Loss,
    Quad,
    hookimpl,
)

from latentfu_builtin.inversion.features.options import DEFAULTS as FEATURE_DETAIL
from latentfu_builtin.inversion.pivotal.options import DEFAULTS as PIVOTAL
from latentfu_builtin.inversion.presets import PRESETS

if TYPE_CHECKING:
    import click
    import numpy as np

    from latentfu_builtin.inversion.losses import Distance


def optimise(name: str, request: InversionRequest) -> Inversion:
    """The preset ``name`` for one picture."""
    from latentfu_builtin.inversion.optimise import invert

    return invert(request, name)


def optimise_many(name: str, requests: Sequence[InversionRequest]) -> list[Inversion]:
    """The preset ``name`` for several pictures at once."""
    from latentfu_builtin.inversion.optimise import invert_many

    return invert_many(requests, name)


def pivotal(request: InversionRequest) -> Inversion:
    """Pivotal tuning."""
    from latentfu_builtin.inversion.pivotal.inverter import invert

    return invert(request)


def feature_detail(request: InversionRequest) -> Inversion:
    """A feature map beside the code."""
    from latentfu_builtin.inversion.features.inverter import invert

    return invert(request)


def central_square(rgb: np.ndarray[Any, np.dtype[np.uint8]]) -> list[Quad]:
    """The largest square in the middle of a picture."""
    height, width = rgb.shape[:2]
    side = min(height, width)
    return [Quad.square((width - side) / 2, (height - side) / 2, side)]


def has_layers(generator: Generator) -> bool:
    """Whether the network can be looked into."""
    return bool(generator.layers)


def pixels(name: str, generator: Generator) -> Distance:
    """A function of :mod:`latentfu_builtin.inversion.pixel`."""
    from latentfu_builtin.inversion import pixel

    distance: Distance = getattr(pixel, name)
    return distance


def features(name: str, generator: Generator) -> Distance:
    """vgg16 or lpips; refuses in one sentence when the network is not on this disk."""
    from latentfu_builtin.inversion.losses import built

    return built(name, generator)


def identity(generator: Generator) -> Distance:
    """1 - likeness by the domain's identity model."""
    from latentfu_builtin.inversion.losses import identity_distance

    return identity_distance(generator)


def presets() -> list[Inverter]:
    """The optimisation under its names; w-plus is the plain one."""
    return [
        Inverter(
            name=name,
            title=preset.title,
            spaces=("w+",) if name == "w-plus" else ("z", "w", "w+", "w++"),
            invert=partial(optimise, name),
            options=preset.options,
            description=preset.description,
            levels=preset.levels,
            invert_many=partial(optimise_many, name),
        )
        for name, preset in PRESETS.items()
    ]


@hookimpl
def latentfu_inverters() -> list[Inverter]:
    """Methods that need no training."""
    return [
        *presets(),
        Inverter(
            name="pivotal",
            title="A code, and the weights bent around it",
            spaces=("w", "w+", "w++"),
            invert=pivotal,
            options=PIVOTAL,
            fits=has_layers,
            description="Half a minute a picture; keeps a face that no code can show.",
        ),
        Inverter(
            name="feature-detail",
            title="A code, and features beside it",
            spaces=("w", "w+", "w++"),
            invert=feature_detail,
            options=FEATURE_DETAIL,
            levels={
                "good": Level(30, {"steps": 60}),
                "best": Level(30, {"steps": 150, "perceptual": 1.0, "size": 0.01}),
            },
            fits=has_layers,
            description="Seconds a picture; keeps hats and backgrounds through an edit.",
        ),
    ]


@hookimpl
def latentfu_losses() -> list[Loss]:
    """Losses by name."""
    return [
        Loss("pixels", "Squared differences at several sizes", partial(pixels, "pyramid")),
        Loss("l1", "Mean absolute difference", partial(pixels, "l1")),
        Loss("l2", "Mean squared difference", partial(pixels, "l2")),
        Loss("log-cosh", "Squares near 0, absolute far from it", partial(pixels, "log_cosh")),
        Loss("blurred-l2", "Squared difference when blurred", partial(pixels, "blurred_l2")),
        Loss("blurred-log-cosh", "Log cosh when blurred", partial(pixels, "blurred_log_cosh")),
        Loss("vgg16", "Features of VGG16 at one layer", partial(features, "vgg16")),
        Loss("lpips", "LPIPS (Zhang et al. 2018, arXiv 1801.03924)", partial(features, "lpips")),
        Loss("identity", "Another person (by an installed model)", identity),
    ]


def command(name: str) -> click.Command:
    """A command of :mod:`latentfu_builtin.inversion.cli`."""
    from latentfu_builtin.inversion import cli

    found: click.Command = getattr(cli, name)
    return found


@hookimpl
def latentfu_commands() -> list[Command]:
    """What can be minimised."""
    return [
        Command(
            ("backbones", "download"),
            "Fetch the network behind the losses vgg16 and lpips.",
            partial(command, "download_command"),
        ),
        Command(("losses", "list"), "List the losses.", partial(command, "losses_command")),
    ]


@hookimpl
def latentfu_aligners() -> list[Aligner]:
    """The aligner that needs no detector."""
    return [Aligner("center", "The middle of the layer", (), central_square)]
