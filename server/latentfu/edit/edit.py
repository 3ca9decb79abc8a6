"""latent -> edited latent: controls applied in one fixed order, then truncation."""

from __future__ import annotations

import math
from collections.abc import Mapping

from latentfu.edit.carry import carried
from latentfu.errors import BadInputError
from latentfu.nouns.control import Control, Mover, check_strengths
from latentfu.nouns.generator import Generator
from latentfu.nouns.latent import Latent


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
) -> Latent:
    """``latent`` with every control moved by its strength, then pulled to the mean by ``psi``.

    Its details go along with what moves under them.

    Order: directions before deformations, each by name, so that the order of the request does
    not matter. Strength 0 does nothing at all. Raises NotInstalledError for an unknown control
    and BadInputError for a strength that is no number in -100..100.
    """
    check_strengths(edits, controls)
    check_psi(psi)
    latent.check_generator(generator.id)
    edited = latent
    for control in in_order(edits, controls):
        edited = movers.of(control).move(edited, float(edits[control.name]), generator)
    return carried(latent, truncated(edited, generator, psi), generator)


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
