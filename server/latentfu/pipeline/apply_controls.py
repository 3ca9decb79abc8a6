"""latent -> edited latent: controls applied in one fixed order, then truncation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from latentfu.core.control import Control, Mover, check_strengths
from latentfu.core.errors import BadInputError
from latentfu.core.generator import Generator
from latentfu.core.latent import Latent
from latentfu.pipeline.feature_warp import warp_features
from latentfu.pipeline.identity import with_identity
from latentfu.storage.direction_control import DirectionEffect


@dataclass(frozen=True)
class EditOptions:
    """How controls are applied, beside their strengths.

    ``targets``: controls moved until the picture holds that much of them, wherever it stood.
    ``only``: the first and last layer that a control may move. ``truncate_first``: pull to the
    mean before the edits instead of after. ``identity``: how hard the person is held while the
    rest moves (0 not at all).
    """

    targets: Mapping[str, float] = field(default_factory=dict)
    only: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    truncate_first: bool = False
    identity: float = 0.0


DEFAULT_EDIT_OPTIONS = EditOptions()


class Movers:
    """Loaded controls, each loaded when first used."""

    def __init__(self) -> None:
        self._loaded: dict[tuple[str, str], tuple[Control, Mover]] = {}

    def of(self, control: Control) -> Mover:
        """The mover of ``control``, loaded again when the control was replaced."""
        key = (control.generator_id, control.name)
        known = self._loaded.get(key)
        if known is None or not same_file(known[0], control):
            known = (control, control.load())
            self._loaded[key] = known
        return known[1]


def same_file(old: Control, new: Control) -> bool:
    """Whether two listings speak of the same unchanged control."""
    return old is new or (bool(old.facts) and old.facts == new.facts)


def apply(
    latent: Latent,
    edits: Mapping[str, float],
    controls: Mapping[str, Control],
    generator: Generator,
    *,
    movers: Movers,
    psi: float = 1.0,
    ways: EditOptions = DEFAULT_EDIT_OPTIONS,
) -> Latent:
    """``latent`` with every control moved by its strength, then pulled to the mean by ``psi``.

    Its details go along with what moves under them.

    Order: directions before deformations, each by name, so that the order of the request does
    not matter; then the targets, by name. Strength 0 does nothing at all, target 0 is the
    boundary. Raises NotInstalledError for an unknown control and BadInputError for a strength
    that is no number in -100..100, or a target or layers for a control that has none.
    """
    check_edits(edits, ways, controls)
    check_psi(psi)
    latent.check_generator(generator.id)
    edited = truncated(latent, generator, psi) if ways.truncate_first else latent
    unmoved = edited
    for control in in_order(edits, controls):
        mover = mover_for(control, movers, ways)
        edited = mover.move(edited, float(edits[control.name]), generator)
    for name in sorted(ways.targets):
        mover = mover_for(controls[name], movers, ways)
        edited = reaching(mover, controls[name]).reach(edited, float(ways.targets[name]), generator)
    if ways.identity > 0 and edited is not unmoved:
        edited = with_identity(unmoved, edited, generator, ways.identity)
    after = edited if ways.truncate_first else truncated(edited, generator, psi)
    return warp_features(latent, after, generator)


def check_edits(
    edits: Mapping[str, float], ways: EditOptions, controls: Mapping[str, Control]
) -> None:
    """Refuse controls, strengths and targets that can not be (raises LatentFuError)."""
    check_strengths(edits, controls)
    check_strengths(ways.targets, controls)
    both = sorted(set(edits) & set(ways.targets))
    if both:
        raise BadInputError(f"{both[0]} has a strength and a target: give one of them.")
    idle = sorted(set(ways.only) - set(edits) - set(ways.targets))
    if idle:
        raise BadInputError(f"Layers are given for {idle[0]}, which is not moved.")
    if not math.isfinite(ways.identity) or not 0 <= ways.identity <= 1000:
        raise BadInputError("The identity's weight must be a number from 0 to 1000.")


def mover_for(control: Control, movers: Movers, ways: EditOptions) -> Mover:
    """The control's mover, kept to the layers that were asked for."""
    mover = movers.of(control)
    if control.name not in ways.only:
        return mover
    if not isinstance(mover, DirectionEffect):
        raise BadInputError(f"{control.name} is no direction: it can not be kept to layers.")
    return mover.within(ways.only[control.name])


def reaching(mover: Mover, control: Control) -> DirectionEffect:
    """The mover, if it can read amounts off a code (raises BadInputError)."""
    if not isinstance(mover, DirectionEffect):
        raise BadInputError(f"{control.name} is no direction: give it a strength, not a target.")
    return mover


def in_order(edits: Mapping[str, float], controls: Mapping[str, Control]) -> list[Control]:
    """The controls that move something, in the order in which they are applied."""
    moving = [controls[name] for name, strength in edits.items() if strength != 0]
    return sorted(moving, key=lambda control: (control.kind != "direction", control.name))


def truncated(latent: Latent, generator: Generator, psi: float) -> Latent:
    """Codes pulled towards the generator's mean: 1 leaves them, 0 gives the mean."""
    if psi == 1.0 or latent.space == "z":
        return latent.with_codes(latent.codes * psi) if psi != 1.0 else latent
    mean = generator.mean_latent().codes.to(latent.codes)
    if latent.codes.ndim == 2 and mean.ndim == 3:
        mean = mean.mean(dim=1)
    return latent.with_codes(mean + psi * (latent.codes - mean))


def check_psi(psi: float) -> None:
    """Refuse a truncation outside 0..2 (raises BadInputError)."""
    if not math.isfinite(psi) or not 0.0 <= psi <= 2.0:
        raise BadInputError(f"psi is {psi}: give a number between 0 and 2, 1 to change nothing.")
