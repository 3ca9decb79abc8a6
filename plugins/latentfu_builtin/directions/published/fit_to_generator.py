"""A published array, or a direction file that somebody gave, as a direction of a generator."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from latentfu import (
    BadInputError,
    Direction,
    Generator,
    Space,
    WrongGeneratorError,
    random_latents,
    read_direction,
)

from latentfu_builtin.directions.boundaries import Doubles
from latentfu_builtin.directions.published.catalogue import PublishedEntry
from latentfu_builtin.directions.published.files import PublishedDirection
from latentfu_builtin.directions.seeded_samples import (
    compact_codes,
    describe_family,
    describe_weights,
)

_CODES = 2000
_UNIT = "standard deviations of the codes"


@dataclass(frozen=True)
class FitOptions:
    """What a person asked for; None and "" leave it to the file."""

    name: str = ""
    space: Space | None = None
    layers: tuple[int, int] | None = None
    flip: bool = False
    force: bool = False
    as_published: bool = False
    plus: str = ""
    title: str = ""


@dataclass(frozen=True)
class ReferenceCodes:
    """Random codes ``[N, D]`` (in w++ ``[N, L, D]``) of a generator, to measure lengths by."""

    generator: Generator
    values: Doubles

    @staticmethod
    def of(generator: Generator) -> ReferenceCodes:
        """2000 codes of the generator's editing space; nothing is rendered."""
        latent = random_latents(generator, _CODES, seed=0)
        return ReferenceCodes(generator, compact_codes(latent).double().cpu().numpy())


def fit_to_generator(
    found: PublishedDirection,
    known: PublishedEntry,
    options: FitOptions,
    codes: ReferenceCodes,
    file: str,
) -> Direction:
    """The direction of ``codes.generator`` that a found array is; BadInputError if it is none."""
    generator = codes.generator
    _check_family(known, options, generator)
    space = _choose_space(found, known, options, generator)
    sign = known.sign * (-1 if options.flip else 1)
    vector = sign * found.vector
    length = float(np.linalg.norm(vector))
    if not length > 0:
        raise BadInputError("It is zero everywhere.")
    unit = vector / length
    spread, middle = measure_along(unit, codes)
    center = middle if found.mean is None else float((found.mean * unit).sum())
    if found.spread is not None:
        spread = found.spread
    step = length if options.as_published else spread
    name = _choose_name(found, known, options, file)
    layers = options.layers or found.layers or known.layers
    _check_layers(layers, generator)
    return Direction(
        vector=(unit * step).astype(np.float32),
        space=space,
        name=name,
        **describe_weights(generator),
        title=options.title or found.title,
        attribute=known.attribute or known.name,
        plus=options.plus or _describe_plus(known, options.flip),
        group="imported",
        layers=layers,
        unit="published units" if options.as_published else _UNIT,
        bias=-center,
        method=found.method or "published direction",
        absolute=found.absolute and not options.as_published,
        author=known.author,
        licence=known.licence,
        source=", ".join(filter(None, (known.source, file, known.made_for))),
    )  # fmt: skip


def _check_family(known: PublishedEntry, options: FitOptions, generator: Generator) -> None:
    """Refuse a direction published for another architecture (raises WrongGeneratorError)."""
    if known.family and generator.family not in ("", known.family) and not options.force:
        raise WrongGeneratorError(
            f"It was made for {known.made_for}, and {generator.name} is a {generator.family} "
            f"network: import it for that one, or give --force."
        )


def measure_along(unit: Doubles, codes: ReferenceCodes) -> tuple[float, float]:
    """Spread and mean of the generator's own codes along ``unit [D]`` or ``[num_ws, D]``."""
    if codes.values.ndim == 3 and unit.shape[-1] == codes.values.shape[2]:
        each = (codes.values * unit).sum(axis=(1, 2))
        return max(float(each.std()), 1e-9), float(each.mean())
    row: npt.NDArray[np.float64] = unit if unit.ndim == 1 else unit.sum(axis=0)
    if codes.values.shape[1] != row.size:
        raise BadInputError(
            f"It has {row.size} numbers; the codes of {codes.generator.name} have "
            f"{codes.values.shape[1]}."
        )
    amounts = codes.values @ row
    spread = float(amounts.std())
    if spread < 1e-9 * max(1.0, float(np.abs(codes.values).max())):
        spread = float(codes.values.std())  # rows that cancel: no code of one w moves along it
    return spread, float(amounts.mean())


