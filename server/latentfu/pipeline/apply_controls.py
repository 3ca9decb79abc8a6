"""latent -> edited latent: controls applied in one fixed order, then truncation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from latentfu.core.control import Control, ControlEffect, check_strengths
from latentfu.core.errors import BadInputError, NotInstalledError
from latentfu.core.generator import Generator
from latentfu.core.latent import Latent
from latentfu.core.value_effect import ControlValue
from latentfu.pipeline.cache import ControlCache
from latentfu.pipeline.feature_warp import warp_features
from latentfu.pipeline.plugin_calls import draw, load_identity, move_latent, set_value
from latentfu.plugin_manager import get_registry
from latentfu.plugin_manager.running import call_plugin, refuse_result
from latentfu.plugin_objects import GeneratorSpec, Identity
from latentfu.storage.direction_control import DirectionEffect, find_direction

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class EditOptions:
    """How controls are applied, beside their strengths.

    ``targets``: controls moved until the picture holds that much of them, wherever it stood.
    ``only``: the first and last layer that a control may move. ``truncate_first``: pull to the
    mean before the edits instead of after. ``identity``: how hard the person is held while the
    rest moves (0 not at all). ``values``: controls that are no sliders, and what each is set to.
    """

    targets: Mapping[str, float] = field(default_factory=dict)
    only: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    truncate_first: bool = False
    identity: float = 0.0
    values: Mapping[str, ControlValue] = field(default_factory=dict)


DEFAULT_EDIT_OPTIONS = EditOptions()


def apply_controls(
    latent: Latent,
    edits: Mapping[str, float],
    controls: Mapping[str, Control],
    generator: Generator,
    *,
    cache: ControlCache,
    psi: float = 1.0,
    options: EditOptions = DEFAULT_EDIT_OPTIONS,
) -> Latent:
    """``latent`` with every control moved by its strength, then pulled to the mean by ``psi``.

    Its details go along with what moves under them.

    Order: directions, then the other kinds by name, each by name, so that the order of the
    request does not matter; then what has a value, by name; then the targets, by name.
    Strength 0 does nothing at all, target 0 is the boundary. Raises NotInstalledError for an
    unknown control and BadInputError for a target or layers for a control that has none.
    Strengths and ``psi`` are checked where a request comes in (:mod:`latentfu.protocol.requests`).
    """
    check_control_names(edits, options, controls)
    check_kept_layers(options, generator)
    latent.check_generator(generator.id)
    edited = truncate(latent, generator, psi) if options.truncate_first else latent
    unmoved = edited
    load = partial(_load_kept_effect, generator=generator, cache=cache, options=options)
    for control in _sort_controls(edits, controls):
        effect, strength = load(control), float(edits[control.name])
        move = partial(effect.apply, edited, strength, generator)
        edited = move_latent(control, move, edited, strength)
    for name in sorted(options.values):
        effect = load(controls[name])
        edited = set_value(controls[name], effect, edited, options.values[name], generator)
    for name in sorted(options.targets):
        amount = float(options.targets[name])
        effect = readable_effect(controls[name], load(controls[name]), generator)
        read_amount(controls[name], effect, edited, generator)
        move = partial(effect.reach, edited, amount, generator)
        edited = move_latent(controls[name], move, edited, amount)
    if options.identity > 0 and edited is not unmoved:
        edited = hold_identity(unmoved, edited, generator, options.identity)
    after = edited if options.truncate_first else truncate(edited, generator, psi)
    return warp_features(latent, after, generator)


def check_control_names(
    edits: Mapping[str, float], options: EditOptions, controls: Mapping[str, Control]
) -> None:
    """Refuse controls that the generator does not have (raises NotInstalledError)."""
    check_strengths(edits, controls)
    check_strengths(options.targets, controls)


def check_other_networks(
    edits: Mapping[str, float], controls: Mapping[str, Control], spec: GeneratorSpec
) -> None:
    """Name the network that has a missing control, where another does (NotInstalledError)."""
    registry = get_registry()
    for name in edits:
        if name in controls:
            continue
        for other, found in registry.installed(GeneratorSpec).items():
            if other != spec.name and name in registry.controls(found):
                raise NotInstalledError(
                    f"There is no control {name!r} for {spec.name}, but the network {other} has "
                    f"it: choose that one (--generator {other})."
                )


def check_kept_layers(options: EditOptions, generator: Generator) -> None:
    """Refuse ``only`` layers that the generator does not have (raises BadInputError)."""
    last = generator.num_ws - 1
    for name, layers in options.only.items():
        if not 0 <= layers[0] <= layers[1] <= max(last, 0):
            raise BadInputError(
                f"{name} cannot be kept to the layers {layers[0]} to {layers[1]}: "
                f"{generator.name} has the layers 0 to {max(last, 0)}."
            )


def _load_kept_effect(
    control: Control, generator: Generator, cache: ControlCache, options: EditOptions
) -> ControlEffect:
    """What the control does, kept to the layers that were asked for."""
    effect = cache.get(control, generator)
    if control.name not in options.only:
        return effect
    if control.kind != "direction":
        raise BadInputError(f"{control.name} is not a direction: it cannot be kept to layers.")
    return effect.within(options.only[control.name])


def readable_effect(control: Control, effect: ControlEffect, generator: Generator) -> ControlEffect:
    """The effect, able to say how much of it a code holds.

    One that does not say is read as the direction that it moves along. Raises BadInputError where
    there is none.
    """
    if type(effect).amount is not ControlEffect.amount:
        return effect
    if control.kind != "direction":
        raise BadInputError(f"{control.name} is not a direction: give it a strength, not a target.")
    found = call_plugin(control, "moved", lambda: find_direction(control, effect, generator))
    return DirectionEffect(found)


def read_amount(
    control: Control, effect: ControlEffect, latent: Latent, generator: Generator
) -> torch.Tensor:
    """How much of the control each code holds, ``[N]``; the effect is a readable one."""
    import torch

    found = call_plugin(control, "was read off a code", lambda: effect.amount(latent, generator))
    if not isinstance(found, torch.Tensor) or tuple(found.shape) != (len(latent),):
        raise refuse_result(control, found, f"amounts [{len(latent)}]")
    return found


def _sort_controls(edits: Mapping[str, float], controls: Mapping[str, Control]) -> list[Control]:
    """The controls that move something, in the order in which they are applied."""
    moving = [controls[name] for name, strength in edits.items() if strength != 0]

    def order(control: Control) -> tuple[bool, str, str]:
        return control.kind != "direction", control.kind, control.name

    return sorted(moving, key=order)


def truncate(latent: Latent, generator: Generator, psi: float) -> Latent:
    """Codes pulled towards the generator's mean: 1 leaves them, 0 gives the mean."""
    if psi == 1.0 or latent.space == "z":
        return latent.with_codes(latent.codes * psi) if psi != 1.0 else latent
    mean = generator.mean_latent().codes.to(latent.codes)
    if latent.codes.ndim == 2 and mean.ndim == 3:
        mean = mean.mean(dim=1)
    return latent.with_codes(mean + psi * (latent.codes - mean))


