"""``latentfu render labels``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import latentfu
from latentfu import BadInputError, Strength, json_option

if TYPE_CHECKING:
    import torch

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("labels")
@click.argument("labels", type=FILE)
@click.option("--generator", required=True, metavar="NAME", help="An imported pix2pixHD network.")
@click.option("--instances", type=FILE, help="A map of objects: another number for each.")
@click.option("--set", "changes", multiple=True, type=Strength(), help="A deformation.")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="The picture to write (PNG).",
)
@json_option
def labels_command(  # noqa: PLR0917
    labels: Path,
    generator: str,
    instances: Path | None,
    changes: tuple[tuple[str, float], ...],
    output: Path,
    as_json: bool,
) -> None:
    """Draw LABELS, a gray picture whose values are label numbers, as a picture."""
    import json

    import torch
    from PIL import Image

    from latentfu_builtin.networks.pix2pixhd.generator import LabelGenerator

    opened = latentfu.open_generator(generator)
    if not isinstance(opened, LabelGenerator):
        raise BadInputError(f"{generator} does not draw maps of labels.")
    objects = None if instances is None else _read_numbers(instances)
    latent = opened.from_labels(_read_numbers(labels), objects)
    controls = latentfu.controls(opened) if changes else {}
    for name, strength in changes:
        if name not in controls:
            there = ", ".join(controls) or "none"
            raise BadInputError(f"There is no control {name!r}; there are: {there}.")
        latent = controls[name].load_for(opened).apply(latent, strength, opened)
    with torch.no_grad():
        image = opened.render(latent)[0]
    pixels = image.add(1).mul(127.5).round().clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy()
    latentfu.write_image(output, Image.fromarray(pixels))
    click.echo(json.dumps({"file": str(output)}) if as_json else str(output))


def _read_numbers(path: Path) -> torch.Tensor:
    """Read a gray picture as whole numbers ``[1, H, W]``; BadInputError for one in colors."""
    import numpy as np
    import torch
    from latentfu import PICTURE_FORMATS
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=PICTURE_FORMATS) as picture:
            if picture.mode not in ("L", "P", "I", "I;16", "1"):
                raise BadInputError(f"{path} is in colors: a map has one number for each pixel.")
            found = np.array(picture).astype(np.int64)
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise BadInputError(f"{path} is not a picture that can be read.") from error
    return torch.from_numpy(found)[None]
