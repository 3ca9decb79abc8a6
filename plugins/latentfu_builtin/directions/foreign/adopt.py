"""A found array as a direction of a generator: its length, its sign, its zero."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from latentfu import (
    BadInputError,
    Direction,
    Generator,
    Space,
    WrongGeneratorError,
    random_latents,
)

from latentfu_builtin.directions.foreign.known import Known
from latentfu_builtin.directions.foreign.shapes import Doubles, Found
from latentfu_builtin.directions.samples import made_for, shared_codes

CODES = 2000
UNIT = "standard deviations of the codes"


@dataclass(frozen=True)
class Wishes:
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
class Codes:
    """Random codes ``[N, D]`` (in w++ ``[N, L, D]``) of a generator, to measure lengths by."""

    generator: Generator
    values: Doubles

    @staticmethod
    def of(generator: Generator) -> Codes:
        """2000 codes of the generator's editing space; nothing is rendered."""
        latent = random_latents(generator, CODES, seed=0)
        return Codes(generator, shared_codes(latent).double().cpu().numpy())


def adopt(found: Found, known: Known, wishes: Wishes, codes: Codes, file: str) -> Direction:
    """The direction of ``codes.generator`` that a found array is; BadInputError if it is none."""
    generator = codes.generator
    check_family(known, wishes, generator)
    space = space_for(found, known, wishes, generator)
    sign = known.sign * (-1 if wishes.flip else 1)
    vector = sign * found.vector
    length = float(np.linalg.norm(vector))
    if not length > 0:
        raise BadInputError("It is zero everywhere.")
    unit = vector / length
    spread, middle = along(unit, codes)
    centre = middle if found.mean is None else float((found.mean * unit).sum())
    if found.spread is not None:
        spread = found.spread
    step = length if wishes.as_published else spread
    name = name_for(found, known, wishes, file)
    layers = wishes.layers or found.layers or known.layers
    check_layers(layers, generator)
    return Direction(
        vector=(unit * step).astype(np.float32),
        space=space,
        name=name,
        **made_for(generator),
        title=wishes.title or found.title,
        attribute=known.attribute or known.name,
        plus=wishes.plus or plus_of(known, wishes.flip),
        group="imported",
        layers=layers,
        unit="published units" if wishes.as_published else UNIT,
        bias=-centre,
        method=found.method or "published direction",
        absolute=found.absolute and not wishes.as_published,
        author=known.author,
        licence=known.licence,
        source=", ".join(filter(None, (known.source, file, known.made_for))),
    )  # fmt: skip


def check_family(known: Known, wishes: Wishes, generator: Generator) -> None:
    """Refuse a direction published for another architecture (raises WrongGeneratorError)."""
    if known.family and generator.family not in ("", known.family) and not wishes.force:
        raise WrongGeneratorError(
            f"It was made for {known.made_for}, and {generator.name} is a {generator.family} "
            f"network: import it for that one, or give --force."
        )


def along(unit: Doubles, codes: Codes) -> tuple[float, float]:
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


def space_for(found: Found, known: Known, wishes: Wishes, generator: Generator) -> Space:
    """The space of a direction; a z direction of a network that is edited in w is refused."""
    space = wishes.space or found.space or known.space
    if known.space == "w+" and found.vector.ndim == 1 and (wishes.space or found.space) is None:
        raise BadInputError(
            f"It has a step for each layer of {known.made_for}; {generator.name} has "
            f"{generator.num_ws} layers: it is for another generator."
        )
    if space is None:
        space = "w" if generator.w_dim and found.vector.size % generator.w_dim == 0 else "z"
    if found.vector.ndim == 2:
        space = "w++" if generator.spaces[-1] == "w++" else "w+"
    if space == "z" and "z" not in generator.spaces and not wishes.force:
        raise BadInputError(
            f"It is a direction in z, and pictures are edited in {generator.spaces[-1]} with "
            f"{generator.name}: give --space w if you know better, or --force."
        )
    return space


def check_layers(layers: tuple[int, int] | None, generator: Generator) -> None:
    """Refuse layers that the generator does not have (raises BadInputError)."""
    if layers is not None and layers[1] >= max(generator.num_ws, 1):
        raise BadInputError(
            f"The layers {layers[0]} to {layers[1]} are not in {generator.name}: it has the "
            f"layers 0 to {max(generator.num_ws, 1) - 1}."
        )


def plus_of(known: Known, flipped: bool) -> str:
    """What + means, said the other way round when the direction was turned."""
    return f"the opposite of: {known.plus}" if known.plus and flipped else known.plus


def name_for(found: Found, known: Known, wishes: Wishes, file: str) -> str:
    """A name of a-z 0-9 . _ -, from what was asked for, the manifest, or the file's own."""
    base = wishes.name or known.name or file.rsplit(".", 1)[0].removesuffix("_boundary")
    text = f"{base}-{found.suffix}" if found.suffix else base
    name = plain_name(text)
    if not name:
        raise BadInputError(f"{file} gives no usable name: say --name.")
    return name


def plain_name(text: str) -> str:
    """A text with only what a name may have; "" when nothing of it is left."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("._-")[:64]
