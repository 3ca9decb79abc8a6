"""``latentfu invert``: the latent of a picture, or of a folder of pictures, as safetensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from latentfu.cli import options
from latentfu.cli.invert_options import gathered, method_options
from latentfu.cli.output import json_option, print_json, progress_bar
from latentfu.core.errors import BadInputError

if TYPE_CHECKING:
    from latentfu.hookspecs import GeneratorSpec
    from latentfu.pipeline.invert import Found


@click.command("invert")
@options.picture_argument("image")
@click.option(
    "-o", "--output", required=True, metavar="PATH", type=click.Path(path_type=Path),
    help="The latent, a .safetensors file; for a folder of pictures a folder.",
)  # fmt: skip
@options.choice_options
@method_options
@click.option(
    "--mask", type=click.Path(path_type=Path), metavar="FILE",
    help="Picture of the same size: only what is white counts.",
)  # fmt: skip
@click.option(
    "--save-image", type=click.Path(path_type=Path), metavar="FILE",
    help="Also write what the latent shows.",
)  # fmt: skip
@click.option(
    "--video", type=click.Path(path_type=Path), metavar="FILE",
    help="Also write the way there as .gif, .webp, .mp4 or .avi.",
)  # fmt: skip
@click.option(
    "--save-frequency", type=click.IntRange(1), default=10, show_default=True,
    help="Every how many steps --video takes a picture.",
)  # fmt: skip
@click.option("--again", is_flag=True, help="Do not take an inversion that is cached.")
@click.option(
    "--batch", type=click.IntRange(1, 256), default=None,
    help="How many pictures of a folder are worked on at once (default: by their size).",
)  # fmt: skip
@json_option
def invert_command(
    *,
    image: Path,
    output: Path,
    generator: str | None,
    inverter: str | None,
    aligner: str | None,
    place: options.Place,
    mask: Path | None,
    save_image: Path | None,
    video: Path | None,
    save_frequency: int,
    again: bool,
    batch: int | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Find the latent of IMAGE, or of every picture in the folder IMAGE.

    Works in this process; an inversion that the server or an earlier run has cached is taken.
    """
    chosen = gathered(settings)
    if image.is_dir():
        from latentfu.cli.invert_folder import Folder, invert_folder

        if mask or save_image or video or place.corners or place.eyes:
            raise click.UsageError("A mask, a place, an image or a video is for one picture.")
        choice = options.Choice(generator, inverter, aligner, place=place)
        folder = Folder(image, output, batch, again)
        invert_folder(folder, choice, chosen, as_json)
        return
    check_outputs(output, save_image, video)
    from latentfu.cli.backend import open_editor
    from latentfu.cli.film import Film, enlarged, levels
    from latentfu.cli.pictures import Picture, read_mask, read_picture, write_picture
    from latentfu.core.layer import Layer
    from latentfu.pipeline.editor import EditRequest
    from latentfu.pipeline.invert import How
    from latentfu.pipeline.render import render
    from latentfu.storage.atomic import write_whole
    from latentfu.storage.inversion_cache import serialize_inversion

    picture = read_picture(image)
    inside = read_mask(mask, picture) if mask else None
    editor, name = open_editor(options.Choice(generator, inverter, aligner))
    film = Film(save_frequency) if video else None
    how = How(masked=inside is not None, again=again or video is not None, preview=film)
    request = EditRequest(
        Layer(picture.pixels), {}, generator=name, inverter=inverter, aligner=aligner, mask=inside,
        quality=place.quality, placing=place.placing(),
    )  # fmt: skip
    with progress_bar("Inverting", quiet=as_json) as progress:
        _, found = editor.inversion(request, chosen, progress, how)
    spec = editor.studio.spec(name)
    if save_image or film:
        shown = levels(render(editor.studio.generator(spec), found.inversion.latent))
        if film and video:
            film.frames.append(enlarged(shown))
            film.write(video)
        if save_image:
            write_picture(save_image, Picture(shown))
    write_whole(output, serialize_inversion(found.key, found.inversion))
    told = facts(found, spec)
    if as_json:
        print_json({"output": str(output), **told, "inversion_cached": found.cached})
    else:
        click.echo(f"{output}: {sentence(told)}")


def check_outputs(output: Path, image: Path | None, video: Path | None) -> None:
    """Refuse names before minutes of work are put into them (raises BadInputError)."""
    from latentfu.cli.film import check_film
    from latentfu.cli.pictures import check_folder, check_target

    if output.suffix != ".safetensors":
        raise BadInputError(f"{output} must end in .safetensors.")
    check_folder(output)
    if image:
        check_target(image)
    if video:
        check_film(video)
        check_folder(video)


def facts(found: Found, spec: GeneratorSpec) -> dict[str, object]:
    """An inversion in figures, for JSON."""
    from latentfu.pipeline.metrics import is_outside, warning

    inversion, quality = found.inversion, found.inversion.quality
    return {
        "space": inversion.latent.space,
        "shape": list(inversion.latent.codes.shape),
        "generator_id": inversion.latent.generator_id,
        "inverter": inversion.method,
        "steps": inversion.steps,
        "psnr": quality.psnr,
        "perceptual": quality.perceptual,
        "perceptual_name": quality.perceptual_name,
        "identity": quality.identity,
        "beyond": quality.out_of_domain,
        "outside": is_outside(quality, spec),
        "warning": warning(quality, spec),
        "seconds": quality.seconds,
        "parts": dict(quality.parts),
    }


def sentence(told: Mapping[str, Any]) -> str:
    """An inversion in words."""
    parts = ", ".join(f"{name} {value:.1f}" for name, value in told["parts"].items())
    likeness = "" if told["identity"] is None else f", identity {told['identity']:.2f}"
    words = (
        f"{told['psnr']:.1f} dB, {told['perceptual_name']} {told['perceptual']:.3f}{likeness}, "
        f"{told['inverter']}, {told['seconds']:.1f} s"
    )
    words += f" ({parts})." if parts else "."
    return f"{words}\n{told['warning']}" if told["warning"] else words
