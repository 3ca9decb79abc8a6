"""Portraits as a photographer would bring them: large, off-center, with a room behind."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import click
import torch
from latentfu import BadInputError, Progress, json_option, progress_bar

from latentfu_builtin.portraits.renderer import FACTOR_NAMES, PortraitPlacement, render, sample

FIRST_PORTRAIT_SEED = 90_000
"""Training draws its factors from other seeds."""


@dataclass(frozen=True)
class PortraitSpec:
    """One picture: who (``seed``), how large, and factors that are set by hand (-1..1)."""

    seed: int
    width: int = 1024
    height: int = 1280
    room: bool = True
    factors: dict[str, float] = field(default_factory=dict)


def render_portrait(sitting: PortraitSpec) -> torch.Tensor:
    """uint8 ``[H, W, 3]``; BadInputError for a factor that there is not, or a size out of reach."""
    sides = (sitting.width, sitting.height)
    if min(sides) < 16 or max(sides) > 8192:
        raise BadInputError("A side must have 16 to 8192 pixels.")
    factors = sample(1, seed=sitting.seed)
    for name, value in sitting.factors.items():
        if name not in FACTOR_NAMES:
            raise BadInputError(
                f"There is no factor {name!r}; there are: {', '.join(FACTOR_NAMES)}."
            )
        if not -1 <= value <= 1:
            raise BadInputError(f"The factor {name} goes from -1 to 1, not to {value:g}.")
        factors[0, FACTOR_NAMES.index(name)] = value
    across, down, near = torch.rand(3, generator=torch.Generator().manual_seed(sitting.seed))
    middle = PortraitPlacement(
        0.4 + 0.2 * float(across), 0.44 + 0.1 * float(down), 0.72 + 0.2 * float(near)
    )
    drawn = render(
        factors,
        (sitting.height, sitting.width),
        placement=middle,
        backdrop=sitting.seed if sitting.room else None,
    )[0]
    return drawn.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0)


def _write_portrait(sitting: PortraitSpec, path: Path) -> None:
    """The picture as PNG, or JPEG by the name's ending."""
    from PIL import Image

    pixels = render_portrait(sitting).numpy()
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=90)


def _write_portraits(sittings: list[PortraitSpec], folder: Path, progress: Progress) -> list[Path]:
    """One file for each, named by its seed."""
    paths = []
    for place, sitting in enumerate(sittings):
        progress(place / len(sittings), f"Rendering {place + 1} of {len(sittings)}")
        paths.append(folder / f"portrait-{sitting.seed}.png")
        _write_portrait(sitting, paths[-1])
    return paths


def _parse_factors(words: tuple[str, ...]) -> dict[str, float]:
    """NAME=NUMBER pairs."""
    found = {}
    for word in words:
        name, _, number = word.partition("=")
        try:
            found[name] = float(number)
        except ValueError as error:
            raise BadInputError(f"{word!r} is not NAME=NUMBER, e.g. smile=0.8.") from error
    return found


@click.command("portraits")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder.")
@click.option("--count", default=1, show_default=True, help="How many people.")
@click.option(
    "--seed", default=FIRST_PORTRAIT_SEED, show_default=True, help="The first one's seed."
)
@click.option("--width", default=1024, show_default=True, help="Pixels across.")
@click.option("--height", default=1280, show_default=True, help="Pixels down.")
@click.option("--set", "words", multiple=True, metavar="FACTOR=VALUE", help="-1..1, for all.")
@click.option("--plain", is_flag=True, help="A plain wall, as in training, instead of a room.")
@json_option
def render_portraits_command(
    output: Path, words: tuple[str, ...], plain: bool, as_json: bool, **numbers: int
) -> None:
    """Render portraits of people who do not exist, to try things on: PNG files in a folder."""
    factors = _parse_factors(words)
    sittings = [
        PortraitSpec(numbers["seed"] + i, numbers["width"], numbers["height"], not plain, factors)
        for i in range(numbers["count"])
    ]
    with progress_bar("Rendering portraits", quiet=as_json) as progress:
        paths = [str(path) for path in _write_portraits(sittings, output, progress)]
    click.echo(json.dumps({"files": paths}) if as_json else "\n".join(paths))
