"""Does a source of controls (directions, deformations) keep the contract?"""

from __future__ import annotations

import torch

from latentfu.core.control import Control, ControlEffect
from latentfu.core.generator import Generator, random_latents
from latentfu.core.latent import Latent
from latentfu.hookspecs import GeneratorSpec
from latentfu.plugin_manager import Registry
from latentfu.plugin_manager.sources import Source
from latentfu.testing.require import SAME, apart, finite, require
from latentfu.testing.tiny import spec_of


def check_controls(
    plugin: object, generator: Generator, spec: GeneratorSpec | None = None
) -> list[Control]:
    """Register ``plugin`` alone and check every control it has for ``generator``.

    ``spec``: what the plug-in is asked with, made from ``generator`` if left out. Raises
    AssertionError naming the first thing that is wrong, also when there is no control at all.
    """
    asked = spec or spec_of(generator)
    registry = Registry([Source("checked", "a test", "", lambda: plugin)])
    controls = list(registry.controls(asked).values())
    status = registry.statuses()[0]
    require(status.state == "ok", f"The plug-in would be quarantined: it {status.reason}.")
    require(bool(controls), f"The plug-in has no control for generator {asked.name}.")
    registry.controls(spec_of(generator, id="0" * 64, name="stranger", domain=asked.domain))
    status = registry.statuses()[0]
    require(status.state == "ok", f"Asked for another generator, the plug-in {status.reason}.")
    for control in controls:
        check_control(control, generator)
    return controls


@torch.no_grad()
def check_control(control: Control, generator: Generator) -> None:
    """One control: strength 0 is identity, inputs stay, results are finite and fit."""
    effect = control.load()
    require(
        isinstance(effect, ControlEffect),
        f"{control.name}: load() must give a latentfu.ControlEffect.",
    )
    latents = random_latents(generator, 2, seed=3)
    before = latents.codes.clone()
    still = effect.apply(latents, 0.0, generator)
    require(apart(still.codes, before) == 0, f"{control.name}: strength 0 changes the latent.")
    for strength in (control.minimum, control.maximum):
        moved = effect.apply(latents, strength, generator)
        where = f"{control.name}={strength:g}"
        require(apart(latents.codes, before) == 0, f"{where} changes the latent it is given.")
        _check_moved(where, latents, moved, generator)
        if control.kind == "direction" and strength != 0:
            require(apart(moved.codes, before) > 0, f"{where} changes nothing.")
        _check_layers(where, control, latents, moved)
        alone = effect.apply(latents.with_codes(before[:1]), strength, generator)
        require(
            apart(alone.codes, moved.codes[:1]) <= SAME,
            f"{where} moves a code otherwise alone than in a batch.",
        )


def _check_moved(where: str, before: Latent, moved: Latent, generator: Generator) -> None:
    require(isinstance(moved, Latent), f"{where} does not give a latentfu.Latent.")
    same = moved.space == before.space and moved.codes.shape == before.codes.shape
    require(same, f"{where} gives {moved.space} {list(moved.codes.shape)}.")
    require(moved.generator_id == before.generator_id, f"{where} gives another generator's latent.")
    require(finite(moved.codes), f"{where} gives codes that are not finite.")
    require(finite(generator.render(moved)), f"{where} renders pixels that are not finite.")


def _check_layers(where: str, control: Control, before: Latent, moved: Latent) -> None:
    """Layers that the control does not name stay as they are."""
    if control.layers is None or before.codes.ndim != 3:
        return
    first, last = control.layers
    require(last < before.codes.shape[1], f"{where}: there is no layer {last}.")
    others = [i for i in range(before.codes.shape[1]) if not first <= i <= last]
    if others:
        off = apart(before.codes[:, others], moved.codes[:, others])
        require(off == 0, f"{where} moves layers outside {first}-{last}.")
