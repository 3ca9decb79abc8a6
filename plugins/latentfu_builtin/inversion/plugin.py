"""What this package brings: inverters by optimization and beyond, losses, the aligner center."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from latentfu import (
    Aligner,
    BadInputError,
    Command,
    Generator,
    Inverter,
    Level,
    Loss,
    Quad,
    hookimpl,
)

from latentfu_builtin.inversion.settings import FEATURE_DETAIL_DEFAULTS, PIVOTAL_DEFAULTS, PRESETS
from latentfu_builtin.lazy import call_later, import_name, later

if TYPE_CHECKING:
    import numpy as np

    from latentfu_builtin.inversion.vgg import Distance


_ROOM = "latentfu_builtin.inversion"
_optimize = call_later(f"{_ROOM}.optimize:optimize_latent")
_optimize_many = call_later(f"{_ROOM}.optimize:optimize_latents")
_build_identity = call_later(f"{_ROOM}.losses:build_identity_distance")
_build_loss = call_later(f"{_ROOM}.losses:build_loss")


def _pixels(name: str) -> Callable[[Generator], Distance]:
    """What builds a distance that asks nothing of the generator."""
    return lambda generator: import_name(f"{_ROOM}.losses:{name}")


def _find_middle(rgb: np.ndarray[Any, np.dtype[np.uint8]]) -> list[Quad]:
    """The largest square in the middle of a picture."""
    height, width = rgb.shape[:2]
    side = min(height, width)
    return [Quad.square((width - side) / 2, (height - side) / 2, side)]


def _has_layers(generator: Generator) -> bool:
    """That the network can be looked into (raises BadInputError)."""
    if not generator.layers:
        raise BadInputError(
            f"The network {generator.name} shows no layers to work on: choose another inverter."
        )
    return True


def _make_presets() -> list[Inverter]:
    """The optimization under its names; w-plus is the plain one."""
    return [
        Inverter(
            name=name,
            title=preset.title,
            spaces=("w+",) if name == "w-plus" else ("z", "w", "w+", "w++"),
            invert=partial(_optimize, method=name),
            options=preset.options,
            description=preset.description,
            levels=preset.levels,
            invert_many=partial(_optimize_many, method=name),
        )
        for name, preset in PRESETS.items()
    ]


@hookimpl
def latentfu_inverters() -> list[Inverter]:
    """Methods that need no training."""
    return [
        *_make_presets(),
        Inverter(
            name="pivotal",
            title="A code, and the weights bent around it",
            spaces=("z", "w", "w+", "w++"),
            invert=call_later(f"{_ROOM}.pivotal_tuning:invert_by_tuning"),
            options=PIVOTAL_DEFAULTS,
            fits=_has_layers,
            description="Half a minute a picture; keeps a face that no code can show.",
        ),
        Inverter(
            name="feature-detail",
            title="A code, and features beside it",
            spaces=("z", "w", "w+", "w++"),
            invert=call_later(f"{_ROOM}.feature_detail:invert_with_detail"),
            options=FEATURE_DETAIL_DEFAULTS,
            levels={
                "good": Level(30, {"steps": 60}),
                "best": Level(30, {"steps": 150, "perceptual": 1.0, "size": 0.01}),
            },
            fits=_has_layers,
            description="Seconds a picture; keeps hats and backgrounds through an edit.",
        ),
    ]


@hookimpl
def latentfu_losses() -> list[Loss]:
    """Losses by name."""
    return [
        Loss("pixels", "Squared differences at several sizes", _pixels("pyramid")),
        Loss("l1", "Mean absolute difference", _pixels("l1")),
        Loss("l2", "Mean squared difference", _pixels("l2")),
        Loss("log-cosh", "Squares near 0, absolute far from it", _pixels("log_cosh")),
        Loss("blurred-l2", "Squared difference when blurred", _pixels("blurred_l2")),
        Loss("blurred-log-cosh", "Log cosh when blurred", _pixels("blurred_log_cosh")),
        Loss("vgg16", "Features of VGG16 at one layer", partial(_build_loss, "vgg16")),
        Loss("lpips", "LPIPS (Zhang et al. 2018, arXiv 1801.03924)", partial(_build_loss, "lpips")),
        Loss(
            "identity",
            "Another person (by an installed model)",
            _build_identity,
        ),
    ]


@hookimpl
def latentfu_commands() -> list[Command]:
    """What can be minimized."""
    return [
        Command(
            ("backbones", "download"),
            "Fetch the network behind the losses vgg16 and lpips.",
            later(f"{_ROOM}.cli:download_backbone_command"),
        ),
        Command(("losses", "list"), "List the losses.", later(f"{_ROOM}.cli:list_losses_command")),
    ]


@hookimpl
def latentfu_aligners() -> list[Aligner]:
    """The aligner that needs no detector."""
    return [Aligner("center", "The middle of the layer", (), _find_middle)]