IDENTITY_STEPS = 12
IDENTITY_STEP = 0.004
"""The length of one step for weight 1, as a part of the code's own length."""


def hold_identity(
    before: Latent, after: Latent, generator: Generator, weight: float, steps: int = IDENTITY_STEPS
) -> Latent:
    """``after`` with its codes moved so that it shows the person of ``before``.

    What the edit moved the codes along is not touched: gradient ascent on the likeness of the two
    pictures' identities, with the part along the edit taken out, layer by layer (after A.
    Mikheev's stylegan-editing). Raises BadInputError where no installed
    network knows persons in this generator's domain.
    """
    import torch

    known = get_registry().installed(Identity).values()
    network = next((item for item in known if generator.domain in item.domains), None)
    if network is None:
        raise BadInputError(f"No network that knows persons in {generator.domain} is installed.")
    identify = load_identity(network, str(generator.device))

    def embed(latent: Latent) -> torch.Tensor:
        return identify(draw(generator, latent).float().clamp(-1, 1))

    with torch.no_grad():
        wanted = embed(before)
    edit = after.codes - before.codes
    unit = edit / edit.norm(dim=-1, keepdim=True).clamp(min=1e-12)  # [N, (L,) D]
    codes = after.codes.detach()
    length = IDENTITY_STEP * min(weight, 10.0) * codes.norm(dim=-1, keepdim=True)
    best, nearest = codes, -1.0
    for step in range(steps + 1):
        codes = codes.detach().requires_grad_(step < steps)
        shown = embed(after.with_codes(codes))
        likeness = torch.cosine_similarity(shown, wanted).mean()
        if float(likeness.detach()) > nearest:
            best, nearest = codes.detach(), float(likeness.detach())
        if step == steps:
            break
        (slope,) = torch.autograd.grad(likeness, codes)
        slope = slope - (slope * unit).sum(dim=-1, keepdim=True) * unit
        slope = slope / slope.norm(dim=-1, keepdim=True).clamp(min=1e-12)
        codes = codes.detach() + length * (1 - step / steps) * slope
    return after.with_codes(best)
