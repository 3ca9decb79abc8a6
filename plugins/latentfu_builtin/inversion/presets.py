"""Optimisations by the projects they follow, as options over the defaults.

Each does what the project does, without its bugs; docs/inversion.md says which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from latentfu import Level

from latentfu_builtin.inversion.settings import DEFAULTS, Values


@dataclass(frozen=True)
class Preset:
    """A named set of options. ``levels``: the qualities it can serve."""

    title: str
    description: str
    changes: Values = field(default_factory=dict)
    levels: Mapping[str, Level] = field(default_factory=dict)

    @property
    def options(self) -> Values:
        """All options with their values."""
        return {**DEFAULTS, **self.changes}


PRESETS: Mapping[str, Preset] = {
    "w-plus": Preset(
        title="Optimisation in W+",
        description="Seconds a picture; starts from the mean and needs no training.",
        levels={
            "draft": Level(10, {"steps": 40}),
            "good": Level(10),
            "best": Level(10, {"steps": 500}),
        },
    ),
    "optimise": Preset(
        title="Optimisation, every option",
        description="z, w, w+, w++ and noise; Adam or L-BFGS; losses by name and weight.",
        levels={  # for generators without w+
            "draft": Level(5, {"steps": 40}),
            "good": Level(5),
            "best": Level(5, {"steps": 500}),
        },
    ),
    "stylegan-editing": Preset(
        title="As stylegan-editing finds codes",
        description="400 steps of VGG16 and blurred log cosh; coarse layers first.",
        changes={
            "start": "auto",
            "steps": 400,
            "rate": 0.025,
            "ramp_up": 0.0,
            "ramp_down": 0.0,
            "units": "plain",
            "losses": "vgg16:0.4,blurred-log-cosh:1.5",
            "prior": 0.0,
            "cascade": 0.125,
            "coarse": 5,
        },
    ),
    "pytorch-stylegan-encoder": Preset(
        title="As pytorch_stylegan_encoder finds codes",
        description="1000 steps of VGG16's features alone.",
        changes={
            "start": "auto",
            "steps": 1000,
            "optimizer": "sgd",
            "rate": 1.0,
            "ramp_up": 0.0,
            "ramp_down": 0.0,
            "units": "plain",
            "losses": "vgg16:1",
            "prior": 0.0,
            "cascade": 0.0,
        },
    ),
    "stylegan2-projector": Preset(
        title="As the StyleGAN2 projector finds codes",
        description="1000 steps of a perceptual distance with noise on the codes; slow.",
        changes={
            "steps": 1000,
            "rate": 0.1,
            "ramp_up": 0.05,
            "ramp_down": 0.25,
            "units": "plain",
            "losses": "auto:1",
            "prior": 0.0,
            "cascade": 0.0,
            "explore": 0.05,
            "explore_until": 0.75,
            "noise": "auto",
        },
    ),
}
