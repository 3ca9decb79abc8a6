"""What ``latentfu plugins new`` writes for controls beside directions: module and test of each.

Each module works as it is, and its test holds it to the contract; see plugin_kinds.
"""

from __future__ import annotations

CHOICE = (
    '''\
"""A control that is no slider: one of some looks, which the latent is moved to."""

from __future__ import annotations

import latentfu

LOOKS = {"first": 11, "second": 12, "third": 13}
"""The looks and the seeds of their latents: put in your own."""


class Look(latentfu.ValueEffect):
    """Half of the way from a latent to that of a look."""

    def apply_value(
        self, latent: latentfu.Latent, value: latentfu.ControlValue, generator: latentfu.Generator
    ) -> latentfu.Latent:
        """The value is one of the choices: everything else was refused before."""
        look = latentfu.random_latents(generator, 1, LOOKS[str(value)]).codes.to(latent.codes)
        if look.ndim < latent.codes.ndim:  # [1, D] to rows [1, 1, D]
            look = look[:, None]
        return latent.with_codes(latent.codes.lerp(look.expand_as(latent.codes), 0.5))


@latentfu.hookimpl
def latentfu_controls(generator: latentfu.GeneratorSpec) -> list[latentfu.Control]:
    """For people, drawn or photographed, of whatever weights."""
    if generator.domain not in ("faces", "portraits"):
        return []
    return [
        latentfu.Control(
            name="$name",
            title="Look",
            positive_means="a look",
            generator_id=generator.id,
            load=Look,
            kind="look",
            widget="choice",  # or check, color, point, picture, text
            choices=tuple(LOOKS),
        )
    ]
''',
    """\
from latentfu.testing import TinyGenerator, check_controls, spec_of

import $module


def test_every_look_keeps_the_contract(tiny_generator: TinyGenerator) -> None:
    spec = spec_of(tiny_generator, domain="portraits")
    (control,) = check_controls($module, tiny_generator, spec)
    assert control.choices == tuple($module.LOOKS)
""",
)

DEFORMATION = (
    '''\
"""A deformation: a change of a network's weights, which no direction makes.

This one is computed: the singular vectors of a layer's weights by which it changes its input most
(Cherepkov et al. 2021, arXiv 2011.13786). Those that "latentfu deformations discover" found are
files: put them into the folder deformations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import latentfu

FOLDER = Path(__file__).parent / "deformations"
DOMAIN = "portraits"
LAYER = 1
"""Which of the generator's layers is deformed."""


class Stretch(latentfu.ControlEffect):
    """Adds a part of a layer's weights to them, as often as the strength says."""

    def __init__(self, generator: latentfu.Generator) -> None:
        import torch  # here, so that listing plug-ins stays fast

        if not generator.layers:
            raise latentfu.BadInputError(f"The generator {generator.name} shows no layers.")
        layer = generator.layers[min(LAYER, len(generator.layers) - 1)]
        weight = generator.parameter(layer.weight).detach()  # [out, in, k, k]
        left, size, right = torch.linalg.svd(weight.flatten(1).float(), full_matrices=False)
        first = size[0] * left[:, :1] @ right[:1]  # [out, in * k * k]
        self.parameter = layer.weight
        self.shift = (0.3 * first).reshape(weight.shape)

    def apply(
        self, latent: latentfu.Latent, strength: float, generator: latentfu.Generator
    ) -> latentfu.Latent:
        """The codes stay; the shift travels with them."""
        if strength == 0:
            return latent
        offset = latentfu.WeightOffset(self.parameter, self.shift, strength)
        return replace(latent, bends=(*latent.bends, offset))


@latentfu.hookimpl
def latentfu_controls(generator: latentfu.GeneratorSpec) -> Iterator[latentfu.Control]:
    """The files that are for this generator, and the computed one for all of its domain."""
    yield from latentfu.deformations_in(FOLDER, generator.id)
    if generator.domain == DOMAIN:
        yield latentfu.Control(
            name="$name",
            title="Stretch",
            positive_means="more of what the layer does most",
            generator_id=generator.id,
            load=Stretch,
            kind="deformation",
            group="deformations",
            minimum=-1.0,
            maximum=1.0,
            unit="units of its own size",
            licence="Apache-2.0",
        )
''',
    """\
import latentfu
import pytest
from latentfu.testing import LayeredGenerator, TinyGenerator, check_controls, spec_of

import $module


def test_the_deformation_keeps_the_contract(layered_generator: LayeredGenerator) -> None:
    spec = spec_of(layered_generator, domain=$module.DOMAIN)
    (control,) = check_controls($module, layered_generator, spec)
    assert control.kind == "deformation"
    latent = layered_generator.mean_latent()
    bent = control.load_for(layered_generator).apply(latent, 1.0, layered_generator)
    assert bent.codes.equal(latent.codes)
    assert not layered_generator.render(bent).equal(layered_generator.render(latent))


def test_a_network_without_layers_is_told(tiny_generator: TinyGenerator) -> None:
    with pytest.raises(latentfu.BadInputError, match="shows no layers"):
        $module.Stretch(tiny_generator)
""",
)
