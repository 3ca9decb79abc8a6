"""Directions without labels: principal components of w, and a closed-form factorisation.

Härkönen et al. 2020, GANSpace (arXiv 2004.02546); Shen and Zhou 2021, SeFa (arXiv 2007.06600).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from latentfu import (
    BadInputError,
    Direction,
    DirectionEffect,
    Generator,
    Latent,
    Progress,
    SheetRow,
    contact_sheet,
    random_latents,
)
from PIL import Image
from torch import Tensor

from latentfu_builtin.directions.seeded_samples import (
    compact_codes,
    compact_space,
    describe_weights,
)
from latentfu_builtin.directions.style_channels import style_weights

_LayerLimits = tuple[int, int] | None
_SAMPLES = 20_000
_BATCH = 2000
_STRENGTHS = (-3.0, -1.5, 0.0, 1.5, 3.0)
_METHOD_TITLES = {
    "pca": "principal component (GANSpace)",
    "sefa": "closed-form factorisation (SeFa)",
}


def _draw_codes(generator: Generator, seed: int, progress: Progress) -> Tensor:
    """20,000 codes ``[N, D]``, float64; nothing is rendered. In w++ 4000, ``[N, L, D]``."""
    parts = []
    samples = _SAMPLES if compact_space(generator) != "w++" else 2 * _BATCH
    for first in range(0, samples, _BATCH):
        progress(first / samples, "Drawing codes")
        latent = random_latents(generator, _BATCH, seed * 1000 + first // _BATCH)
        parts.append(compact_codes(latent).double().cpu())
    return torch.cat(parts)


def _find_components(
    generator: Generator, codes: Tensor, count: int, layers: _LayerLimits
) -> Tensor:
    """The ``count`` directions ``[K, D]`` along which codes spread most, of unit length.

    Of w++ codes ``[K, L, D]``, zero outside ``layers``.
    """
    if codes.ndim == 3:
        return _find_layer_components(codes, count, layers)
    values, vectors = torch.linalg.eigh(torch.cov(codes.T))
    if float(values[-1] / values.mean()) < 1.5:
        other = "--method sefa" if generator.layers else "latentfu directions train"
        raise BadInputError(
            f"The codes of {generator.name} spread alike everywhere: they have no principal "
            f"components; try {other}."
        )
    found: Tensor = vectors.T.flip(0)[:count]
    return found


def _find_layer_components(codes: Tensor, count: int, layers: _LayerLimits) -> Tensor:
    """The same of codes ``[N, L, D]`` with numbers of their own in each layer."""
    first, last = layers or (0, codes.shape[1] - 1)
    moved = codes[:, first : last + 1].flatten(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # the method draws where to look
        _, _, found = torch.pca_lowrank(moved, q=min(count + 16, *moved.shape), niter=6)
    rows = torch.zeros(min(count, found.shape[1]), *codes.shape[1:], dtype=codes.dtype)
    rows[:, first : last + 1] = found.T[: len(rows)].reshape(len(rows), -1, codes.shape[2])
    return rows


def _factorize_styles(
    generator: Generator, codes: Tensor, count: int, layers: _LayerLimits
) -> Tensor:
    """The ``count`` steps ``[K, D]`` of unit length that change the styles of ``layers`` most.

    Of a network with only a z space: those that change its first layer most.
    """
    if generator.layers and generator.w_dim:
        first, last = layers or (0, len(generator.layers) - 1)
        weight = style_weights(generator, range(first, min(last, len(generator.layers) - 1) + 1))
    else:
        weight = _first_weight(generator)
    columns = weight / weight.norm(dim=1, keepdim=True).clamp(min=1e-12)
    _, vectors = torch.linalg.eigh(columns.T @ columns)
    found: Tensor = vectors.T.flip(0)[:count]
    return found


def _first_weight(generator: Generator) -> Tensor:
    """The weight ``[C, z_dim]`` of the layer that reads z; BadInputError where none is shown."""
    for layer in generator.layers[:1]:
        weight = generator.parameter(layer.weight).detach().double().cpu()
        if weight.ndim >= 2 and weight.shape[1] == generator.z_dim:
            return weight.transpose(0, 1).flatten(1).T
        if weight.ndim >= 2 and weight.shape[0] == generator.z_dim:
            return weight.flatten(1).T
    raise BadInputError(
        f"{generator.name} does not show the weights that this needs: try --method pca."
    )


FIND_METHODS: Mapping[str, Callable[[Generator, Tensor, int, _LayerLimits], Tensor]] = {
    "pca": _find_components,
    "sefa": _factorize_styles,
}


def find_directions(
    generator: Generator,
    method: str,
    count: int,
    *,
    layers: _LayerLimits = None,
    seed: int = 0,
    progress: Progress,
) -> list[Direction]:
    """The first ``count`` directions by ``method``, one spread of the codes long.

    The sign is such that the largest number is positive. Raises BadInputError.
    """
    size = generator.w_dim or generator.z_dim
    if not 1 <= count <= size:
        raise BadInputError(f"{generator.name} has {size} directions: give a --count up to that.")
    if layers is not None and layers[1] >= max(generator.num_ws, 1):
        raise BadInputError(f"{generator.name} has the layers 0 to {generator.num_ws - 1}.")
    codes = _draw_codes(generator, seed, progress)
    rows = FIND_METHODS[method](generator, codes, count, layers)
    return [_as_direction(row, i, generator, method, codes, layers) for i, row in enumerate(rows)]


def _as_direction(  # noqa: PLR0917
    row: Tensor, number: int, generator: Generator, method: str, codes: Tensor, layers: _LayerLimits
) -> Direction:
    """A unit vector ``[D]`` or ``[L, D]`` as a direction: one spread long, 0 at the mean."""
    row = row * row.flatten()[row.abs().argmax()].sign()
    if codes.ndim == 3 and row.ndim == 1:  # the same for all layers
        row = row.expand(codes.shape[1], -1) / codes.shape[1] ** 0.5
    amounts = codes.flatten(1) @ row.flatten()
    return Direction(
        vector=(row * amounts.std()).numpy().astype(np.float32),
        space=compact_space(generator),
        name=f"{method}-{number}",
        **describe_weights(generator),
        group="found",
        layers=layers if generator.num_ws else None,
        unit="standard deviations of the codes",
        bias=-float(amounts.mean()),
        method=_METHOD_TITLES[method],
        samples=len(codes),
    )


@torch.no_grad()
def draw_found_directions(
    directions: Sequence[Direction], generator: Generator, seed: int, progress: Progress
) -> Image.Image:
    """A contact sheet: each direction at strengths -3 to 3 on one sample."""
    start = random_latents(generator, 1, seed, psi=0.7 if generator.w_dim else 1.0)
    rows = []
    for done, direction in enumerate(directions):
        progress(done / len(directions), f"Drawing {direction.name}")
        mover = DirectionEffect(direction)
        moved = [mover.apply(start, strength, generator) for strength in _STRENGTHS]
        rows.append(SheetRow(direction.name, direction.plus, _render_pictures(moved, generator)))
    return contact_sheet(rows, [f"{s:+g}" for s in _STRENGTHS], blocks=1 if len(rows) < 6 else 2)


def _render_pictures(latents: Sequence[Latent], generator: Generator) -> list[np.ndarray]:
    """uint8 ``[R, R, 3]`` pictures of latents."""
    found = []
    for latent in latents:
        image = (generator.render(latent).float().clamp(-1, 1)[0] + 1) * 127.5
        found.append(image.round().byte().permute(1, 2, 0).cpu().numpy())
    return found
