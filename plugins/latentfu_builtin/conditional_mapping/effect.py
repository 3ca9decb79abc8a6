"""A trained conditional mapping at work: a layer gets what a reference picture has."""

from __future__ import annotations

from pathlib import Path

import torch
from latentfu import (
    BadInputError,
    ControlValue,
    Exemplar,
    Generator,
    Latent,
    ValueEffect,
    WrongGeneratorError,
)
from torch import Tensor

from latentfu_builtin.conditional_mapping.mapping_file import StoredMapping, load_mapping
from latentfu_builtin.conditional_mapping.scored_attributes import (
    ScoredAttributes,
    find_scorer_for,
    load_score,
)
from latentfu_builtin.inversion.coordinates import Spread, measure_code_shape
from latentfu_builtin.networks.stylegan.conditional_mapping import ConditionalMapping


class ReferenceEffect(ValueEffect):
    """Gives a latent the attributes that a scorer reads of another picture."""

    def __init__(
        self, network: ConditionalMapping, spread: Spread, attributes: ScoredAttributes
    ) -> None:
        self.network, self.spread, self.attributes = network, spread, attributes

    @torch.no_grad()
    def apply_value(self, latent: Latent, value: ControlValue, generator: Generator) -> Latent:
        """The codes with the reference's attributes, by one pass of the mapping.

        Raises:
            BadInputError: The value is no picture.
        """
        if not isinstance(value, Exemplar):
            raise BadInputError("This control takes a picture: give it one, as @other.png.")
        wanted = self.attributes.read(value.image.to(generator.device))
        return self.give(latent, wanted.expand(len(latent), -1), generator)

    @torch.no_grad()
    def give(self, latent: Latent, wanted: Tensor, generator: Generator) -> Latent:
        """The codes with these attributes, ``[N, A]`` in standard deviations."""
        has = self.attributes.read(generator.render(latent).float().clamp(-1, 1))
        codes = latent.codes if latent.codes.ndim == 3 else latent.codes[:, None]
        offsets = self.spread.whitened(codes.float())  # [N, tokens, D]
        known = self.attributes.choose_known
        step = self.network(offsets, known(has), known(wanted))
        moved = codes + self.spread.moved(step).to(codes)
        return latent.with_codes(moved if latent.codes.ndim == 3 else moved[:, 0])


def open_trained(stored: StoredMapping, attributes: ScoredAttributes) -> ReferenceEffect:
    """The effect of a mapping, and of the attributes that it gives over."""
    return ReferenceEffect(stored.network, Spread(stored.mean, stored.axes), attributes)


def open_effect(path: Path, generator: Generator) -> ReferenceEffect:
    """The effect that a file describes.

    Raises:
        BadInputError: The file is unusable, or its scorer reads other attributes now.
        NotInstalledError: Its scorer is not installed.
        WrongGeneratorError: It is for codes of another shape.
    """
    stored = load_mapping(path, str(generator.device))
    config, (tokens, depth) = stored.network.config, measure_code_shape(generator)
    if (config.tokens, config.depth) != (tokens, depth):
        raise WrongGeneratorError(
            f"{path} is for {config.tokens} codes of {config.depth} numbers, {generator.name} has "
            f"{tokens} of {depth}: train one for it."
        )
    return open_trained(stored, _find_attributes(stored, generator))


def _find_attributes(stored: StoredMapping, generator: Generator) -> ScoredAttributes:
    """The scorer's attributes as the mapping learned them."""
    scorer = find_scorer_for(generator, stored.scorer)
    missing = [name for name in stored.attributes if name not in scorer.attributes]
    if missing or len(scorer.attributes) != len(stored.attributes_mean):
        raise BadInputError(
            f"The scorer {scorer.name} reads other attributes than when the mapping was trained: "
            f"train it again."
        )
    columns = tuple(scorer.attributes.index(name) for name in stored.attributes)
    score = load_score(scorer, generator)
    return ScoredAttributes(
        scorer, score, columns, stored.attributes_mean, stored.attributes_spread
    )
