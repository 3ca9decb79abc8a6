"""``latentfu faces list``: which faces a picture holds, with the numbers that ``--face`` takes."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import latentfu
from latentfu import PICTURE_FORMATS, Aligner, BadInputError, NotInstalledError, Quad, json_option

if TYPE_CHECKING:
    from PIL import Image

_GRAY = (128, 128, 128)
_LONGEST = 2048
"""Longest side of a preview in pixels."""
_LINE, _BEHIND = (255, 220, 0), (0, 0, 0)


@click.command("list")
@click.argument("picture", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
    help="Also write the picture with the numbered squares drawn on it (PNG).",
)  # fmt: skip
@click.option("--generator", metavar="NAME", help="Whose edits are meant (default: the first).")
@click.option(
    "--aligner", metavar="NAME", help="How they are found (default: the generator's own)."
)
@json_option
def list_faces_command(
    *,
    picture: Path,
    output: Path | None,
    generator: str | None,
    aligner: str | None,
    as_json: bool,
) -> None:
    """List the faces in PICTURE: the number is what --face takes, 1 is the largest."""
    import numpy as np

    finder = _choose_aligner(generator, aligner)
    if output is not None and output.suffix.lower() != ".png":
        raise BadInputError(f"{output} must end in .png.")
    image = _read_rgb(picture)
    quads = finder.find(np.array(image))
    if output is not None:
        latentfu.write_image(output, _draw_squares(image, quads))
    rows = [_describe_square(number, quad) for number, quad in enumerate(quads, 1)]
    if as_json:
        click.echo(json.dumps({"picture": str(picture), "faces": rows}, indent=2))
        return
    if not rows:
        click.echo(f"No face is found in {picture}: give --corners, or --eyes and --mouth.")
    for row in rows:
        x, y = row["center"]
        click.echo(
            f"{row['face']:3}  {row['side']:.0f} px around {x:.0f}, {y:.0f}, "
            f"turned by {row['angle']:.0f} degrees, score {row['score']:.2f}"
        )


def _choose_aligner(generator: str | None, aligner: str | None) -> Aligner:
    """The one that edits with these names would use; raises NotInstalledError."""
    if aligner is None:
        networks = latentfu.generators()
        if generator is not None and generator not in networks:
            raise NotInstalledError(
                f"There is no generator {generator}: see `latentfu generators list`."
            )
        name = generator or next(iter(networks), None)
        aligner = networks[name].aligner if name else "faces"
    known = latentfu.aligners()
    if aligner not in known:
        raise NotInstalledError(f"There is no aligner {aligner}; there are: {', '.join(known)}.")
    return known[aligner]


def _describe_square(number: int, quad: Quad) -> dict[str, Any]:
    """A square in figures: pixels, and degrees clockwise."""
    import numpy as np

    across = np.subtract(quad.corners[1], quad.corners[0])
    return {
        "face": number,
        "corners": [[round(x, 2), round(y, 2)] for x, y in quad.corners],
        "center": [round(value, 2) for value in quad.center],
        "side": round(quad.side, 2),
        "angle": round(float(np.degrees(np.arctan2(across[1], across[0]))), 2),
        "score": round(quad.score, 4),
    }


def _draw_squares(image: Image.Image, quads: Sequence[Quad]) -> Image.Image:
    """``image`` (RGB), at most 2048 px a side, with each square outlined and numbered from 1."""
    from PIL import Image, ImageDraw, ImageFont

    shown = image.copy()
    shown.thumbnail((_LONGEST, _LONGEST), Image.Resampling.LANCZOS)
    scale = shown.width / image.width
    pen = ImageDraw.Draw(shown)
    width = max(1, max(shown.size) // 300)
    for number, quad in enumerate(quads, 1):
        points = [(x * scale, y * scale) for x, y in quad.corners]
        for color, thick in ((_BEHIND, 3 * width), (_LINE, width)):
            pen.line([*points, points[0]], fill=color, width=thick, joint="curve")
        size = max(10.0, quad.side * scale / 8)
        x, y = points[0]  # inside the picture even where the square begins outside of it
        place = (min(max(x, 0), shown.width - size), min(max(y, 0), shown.height - size))
        pen.text(
            place, str(number), fill=_LINE, font=ImageFont.load_default(size),
            stroke_width=width, stroke_fill=_BEHIND,
        )  # fmt: skip
    return shown


def _read_rgb(path: Path) -> Image.Image:
    """A picture upright in RGB, transparent pixels as gray; raises BadInputError."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=PICTURE_FORMATS) as opened:
                upright = ImageOps.exif_transpose(opened).convert("RGBA")
    except FileNotFoundError as error:
        raise BadInputError(f"There is no file {path}.") from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise BadInputError(f"{path} has too many pixels: scale it down first.") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise BadInputError(f"{path} is not a picture that can be read.") from error
    canvas = Image.new("RGBA", upright.size, (*_GRAY, 255))
    return Image.alpha_composite(canvas, upright).convert("RGB")