def _choose_space(
    found: PublishedDirection, known: PublishedEntry, options: FitOptions, generator: Generator
) -> Space:
    """The space of a direction; a z direction of a network that is edited in w is refused."""
    space = options.space or found.space or known.space
    if known.space == "w+" and found.vector.ndim == 1 and (options.space or found.space) is None:
        raise BadInputError(
            f"It has a step for each layer of {known.made_for}; {generator.name} has "
            f"{generator.num_ws} layers: it is for another generator."
        )
    if space is None:
        space = "w" if generator.w_dim and found.vector.size % generator.w_dim == 0 else "z"
    if found.vector.ndim == 2:
        space = "w++" if generator.spaces[-1] == "w++" else "w+"
    if space == "z" and "z" not in generator.spaces and not options.force:
        raise BadInputError(
            f"It is a direction in z, and pictures are edited in {generator.spaces[-1]} with "
            f"{generator.name}: give --space w if you know better, or --force."
        )
    return space


def _check_layers(layers: tuple[int, int] | None, generator: Generator) -> None:
    """Refuse layers that the generator does not have (raises BadInputError)."""
    if layers is not None and layers[1] >= max(generator.num_ws, 1):
        raise BadInputError(
            f"The layers {layers[0]} to {layers[1]} are not in {generator.name}: it has the "
            f"layers 0 to {max(generator.num_ws, 1) - 1}."
        )


def _describe_plus(known: PublishedEntry, flipped: bool) -> str:
    """What + means, said the other way round when the direction was turned."""
    return f"the opposite of: {known.plus}" if known.plus and flipped else known.plus


def _choose_name(
    found: PublishedDirection, known: PublishedEntry, options: FitOptions, file: str
) -> str:
    """A name of a-z 0-9 . _ -, from what was asked for, the manifest, or the file's own."""
    base = options.name or known.name or file.rsplit(".", 1)[0].removesuffix("_boundary")
    text = f"{base}-{found.suffix}" if found.suffix else base
    name = make_plain_name(text)
    if not name:
        raise BadInputError(f"{file} gives no usable name: say --name.")
    return name


def make_plain_name(text: str) -> str:
    """A text with only what a name may have; "" when nothing of it is left."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("._-")[:64]


def import_direction_file(path: Path, generator: Generator, options: FitOptions) -> Direction:
    """The direction in ``path`` for ``generator``, with what was wished for.

    One for other weights is refused (WrongGeneratorError) unless ``wishes.force``: then it must
    fit in size, and what was measured on the other weights is left out.
    """
    direction = read_direction(path)
    if direction.generator_id != generator.id:
        direction = _force_onto(direction, generator, options)
    layers = options.layers or direction.layers
    _check_layers(layers, generator)
    named = replace(direction, name=options.name or direction.name, layers=layers)
    turned = _flip(named) if options.flip else named
    return replace(turned, plus=options.plus or turned.plus)


def _force_onto(direction: Direction, generator: Generator, options: FitOptions) -> Direction:
    """A direction of other weights as one of these; raises LatentFuError."""
    theirs = f"{direction.generator or 'another generator'} ({direction.generator_id[:12]})"
    if not options.force:
        raise WrongGeneratorError(
            f"It was made for {theirs}, not for {generator.name} ({generator.id[:12]}): import "
            f"it for that one, or give --force."
        )
    if direction.vector.shape not in _possible_shapes(direction, generator):
        raise BadInputError(
            f"It was made for {theirs} and has {list(direction.vector.shape)} numbers, which "
            f"fit nothing in {generator.name} ({describe_family(generator)})."
        )
    return replace(
        direction,
        **describe_weights(generator),
        accuracy=None,
        effect=None,
        leakage={},
        source=", ".join(filter(None, (direction.source, f"made for {theirs}"))),
    )


def _possible_shapes(direction: Direction, generator: Generator) -> list[tuple[int, ...]]:
    """The shapes that a vector of its space may have here; none for a space that is not there."""
    if direction.parameter:
        return [tuple(generator.parameter(direction.parameter).shape)]
    if direction.space == "z":
        return [(generator.z_dim,)] if "z" in generator.spaces else []
    return [(generator.w_dim,), (generator.num_ws, generator.w_dim)] if generator.w_dim else []


def _flip(direction: Direction) -> Direction:
    """The same turned round, with all that was measured."""
    normal = direction.normal
    return replace(
        direction,
        vector=-direction.vector,
        normal=None if normal is None else -normal,
        bias=-direction.bias,
        plus=f"the opposite of: {direction.plus}" if direction.plus else "",
        minimum=-direction.maximum,
        maximum=-direction.minimum,
        effect=None if direction.effect is None else -direction.effect,
        leakage={name: -amount for name, amount in direction.leakage.items()},
    )
